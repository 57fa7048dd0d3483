// Connections: how many there may be, and how many without a key.
#include "server/grpc/acceptor.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "server/grpc/forwarder_for_test.h"
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
           metrics.connections_too_often.value() + metrics.connections_too_often_in_all.value();
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
  // A key was shown on it, as far as the relay knows.
  void Prove(int fd) {
    sockaddr_in address{};
    socklen_t size = sizeof(address);
    ASSERT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
    std::array<char, INET_ADDRSTRLEN> text{};
    ::inet_ntop(AF_INET, &address.sin_addr, text.data(), text.size());
    relay_.relay->rates().MarkProven(std::string("ipv4:") + text.data() + ":" +
                                     std::to_string(ntohs(address.sin_port)));
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
      Prove(fd);
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

// Of twenty at once, half are for addresses from which somebody has shown a key, one for each.
TEST_F(FewNewConnectionsTest, NewConnectionsOfAllAddressesAreBounded) {
  relay_.limits.address_connections_per_second.Change(64);
  relay_.limits.connections_per_second.Change(2);
  const Counter& refused = relay_.relay->metrics().connections_too_often_in_all;
  const int member = Connect("127.0.0.2");
  ASSERT_GE(member, 0);
  Prove(member);
  const auto begin = std::chrono::steady_clock::now();
  int connected = 0;
  for (int i = 0; i < 60; ++i) {
    connected += Connected(("127.0.3." + std::to_string(1 + i)).c_str(), 1);
  }
  const double took =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  EXPECT_GE(connected, 10);
  EXPECT_LE(connected, 11 + 2 * took);
  EXPECT_EQ(refused.value(), 60u - static_cast<uint64_t>(connected));
  EXPECT_EQ(Connected("127.0.0.2", 5), 1);
  relay_.limits.connections_per_second.Change(0);
  EXPECT_EQ(Connected("127.0.4.1", 5), 5);
  ::close(member);
}

TEST_F(FewNewConnectionsTest, ThoseOnWhichAKeyIsShownDoNotCount) {
  relay_.limits.connections_per_second.Change(1);
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
  EXPECT_EQ(Refused(), 0u);
}

// Handshakes that are begun and not gone on with, from many addresses, each within its own bounds.
class FewUnprovenConnectionsTest : public FewConnectionsTest {
 protected:
  void SetUp() override {
    relay_.limits.max_connections.Change(1000);
    relay_.limits.max_unproven_connections.Change(4);
    FewConnectionsTest::SetUp();
    mailbox_ = relay_.NewMailbox();
  }
  void TearDown() override {
    for (const int fd : silent_) ::close(fd);
    FewConnectionsTest::TearDown();
  }
  // So many, none of which says anything.
  void Flood(int count) {
    for (int i = 0; i < count; ++i) {
      const std::string from = "127.0.1." + std::to_string(1 + silent_.size() % 200);
      const int fd = Connect(from.c_str());
      ASSERT_GE(fd, 0);
      silent_.push_back(fd);
    }
  }
  bool OpensSession(v1::Relay::Stub& stub) {
    grpc::ClientContext context;
    context.set_wait_for_ready(false);
    v1::OpenSessionResponse response;
    return stub
        .OpenSession(&context,
                     relay_.SessionRequest(mailbox_.object(), 1, AccessRight::kRead,
                                           mailbox_.secrets[0].read),
                     &response)
        .ok();
  }
  uint64_t EndedForOthers() const { return relay_.relay->metrics().connections_unproven.value(); }

  TestMailbox mailbox_;
  std::vector<int> silent_;
};

TEST_F(FewUnprovenConnectionsTest, TheOldestOnesWithoutAKeyMakeRoom) {
  Flood(4);
  EXPECT_EQ(EndedForOthers(), 0u);
  Flood(2);
  EXPECT_TRUE(Eventually([&] { return !IsOpen(silent_[0]) && !IsOpen(silent_[1]); }));
  for (size_t i = 2; i < silent_.size(); ++i) EXPECT_TRUE(IsOpen(silent_[i])) << i;
  EXPECT_EQ(EndedForOthers(), 2u);
}

TEST_F(FewUnprovenConnectionsTest, WhoShowsAKeyGetsInAndStays) {
  Flood(10);
  auto member = v1::Relay::NewStub(NewChannel());
  ASSERT_TRUE(OpensSession(*member));
  const uint64_t taken = Taken();
  Flood(20);
  EXPECT_TRUE(OpensSession(*member));
  EXPECT_EQ(Taken(), taken + 20) << "the member had to come again";
}

// What the relay knows of an earlier connection isn't this one's: behind a proxy, most addresses
// and ports have been used before.
TEST_F(FewUnprovenConnectionsTest, WhoComesFromAnEarlierMembersAddressAndPortStays) {
  for (const uint64_t calls : {uint64_t{2000}, uint64_t{0}}) {
    relay_.limits.connection_calls_per_second.Change(calls);
    Forwarder forwarder(port_, "127.0.0.9");
    for (int i = 1; i <= 3; ++i) {
      auto member = v1::Relay::NewStub(NewChannel(forwarder.port()));
      ASSERT_TRUE(OpensSession(*member)) << i;
      Flood(20);
      EXPECT_TRUE(OpensSession(*member)) << i;
      EXPECT_EQ(forwarder.connections(), i) << "the member had to come again";
      EXPECT_TRUE(relay_.relay->rates().IsProven(forwarder.peer()));
      member.reset();
      ASSERT_TRUE(Eventually([&] { return !forwarder.is_busy(); }));
    }
  }
}

// Nor has a stranger there shown a key.
TEST_F(FewUnprovenConnectionsTest, WhoComesFromAnEarlierMembersAddressAndPortIsNoMember) {
  Forwarder forwarder(port_, "127.0.0.9");
  auto member = v1::Relay::NewStub(NewChannel(forwarder.port()));
  ASSERT_TRUE(OpensSession(*member));
  member.reset();
  ASSERT_TRUE(Eventually([&] { return !forwarder.is_busy(); }));
  auto stranger = v1::Relay::NewStub(NewChannel(forwarder.port()));
  grpc::ClientContext context;
  v1::GetInfoResponse info;
  ASSERT_TRUE(stranger->GetInfo(&context, {}, &info).ok());
  EXPECT_FALSE(relay_.relay->rates().IsProven(forwarder.peer()));
  Flood(20);
  EXPECT_TRUE(Eventually([&] { return !forwarder.is_busy(); }));
}

// As by a call that ends after its connection was found to be gone: else its address would stay
// known, and the mark be true of whoever comes by that name next.
TEST_F(FewUnprovenConnectionsTest, OfAConnectionThatIsGoneNothingStaysMarked) {
  RateLimits& rates = relay_.relay->rates();
  Forwarder forwarder(port_, "127.0.0.9");
  auto member = v1::Relay::NewStub(NewChannel(forwarder.port()));
  ASSERT_TRUE(OpensSession(*member));
  ASSERT_TRUE(rates.IsProven(forwarder.peer()));
  member.reset();
  ASSERT_TRUE(Eventually([&] { return !forwarder.is_busy(); }));
  Flood(6);  // for which closed ones are looked for
  ASSERT_TRUE(Eventually([&] { return !rates.IsProven(forwarder.peer()); }));
  rates.MarkProven(forwarder.peer());
  EXPECT_FALSE(rates.IsProven(forwarder.peer()));
}

// However many others have shown a key.
TEST_F(FewUnprovenConnectionsTest, WhoComesWhenAllPlacesAreTakenGetsInWhileStrangersHaveSome) {
  relay_.limits.max_connections.Change(10);
  relay_.limits.max_unproven_connections.Change(6);
  Flood(5);
  for (const int fd : silent_) Prove(fd);
  Flood(5);
  auto member = v1::Relay::NewStub(NewChannel());
  EXPECT_TRUE(OpensSession(*member));
  const uint64_t taken = Taken();
  Flood(20);
  EXPECT_TRUE(OpensSession(*member));
  EXPECT_EQ(Taken(), taken + 20) << "the member had to come again";
  for (size_t i = 0; i < 5; ++i) EXPECT_TRUE(IsOpen(silent_[i])) << i;
  EXPECT_EQ(relay_.relay->metrics().connections_over_limit.value(), 0u);
}

// By another bound they would have been refused.
TEST_F(FewUnprovenConnectionsTest, FollowsWhatIsSet) {
  Flood(4);
  relay_.limits.max_unproven_connections.Change(100);
  Flood(10);
  EXPECT_EQ(EndedForOthers(), 0u);
  relay_.limits.max_unproven_connections.Change(2);
  Flood(1);
  EXPECT_EQ(EndedForOthers(), 13u);
}

}  // namespace
}  // namespace parley::server
