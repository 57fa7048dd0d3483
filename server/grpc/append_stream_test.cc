// Appends over one stream, over real TLS.
#include "server/grpc/append_stream.h"

#include <chrono>
#include <future>
#include <map>
#include <thread>
#include <vector>

#include "server/grpc/relay_server_fixture_for_test.h"

namespace parley::server {
namespace {

using grpc::StatusCode;
using Result = v1::AppendStreamResponse::Result;

// One stream as a client sees it: sent without waiting, answered by number.
class Appends {
 public:
  explicit Appends(v1::Relay::Stub& stub) : stream_(stub.AppendStream(&context_)) {}

  bool Send(uint64_t number, const v1::AppendRequest& append) {
    v1::AppendStreamRequest request;
    request.set_number(number);
    *request.mutable_append() = append;
    return stream_->Write(request);
  }
  bool SendEmpty() { return stream_->Write(v1::AppendStreamRequest()); }

  // The next answer; a result without an outcome when the stream has ended.
  Result Next() {
    while (next_ == batch_.results_size()) {
      next_ = 0;
      batch_.Clear();
      if (!stream_->Read(&batch_)) return Result();
      EXPECT_GT(batch_.results_size(), 0);
    }
    return batch_.results(next_++);
  }
  // The position, or 0.
  uint64_t NextPosition() { return Next().appended().position(); }

  // After which no answer may be left.
  grpc::Status EndAfterAll() {
    stream_->WritesDone();
    EXPECT_EQ(Next().outcome_case(), Result::OUTCOME_NOT_SET);
    return stream_->Finish();
  }
  grpc::Status Finish() { return stream_->Finish(); }
  void WritesDone() { stream_->WritesDone(); }
  void Cancel() { context_.TryCancel(); }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::AppendStreamRequest, v1::AppendStreamResponse>>
      stream_;
  v1::AppendStreamResponse batch_;
  int next_ = 0;
};

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
  Appends appends(*stub_);
  ASSERT_TRUE(appends.SendEmpty());
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
  const Gauge& open = relay_.relay->metrics().open_streams;
  for (int i = 0; i < 5000 && open.value() != 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(open.value(), 0);
}

class NarrowAppendStreamTest : public AppendStreamTest {
 protected:
  NarrowAppendStreamTest()
      : AppendStreamTest([](Limits& limits) {
          limits.max_unanswered_appends = 4;
          limits.unproven_stream_seconds = 1;
        }) {}
};

// While the disk takes nothing, the relay keeps no more appends of a stream than it may.
TEST_F(NarrowAppendStreamTest, ABoundedNumberIsUnderWay) {
  constexpr uint64_t kAppends = 100;
  TestMailbox mailbox = relay_.NewMailbox();
  v1::AppendRequest request = relay_.AppendRequest(mailbox, "p");
  const v1::AppendRequest blocking = relay_.AppendRequest(mailbox, "blocking");
  std::promise<void> begun;
  std::promise<void> gate;
  relay_.relay->mailboxes().Append(
      blocking,
      [&](const absl::StatusOr<uint64_t>&) {
        begun.set_value();
        gate.get_future().wait();
      },
      Mailboxes::Haste::kTogether);
  begun.get_future().wait();
  Appends appends(*stub_);
  for (uint64_t i = 0; i < kAppends; ++i) {
    request.set_append_id(RandomString(16));
    ASSERT_TRUE(appends.Send(i, request));
  }
  const Gauge& queued = relay_.relay->metrics().queued_steps;
  while (queued.value() < 4) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(queued.value(), 4);
  gate.set_value();
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
  Appends proven(*stub_);
  ASSERT_TRUE(proven.Send(1, relay_.AppendRequest(mailbox, "mine")));
  EXPECT_EQ(proven.NextPosition(), 1u);
  Appends silent(*stub_);
  Appends wrong(*stub_);
  v1::AppendRequest request = relay_.AppendRequest(mailbox, "not mine");
  request.set_token("nonsense");
  ASSERT_TRUE(wrong.Send(1, request));
  EXPECT_TRUE(wrong.Next().has_refused());
  EXPECT_EQ(silent.Next().outcome_case(), Result::OUTCOME_NOT_SET);
  EXPECT_EQ(silent.Finish().error_code(), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(wrong.Next().outcome_case(), Result::OUTCOME_NOT_SET);
  EXPECT_EQ(wrong.Finish().error_code(), StatusCode::DEADLINE_EXCEEDED);
  ASSERT_TRUE(proven.Send(2, relay_.AppendRequest(mailbox, "still here")));
  EXPECT_EQ(proven.NextPosition(), 2u);
  EXPECT_TRUE(proven.EndAfterAll().ok());
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
  uint64_t refused = 0;
  uint64_t appended = 0;
  for (uint64_t i = 0; i < kAppends; ++i) {
    const Result result = appends.Next();
    if (result.has_appended()) {
      EXPECT_EQ(result.appended().position(), ++appended);
      continue;
    }
    ++refused;
    EXPECT_EQ(result.refused().code(), static_cast<uint32_t>(StatusCode::RESOURCE_EXHAUSTED));
    EXPECT_EQ(result.refused().exhausted().what(), v1::Exhausted::WHAT_RATE);
    EXPECT_GT(result.refused().exhausted().retry_after_ms(), 0u);
  }
  writer.join();
  // Fifty at once, thirty more at fifty a second.
  EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(500));
  EXPECT_GE(appended, 20u);
  EXPECT_GE(refused, 40u);
  EXPECT_TRUE(appends.EndAfterAll().ok());
}

// Streams end with the relay, which waits for what is under way on them.
TEST_F(AppendStreamTest, EndsWhenTheRelayDoes) {
  TestMailbox mailbox = relay_.NewMailbox();
  Appends appends(*stub_);
  ASSERT_TRUE(appends.Send(1, relay_.AppendRequest(mailbox, "before")));
  EXPECT_EQ(appends.NextPosition(), 1u);
  std::thread ending([&] { server_->Shutdown(std::chrono::seconds(5)); });
  EXPECT_EQ(appends.Next().outcome_case(), Result::OUTCOME_NOT_SET);
  EXPECT_EQ(appends.Finish().error_code(), StatusCode::UNAVAILABLE);
  ending.join();
}

}  // namespace
}  // namespace parley::server
