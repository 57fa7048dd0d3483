#include "client-lib/relay/subscription.h"

#include <algorithm>
#include <map>
#include <thread>
#include <vector>

#include "client-lib/relay/relay_test_kit.h"
#include "gmock/gmock.h"

namespace parley::client {
namespace {

using parley::testing::TestRelay;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

// Reads events until one is as wanted; collects the entries on the way.
class Listener {
 public:
  explicit Listener(RelayClient& client) : stream_(client.Subscribe()) {}

  Subscription& stream() { return *stream_; }
  const std::vector<std::string>& texts(const ObjectId& id) { return texts_[id]; }

  template <typename Wanted>
  std::optional<Wanted> Await(seconds limit = seconds(20)) {
    const auto end = steady_clock::now() + limit;
    while (steady_clock::now() < end) {
      std::optional<Subscription::Event> event = stream_->Next(milliseconds(200));
      if (!event.has_value()) continue;
      if (auto* entries = std::get_if<Subscription::Entries>(&*event)) {
        for (const Entry& entry : entries->entries) {
          texts_[entries->mailbox_id].push_back(TextOf(entry));
        }
      }
      if (auto* wanted = std::get_if<Wanted>(&*event)) return std::move(*wanted);
    }
    return std::nullopt;
  }
  void AwaitEntries(const ObjectId& id, size_t count) {
    const auto end = steady_clock::now() + seconds(20);
    while (texts_[id].size() < count && steady_clock::now() < end) {
      Await<Subscription::Entries>(seconds(1));
    }
    EXPECT_EQ(texts_[id].size(), count);
  }

 private:
  std::unique_ptr<Subscription> stream_;
  std::map<ObjectId, std::vector<std::string>> texts_;
};

TEST(Subscription, GivesOldAndNewEntries) {
  TestRelay relay;
  auto client = MustConnect(relay);
  TestMailbox mailbox(*client, relay);
  mailbox.MustAppend(*client, "one", 1);
  mailbox.MustAppend(*client, "two", 2);
  Listener listener(*client);
  listener.stream().Add(mailbox.id, 1, mailbox.keys.read, 2);
  std::optional<Subscription::CaughtUp> caught_up = listener.Await<Subscription::CaughtUp>();
  ASSERT_TRUE(caught_up.has_value());
  EXPECT_EQ(caught_up->head, 2u);
  EXPECT_THAT(listener.texts(mailbox.id), ::testing::ElementsAre("two"));
  mailbox.MustAppend(*client, "three", 3);
  listener.AwaitEntries(mailbox.id, 2);
}

TEST(Subscription, FollowsManyMailboxes) {
  TestRelay relay;
  auto client = MustConnect(relay);
  std::vector<std::unique_ptr<TestMailbox>> mailboxes;
  Listener listener(*client);
  for (int i = 0; i < 20; ++i) {
    mailboxes.push_back(std::make_unique<TestMailbox>(*client, relay));
    listener.stream().Add(mailboxes.back()->id, 1, mailboxes.back()->keys.read, 1);
  }
  for (uint64_t n = 1; n <= 3; ++n) {
    for (auto& mailbox : mailboxes) mailbox->MustAppend(*client, std::to_string(n), n);
  }
  for (auto& mailbox : mailboxes) {
    listener.AwaitEntries(mailbox->id, 3);
    EXPECT_THAT(listener.texts(mailbox->id), ::testing::ElementsAre("1", "2", "3"));
  }
}

TEST(Subscription, EndsAfterTheClosingEntry) {
  TestRelay relay;
  auto client = MustConnect(relay);
  TestMailbox mailbox(*client, relay);
  Listener listener(*client);
  listener.stream().Add(mailbox.id, 1, mailbox.keys.read, 1);
  ASSERT_TRUE(listener.Await<Subscription::CaughtUp>().has_value());
  mailbox.MustAppend(*client, "one", 1);
  const GenerationSeeds next = mailbox.Close(*client, "commit");
  std::optional<Subscription::Ended> ended = listener.Await<Subscription::Ended>();
  ASSERT_TRUE(ended.has_value());
  EXPECT_TRUE(ended->generation_closed);
  EXPECT_TRUE(ended->status.ok()) << ended->status;
  EXPECT_THAT(listener.texts(mailbox.id), ::testing::ElementsAre("one", "commit"));
  // And goes on with the next generation.
  listener.stream().Add(mailbox.id, 2, next.read, 3);
  ASSERT_TRUE(
      client->Append(mailbox.id, 2, next.append, crypto::RandomArray<16>(), crypto::ViewOf("three"))
          .ok());
  listener.AwaitEntries(mailbox.id, 3);
}

TEST(Subscription, RefusalsAreTold) {
  TestRelay relay;
  auto client = MustConnect(relay);
  TestMailbox mailbox(*client, relay);
  Listener listener(*client);
  listener.stream().Add(mailbox.id, 1, crypto::SignatureKey::Generate(), 1);
  std::optional<Subscription::Ended> ended = listener.Await<Subscription::Ended>();
  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->status.code(), absl::StatusCode::kNotFound);
  // Beyond the end: the log has become shorter than what was read.
  listener.stream().Add(mailbox.id, 1, mailbox.keys.read, 7);
  ended = listener.Await<Subscription::Ended>();
  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->status.code(), absl::StatusCode::kDataLoss) << ended->status;
}

TEST(Subscription, GoesOnAfterARestartWithoutLossOrRepeat) {
  TestRelay relay;
  RelayOptions options;
  options.retry_for = seconds(20);
  auto client = MustConnect(relay, options);
  TestMailbox mailbox(*client, relay);
  Listener listener(*client);
  listener.stream().Add(mailbox.id, 1, mailbox.keys.read, 1);
  uint64_t n = 0;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 5; ++i) {
      ++n;
      mailbox.MustAppend(*client, std::to_string(n), n);
    }
    if (round == 1) listener.AwaitEntries(mailbox.id, n);
    relay.Stop();
    relay.Start();
  }
  listener.AwaitEntries(mailbox.id, n);
  std::vector<std::string> expected;
  for (uint64_t i = 1; i <= n; ++i) expected.push_back(std::to_string(i));
  EXPECT_EQ(listener.texts(mailbox.id), expected);
}

TEST(Subscription, ExpiredTokensAreRenewed) {
  TestRelay relay;
  auto client = MustConnect(relay);
  TestMailbox mailbox(*client, relay);
  mailbox.MustAppend(*client, "one", 1);
  ASSERT_TRUE(client->Read(mailbox.id, 1, mailbox.keys.read, 1).ok());  // keeps a token
  relay.AdvanceClock(3600);
  Listener listener(*client);
  listener.stream().Add(mailbox.id, 1, mailbox.keys.read, 1);
  listener.AwaitEntries(mailbox.id, 1);
}

TEST(Subscription, AddedAnewStartsOver) {
  TestRelay relay;
  auto client = MustConnect(relay);
  TestMailbox mailbox(*client, relay);
  mailbox.MustAppend(*client, "one", 1);
  Listener listener(*client);
  listener.stream().Add(mailbox.id, 1, mailbox.keys.read, 1);
  listener.AwaitEntries(mailbox.id, 1);
  listener.stream().Add(mailbox.id, 1, mailbox.keys.read, 1);
  listener.AwaitEntries(mailbox.id, 2);
  EXPECT_THAT(listener.texts(mailbox.id), ::testing::ElementsAre("one", "one"));
}

TEST(Subscription, DroppedMailboxIsSilent) {
  TestRelay relay;
  auto client = MustConnect(relay);
  TestMailbox dropped(*client, relay);
  TestMailbox kept(*client, relay);
  Listener listener(*client);
  listener.stream().Add(dropped.id, 1, dropped.keys.read, 1);
  listener.stream().Add(kept.id, 1, kept.keys.read, 1);
  ASSERT_TRUE(listener.Await<Subscription::CaughtUp>().has_value());
  ASSERT_TRUE(listener.Await<Subscription::CaughtUp>().has_value());
  listener.stream().Drop(dropped.id);
  dropped.MustAppend(*client, "unheard", 1);
  kept.MustAppend(*client, "heard", 1);
  listener.AwaitEntries(kept.id, 1);
  EXPECT_TRUE(listener.texts(dropped.id).empty());
}

TEST(Subscription, CancelEndsNextFromAnotherThread) {
  TestRelay relay;
  auto client = MustConnect(relay);
  std::unique_ptr<Subscription> stream = client->Subscribe();
  std::thread canceller([&] {
    std::this_thread::sleep_for(milliseconds(100));
    stream->Cancel();
  });
  const auto begun = steady_clock::now();
  EXPECT_FALSE(stream->Next(seconds(30)).has_value());
  EXPECT_LT(steady_clock::now() - begun, seconds(10));
  EXPECT_TRUE(stream->cancelled());
  canceller.join();
}

TEST(Subscription, SlowReaderHoldsTheStreamNotTheMemory) {
  TestRelay relay;
  auto client = MustConnect(relay);
  TestMailbox mailbox(*client, relay);
  constexpr size_t kEntries = 60;
  for (size_t i = 1; i <= kEntries; ++i) {
    mailbox.MustAppend(*client, std::string(900'000, static_cast<char>('a' + i % 26)), i);
  }
  Listener listener(*client);
  listener.stream().Add(mailbox.id, 1, mailbox.keys.read, 1);
  std::this_thread::sleep_for(milliseconds(500));
  listener.AwaitEntries(mailbox.id, kEntries);
}

TEST(Subscription, DisconnectionIsTold) {
  TestRelay relay;
  auto client = MustConnect(relay);
  TestMailbox mailbox(*client, relay);
  Listener listener(*client);
  listener.stream().Add(mailbox.id, 1, mailbox.keys.read, 1);
  ASSERT_TRUE(listener.Await<Subscription::Connected>().has_value());
  relay.Stop();
  std::optional<Subscription::Disconnected> told = listener.Await<Subscription::Disconnected>();
  ASSERT_TRUE(told.has_value());
  EXPECT_EQ(told->status.code(), absl::StatusCode::kUnavailable) << told->status;
  relay.Start();
  EXPECT_TRUE(listener.Await<Subscription::Connected>().has_value());
}

}  // namespace
}  // namespace parley::client
