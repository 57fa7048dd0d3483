// Appends over one stream, over real TLS.
#include "server/grpc/append_stream.h"

#include <chrono>
#include <future>
#include <map>
#include <thread>
#include <vector>

#include "server/grpc/append_stream_client_for_test.h"
#include "server/grpc/relay_server_fixture_for_test.h"

namespace parley::server {
namespace {

using grpc::StatusCode;
using Result = v1::AppendStreamResponse::Result;

class AppendStreamTest : public RelayServerTest {
 protected:
  AppendStreamTest() = default;
  explicit AppendStreamTest(void (*narrow)(Limits&)) : RelayServerTest(narrow) {}

  std::vector<std::string> Payloads(const TestMailbox& mailbox) {
    std::vector<std::string> payloads;
    for (const v1::Entry& entry : relay_.ReadAll(mailbox, mailbox.generation())) {
      payloads.push_back(entry.payload());
    }
    return payloads;
  }
};

// Each mailbox has its entries in the order in which they were sent, and each append its answer.
TEST_F(AppendStreamTest, ManyMailboxesEachInOrder) {
  constexpr int kMailboxes = 3;
  constexpr uint64_t kEach = 100;
  std::vector<TestMailbox> mailboxes;
  std::vector<v1::AppendRequest> requests;
  for (int i = 0; i < kMailboxes; ++i) {
    mailboxes.push_back(relay_.NewMailbox());
    requests.push_back(relay_.AppendRequest(mailboxes.back(), ""));
  }
  Appends appends(*stub_);
  for (uint64_t i = 0; i < kEach * kMailboxes; ++i) {
    v1::AppendRequest& request = requests[i % kMailboxes];
    request.set_append_id(RandomString(16));
    request.set_payload(std::to_string(i / kMailboxes));
    ASSERT_TRUE(appends.Send(i, request));
  }
  std::map<uint64_t, uint64_t> positions;
  for (uint64_t i = 0; i < kEach * kMailboxes; ++i) {
    const Result result = appends.Next();
    ASSERT_TRUE(result.has_appended()) << result.refused().message();
    EXPECT_TRUE(positions.emplace(result.number(), result.appended().position()).second);
  }
  EXPECT_TRUE(appends.EndAfterAll().ok());
  for (uint64_t i = 0; i < kEach * kMailboxes; ++i) EXPECT_EQ(positions[i], i / kMailboxes + 1);
  for (const TestMailbox& mailbox : mailboxes) {
    const std::vector<std::string> payloads = Payloads(mailbox);
    ASSERT_EQ(payloads.size(), kEach);
    for (uint64_t i = 0; i < kEach; ++i) EXPECT_EQ(payloads[i], std::to_string(i));
  }
}

TEST_F(AppendStreamTest, ARefusalConcernsOneAppendAndSaysWhatItsStatusWould) {
  TestMailbox mailbox = relay_.NewMailbox();
  const v1::AppendRequest good = relay_.AppendRequest(mailbox, "good");
  Appends appends(*stub_);
  ASSERT_TRUE(appends.Send(1, good));
  EXPECT_EQ(appends.NextPosition(), 1u);

  v1::AppendRequest wrong = relay_.AppendRequest(mailbox, "no token");
  wrong.set_token("nonsense");
  ASSERT_TRUE(appends.Send(2, wrong));
  Result result = appends.Next();
  EXPECT_EQ(result.number(), 2u);
  EXPECT_EQ(result.refused().code(), static_cast<uint32_t>(StatusCode::UNAUTHENTICATED));
  EXPECT_FALSE(result.refused().message().empty());

  wrong = relay_.AppendRequest(mailbox, "");
  ASSERT_TRUE(appends.Send(3, wrong));
  EXPECT_EQ(appends.Next().refused().code(), static_cast<uint32_t>(StatusCode::INVALID_ARGUMENT));

  wrong = relay_.AppendRequest(mailbox, "too much beside it");
  wrong.set_token(std::string(20 << 10, 't'));
  ASSERT_TRUE(appends.Send(4, wrong));
  EXPECT_EQ(appends.Next().refused().code(), static_cast<uint32_t>(StatusCode::INVALID_ARGUMENT));

  v1::AppendRequest stale = relay_.AppendRequest(mailbox, "too late");
  ASSERT_TRUE(relay_.Close(mailbox, "closing").ok());
  ASSERT_TRUE(appends.Send(5, stale));
  result = appends.Next();
  EXPECT_EQ(result.refused().code(), static_cast<uint32_t>(StatusCode::ABORTED));
  EXPECT_EQ(result.refused().stale_generation().current_generation(), 2u);

  ASSERT_TRUE(appends.Send(6, relay_.AppendRequest(mailbox, "of the new generation")));
  EXPECT_EQ(appends.NextPosition(), 3u);
  EXPECT_TRUE(appends.EndAfterAll().ok());
}

TEST_F(AppendStreamTest, AClosingIsTakenAndWhatFollowsNamesTheNextGeneration) {
  TestMailbox mailbox = relay_.NewMailbox();
  GenerationSecrets next;
  v1::AppendRequest closing = relay_.AppendRequest(mailbox, "closing");
  RelayFixture::AddClosing(closing, mailbox, next, mailbox.secrets.back().control);
  const v1::AppendRequest late = relay_.AppendRequest(mailbox, "late");
  Appends appends(*stub_);
  ASSERT_TRUE(appends.Send(1, closing));
  ASSERT_TRUE(appends.Send(2, late));
  EXPECT_EQ(appends.NextPosition(), 1u);
  EXPECT_EQ(appends.Next().refused().stale_generation().current_generation(), 2u);
  EXPECT_TRUE(appends.EndAfterAll().ok());
}

TEST_F(AppendStreamTest, RepeatedOnAnotherStreamAnAppendIsThereOnce) {
  TestMailbox mailbox = relay_.NewMailbox();
  std::vector<v1::AppendRequest> sent;
  for (int i = 0; i < 50; ++i) {
    sent.push_back(relay_.AppendRequest(mailbox, std::to_string(i)));
  }
  {
    Appends broken(*stub_);
    for (uint64_t i = 0; i < sent.size(); ++i) ASSERT_TRUE(broken.Send(i, sent[i]));
    EXPECT_EQ(broken.NextPosition(), 1u);
    broken.Cancel();
    while (broken.Next().outcome_case() != Result::OUTCOME_NOT_SET) {
    }
    EXPECT_EQ(broken.Finish().error_code(), StatusCode::CANCELLED);
  }
  Appends appends(*stub_);
  for (uint64_t i = 0; i < sent.size(); ++i) ASSERT_TRUE(appends.Send(i, sent[i]));
  for (uint64_t i = 0; i < sent.size(); ++i) EXPECT_EQ(appends.NextPosition(), i + 1);
  // The same id with other bytes is another append.
  sent[0].set_payload("other bytes");
  ASSERT_TRUE(appends.Send(0, sent[0]));
  EXPECT_EQ(appends.Next().refused().code(), static_cast<uint32_t>(StatusCode::ALREADY_EXISTS));
  EXPECT_TRUE(appends.EndAfterAll().ok());
  EXPECT_EQ(Payloads(mailbox).size(), sent.size());
}

TEST_F(AppendStreamTest, WhoEndsItsSideGetsAllAnswers) {
  TestMailbox mailbox = relay_.NewMailbox();
  v1::AppendRequest request = relay_.AppendRequest(mailbox, "p");
  Appends appends(*stub_);
  constexpr uint64_t kAppends = 200;
  for (uint64_t i = 0; i < kAppends; ++i) {
    request.set_append_id(RandomString(16));
    ASSERT_TRUE(appends.Send(i, request));
  }
  appends.WritesDone();
  for (uint64_t i = 0; i < kAppends; ++i) EXPECT_EQ(appends.NextPosition(), i + 1);
  EXPECT_EQ(appends.Next().outcome_case(), Result::OUTCOME_NOT_SET);
  EXPECT_TRUE(appends.Finish().ok());
}

TEST_F(AppendStreamTest, ARequestWithoutAnAppendEndsTheStreamWithAReason) {
  TestMailbox mailbox = relay_.NewMailbox();
  Appends appends(*stub_);
  ASSERT_TRUE(appends.Send(1, relay_.AppendRequest(mailbox, "before")));
  ASSERT_TRUE(appends.SendEmpty());
  EXPECT_EQ(appends.NextPosition(), 1u);
  EXPECT_EQ(appends.Next().outcome_case(), Result::OUTCOME_NOT_SET);
  EXPECT_EQ(appends.Finish().error_code(), StatusCode::INVALID_ARGUMENT);
}

TEST_F(AppendStreamTest, ClientsMayGoWhileTheirAppendsAreUnderWay) {
  TestMailbox mailbox = relay_.NewMailbox();
  v1::AppendRequest request = relay_.AppendRequest(mailbox, std::string(1000, 'p'));
  constexpr int kClients = 100;
  for (int i = 0; i < kClients; ++i) {
    Appends appends(*stub_);
    std::thread client([&] { appends.Cancel(); });
    for (uint64_t number = 0; number < 20; ++number) {
      request.set_append_id(RandomString(16));
      if (!appends.Send(number, request)) break;
    }
    client.join();
    while (appends.Next().outcome_case() != Result::OUTCOME_NOT_SET) {
    }
    EXPECT_EQ(appends.Finish().error_code(), StatusCode::CANCELLED);
  }
  // A client knows of the end before the relay does.
  EXPECT_TRUE(Eventually([&] { return relay_.relay->metrics().open_streams.value() == 0; }));
}

// Keeps the relay from committing anything, as a disk that is busy does, until it is told to go on.
class BusyDisk {
 public:
  BusyDisk(RelayFixture& relay, const TestMailbox& mailbox)
      : blocking_(relay.AppendRequest(mailbox, "blocking")) {
    std::promise<void> begun;
    relay.relay->mailboxes().Append(
        blocking_,
        [&](const absl::StatusOr<uint64_t>&) {
          begun.set_value();
          gate_.get_future().wait();
          over_.set_value();
        },
        Mailboxes::Haste::kTogether);
    begun.get_future().wait();
  }
  ~BusyDisk() {
    GoOn();
    over_.get_future().wait();
  }
  void GoOn() {
    if (!std::exchange(goes_on_, true)) gate_.set_value();
  }

 private:
  const v1::AppendRequest blocking_;
  std::promise<void> gate_;
  std::promise<void> over_;
  bool goes_on_ = false;
};

class NarrowAppendStreamTest : public AppendStreamTest {
 protected:
  NarrowAppendStreamTest()
      : AppendStreamTest([](Limits& limits) { limits.max_unanswered_appends = 4; }) {}
};

// While the disk takes nothing, the relay keeps no more appends of a stream than it may.
TEST_F(NarrowAppendStreamTest, ABoundedNumberIsUnderWay) {
  constexpr uint64_t kAppends = 100;
  TestMailbox mailbox = relay_.NewMailbox();
  v1::AppendRequest request = relay_.AppendRequest(mailbox, "p");
  BusyDisk disk(relay_, mailbox);
  Appends appends(*stub_);
  for (uint64_t i = 0; i < kAppends; ++i) {
    request.set_append_id(RandomString(16));
    ASSERT_TRUE(appends.Send(i, request));
  }
  const Gauge& queued = relay_.relay->metrics().queued_steps;
  EXPECT_TRUE(Eventually([&] { return queued.value() == 4; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(100));  // for what mustn't come
  EXPECT_EQ(queued.value(), 4);
  disk.GoOn();
  for (uint64_t i = 0; i < kAppends; ++i) EXPECT_EQ(appends.NextPosition(), i + 2);
  EXPECT_TRUE(appends.EndAfterAll().ok());
}

// More than the network's buffers hold, from a client that reads nothing for a while.
TEST_F(NarrowAppendStreamTest, ASlowReaderLosesNoAnswer) {
  constexpr uint64_t kAppends = 400;
  TestMailbox mailbox = relay_.NewMailbox();
  v1::AppendRequest request = relay_.AppendRequest(mailbox, std::string(64 << 10, 'p'));
  Appends appends(*stub_);
  std::thread writer([&] {
    for (uint64_t i = 0; i < kAppends; ++i) {
      request.set_append_id(RandomString(16));
      ASSERT_TRUE(appends.Send(i, request));
    }
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  for (uint64_t i = 0; i < kAppends; ++i) EXPECT_EQ(appends.NextPosition(), i + 1);
  writer.join();
  EXPECT_TRUE(appends.EndAfterAll().ok());
}

TEST_F(NarrowAppendStreamTest, WhoShowsNoKeyKeepsNoStream) {
  TestMailbox mailbox = relay_.NewMailbox();
  // A stream with little time, and the answer to its first append; a machine that takes longer than
  // that gets more.
  const auto open = [&](const v1::AppendRequest& request, Result& result) {
    std::unique_ptr<Appends> appends;
    for (uint64_t time = 1; time <= 64; time *= 2) {
      relay_.limits.unproven_stream_seconds.Change(time);
      appends = std::make_unique<Appends>(*stub_);
      appends->Send(1, request);
      result = appends->Next();
      if (result.outcome_case() != Result::OUTCOME_NOT_SET) return appends;
      EXPECT_EQ(appends->Finish().error_code(), StatusCode::DEADLINE_EXCEEDED);
    }
    return appends;
  };
  Result result;
  const auto proven = open(relay_.AppendRequest(mailbox, "mine"), result);
  EXPECT_EQ(result.appended().position(), 1u);
  v1::AppendRequest request = relay_.AppendRequest(mailbox, "not mine");
  request.set_token("nonsense");
  const auto wrong = open(request, result);
  EXPECT_TRUE(result.has_refused());
  Appends silent(*stub_);
  EXPECT_EQ(silent.Next().outcome_case(), Result::OUTCOME_NOT_SET);
  EXPECT_EQ(silent.Finish().error_code(), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(wrong->Next().outcome_case(), Result::OUTCOME_NOT_SET);
  EXPECT_EQ(wrong->Finish().error_code(), StatusCode::DEADLINE_EXCEEDED);
  ASSERT_TRUE(proven->Send(2, relay_.AppendRequest(mailbox, "still here")));
  EXPECT_EQ(proven->NextPosition(), 2u);
  EXPECT_TRUE(proven->EndAfterAll().ok());
}

class SlowAppendStreamTest : public AppendStreamTest {
 protected:
  SlowAppendStreamTest()
      : AppendStreamTest([](Limits& limits) {
          limits.connection_calls_per_second = 50;  // of which a second's may come at once
          limits.session_calls_per_second = 2;      // of which ten seconds' may
        }) {}
};

// The connection's rate holds the stream back; the session's refuses, with a hint.
TEST_F(SlowAppendStreamTest, RatesHoldAsForAppendsThatAreCalls) {
  TestMailbox mailbox = relay_.NewMailbox();
  v1::AppendRequest request = relay_.AppendRequest(mailbox, "p");
  Appends appends(*stub_);
  constexpr uint64_t kAppends = 80;
  const auto begun = std::chrono::steady_clock::now();
  std::thread writer([&] {
    for (uint64_t i = 0; i < kAppends; ++i) {
      request.set_append_id(RandomString(16));
      ASSERT_TRUE(appends.Send(i, request));
    }
  });
  uint64_t appended = 0;
  for (uint64_t i = 0; i < kAppends; ++i) {
    const Result result = appends.Next();
    if (result.has_appended()) {
      EXPECT_EQ(result.appended().position(), ++appended);
      continue;
    }
    EXPECT_EQ(result.refused().code(), static_cast<uint32_t>(StatusCode::RESOURCE_EXHAUSTED));
    EXPECT_EQ(result.refused().exhausted().what(), v1::Exhausted::WHAT_RATE);
    EXPECT_GT(result.refused().exhausted().retry_after_ms(), 0u);
  }
  writer.join();
  const double took =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  // A few more: it rests once it has taken one too many, for whole milliseconds.
  EXPECT_LE(kAppends, 50 + 50 * took + 5) << "more than the connection may";
  EXPECT_GE(appended, 20u);
  EXPECT_LE(static_cast<double>(appended), 20 + 2 * took + 1) << "more than the session may";
  EXPECT_TRUE(appends.EndAfterAll().ok());
}

// The relay waits for nothing on a stream on which nothing is under way: else this would never end.
TEST_F(AppendStreamTest, EndsWhenTheRelayDoes) {
  TestMailbox mailbox = relay_.NewMailbox();
  Appends appends(*stub_);
  ASSERT_TRUE(appends.Send(1, relay_.AppendRequest(mailbox, "before")));
  EXPECT_EQ(appends.NextPosition(), 1u);
  server_->Shutdown(std::chrono::hours(24));
  EXPECT_EQ(appends.Next().outcome_case(), Result::OUTCOME_NOT_SET);
  EXPECT_EQ(appends.Finish().error_code(), StatusCode::UNAVAILABLE);
}

// What it has taken it answers before.
TEST_F(AppendStreamTest, WhatWasTakenIsAnsweredWhenTheRelayEnds) {
  constexpr uint64_t kAppends = 50;
  TestMailbox mailbox = relay_.NewMailbox();
  v1::AppendRequest request = relay_.AppendRequest(mailbox, "p");
  BusyDisk disk(relay_, mailbox);
  Appends appends(*stub_);
  for (uint64_t i = 0; i < kAppends; ++i) {
    request.set_append_id(RandomString(16));
    ASSERT_TRUE(appends.Send(i, request));
  }
  const Gauge& queued = relay_.relay->metrics().queued_steps;
  EXPECT_TRUE(Eventually([&] { return queued.value() == kAppends; }));
  std::thread ending([&] { server_->Shutdown(std::chrono::hours(24)); });
  // Calls are refused after its streams were told.
  EXPECT_TRUE(Eventually([&] {
    grpc::ClientContext context;
    v1::GetInfoResponse info;
    return stub_->GetInfo(&context, {}, &info).error_code() == StatusCode::UNAVAILABLE;
  }));
  appends.Send(kAppends, relay_.AppendRequest(mailbox, "too late"));
  disk.GoOn();
  for (uint64_t i = 0; i < kAppends; ++i) EXPECT_EQ(appends.NextPosition(), i + 2);
  EXPECT_EQ(appends.Next().outcome_case(), Result::OUTCOME_NOT_SET);
  EXPECT_EQ(appends.Finish().error_code(), StatusCode::UNAVAILABLE);
  ending.join();
  EXPECT_EQ(Payloads(mailbox).size(), kAppends + 1);
}

}  // namespace
}  // namespace parley::server
