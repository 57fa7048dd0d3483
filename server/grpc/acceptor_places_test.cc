// Whose places new connections get, and what it costs to find that out: an acceptor whose
// connections are the test's.
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "server/grpc/acceptor.h"
#include "server/grpc/relay_server_fixture_for_test.h"

namespace {

std::atomic<uint64_t> looks{0};

}  // namespace

// By which the acceptor looks whether a connection is closed: the dynamic linker takes it from the
// program first.
extern "C" int fstat(int file, struct stat* status) noexcept {
  using Function = int (*)(int, struct stat*);
  static const auto system = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "fstat"));
  ++looks;
  return system(file, status);
}

namespace parley::server {
namespace {

class AcceptorTest : public testing::Test {
 protected:
  void Start(const Limits& limits) {
    auto acceptor = Acceptor::Listen("127.0.0.1:0", limits, &metrics_);
    ASSERT_TRUE(acceptor.ok()) << acceptor.status();
    acceptor_ = *std::move(acceptor);
    acceptor_->Start(
        [&](int fd) {
          std::lock_guard lock(mutex_);
          taken_.push_back(fd);
        },
        [&](const std::string& name) {
          std::lock_guard lock(mutex_);
          names_.push_back(name);
        });
  }
  struct Ends {
    int client = -1;
    int relay = -1;
    std::string name;  // as gRPC calls it
  };
  sockaddr_in Address() const {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(acceptor_->port()));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }
  // Another connection is ended before a byte has come.
  void ExpectRefused() {
    const int refused = ::socket(AF_INET, SOCK_STREAM, 0);
    const sockaddr_in address = Address();
    ASSERT_EQ(::connect(refused, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    char byte = 0;
    EXPECT_EQ(::recv(refused, &byte, 1, 0), 0);
    ::close(refused);
  }
  Ends Connect() {
    const size_t before = TakenCount();
    Ends ends;
    ends.client = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = Address();
    socklen_t size = sizeof(address);
    EXPECT_EQ(::connect(ends.client, reinterpret_cast<const sockaddr*>(&address), size), 0);
    EXPECT_EQ(::getsockname(ends.client, reinterpret_cast<sockaddr*>(&address), &size), 0);
    ends.name = "ipv4:127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    EXPECT_TRUE(Eventually([&] { return TakenCount() > before; }));
    std::lock_guard lock(mutex_);
    ends.relay = taken_.back();
    return ends;
  }
  size_t TakenCount() {
    std::lock_guard lock(mutex_);
    return taken_.size();
  }
  static void Close(const Ends& ends) {
    ::close(ends.relay);
    ::close(ends.client);
  }

  Metrics metrics_;
  std::mutex mutex_;  // guards what follows
  std::vector<int> taken_;
  std::vector<std::string> names_;
  std::unique_ptr<Acceptor> acceptor_;
};

TEST_F(AcceptorTest, OfThoseWithoutAKeyOnesThatAreGoneMakeRoomFirst) {
  Limits limits;
  limits.max_unproven_connections = 2;
  Start(limits);
  Close(Connect());
  const Ends first = Connect();
  const Ends second = Connect();
  EXPECT_EQ(metrics_.connections_unproven.value(), 0u);
  EXPECT_TRUE(IsOpen(first.client));
  const Ends third = Connect();
  EXPECT_TRUE(Eventually([&] { return !IsOpen(first.client); }));
  EXPECT_TRUE(IsOpen(second.client));
  EXPECT_EQ(metrics_.connections_unproven.value(), 1u);
  for (const Ends& ends : {first, second, third}) Close(ends);
}

// Not only those that came before the oldest one that is open.
TEST_F(AcceptorTest, NoneThatIsOpenIsEndedForOnesThatAreGone) {
  Limits limits;
  limits.max_unproven_connections = 2;
  Start(limits);
  const Ends first = Connect();
  Close(Connect());
  const Ends third = Connect();
  EXPECT_EQ(metrics_.connections_unproven.value(), 0u);
  EXPECT_TRUE(IsOpen(first.client));
  EXPECT_TRUE(IsOpen(third.client));
  for (const Ends& ends : {first, third}) Close(ends);
}

// Of connections that are ended their descriptors are there until whoever took them closes them.
TEST_F(AcceptorTest, MakesRoomForNoMoreThanSomeAtOnce) {
  Limits limits;
  limits.max_connections = 4;
  limits.max_connections_per_address = 1000;
  limits.max_unproven_connections = 4;
  Start(limits);
  std::vector<Ends> open;
  for (int i = 0; i < 4 + 64; ++i) open.push_back(Connect());
  EXPECT_EQ(metrics_.connections_unproven.value(), 64u);
  EXPECT_EQ(metrics_.connections_over_limit.value(), 0u);
  ExpectRefused();
  EXPECT_EQ(metrics_.connections_over_limit.value(), 1u);
  for (const Ends& ends : open) Close(ends);
  Close(Connect());
}

// Whatever is known by a name, it is another connection's, or nobody's.
TEST_F(AcceptorTest, TellsNamesThatAreNewOrNobodysAnyMore) {
  Limits limits;
  limits.max_unproven_connections = 2;
  Start(limits);
  const Ends first = Connect();
  const Ends second = Connect();
  EXPECT_EQ(names_, (std::vector<std::string>{first.name, second.name}));
  Close(first);
  const Ends third = Connect();
  EXPECT_EQ(names_, (std::vector<std::string>{first.name, second.name, first.name, third.name}));
  for (const Ends& ends : {second, third}) Close(ends);
}

// Neither who has shown a key nor who was ended for something else counts, however often it is
// said.
TEST_F(AcceptorTest, EachWithoutAKeyCountsOnce) {
  Limits limits;
  limits.max_unproven_connections = 2;
  Start(limits);
  const Ends member = Connect();
  const Ends ended = Connect();
  for (int i = 0; i < 3; ++i) {
    acceptor_->MarkProven(member.name);
    acceptor_->End(ended.name, Acceptor::Hits::kConnection);
    acceptor_->MarkProven(ended.name);
  }
  const Ends first = Connect();
  const Ends second = Connect();
  EXPECT_EQ(metrics_.connections_unproven.value(), 0u);
  const Ends third = Connect();
  EXPECT_EQ(metrics_.connections_unproven.value(), 1u);
  EXPECT_TRUE(IsOpen(member.client));
  EXPECT_TRUE(Eventually([&] { return !IsOpen(first.client); }));
  EXPECT_TRUE(IsOpen(second.client));
  for (const Ends& ends : {member, ended, first, second, third}) Close(ends);
}

// Each further refused call of a connection asks for its end.
TEST_F(AcceptorTest, AConnectionIsEndedOnce) {
  Start(Limits());
  const Ends ends = Connect();
  for (int i = 0; i < 100; ++i) acceptor_->End(ends.name, Acceptor::Hits::kAddress);
  char byte = 0;
  EXPECT_EQ(::recv(ends.client, &byte, 1, 0), 0);
  EXPECT_EQ(metrics_.connections_ended.value(), 1u);
  Close(ends);
}

// Where all places are taken by members, each who comes would else have every one of them looked
// at.
TEST_F(AcceptorTest, WhoIsRefusedCostsFewLooks) {
  constexpr size_t kPlaces = 300;
  constexpr uint64_t kRefused = 400;
  Limits limits;
  limits.max_connections = kPlaces;
  limits.max_connections_per_address = kPlaces;
  Start(limits);
  std::vector<Ends> members;
  for (size_t i = 0; i < kPlaces; ++i) {
    members.push_back(Connect());
    acceptor_->MarkProven(members.back().name);
  }
  const uint64_t before = looks;
  const auto begin = std::chrono::steady_clock::now();
  for (uint64_t i = 0; i < kRefused; ++i) {
    ExpectRefused();
  }
  // All of them every 50 milliseconds, and some for each that comes.
  const auto times = static_cast<uint64_t>((std::chrono::steady_clock::now() - begin) /
                                           std::chrono::milliseconds(50));
  EXPECT_LE(looks - before, kRefused * 35 + (times + 2) * kPlaces);
  EXPECT_EQ(metrics_.connections_over_limit.value(), kRefused);
  // Nobody is kept out by who has left, longer than until all are looked at again.
  for (size_t i = 0; i < 3; ++i) {
    Close(members[i]);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    members[i] = Connect();
  }
  EXPECT_EQ(metrics_.connections_over_limit.value(), kRefused);
  for (const Ends& ends : members) Close(ends);
}

}  // namespace
}  // namespace parley::server
