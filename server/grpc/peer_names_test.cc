// What the acceptor calls a connection is what gRPC calls it.
#include "server/grpc/peer_names.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "server/grpc/relay_server_fixture_for_test.h"

namespace parley::server {
namespace {

sockaddr_storage V6(const char* text, uint16_t port, uint32_t link = 0) {
  sockaddr_storage storage{};
  auto& address = reinterpret_cast<sockaddr_in6&>(storage);
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  address.sin6_scope_id = link;
  EXPECT_EQ(::inet_pton(AF_INET6, text, &address.sin6_addr), 1);
  return storage;
}

sockaddr_storage V4(const char* text, uint16_t port) {
  sockaddr_storage storage{};
  auto& address = reinterpret_cast<sockaddr_in&>(storage);
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  EXPECT_EQ(::inet_pton(AF_INET, text, &address.sin_addr), 1);
  return storage;
}

TEST(PeerNamesTest, AreAsGrpcWritesThem) {
  EXPECT_EQ(GrpcNameOf(V4("192.0.2.7", 80)), "ipv4:192.0.2.7:80");
  EXPECT_EQ(GrpcNameOf(V6("::ffff:192.0.2.7", 80)), "ipv4:192.0.2.7:80");
  EXPECT_EQ(GrpcNameOf(V6("2001:db8::7", 65535)), "ipv6:%5B2001:db8::7%5D:65535");
  EXPECT_EQ(GrpcNameOf(V6("fe80::7", 80, 12)), "ipv6:%5Bfe80::7%2512%5D:80");
}

TEST(PeerNamesTest, AnIPv6NetworkIsOneAddress) {
  EXPECT_EQ(AddressOf(V6("2001:db8::7", 1)), AddressOf(V6("2001:db8::ffff:8", 2)));
  EXPECT_NE(AddressOf(V6("2001:db8::7", 1)), AddressOf(V6("2001:db8:0:1::7", 1)));
  EXPECT_EQ(AddressOf(V6("::ffff:192.0.2.7", 1)), AddressOf(V4("192.0.2.7", 2)));
  EXPECT_NE(AddressOf(V4("192.0.2.8", 1)), AddressOf(V4("192.0.2.7", 1)));
}

// Of one connection without a key at most, each later one ends the one before.
class NamedConnectionsTest : public RelayServerTest {
 protected:
  NamedConnectionsTest()
      : RelayServerTest([](Limits& limits) { limits.max_unproven_connections = 1; }) {}

  void SetUp() override {
    RelayServerTest::SetUp();
    absl::StatusOr<TlsCertificate> made = MakeTlsCertificate(MakeTlsKey(), "relay.test");
    ASSERT_TRUE(made.ok()) << made.status();
    options_.pem_root_certs = made->certificate_pem;
    everywhere_ = std::make_unique<RelayServer>(*relay_.relay, relay_.limits, *std::move(made));
    absl::StatusOr<int> port = everywhere_->Start("[::]:0");
    if (port.ok()) port_everywhere_ = *port;
    mailbox_ = relay_.NewMailbox();
  }
  void TearDown() override {
    everywhere_.reset();
    RelayServerTest::TearDown();
  }

  std::unique_ptr<v1::Relay::Stub> Connect(const std::string& host) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetString(GRPC_SSL_TARGET_NAME_OVERRIDE_ARG, "relay.test");
    return v1::Relay::NewStub(grpc::CreateCustomChannel(
        host + ":" + std::to_string(port_everywhere_), grpc::SslCredentials(options_), arguments));
  }
  // Over the connection that is there, if it is.
  bool OpensSession(v1::Relay::Stub& stub) {
    grpc::ClientContext context;
    v1::OpenSessionResponse response;
    return stub
        .OpenSession(&context,
                     relay_.SessionRequest(mailbox_.object(), 1, AccessRight::kRead,
                                           mailbox_.secrets[0].read),
                     &response)
        .ok();
  }
  static bool AsksForInfo(v1::Relay::Stub& stub) {
    grpc::ClientContext context;
    v1::GetInfoResponse info;
    return stub.GetInfo(&context, {}, &info).ok();
  }
  // What stands for this machine in a channel's address: over IPv4, IPv6, and each link.
  static std::vector<std::string> Hosts() {
    std::vector<std::string> hosts = {"ipv4:127.0.0.1"};
    ifaddrs* all = nullptr;
    if (::getifaddrs(&all) != 0) return hosts;
    for (const ifaddrs* at = all; at != nullptr; at = at->ifa_next) {
      if (at->ifa_addr == nullptr || at->ifa_addr->sa_family != AF_INET6) continue;
      const auto& address = *reinterpret_cast<const sockaddr_in6*>(at->ifa_addr);
      std::array<char, INET6_ADDRSTRLEN> text{};
      ::inet_ntop(AF_INET6, &address.sin6_addr, text.data(), text.size());
      std::string host = text.data();
      if (address.sin6_scope_id != 0) host += std::string("%25") + at->ifa_name;
      if (!IN6_IS_ADDR_V4MAPPED(&address.sin6_addr)) hosts.push_back("ipv6:%5B" + host + "%5D");
    }
    ::freeifaddrs(all);
    return hosts;
  }

  grpc::SslCredentialsOptions options_;
  std::unique_ptr<RelayServer> everywhere_;
  int port_everywhere_ = 0;
  TestMailbox mailbox_;
};

TEST_F(NamedConnectionsTest, WhoShowsAKeyIsKnownByWhateverWayItComes) {
  if (port_everywhere_ == 0) GTEST_SKIP() << "there is no IPv6 here";
  const Counter& taken = relay_.relay->metrics().connections;
  for (const std::string& host : Hosts()) {
    auto member = Connect(host);
    ASSERT_TRUE(OpensSession(*member)) << host;
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(AsksForInfo(*Connect("ipv4:127.0.0.1")));
    const uint64_t before = taken.value();
    EXPECT_TRUE(OpensSession(*member)) << host;
    EXPECT_EQ(taken.value(), before) << host << ": it was ended as one without a key";
  }
}

}  // namespace
}  // namespace parley::server
