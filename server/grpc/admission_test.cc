// Rate limits over real TLS: who asks too often is told when to come again, and nobody else is.
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/client_unary_call.h>

#include <atomic>
#include <thread>
#include <vector>

#include "server/core/sponsors.h"
#include "server/grpc/append_stream_client_for_test.h"
#include "server/grpc/relay_server_fixture_for_test.h"

namespace parley::server {
namespace {

using grpc::StatusCode;

class AdmissionTest : public RelayServerTest {
 protected:
  AdmissionTest()
      : RelayServerTest([](Limits& limits) {
          limits.connection_calls_per_second = 200;  // and as many at first
          limits.session_calls_per_second = 4;       // and 40 at once
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
  constexpr int kRate = 20;  // so few that a slow machine asks for more, too
  relay_.limits.connection_calls_per_second.Change(kRate);
  grpc::Status refused;
  int taken = 0;
  for (; taken < 5000 && refused.ok(); ++taken) refused = GetChallenge(*stub_);
  EXPECT_GT(taken, kRate);
  const uint64_t hint = HintOf(refused);
  EXPECT_GT(hint, 0u) << refused.error_message();
  EXPECT_LE(hint, 1000u);
  // Others go on meanwhile.
  auto other = v1::Relay::NewStub(NewChannel());
  for (int i = 0; i < kRate; ++i) ASSERT_TRUE(GetChallenge(*other).ok());
  // And so does this one, after the hint.
  std::this_thread::sleep_for(std::chrono::milliseconds(hint));
  EXPECT_TRUE(Eventually([&] { return GetChallenge(*stub_).ok(); }));
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

// Adding and dropping for ever goes on, and no faster than the connection may.
TEST_F(AdmissionTest, ASubscriptionThatChangesTooOften) {
  const auto begin = std::chrono::steady_clock::now();
  const TestMailbox mailbox = relay_.NewMailbox();
  const v1::SubscribeRequest add = Add(mailbox, relay_.ReadToken(mailbox, 1));
  v1::SubscribeRequest drop;
  drop.set_drop_mailbox_id(mailbox.id);
  grpc::ClientContext context;
  auto stream = stub_->Subscribe(&context);
  std::thread reader([&] {
    for (v1::SubscribeEvent event; stream->Read(&event);) {
    }
  });
  constexpr int kRounds = 200;
  for (int i = 0; i < kRounds; ++i) {
    EXPECT_TRUE(stream->Write(add) && stream->Write(drop));
    // Reading goes on meanwhile, so each is caught up with before it is dropped, or never.
  }
  EXPECT_TRUE(stream->Write(add));
  EXPECT_TRUE(stream->WritesDone());
  reader.join();
  EXPECT_TRUE(stream->Finish().ok());
  const double took =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  EXPECT_LE(2 * kRounds + 1, 200 + 200 * took + 1) << "more than the connection may";
}

// A file in many small pieces comes in no faster either, and all of it.
TEST_F(AdmissionTest, AnUploadOfManyChunks) {
  const auto begin = std::chrono::steady_clock::now();
  constexpr int kChunks = 400;
  const TestBlob blob;
  ASSERT_TRUE(relay_.Create(relay_.CreateRequest(blob, uint64_t{kChunks} * 1024)).ok());
  grpc::ClientContext context;
  auto stream = stub_->UploadBlob(&context);
  v1::UploadBlobRequest request;
  request.mutable_header()->set_token(relay_.BlobToken(blob, AccessRight::kWrite));
  request.mutable_header()->set_blob_id(blob.id);
  ASSERT_TRUE(stream->Write(request));
  for (int i = 0; i < kChunks; ++i) {
    request.mutable_chunk()->set_index(static_cast<uint64_t>(i));
    request.mutable_chunk()->set_data(std::string(1024, 'c'));
    ASSERT_TRUE(stream->Write(request)) << i;
  }
  ASSERT_TRUE(stream->WritesDone());
  uint64_t stored = 0;
  for (v1::UploadBlobResponse response; stream->Read(&response);) stored = response.chunks();
  const grpc::Status status = stream->Finish();
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(stored, uint64_t{kChunks});
  const double took =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  EXPECT_LE(kChunks, 200 + 200 * took + 1) << "more than the connection may";
}

// Who gives its calls up as soon as they are refused, and makes the next ones at once, is cut off;
// who is there already isn't.
class FewCallsTest : public RelayServerTest {
 protected:
  FewCallsTest()
      : RelayServerTest([](Limits& limits) {
          limits.connection_calls_per_second = 5;
          limits.barred_seconds = 60 * 60;  // a slow machine asks again within that, too
        }) {}

  static grpc::Status GetChallengeOn(v1::Relay::Stub& stub) {
    grpc::ClientContext context;
    v1::GetChallengeResponse response;
    return stub.GetChallenge(&context, {}, &response);
  }

  // Whether a connection that calls without waiting loses it. `token`: what its calls show.
  bool EndAConnection(const std::string& token = "") {
    return EndConnectionOf(*v1::Relay::NewStub(NewChannel()), token);
  }
  static bool EndConnectionOf(v1::Relay::Stub& attacker, const std::string& token = "") {
    // Large requests are refused at once.
    v1::AppendRequest request;
    request.set_token(token);
    request.set_payload(std::string(2048, 'x'));
    request.mutable_closing();  // counts as ten
    for (int i = 0; i < 100'000; ++i) {
      grpc::ClientContext context;
      v1::AppendResponse response;
      const grpc::Status status = attacker.Append(&context, request, &response);
      if (status.error_code() == StatusCode::UNAVAILABLE) return true;
    }
    return false;
  }
};

TEST_F(FewCallsTest, AConnectionThatDoesNotWaitIsEnded) {
  ASSERT_TRUE(GetChallengeOn(*stub_).ok());
  EXPECT_TRUE(EndAConnection());
  EXPECT_GE(relay_.relay->metrics().connections_ended.value(), 1u);
  EXPECT_TRUE(GetChallengeOn(*stub_).ok());
  // Nor is another one taken from the same address, for a while.
  auto again = v1::Relay::NewStub(NewChannel());
  EXPECT_FALSE(GetChallengeOn(*again).ok());
  EXPECT_GE(relay_.relay->metrics().connections_barred.value(), 1u);
}

// A member of some channel floods the relay, again and again, from the address that others share:
// these lose no connection, and get new ones all the time.
TEST_F(FewCallsTest, AMemberWhoDoesNotWaitBarsNobodyElse) {
  const TestMailbox mailbox = relay_.NewMailbox();
  const std::string token = relay_.AppendToken(mailbox, 1);
  std::atomic<bool> over = false;
  std::atomic<int> ended = 0;
  std::thread member([&] {
    while (!over) ended += EndAConnection(token);
  });
  EXPECT_TRUE(GetChallengeOn(*stub_).ok());
  int answered = 0;
  for (int tries = 0; ended < 3 && tries < 100'000; ++tries) {
    auto neighbour = v1::Relay::NewStub(NewChannel());
    const grpc::Status status = GetChallengeOn(*neighbour);
    // It shares what an address may call, and nothing else.
    if (status.error_code() == StatusCode::RESOURCE_EXHAUSTED) continue;
    EXPECT_TRUE(status.ok()) << status.error_message();
    if (!status.ok()) break;
    ++answered;
  }
  over = true;
  member.join();
  EXPECT_GE(ended, 3);
  EXPECT_GE(answered, 3);
  EXPECT_GE(relay_.relay->metrics().connections_ended.value(), 3u);
  EXPECT_EQ(relay_.relay->metrics().connections_barred.value(), 0u);
  EXPECT_TRUE(GetChallengeOn(*stub_).ok());
}

// Also one whose calls show nothing, after it has shown a token from an earlier connection: in a
// call, on a stream, in a closing that was refused there.
TEST_F(FewCallsTest, WhoHasShownATokenBarsNobodyElse) {
  const TestMailbox mailbox = relay_.NewMailbox();
  const std::string append_token = relay_.AppendToken(mailbox, 1);
  const std::string read_token = relay_.ReadToken(mailbox, 1);
  const auto expect_alone = [&](v1::Relay::Stub& member, const char* after) {
    SCOPED_TRACE(after);
    EXPECT_TRUE(EndConnectionOf(member));
    auto neighbour = v1::Relay::NewStub(NewChannel());
    EXPECT_TRUE(GetChallengeOn(*neighbour).ok());
    EXPECT_EQ(relay_.relay->metrics().connections_barred.value(), 0u);
  };
  {
    auto member = v1::Relay::NewStub(NewChannel());
    v1::ReadRequest read;
    read.set_token(read_token);
    read.set_mailbox_id(mailbox.id);
    read.set_from(1);
    grpc::ClientContext context;
    v1::ReadResponse response;
    ASSERT_TRUE(member->Read(&context, read, &response).ok());
    expect_alone(*member, "a call");
  }
  {
    auto member = v1::Relay::NewStub(NewChannel());
    Appends appends(*member);
    ASSERT_TRUE(appends.Send(1, relay_.AppendRequest(mailbox, 1, append_token, "x")));
    EXPECT_EQ(appends.NextPosition(), 1u);
    expect_alone(*member, "a stream of appends");
    appends.Cancel();
  }
  {
    auto member = v1::Relay::NewStub(NewChannel());
    Appends appends(*member);
    v1::AppendRequest closing = relay_.AppendRequest(mailbox, 1, append_token, "x");
    closing.mutable_closing();
    ASSERT_TRUE(appends.Send(1, closing));  // counts more than there is at first
    EXPECT_EQ(appends.Next().refused().code(),
              static_cast<uint32_t>(absl::StatusCode::kResourceExhausted));
    expect_alone(*member, "a refused closing");
    appends.Cancel();
  }
  {
    auto member = v1::Relay::NewStub(NewChannel());
    grpc::ClientContext context;
    auto stream = member->Subscribe(&context);
    ASSERT_TRUE(stream->Write(Add(mailbox, read_token)));
    v1::SubscribeEvent event;
    ASSERT_TRUE(stream->Read(&event));  // the entry
    expect_alone(*member, "a subscription");
    context.TryCancel();
  }
}

// A token that isn't one is no key.
TEST_F(FewCallsTest, WhoMakesUpATokenIsAStranger) {
  const TestMailbox mailbox = relay_.NewMailbox();
  std::string forged = relay_.AppendToken(mailbox, 1);
  forged.back() ^= 1;
  EXPECT_TRUE(EndAConnection(forged));
  auto again = v1::Relay::NewStub(NewChannel());
  EXPECT_FALSE(GetChallengeOn(*again).ok());
  EXPECT_GE(relay_.relay->metrics().connections_barred.value(), 1u);
}

// Calls that are reset before their request has come in full are none to the service.
TEST_F(FewCallsTest, CallsThatAreGivenUpEarlyCount) {
  grpc::CompletionQueue queue;
  const auto next = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    ASSERT_TRUE(queue.Next(&tag, &ok));
  };
  grpc::GenericStub attacker(NewChannel());
  const auto& ended = relay_.relay->metrics().connections_ended;
  const auto begin = std::chrono::steady_clock::now();
  int calls = 0;
  while (ended.value() == 0 && std::chrono::steady_clock::now() - begin < std::chrono::minutes(3)) {
    grpc::ClientContext context;
    grpc::Status status;
    auto call = attacker.PrepareCall(&context, "/parley.relay.v1.Relay/Append", &queue);
    call->StartCall(nullptr);
    next();
    std::this_thread::sleep_for(std::chrono::microseconds(200));  // its head goes out, and no more
    context.TryCancel();
    call->Finish(&status, nullptr);
    next();
    ++calls;
  }
  queue.Shutdown();
  EXPECT_EQ(ended.value(), 1u) << calls;
  for (const Counter& outcome : relay_.relay->metrics().of(Call::kAppend).ended) {
    EXPECT_EQ(outcome.value(), 0u) << calls;
  }
}

// Nor are those of methods that there aren't.
TEST_F(FewCallsTest, CallsOfUnknownMethodsCount) {
  const auto channel = NewChannel();
  grpc::internal::RpcMethod method("/parley.relay.v1.Relay/Nothing",
                                   grpc::internal::RpcMethod::NORMAL_RPC);
  grpc::Status status;
  bool is_ended = false;
  for (int i = 0; i < 100'000 && !is_ended; ++i) {
    grpc::ClientContext context;
    v1::GetChallengeResponse response;
    status = grpc::internal::BlockingUnaryCall(channel.get(), method, &context,
                                               v1::GetChallengeRequest(), &response);
    is_ended = status.error_code() == StatusCode::UNAVAILABLE;
    if (i == 0) {
      EXPECT_EQ(status.error_code(), StatusCode::UNIMPLEMENTED);
    }
  }
  EXPECT_TRUE(is_ended);
  EXPECT_EQ(relay_.relay->metrics().connections_ended.value(), 1u);
}

// The neighbours have no key, and don't wait.
TEST_F(AdmissionTest, NeighboursWithoutAKeyShutNobodyOutOfSessions) {
  relay_.limits.address_calls_per_second.Change(20);
  const TestMailbox mailbox = relay_.NewMailbox();
  const v1::OpenSessionRequest request =
      relay_.SessionRequest(mailbox.object(), 1, AccessRight::kRead, mailbox.secrets[0].read);
  std::atomic<bool> over = false;
  std::thread neighbour([&] {
    auto stub = v1::Relay::NewStub(NewChannel());
    while (!over) {
      // As soon as there is something for them.
      if (!GetChallenge(*stub).ok()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  });
  grpc::Status status;
  const auto open = [&] {
    grpc::ClientContext context;
    v1::OpenSessionResponse response;
    status = stub_->OpenSession(&context, request, &response);
    return status.ok();
  };
  bool opened = false;
  for (int i = 0; i < 200 && !opened; ++i) {
    opened = open();
    if (!opened) std::this_thread::sleep_for(std::chrono::milliseconds(HintOf(status)));
  }
  EXPECT_TRUE(opened) << status.error_message();
  // From now on the neighbours don't matter at all.
  EXPECT_TRUE(open()) << status.error_message();
  EXPECT_TRUE(open()) << status.error_message();
  over = true;
  neighbour.join();
}

// A stream that rests is called by an alarm, while gRPC may be done with its call, or the server
// with everything.
TEST_F(AdmissionTest, StreamsThatRestMayBeCancelledAtAnyTime) {
  struct Resting {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReaderWriter<v1::SubscribeRequest, v1::SubscribeEvent>> stream;
  };
  v1::SubscribeRequest add;
  add.mutable_add()->set_mailbox_id(std::string(32, 'm'));
  // Twice as much as may be done at once: what comes later rests, each for some milliseconds more.
  const auto open = [&] {
    std::vector<std::unique_ptr<Resting>> streams;
    for (int i = 0; i < 40; ++i) {
      Resting& one = *streams.emplace_back(std::make_unique<Resting>());
      one.stream = stub_->Subscribe(&one.context);
      for (int request = 0; request < 10; ++request) one.stream->Write(add);
    }
    return streams;
  };
  const auto finish = [](Resting& one) {
    v1::SubscribeEvent event;
    while (one.stream->Read(&event)) {
    }
    return one.stream->Finish();
  };
  for (int round = 0; round < 10; ++round) {
    auto streams = open();
    for (const auto& one : streams) {
      one->context.TryCancel();
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    for (const auto& one : streams) {
      EXPECT_EQ(finish(*one).error_code(), StatusCode::CANCELLED);
    }
  }
  auto other = v1::Relay::NewStub(NewChannel());
  EXPECT_TRUE(GetChallenge(*other).ok());
  const auto streams = open();
  server_->Shutdown(std::chrono::milliseconds(100));
  for (const auto& one : streams) EXPECT_FALSE(finish(*one).ok());
}

TEST_F(FewCallsTest, ABarIsLiftedByItsSetting) {
  const auto answers = [&] {
    auto stub = v1::Relay::NewStub(NewChannel());
    return GetChallengeOn(*stub).ok();
  };
  ASSERT_TRUE(EndAConnection());
  EXPECT_FALSE(answers());
  relay_.limits.barred_seconds.Change(0);
  EXPECT_TRUE(answers());
  EXPECT_EQ(relay_.relay->metrics().connections_ended.value(), 1u);
}

// Who doesn't keep to the hints waits for its answers, and ends with the server all the same.
TEST_F(AdmissionTest, RefusalsThatAreUnderWayEndWithTheServer) {
  relay_.limits.connection_calls_per_second.Change(20);
  std::vector<std::thread> callers;
  std::atomic<bool> over = false;
  for (int t = 0; t < 4; ++t) {
    callers.emplace_back([&] {
      while (!over) GetChallenge(*stub_);
    });
  }
  // Each of them is refused again and again.
  const Counter& refusals =
      relay_.relay->metrics().of(Call::kGetChallenge).ended[static_cast<size_t>(Outcome::kRate)];
  EXPECT_TRUE(Eventually([&] { return refusals.value() > 8; }));
  server_->Shutdown(std::chrono::milliseconds(100));
  over = true;
  for (std::thread& caller : callers) caller.join();
}

}  // namespace
}  // namespace parley::server
