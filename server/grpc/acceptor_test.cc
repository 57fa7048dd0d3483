// Connections: how many there may be.
#include "server/grpc/acceptor.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "server/grpc/relay_server_fixture_for_test.h"

namespace parley::server {
namespace {

class FewConnectionsTest : public RelayServerTest {
 protected:
  FewConnectionsTest()
      : RelayServerTest([](Limits& limits) {
          limits.max_connections = 8;
          limits.max_connections_per_address = 6;
        }) {}

  uint64_t Taken() const { return relay_.relay->metrics().connections.value(); }
  uint64_t Refused() const {
    const Metrics& metrics = relay_.relay->metrics();
    return metrics.connections_over_limit.value() + metrics.connections_over_address_limit.value() +
           metrics.connections_too_often.value();
  }

  // A connection from an address of the loopback's; -1 when it was closed at once. Nothing else may
  // connect meanwhile.
  int Connect(const char* from) {
    const uint64_t taken = Taken();
    const uint64_t refused = Refused();
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    ::inet_pton(AF_INET, from, &address.sin_addr);
    EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    address.sin_port = htons(static_cast<uint16_t>(port_));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    // An open one is silent, so its count is what tells how it ended.
    EXPECT_TRUE(Eventually([&] { return Taken() != taken || Refused() != refused; }));
    if (Taken() != taken) return fd;
    char byte = 0;
    EXPECT_LE(::recv(fd, &byte, 1, 0), 0);
    ::close(fd);
    return -1;
  }
  bool Answers() {
    auto stub = v1::Relay::NewStub(NewChannel());
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(1));
    v1::GetInfoResponse info;
    return stub->GetInfo(&context, {}, &info).ok();
  }
};

TEST_F(FewConnectionsTest, ConnectionsAreBoundedByAddressAndInAll) {
  std::vector<int> open;
  auto hold = [&](const char* from, int count) {
    int held = 0;
    for (int i = 0; i < count; ++i) {
      const int fd = Connect(from);
      if (fd < 0) continue;
      open.push_back(fd);
      ++held;
    }
    return held;
  };
  // Whoever takes all places of one address leaves others theirs.
  EXPECT_EQ(hold("127.0.0.2", 9), 6);
  EXPECT_TRUE(Answers());
  // (One of these is free again only when the relay has noticed that who asked is gone.)
  int held = 0;
  EXPECT_TRUE(Eventually([&] { return (held += hold("127.0.0.3", 1)) == 2; }));
  EXPECT_EQ(hold("127.0.0.3", 4), 0);
  EXPECT_FALSE(Answers());
  // They are free again when their connections end, handshake or not.
  for (int fd : open) ::close(fd);
  open.clear();
  EXPECT_TRUE(Eventually([&] { return Answers(); }));
}

// Each is a handshake that costs the relay about as much as fifty calls.
class FewNewConnectionsTest : public FewConnectionsTest {
 protected:
  void SetUp() override {
    relay_.limits.max_connections.Change(1000);
    relay_.limits.max_connections_per_address.Change(1000);
    relay_.limits.address_connections_per_second.Change(1);  // and ten at once
    FewConnectionsTest::SetUp();
  }
  int Connected(const char* from, int tries) {
    int connected = 0;
    for (int i = 0; i < tries; ++i) {
      const int fd = Connect(from);
      if (fd < 0) continue;
      ++connected;
      ::close(fd);
    }
    return connected;
  }
};

TEST_F(FewNewConnectionsTest, NewConnectionsOfAnAddressAreBounded) {
  const auto begin = std::chrono::steady_clock::now();
  const int connected = Connected("127.0.0.2", 20);
  const double took =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  EXPECT_GE(connected, 10);
  EXPECT_LE(connected, 11 + took);
  EXPECT_GT(relay_.relay->metrics().connections_too_often.value(), 0u);
  EXPECT_EQ(Connected("127.0.0.3", 1), 1);
  EXPECT_TRUE(Answers());
  relay_.limits.address_connections_per_second.Change(0);
  EXPECT_EQ(Connected("127.0.0.2", 5), 5);
}

TEST_F(FewNewConnectionsTest, ThoseOnWhichAKeyIsShownDoNotCount) {
  const TestMailbox mailbox = relay_.NewMailbox();
  for (int i = 0; i < 40; ++i) {
    auto stub = v1::Relay::NewStub(NewChannel());
    grpc::ClientContext context;
    context.set_wait_for_ready(false);
    v1::OpenSessionResponse response;
    const grpc::Status status = stub->OpenSession(
        &context,
        relay_.SessionRequest(mailbox.object(), 1, AccessRight::kRead, mailbox.secrets[0].read),
        &response);
    ASSERT_TRUE(status.ok()) << i << status.error_message();
  }
  EXPECT_EQ(relay_.relay->metrics().connections_too_often.value(), 0u);
}

// Each further refused call of a connection asks for its end.
TEST(AcceptorTest, AConnectionIsEndedOnce) {
  Metrics metrics;
  absl::StatusOr<std::unique_ptr<Acceptor>> acceptor =
      Acceptor::Listen("127.0.0.1:0", Limits(), &metrics);
  ASSERT_TRUE(acceptor.ok()) << acceptor.status();
  std::promise<int> taken;
  (*acceptor)->Start([&](int fd) { taken.set_value(fd); });
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>((*acceptor)->port()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  socklen_t size = sizeof(address);
  ASSERT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const int other_end = taken.get_future().get();
  const std::string name = "ipv4:127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  for (int i = 0; i < 100; ++i) (*acceptor)->End(name, Acceptor::Hits::kAddress);
  char byte = 0;
  EXPECT_EQ(::recv(fd, &byte, 1, 0), 0);
  EXPECT_EQ(metrics.connections_ended.value(), 1u);
  ::close(other_end);
  ::close(fd);
}

}  // namespace
}  // namespace parley::server
