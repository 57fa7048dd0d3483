// Rate limits over real TLS: who asks too often is told when to come again, and nobody else is.
#include <atomic>
#include <thread>
#include <vector>

#include "server/core/sponsors.h"
#include "server/grpc/relay_server_fixture_for_test.h"

namespace parley::server {
namespace {

using grpc::StatusCode;

class AdmissionTest : public RelayServerTest {
 protected:
  AdmissionTest()
      : RelayServerTest([](Limits& limits) {
          limits.connection_calls_per_second = 20;  // and 200 at once
          limits.session_calls_per_second = 4;      // and 40
        }) {}

  static uint64_t HintOf(const grpc::Status& status) {
    v1::Exhausted details;
    if (status.error_code() != StatusCode::RESOURCE_EXHAUSTED ||
        !details.ParseFromString(status.error_details()) ||
        details.what() != v1::Exhausted::WHAT_RATE) {
      return 0;
    }
    return details.retry_after_ms();
  }
  static grpc::Status GetChallenge(v1::Relay::Stub& stub) {
    grpc::ClientContext context;
    v1::GetChallengeResponse response;
    return stub.GetChallenge(&context, {}, &response);
  }
  grpc::Status Read(v1::Relay::Stub& stub, const TestMailbox& mailbox, const std::string& token) {
    v1::ReadRequest request;
    request.set_token(token);
    request.set_mailbox_id(mailbox.id);
    request.set_from(1);
    grpc::ClientContext context;
    v1::ReadResponse response;
    return stub.Read(&context, request, &response);
  }
};

TEST_F(AdmissionTest, AConnectionThatAsksTooOften) {
  grpc::Status refused;
  int taken = 0;
  for (; taken < 5000 && refused.ok(); ++taken) refused = GetChallenge(*stub_);
  EXPECT_GT(taken, 200);
  const uint64_t hint = HintOf(refused);
  EXPECT_GT(hint, 0u) << refused.error_message();
  EXPECT_LE(hint, 1000u);
  // Others go on meanwhile.
  auto other = v1::Relay::NewStub(NewChannel());
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(GetChallenge(*other).ok());
  // And so does this one, after the hint.
  bool taken_again = false;
  for (int i = 0; i < 20 && !taken_again; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(hint));
    taken_again = GetChallenge(*stub_).ok();
  }
  EXPECT_TRUE(taken_again);
  EXPECT_GT(relay_.relay->metrics()
                .of(Call::kGetChallenge)
                .ended[static_cast<size_t>(Outcome::kRate)]
                .value(),
            0u);
}

TEST_F(AdmissionTest, ASessionThatAsksTooOften) {
  const TestMailbox mailbox = relay_.NewMailbox();
  const std::string token = relay_.ReadToken(mailbox, 1);
  grpc::Status refused;
  for (int i = 0; i < 5000 && refused.ok(); ++i) refused = Read(*stub_, mailbox, token);
  EXPECT_GT(HintOf(refused), 0u) << refused.error_message();
  EXPECT_NE(refused.error_message().find("this session"), std::string::npos);
  // The same token over another connection is another member's, for all that the relay knows.
  auto other = v1::Relay::NewStub(NewChannel());
  EXPECT_TRUE(Read(*other, mailbox, token).ok());
}

// A refused append has stored nothing, and can be sent again as it was.
TEST_F(AdmissionTest, ARefusedAppendIsTakenLater) {
  const TestMailbox mailbox = relay_.NewMailbox();
  const std::string token = relay_.AppendToken(mailbox, 1);
  v1::AppendRequest request;
  grpc::Status refused;
  uint64_t position = 0;
  uint64_t appended = 0;
  while (refused.ok() && appended < 5000) {
    request = relay_.AppendRequest(mailbox, 1, token, "x");
    refused = Append(request, position);
    appended += refused.ok();
  }
  ASSERT_GT(HintOf(refused), 0u) << refused.error_message();
  EXPECT_EQ(relay_.ReadAll(mailbox, 1).size(), appended);
  grpc::Status again = refused;
  for (int i = 0; i < 100 && !again.ok(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(HintOf(again)));
    again = Append(request, position);
  }
  EXPECT_TRUE(again.ok()) << again.error_message();
  EXPECT_EQ(position, appended + 1);
}

// Adding and dropping for ever ends the stream, with a hint.
TEST_F(AdmissionTest, ASubscriptionThatChangesTooOften) {
  const TestMailbox mailbox = relay_.NewMailbox();
  const v1::SubscribeRequest add = Add(mailbox, relay_.ReadToken(mailbox, 1));
  v1::SubscribeRequest drop;
  drop.set_drop_mailbox_id(mailbox.id);
  grpc::ClientContext context;
  auto stream = stub_->Subscribe(&context);
  std::thread reader([&] {
    v1::SubscribeEvent event;
    while (stream->Read(&event)) {
    }
  });
  for (int i = 0; i < 100'000 && stream->Write(add) && stream->Write(drop); ++i) {
  }
  reader.join();
  EXPECT_GT(HintOf(stream->Finish()), 0u);
}

// Who doesn't keep to the hints waits for its answers, and ends with the server all the same.
TEST_F(AdmissionTest, RefusalsThatAreUnderWayEndWithTheServer) {
  std::vector<std::thread> callers;
  std::atomic<bool> over = false;
  for (int t = 0; t < 4; ++t) {
    callers.emplace_back([&] {
      while (!over) GetChallenge(*stub_);
    });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  server_->Shutdown(std::chrono::milliseconds(100));
  over = true;
  for (std::thread& caller : callers) caller.join();
}

}  // namespace
}  // namespace parley::server
