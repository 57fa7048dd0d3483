// The commit queue: atomic steps, isolation of failures, grouping, and what happens when the disk
// or somebody else gets in the way.
#include "server/core/commit_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <future>
#include <memory>
#include <new>
#include <thread>

#include "storage/kv/memory_store.h"

namespace parley::server {
namespace {

using storage::Space;

class CommitQueueTest : public testing::Test {
 protected:
  std::optional<std::string> Get(const std::string& key) {
    return *store_.Get(storage::SpaceOf(key), key);
  }

  storage::MemoryStore store_;
};

TEST_F(CommitQueueTest, AStepIsStoredWhenDoneIsCalled) {
  CommitQueue queue(store_, Limits());
  ASSERT_TRUE(queue
                  .Run([](Transaction& t) {
                    t.Put("a", "1");
                    return absl::OkStatus();
                  })
                  .ok());
  EXPECT_EQ(Get("a"), "1");
}

TEST_F(CommitQueueTest, AFailedStepLeavesNothing) {
  CommitQueue queue(store_, Limits());
  EXPECT_EQ(queue
                .Run([](Transaction& t) {
                  t.Put("a", "1");
                  return absl::NotFoundError("no");
                })
                .code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(Get("a"), std::nullopt);
}

// Steps of one group see each other, and a failing one between them changes nothing.
TEST_F(CommitQueueTest, StepsSeeTheirPredecessors) {
  CommitQueue queue(store_, Limits());
  std::promise<void> gate;
  std::shared_future<void> open(gate.get_future());
  queue.Submit(
      0,
      [open](Transaction&) {
        open.wait();
        return absl::OkStatus();
      },
      [](absl::Status) {});
  std::vector<std::promise<absl::Status>> results(11);
  for (int i = 0; i < 11; ++i) {
    queue.Submit(
        0,
        [i](Transaction& t) -> absl::Status {
          absl::StatusOr<std::optional<std::string>> n = t.Load("n");
          t.Put("n", std::to_string(std::stoi(n->value_or("0")) + 1));
          if (i == 5) return absl::AlreadyExistsError("refused");
          return absl::OkStatus();
        },
        [&results, i](absl::Status status) { results[i].set_value(status); });
  }
  gate.set_value();
  for (int i = 0; i < 11; ++i) EXPECT_EQ(results[i].get_future().get().ok(), i != 5);
  EXPECT_EQ(Get("n"), "10");
}

absl::Status PutOne(Transaction& t) {
  t.Put("a", "1");
  return absl::OkStatus();
}

TEST_F(CommitQueueTest, ALoneEagerStepIsDoneOnTheCallersThread) {
  CommitQueue queue(store_, Limits());
  std::thread::id done_on;
  queue.SubmitEagerly(0, PutOne, [&](absl::Status status) {
    EXPECT_TRUE(status.ok());
    EXPECT_EQ(Get("a"), "1");
    done_on = std::this_thread::get_id();
  });
  EXPECT_EQ(done_on, std::this_thread::get_id());
}

// Neither does an eager step wait for what is under way, nor is what comes meanwhile forgotten.
TEST_F(CommitQueueTest, EagerStepsAndOthersWaitForEachOther) {
  CommitQueue queue(store_, Limits());
  std::promise<void> gate;
  std::shared_future<void> open(gate.get_future());
  std::promise<void> running;
  std::promise<absl::Status> first;
  std::promise<absl::Status> second;
  std::promise<absl::Status> third;
  std::thread eager([&] {
    queue.SubmitEagerly(
        0,
        [&, open](Transaction& t) {
          running.set_value();
          open.wait();
          return PutOne(t);
        },
        [&](absl::Status status) { first.set_value(status); });
  });
  running.get_future().wait();
  queue.SubmitEagerly(0, PutOne, [&](absl::Status status) { second.set_value(status); });
  queue.Submit(0, PutOne, [&](absl::Status status) { third.set_value(status); });
  EXPECT_EQ(Get("a"), std::nullopt);
  gate.set_value();
  EXPECT_TRUE(first.get_future().get().ok());
  EXPECT_TRUE(second.get_future().get().ok());
  EXPECT_TRUE(third.get_future().get().ok());
  eager.join();
  queue.Stop();
  absl::Status refused;
  queue.SubmitEagerly(0, PutOne, [&](absl::Status status) { refused = status; });
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable);
}

bool IsDoneHere(CommitQueue& queue) {
  std::promise<std::thread::id> done_on;
  queue.SubmitEagerly(0, PutOne,
                      [&](absl::Status) { done_on.set_value(std::this_thread::get_id()); });
  return done_on.get_future().get() == std::this_thread::get_id();
}

// The queue's thread may still be on its way to waiting.
bool IsDoneHereByAndBy(CommitQueue& queue) {
  for (int i = 0; i < 10'000; ++i) {
    if (IsDoneHere(queue)) return true;
  }
  return false;
}

// gRPC would swallow what a step or a callback throws, and the queue would be busy for ever.
TEST_F(CommitQueueTest, WhatAnEagerStepThrowsEndsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        CommitQueue queue(store_, Limits());
        try {
          queue.SubmitEagerly(
              0, [](Transaction&) -> absl::Status { throw std::bad_alloc(); }, [](absl::Status) {});
        } catch (...) {
          std::_Exit(0);
        }
      },
      "");
}

// An eager step's thread is one of few that answer calls: a disk that is slow must not hold it.
TEST_F(CommitQueueTest, AfterASlowCommitTheQueuesThreadCommitsUntilOneIsShort) {
  using std::chrono::milliseconds;
  std::atomic<int> commit_ms = 1;
  std::atomic<int64_t> readings = 0;
  std::atomic<int64_t> ms = 0;
  // Every commit begins and ends with a reading, so that each takes that long.
  CommitQueue queue(store_, Limits(), nullptr, [&] {
    ms += ++readings % 2 == 0 ? commit_ms.load() : 0;
    return CommitQueue::Time(milliseconds(ms));
  });
  EXPECT_TRUE(IsDoneHere(queue));
  commit_ms = 3;
  EXPECT_TRUE(IsDoneHere(queue));  // which is how it is found out
  EXPECT_FALSE(IsDoneHere(queue));
  commit_ms = 1;
  EXPECT_FALSE(IsDoneHere(queue));
  EXPECT_TRUE(IsDoneHereByAndBy(queue));
}

TEST_F(CommitQueueTest, StoppingWaitsForAnEagerStep) {
  CommitQueue queue(store_, Limits());
  std::promise<void> gate;
  std::shared_future<void> open(gate.get_future());
  std::promise<void> running;
  std::atomic<bool> is_done = false;
  std::thread eager([&] {
    queue.SubmitEagerly(
        0,
        [&, open](Transaction& t) {
          running.set_value();
          open.wait();
          return PutOne(t);
        },
        [&](absl::Status status) { is_done = status.ok(); });
  });
  running.get_future().wait();
  std::thread stopping([&] {
    queue.Stop();
    EXPECT_TRUE(is_done);
  });
  // Until it is stopping: then steps are refused.
  absl::Status refused;
  while (refused.code() != absl::StatusCode::kUnavailable) {
    auto status = std::make_shared<absl::Status>();
    queue.Submit(0, PutOne, [status](absl::Status s) { *status = std::move(s); });
    refused = *status;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_FALSE(is_done);
  gate.set_value();
  eager.join();
  stopping.join();
}

// A callback that submits more isn't waited for, nor forgotten, nor called within itself.
TEST_F(CommitQueueTest, ACallbackMaySubmitEitherWay) {
  CommitQueue queue(store_, Limits());
  for (const bool first_eager : {false, true}) {
    for (const bool second_eager : {false, true}) {
      const auto submit = [&](bool eager, CommitQueue::Done done) {
        if (eager) return queue.SubmitEagerly(0, PutOne, std::move(done));
        queue.Submit(0, PutOne, std::move(done));
      };
      std::atomic<bool> is_within = false;
      std::promise<bool> second_within;
      submit(first_eager, [&](absl::Status) {
        is_within = true;
        submit(second_eager,
               [&](absl::Status status) { second_within.set_value(is_within || !status.ok()); });
        is_within = false;
      });
      EXPECT_FALSE(second_within.get_future().get()) << first_eager << second_eager;
    }
  }
}

TEST_F(CommitQueueTest, AGroupSendsEagerStepsToTheQueuesThreadUntilTheyComeAlone) {
  CommitQueue queue(store_, Limits());
  std::promise<void> gate;
  std::shared_future<void> open(gate.get_future());
  std::promise<void> running;
  queue.Submit(
      0,
      [&, open](Transaction&) {
        running.set_value();
        open.wait();
        return absl::OkStatus();
      },
      [](absl::Status) {});
  running.get_future().wait();
  std::atomic<int> left = 3;
  std::promise<void> all;
  for (int i = 0; i < 3; ++i) {
    queue.Submit(0, PutOne, [&](absl::Status) {
      if (--left == 0) all.set_value();
    });
  }
  gate.set_value();
  all.get_future().wait();
  EXPECT_FALSE(IsDoneHere(queue));
  EXPECT_TRUE(IsDoneHereByAndBy(queue));
}

TEST_F(CommitQueueTest, RangesAndLaterWritesKeepTheirOrder) {
  CommitQueue queue(store_, Limits());
  Transaction t(store_);
  t.Put("e1", "a");
  t.Put("e2", "b");
  t.KeepStep();
  t.DeletePrefix("e");
  EXPECT_EQ(*t.Load("e1"), std::nullopt);
  t.KeepStep();
  EXPECT_EQ(*t.Peek("e2"), std::nullopt);
  t.Put("e2", "again");
  t.KeepStep();
  EXPECT_EQ(*t.Load("e2"), "again");
  ASSERT_TRUE(store_.Commit(t.TakeBatch(), storage::Durability::kSynced).ok());
  EXPECT_EQ(Get("e1"), std::nullopt);
  EXPECT_EQ(Get("e2"), "again");
}

TEST_F(CommitQueueTest, ADiscardedRangeDeletesNothing) {
  storage::WriteBatch batch;
  batch.Put(Space::kEntries, "e1", "a");
  ASSERT_TRUE(store_.Commit(batch, storage::Durability::kSynced).ok());
  Transaction t(store_);
  t.DeletePrefix("e");
  t.DiscardStep();
  EXPECT_EQ(*t.Load("e1"), "a");
  EXPECT_FALSE(t.has_changes());
}

// What a step loaded and somebody else changes before the commit makes the step run again.
TEST_F(CommitQueueTest, AForeignWriteMakesTheStepRunAgain) {
  CommitQueue queue(store_, Limits());
  std::atomic<int> runs = 0;
  ASSERT_TRUE(queue
                  .Run([&](Transaction& t) {
                    absl::StatusOr<std::optional<std::string>> n = t.Load("n");
                    if (runs++ == 0) {
                      storage::WriteBatch foreign;
                      foreign.Put(Space::kRecords, "n", "foreign");
                      EXPECT_TRUE(store_.Commit(foreign, storage::Durability::kBuffered).ok());
                    }
                    t.Put("seen", n->value_or("nothing"));
                    return absl::OkStatus();
                  })
                  .ok());
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(Get("seen"), "foreign");
}

TEST_F(CommitQueueTest, ADiskErrorReachesEveryStepOfTheGroup) {
  CommitQueue queue(store_, Limits());
  store_.FailCommits(absl::ResourceExhaustedError("disk full"));
  auto put = [](Transaction& t) {
    t.Put("a", "1");
    return absl::OkStatus();
  };
  EXPECT_EQ(queue.Run(put).code(), absl::StatusCode::kResourceExhausted);
  store_.FailCommits(absl::OkStatus());
  EXPECT_TRUE(queue.Run(put).ok());
}

TEST_F(CommitQueueTest, TooMuchWaitingIsRefusedAtOnce) {
  Limits limits;
  limits.max_queued_bytes = 100;
  CommitQueue queue(store_, limits);
  std::promise<void> gate;
  std::shared_future<void> open(gate.get_future());
  std::promise<void> running;
  queue.Submit(
      0,
      [&, open](Transaction&) {
        running.set_value();
        open.wait();
        return absl::OkStatus();
      },
      [](absl::Status) {});
  running.get_future().wait();
  auto nothing = [](Transaction&) { return absl::OkStatus(); };
  std::promise<absl::Status> first;
  queue.Submit(80, nothing, [&](absl::Status status) { first.set_value(status); });
  absl::Status second;
  queue.Submit(80, nothing, [&](absl::Status status) { second = status; });
  EXPECT_EQ(second.code(), absl::StatusCode::kResourceExhausted);
  gate.set_value();
  EXPECT_TRUE(first.get_future().get().ok());
}

TEST_F(CommitQueueTest, StoppingWorksOffWhatWaitsAndRefusesTheRest) {
  std::atomic<int> done = 0;
  CommitQueue queue(store_, Limits());
  for (int i = 0; i < 100; ++i) {
    queue.Submit(
        0,
        [i](Transaction& t) {
          t.Put("k" + std::to_string(i), "v");
          return absl::OkStatus();
        },
        [&](absl::Status status) { done += status.ok() ? 1 : 0; });
  }
  queue.Stop();
  EXPECT_EQ(done, 100);
  EXPECT_EQ(queue.Run([](Transaction&) { return absl::OkStatus(); }).code(),
            absl::StatusCode::kUnavailable);
}

TEST_F(CommitQueueTest, ManyThreadsCountCorrectly) {
  CommitQueue queue(store_, Limits());
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        EXPECT_TRUE(queue
                        .Run([](Transaction& transaction) {
                          auto n = transaction.Load("n");
                          transaction.Put("n", std::to_string(std::stoi(n->value_or("0")) + 1));
                          return absl::OkStatus();
                        })
                        .ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Get("n"), "400");
}

}  // namespace
}  // namespace parley::server
