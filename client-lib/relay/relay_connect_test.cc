// Connecting: versions, pinned identities, keys that are certified for a time, TLS 1.3 alone.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ctime>
#include <thread>

#include "client-lib/relay/relay_client.h"
#include "client-lib/relay/relay_test_kit.h"
#include "gmock/gmock.h"

namespace parley::client {
namespace {

using parley::testing::TestRelay;
using ::testing::HasSubstr;

std::string MessageOf(const absl::Status& status) { return std::string(status.message()); }

TEST(Connect, SettlesAVersion) {
  TestRelay relay;
  auto client = MustConnect(relay);
  EXPECT_EQ(client->info().protocol_version, 1u);
  EXPECT_EQ(client->info().max_entry_bytes, kMaxEntryBytes);
  EXPECT_EQ(client->connection(), InfoOf(relay));
}

TEST(Connect, UnreachableRelayIsNamed) {
  TestRelay relay;
  const ConnectionInfo info = InfoOf(relay);
  relay.Stop();
  const absl::Status status = RelayClient::Connect(info).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(MessageOf(status), HasSubstr("the relay at " + info.address + " can't be reached"));
}

TEST(Connect, AnotherIdentityIsRefusedWithBothFingerprints) {
  TestRelay relay;
  ConnectionInfo info = InfoOf(relay);
  info.identity_key = crypto::SignatureKey::Generate().public_key();
  const absl::Status status = RelayClient::Connect(info).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_THAT(MessageOf(status), HasSubstr(IdentityFingerprint(info.identity_key)));
  EXPECT_THAT(MessageOf(status), HasSubstr(IdentityFingerprint(relay.identity_key())));
}

TEST(Connect, CheckedKeyIsKeptAndUsed) {
  TestRelay relay;
  std::optional<CertifiedTlsKey> kept;
  int stored = 0;
  RelayOptions options;
  options.tls_key_cache.load = [&] { return kept; };
  options.tls_key_cache.store = [&](const CertifiedTlsKey& key) {
    kept = key;
    ++stored;
  };
  MustConnect(relay, options);
  EXPECT_EQ(stored, 1);
  ASSERT_TRUE(kept.has_value());
  MustConnect(relay, options);
  EXPECT_EQ(stored, 1);
  // A wrong one in the cache costs a check and no more.
  kept->hash[0] ^= 1;
  MustConnect(relay, options);
  EXPECT_EQ(stored, 2);
}

constexpr uint64_t kDay = 24 * 60 * 60;

// A clock that both sides' tests may move, a cache, and what was stored in it.
struct Certified {
  uint64_t now = static_cast<uint64_t>(time(nullptr));
  std::optional<CertifiedTlsKey> kept;
  int stored = 0;

  RelayOptions Options() {
    RelayOptions options;
    options.now_seconds = [this] { return now; };
    options.tls_key_cache.load = [this] { return kept; };
    options.tls_key_cache.store = [this](const CertifiedTlsKey& key) {
      kept = key;
      ++stored;
    };
    return options;
  }
};

// A thief has the relay's TLS key, and what the relay last said of it; the relay has moved on. The
// thief is played by a relay whose clock stands still.
TEST(Connect, AStolenTlsKeyServesNobodyAfterItsTime) {
  TestRelay thief;
  Certified certified;
  auto running = MustConnect(thief, certified.Options());
  TestMailbox mailbox(*running, thief);
  mailbox.MustAppend(*running, "before", 1);
  certified.now += 3 * kDay + kDay / 2;  // a clock may be wrong by a day
  EXPECT_TRUE(RelayClient::Connect(InfoOf(thief), certified.Options()).ok());
  certified.now += kDay;
  const absl::Status again = RelayClient::Connect(InfoOf(thief), certified.Options()).status();
  EXPECT_EQ(again.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_THAT(MessageOf(again), HasSubstr("clock"));
  // Nor with the key in a cache, which was vouched for later.
  certified.kept->not_after = certified.now + kDay;
  EXPECT_EQ(RelayClient::Connect(InfoOf(thief), certified.Options()).status().code(),
            absl::StatusCode::kUnauthenticated);
  // Nor over a connection that was open all the time.
  EXPECT_EQ(mailbox.Append(*running, "to the thief").status().code(),
            absl::StatusCode::kUnauthenticated);
  // Nor for who has no cache.
  RelayOptions without;
  without.now_seconds = [&] { return certified.now; };
  EXPECT_EQ(RelayClient::Connect(InfoOf(thief), without).status().code(),
            absl::StatusCode::kUnauthenticated);
}

TEST(Connect, AKeyThatIsVouchedForAnewGoesOnForEver) {
  TestRelay relay;
  Certified certified;
  auto running = MustConnect(relay, certified.Options());
  TestMailbox mailbox(*running, relay);
  for (uint64_t day = 1; day <= 20; ++day) {
    certified.now += kDay;
    relay.AdvanceClock(kDay);
    mailbox.MustAppend(*running, "day by day", day);
  }
  EXPECT_GE(certified.stored, 5);
  EXPECT_GT(certified.kept->not_after, certified.now);
}

TEST(Connect, AKeyOfTheFutureIsRefusedBeyondWhatClocksDiffer) {
  TestRelay relay;
  Certified certified;
  certified.now -= kDay - 3600;
  EXPECT_TRUE(RelayClient::Connect(InfoOf(relay), certified.Options()).ok());
  certified.now -= 3 * 3600;
  EXPECT_EQ(RelayClient::Connect(InfoOf(relay), certified.Options()).status().code(),
            absl::StatusCode::kUnauthenticated);
}

TEST(Connect, RenewedTlsKeyIsCheckedAndAccepted) {
  TestRelay relay;
  RelayOptions options;
  options.retry_for = std::chrono::seconds(10);
  auto client = MustConnect(relay, options);
  TestMailbox mailbox(*client, relay);
  relay.RenewTlsKey();
  mailbox.MustAppend(*client, "after", 1);
}

TEST(Connect, ReplacedRelayIsRefusedLater) {
  TestRelay relay;
  RelayOptions options;
  options.retry_for = std::chrono::seconds(10);
  auto client = MustConnect(relay, options);
  TestMailbox mailbox(*client, relay);
  const std::string before = IdentityFingerprint(relay.identity_key());
  relay.ReplaceIdentity();
  const absl::Status status = mailbox.Append(*client, "secret").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated) << status;
  EXPECT_THAT(MessageOf(status), HasSubstr(before));
  EXPECT_THAT(MessageOf(status), HasSubstr(IdentityFingerprint(relay.identity_key())));
}

TEST(Connect, SpeaksNothingOlderThanTls13) {
  // What the client offers: the bytes of its first message name the versions it takes.
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(listen(listener, 1), 0);
  socklen_t size = sizeof(address);
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  std::string hello;
  std::thread server([&] {
    const int connection = accept(listener, nullptr, nullptr);
    hello.resize(4096);
    hello.resize(static_cast<size_t>(std::max<ssize_t>(0, read(connection, hello.data(), 4096))));
    close(connection);
    close(listener);
  });
  ConnectionInfo info;
  info.address = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  RelayOptions options;
  options.deadline = std::chrono::seconds(5);
  EXPECT_EQ(RelayClient::Connect(info, options).status().code(), absl::StatusCode::kUnavailable);
  server.join();
  // supported_versions (0x002b): 3 bytes, a list of 2, TLS 1.3 alone.
  EXPECT_THAT(hello, HasSubstr(std::string("\x00\x2b\x00\x03\x02\x03\x04", 7)));
}

TEST(Connect, ShutdownEndsWhatRuns) {
  TestRelay relay;
  RelayOptions options;
  options.retry_for = std::chrono::minutes(5);
  auto client = MustConnect(relay, options);
  TestMailbox mailbox(*client, relay);
  relay.Stop();
  std::thread ender([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    client->Shutdown();
  });
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(mailbox.Append(*client, "x").status().code(), absl::StatusCode::kCancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(20));
  ender.join();
}

}  // namespace
}  // namespace parley::client
