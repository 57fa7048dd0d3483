// Subscriptions: everything once and in order, whatever the timing.
#include "server/core/subscriptions.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <thread>

#include "server/core/relay_fixture_for_test.h"

namespace parley::server {
namespace {

// A subscriber with a thread's worth of patience: collects events as they come.
class Collector {
 public:
  explicit Collector(Relay& relay) {
    subscription_ = relay.Subscribe([this] {
      std::lock_guard lock(mutex_);
      woken_ = true;
      wake_.notify_all();
    });
    EXPECT_FALSE(Poll());
  }
  ~Collector() { subscription_->Close(); }

  void Add(const TestMailbox& mailbox, const std::string& token, uint64_t from) {
    v1::SubscribeRequest::Add add;
    add.set_mailbox_id(mailbox.id);
    add.set_token(token);
    add.set_from(from);
    EXPECT_TRUE(subscription_->Add(add).ok());
  }

  // The next event; fails the test when none comes within ten seconds.
  v1::SubscribeEvent Next() {
    while (true) {
      v1::SubscribeEvent event;
      if (subscription_->Next(event)) return event;
      std::unique_lock lock(mutex_);
      if (!wake_.wait_for(lock, std::chrono::seconds(10), [this] { return woken_; })) {
        ADD_FAILURE() << "no event came";
        return event;
      }
      woken_ = false;
    }
  }
  // Whether there is an event now; forgets it.
  bool Poll() {
    {
      std::lock_guard lock(mutex_);
      woken_ = false;
    }
    v1::SubscribeEvent event;
    return subscription_->Next(event);
  }
  bool IsQuiet() {
    std::unique_lock lock(mutex_);
    return !wake_.wait_for(lock, std::chrono::milliseconds(50), [this] { return woken_; });
  }
  Subscription& subscription() { return *subscription_; }

 private:
  std::shared_ptr<Subscription> subscription_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool woken_ = false;
};

class SubscriptionsTest : public testing::Test {
 protected:
  RelayFixture relay_;
};

TEST_F(SubscriptionsTest, StoredEntriesThenCaughtUpThenNewOnes) {
  TestMailbox mailbox = relay_.NewMailbox();
  ASSERT_TRUE(relay_.Append(mailbox, "1").ok());
  ASSERT_TRUE(relay_.Append(mailbox, "2").ok());
  Collector collector(*relay_.relay);
  collector.Add(mailbox, relay_.ReadToken(mailbox, 1), 2);
  v1::SubscribeEvent event = collector.Next();
  ASSERT_EQ(event.entries().entries_size(), 1);
  EXPECT_EQ(event.entries().entries(0).payload(), "2");
  EXPECT_EQ(event.entries().mailbox_id(), mailbox.id);
  EXPECT_EQ(collector.Next().caught_up().head(), 2u);
  ASSERT_TRUE(relay_.Append(mailbox, "3").ok());
  EXPECT_EQ(collector.Next().entries().entries(0).payload(), "3");
  EXPECT_FALSE(collector.Poll());
}

TEST_F(SubscriptionsTest, AnEmptyMailboxIsCaughtUpAtOnce) {
  TestMailbox mailbox = relay_.NewMailbox();
  Collector collector(*relay_.relay);
  collector.Add(mailbox, relay_.ReadToken(mailbox, 1), 1);
  v1::SubscribeEvent event = collector.Next();
  ASSERT_TRUE(event.has_caught_up());
  EXPECT_EQ(event.caught_up().head(), 0u);
}

TEST_F(SubscriptionsTest, EndsWithTheClosingEntryAndShowsNothingAfterIt) {
  TestMailbox mailbox = relay_.NewMailbox();
  Collector collector(*relay_.relay);
  collector.Add(mailbox, relay_.ReadToken(mailbox, 1), 1);
  EXPECT_TRUE(collector.Next().has_caught_up());
  ASSERT_TRUE(relay_.Close(mailbox, "removal").ok());
  ASSERT_TRUE(relay_.Append(mailbox, "secret").ok());
  v1::SubscribeEvent event = collector.Next();
  ASSERT_EQ(event.entries().entries_size(), 1);
  EXPECT_TRUE(event.entries().entries(0).has_closing());
  event = collector.Next();
  ASSERT_TRUE(event.has_ended());
  EXPECT_TRUE(event.ended().generation_closed());
  ASSERT_TRUE(relay_.Append(mailbox, "more").ok());
  EXPECT_FALSE(collector.Poll());
  // Who stays goes on with the next generation.
  collector.Add(mailbox, relay_.ReadToken(mailbox, 2), 2);
  EXPECT_EQ(collector.Next().entries().entries_size(), 2);
}

TEST_F(SubscriptionsTest, RefusalsAreEventsOfTheirMailboxOnly) {
  TestMailbox mailbox = relay_.NewMailbox();
  TestMailbox other = relay_.NewMailbox();
  Collector collector(*relay_.relay);
  collector.Add(mailbox, "no token", 1);
  v1::SubscribeEvent event = collector.Next();
  EXPECT_EQ(event.ended().code(), static_cast<uint32_t>(absl::StatusCode::kUnauthenticated));
  EXPECT_EQ(event.ended().mailbox_id(), mailbox.id);
  collector.Add(mailbox, relay_.ReadToken(other, 1), 1);
  EXPECT_EQ(collector.Next().ended().code(),
            static_cast<uint32_t>(absl::StatusCode::kPermissionDenied));
  collector.Add(mailbox, relay_.AppendToken(mailbox, 1), 1);
  EXPECT_EQ(collector.Next().ended().code(),
            static_cast<uint32_t>(absl::StatusCode::kPermissionDenied));
  collector.Add(mailbox, relay_.ReadToken(mailbox, 1), 5);
  EXPECT_EQ(collector.Next().ended().code(), static_cast<uint32_t>(absl::StatusCode::kOutOfRange));
  collector.Add(other, relay_.ReadToken(other, 1), 1);
  EXPECT_TRUE(collector.Next().has_caught_up());
}

TEST_F(SubscriptionsTest, DroppedMailboxesAreSilent) {
  TestMailbox mailbox = relay_.NewMailbox();
  Collector collector(*relay_.relay);
  collector.Add(mailbox, relay_.ReadToken(mailbox, 1), 1);
  EXPECT_TRUE(collector.Next().has_caught_up());
  EXPECT_FALSE(collector.Poll());
  EXPECT_TRUE(collector.subscription().Drop(mailbox.id).ok());
  ASSERT_TRUE(relay_.Append(mailbox, "1").ok());
  EXPECT_TRUE(collector.IsQuiet());
  EXPECT_FALSE(collector.Poll());
}

// Each time another place in the queue would be taken, as long as nobody reads.
TEST_F(SubscriptionsTest, AddingAndDroppingWithoutReadingKeepsNothing) {
  TestMailbox mailbox = relay_.NewMailbox();
  Collector collector(*relay_.relay);
  const std::string token = relay_.ReadToken(mailbox, 1);
  for (int i = 0; i < 1000; ++i) {
    collector.Add(mailbox, token, 1);
    ASSERT_LE(collector.subscription().QueuedForTest(), 1u);
    ASSERT_TRUE(collector.subscription().Drop(mailbox.id).ok());
  }
  EXPECT_EQ(collector.subscription().QueuedForTest(), 0u);
}

TEST_F(SubscriptionsTest, DeletionEndsIt) {
  TestMailbox mailbox = relay_.NewMailbox();
  Collector collector(*relay_.relay);
  collector.Add(mailbox, relay_.ReadToken(mailbox, 1), 1);
  EXPECT_TRUE(collector.Next().has_caught_up());
  ASSERT_TRUE(relay_.Control(mailbox, ControlAct::kDelete, 0).ok());
  EXPECT_EQ(collector.Next().ended().code(), static_cast<uint32_t>(absl::StatusCode::kNotFound));
}

TEST_F(SubscriptionsTest, OneStreamHasABoundOfMailboxesAndOfUnreadRefusals) {
  Limits limits;
  limits.max_mailboxes_per_subscription = 1;
  limits.max_unread_refusals = 2;
  RelayFixture relay(limits);
  TestMailbox first = relay.NewMailbox();
  TestMailbox second = relay.NewMailbox();
  Collector collector(*relay.relay);
  collector.Add(first, relay.ReadToken(first, 1), 1);
  EXPECT_TRUE(collector.Next().has_caught_up());
  collector.Add(second, relay.ReadToken(second, 1), 1);
  EXPECT_FALSE(collector.subscription().IsCongested());
  collector.Add(second, "", 1);
  EXPECT_TRUE(collector.subscription().IsCongested());
  EXPECT_EQ(collector.Next().ended().code(),
            static_cast<uint32_t>(absl::StatusCode::kResourceExhausted));
  EXPECT_FALSE(collector.subscription().IsCongested());
}

TEST_F(SubscriptionsTest, NothingIsHeardAfterClose) {
  TestMailbox mailbox = relay_.NewMailbox();
  std::atomic<int> wakes = 0;
  auto subscription = relay_.relay->Subscribe([&] { ++wakes; });
  v1::SubscribeRequest::Add add;
  add.set_mailbox_id(mailbox.id);
  add.set_token(relay_.ReadToken(mailbox, 1));
  add.set_from(1);
  EXPECT_TRUE(subscription->Add(add).ok());
  v1::SubscribeEvent event;
  while (subscription->Next(event)) {
  }
  subscription->Close();
  const int before = wakes;
  ASSERT_TRUE(relay_.Append(mailbox, "1").ok());
  EXPECT_FALSE(subscription->Next(event));
  EXPECT_EQ(wakes, before);
}

// Appenders, closings and subscribers that come, go and resume, all at once: every subscriber sees
// every entry of a generation once and in order. This is what the thread sanitizer looks at.
TEST_F(SubscriptionsTest, UnderLoadEverySubscriberSeesEverythingOnceInOrder) {
  constexpr int kMailboxes = 4;
  constexpr uint64_t kEntries = 150;
  std::vector<TestMailbox> mailboxes;
  std::vector<std::string> append_tokens;
  std::vector<std::string> read_tokens;
  for (int i = 0; i < kMailboxes; ++i) {
    mailboxes.push_back(relay_.NewMailbox());
    append_tokens.push_back(relay_.AppendToken(mailboxes.back(), 1));
    read_tokens.push_back(relay_.ReadToken(mailboxes.back(), 1));
  }
  std::vector<std::thread> threads;
  for (int i = 0; i < kMailboxes; ++i) {
    threads.emplace_back([&, i] {
      for (uint64_t n = 1; n <= kEntries; ++n) {
        v1::AppendRequest request =
            relay_.AppendRequest(mailboxes[i], 1, append_tokens[i], std::to_string(n));
        if (n == kEntries) {
          RelayFixture::AddClosing(request, mailboxes[i], GenerationSecrets(),
                                   mailboxes[i].secrets[0].control);
        }
        EXPECT_TRUE(relay_.Append(request).ok());
      }
    });
  }
  for (int s = 0; s < 3; ++s) {
    threads.emplace_back([&, s] {
      std::map<std::string, uint64_t> seen;
      int ended = 0;
      while (ended < kMailboxes) {
        // The second and third subscriber reconnect every so often and go on where they were.
        Collector collector(*relay_.relay);
        for (int i = 0; i < kMailboxes; ++i) {
          if (seen[mailboxes[i].id] == kEntries) continue;
          collector.Add(mailboxes[i], read_tokens[i], seen[mailboxes[i].id] + 1);
        }
        for (int events = 0; ended < kMailboxes && (s == 0 || events < 20 * s); ++events) {
          v1::SubscribeEvent event = collector.Next();
          for (const v1::Entry& entry : event.entries().entries()) {
            uint64_t& last = seen[event.entries().mailbox_id()];
            ASSERT_EQ(entry.position(), last + 1);
            ASSERT_EQ(entry.payload(), std::to_string(entry.position()));
            last = entry.position();
            if (last == kEntries) ++ended;
          }
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace parley::server
