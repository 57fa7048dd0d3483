// Subscriptions over real TLS, and what streams may take of the relay.
#include "server/grpc/streams.h"

#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "server/grpc/counted_call.h"
#include "server/grpc/relay_server_fixture_for_test.h"

namespace parley::server {
namespace {

using grpc::StatusCode;

TEST_F(RelayServerTest, SubscribeStreamsManyMailboxes) {
  TestMailbox first = relay_.NewMailbox();
  TestMailbox second = relay_.NewMailbox();
  ASSERT_TRUE(relay_.Append(first, "stored").ok());
  grpc::ClientContext context;
  auto stream = stub_->Subscribe(&context);
  auto add = [&](const TestMailbox& mailbox, const std::string& token) {
    EXPECT_TRUE(stream->Write(Add(mailbox, token)));
  };
  v1::SubscribeEvent event;
  add(first, relay_.ReadToken(first, 1));
  ASSERT_TRUE(stream->Read(&event));
  EXPECT_EQ(event.entries().entries(0).payload(), "stored");
  ASSERT_TRUE(stream->Read(&event));
  EXPECT_TRUE(event.has_caught_up());
  add(second, relay_.ReadToken(second, 1));
  ASSERT_TRUE(stream->Read(&event));
  EXPECT_EQ(event.caught_up().mailbox_id(), second.id);
  add(second, "bad token");
  ASSERT_TRUE(stream->Read(&event));
  EXPECT_EQ(event.ended().code(), static_cast<uint32_t>(StatusCode::UNAUTHENTICATED));
  ASSERT_TRUE(relay_.Append(second, "new").ok());
  ASSERT_TRUE(stream->Read(&event));
  EXPECT_EQ(event.entries().entries(0).payload(), "new");
  stream->WritesDone();
  EXPECT_FALSE(stream->Read(&event));
  EXPECT_TRUE(stream->Finish().ok());
}

// More refusals than the relay keeps for one who doesn't read: it stops reading, and goes on when
// they are read.
TEST_F(RelayServerTest, UnreadRefusalsPauseTheRequestsAndLoseNone) {
  constexpr int kRequests = 1000;
  relay_.limits.unproven_stream_seconds.Change(60 * 60);  // nothing here is a key
  grpc::ClientContext context;
  auto stream = stub_->Subscribe(&context);
  std::thread writer([&] {
    v1::SubscribeRequest request;
    request.mutable_add()->set_mailbox_id(std::string(32, 'm'));
    for (int i = 0; i < kRequests; ++i) ASSERT_TRUE(stream->Write(request));
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  v1::SubscribeEvent event;
  for (int i = 0; i < kRequests; ++i) {
    ASSERT_TRUE(stream->Read(&event));
    ASSERT_TRUE(event.has_ended());
  }
  writer.join();
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

// The answer is made by the thread that fans out, while another one of gRPC's closes the call.
TEST_F(RelayServerTest, ClientsMayGoWhileAnAnswerIsMade) {
  TestMailbox mailbox = relay_.NewMailbox();
  const std::string token = relay_.ReadToken(mailbox, 1);
  constexpr int kClients = 300;
  for (uint64_t next = 1; next <= kClients; ++next) {
    grpc::ClientContext context;
    auto stream = stub_->Subscribe(&context);
    ASSERT_TRUE(stream->Write(Add(mailbox, token, next)));
    v1::SubscribeEvent event;
    ASSERT_TRUE(stream->Read(&event));
    ASSERT_TRUE(event.has_caught_up());
    std::thread client([&] { context.TryCancel(); });
    ASSERT_TRUE(relay_.Append(mailbox, std::string(4000, 'x')).ok());  // large enough to be counted
    client.join();
    while (stream->Read(&event)) {
    }
    EXPECT_EQ(stream->Finish().error_code(), StatusCode::CANCELLED);
  }
}

TEST_F(RelayServerTest, AnEmptySubscribeRequestEndsTheStreamWithAReason) {
  grpc::ClientContext context;
  auto stream = stub_->Subscribe(&context);
  ASSERT_TRUE(stream->Write(v1::SubscribeRequest()));
  v1::SubscribeEvent event;
  EXPECT_FALSE(stream->Read(&event));
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::INVALID_ARGUMENT);
}

// The relay repeats no more of a request than an id.
TEST_F(RelayServerTest, AnIdOfAnotherLengthEndsTheSubscription) {
  auto end = [&](const v1::SubscribeRequest& request) {
    grpc::ClientContext context;
    auto stream = stub_->Subscribe(&context);
    EXPECT_TRUE(stream->Write(request));
    v1::SubscribeEvent event;
    EXPECT_FALSE(stream->Read(&event));
    return stream->Finish();
  };
  v1::SubscribeRequest request;
  for (size_t size : {0, 31, 33, 900, 2'000'000}) {
    request.mutable_add()->set_mailbox_id(std::string(size, 'm'));
    grpc::Status status = end(request);
    EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
    EXPECT_LT(status.error_message().size(), 200u);
    request.set_drop_mailbox_id(std::string(size, 'm'));
    EXPECT_EQ(end(request).error_code(), StatusCode::INVALID_ARGUMENT);
  }
  request.mutable_add()->set_mailbox_id(std::string(32, 'm'));
  request.mutable_add()->set_token(std::string(2000, 't'));
  EXPECT_EQ(end(request).error_code(), StatusCode::INVALID_ARGUMENT);
}

class UnprovenStreamsTest : public RelayServerTest {
 protected:
  UnprovenStreamsTest() : RelayServerTest([](Limits& limits) { limits.max_open_streams = 20; }) {}

  // Opens a stream with so little time that it ends if it shows no key, and shows it `request`. A
  // machine that takes longer than that gets more.
  std::unique_ptr<grpc::ClientReaderWriter<v1::SubscribeRequest, v1::SubscribeEvent>> Subscribe(
      const v1::SubscribeRequest& request, std::unique_ptr<grpc::ClientContext>& context,
      v1::SubscribeEvent& event) {
    for (uint64_t time = 1; time <= 64; time *= 2) {
      relay_.limits.unproven_stream_seconds.Change(time);
      context = std::make_unique<grpc::ClientContext>();
      auto stream = stub_->Subscribe(context.get());
      if (stream->Write(request) && stream->Read(&event)) return stream;
      EXPECT_EQ(stream->Finish().error_code(), StatusCode::DEADLINE_EXCEEDED);
    }
    return nullptr;
  }
};

TEST_F(UnprovenStreamsTest, WhoShowsNoKeyKeepsNoStream) {
  TestMailbox mailbox = relay_.NewMailbox();
  v1::SubscribeRequest request = Add(mailbox, relay_.ReadToken(mailbox, 1));
  v1::SubscribeEvent event;
  std::unique_ptr<grpc::ClientContext> proven_context;
  auto proven = Subscribe(request, proven_context, event);
  ASSERT_NE(proven, nullptr);
  EXPECT_TRUE(event.has_caught_up());

  // One says nothing, one shows something that isn't a key.
  request.mutable_add()->set_token("nonsense");
  std::unique_ptr<grpc::ClientContext> wrong_context;
  auto wrong = Subscribe(request, wrong_context, event);
  ASSERT_NE(wrong, nullptr);
  EXPECT_TRUE(event.has_ended());
  grpc::ClientContext silent_context;
  auto silent = stub_->Subscribe(&silent_context);
  grpc::ClientContext upload_context;
  auto upload = stub_->UploadBlob(&upload_context);
  EXPECT_FALSE(silent->Read(&event));
  EXPECT_EQ(silent->Finish().error_code(), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_FALSE(wrong->Read(&event));
  EXPECT_EQ(wrong->Finish().error_code(), StatusCode::DEADLINE_EXCEEDED);
  v1::UploadBlobResponse response;
  EXPECT_FALSE(upload->Read(&response));
  EXPECT_EQ(upload->Finish().error_code(), StatusCode::DEADLINE_EXCEEDED);

  ASSERT_TRUE(relay_.Append(mailbox, "for who has shown a key").ok());
  ASSERT_TRUE(proven->Read(&event));
  EXPECT_EQ(event.entries().entries(0).payload(), "for who has shown a key");
  proven_context->TryCancel();
  proven->Finish();
}

TEST_F(UnprovenStreamsTest, StreamsBeyondTheBoundAreRefusedUntilOthersEnd) {
  relay_.limits.unproven_stream_seconds.Change(60 * 60);
  v1::SubscribeRequest request;
  request.mutable_add()->set_mailbox_id(std::string(32, 'm'));
  struct Client {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReaderWriter<v1::SubscribeRequest, v1::SubscribeEvent>> stream;
  };
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 40; ++i) {
    Client& client = *clients.emplace_back(std::make_unique<Client>());
    client.stream = stub_->Subscribe(&client.context);
  }
  // One that is taken answers what it is asked.
  const auto is_taken = [&](Client& client) {
    v1::SubscribeEvent event;
    client.stream->Write(request);
    if (client.stream->Read(&event)) return true;
    EXPECT_EQ(client.stream->Finish().error_code(), StatusCode::RESOURCE_EXHAUSTED);
    return false;
  };
  std::erase_if(clients, [&](const auto& client) { return !is_taken(*client); });
  EXPECT_EQ(clients.size(), 20u);
  const auto leave = [](Client& client) {
    client.context.TryCancel();
    client.stream->Finish();
  };
  for (const auto& client : clients) leave(*client);
  // The clients know of the end before the relay does.
  EXPECT_TRUE(Eventually([&] {
    Client late;
    late.stream = stub_->Subscribe(&late.context);
    if (!is_taken(late)) return false;
    leave(late);
    return true;
  }));
}

class UnreadAnswersServerTest : public RelayServerTest {
 protected:
  UnreadAnswersServerTest()
      : RelayServerTest([](Limits& limits) { limits.max_unread_bytes = size_t{8} << 20; }) {}
};

// All with a valid key, and none of them reads what it asked for.
TEST_F(UnreadAnswersServerTest, WhoNeverReadsTakesNoRoomFromWhoDoes) {
  constexpr int kAttackers = 40;
  constexpr int kEntries = 12;
  const std::string payload(256 << 10, 'p');
  TestMailbox mailbox = relay_.NewMailbox();
  for (int i = 0; i < kEntries; ++i) ASSERT_TRUE(relay_.Append(mailbox, payload).ok());
  v1::SubscribeRequest request = Add(mailbox, relay_.ReadToken(mailbox, 1));

  using Stream = grpc::ClientReaderWriter<v1::SubscribeRequest, v1::SubscribeEvent>;
  auto attackers_stub = v1::Relay::NewStub(NewChannel());
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::unique_ptr<Stream>> attackers;
  for (int i = 0; i < kAttackers; ++i) {
    contexts.push_back(std::make_unique<grpc::ClientContext>());
    attackers.push_back(attackers_stub->Subscribe(contexts.back().get()));
    ASSERT_TRUE(attackers.back()->Write(request));
  }
  // Once they all have their answers under way, which then are the oldest. From the same address.
  Metrics& metrics = relay_.relay->metrics();
  const auto sent = [&] { return metrics.of(Call::kSubscribe).bytes.value(); };
  const auto counts = [&] { return std::pair(sent(), metrics.given_up_answers.value()); };
  EXPECT_TRUE(Eventually([&] { return sent() >= 3 * kAttackers * payload.size(); }));
  EXPECT_TRUE(Eventually([&] {
    const auto before = counts();
    std::this_thread::sleep_for(std::chrono::seconds(1));
    return counts() == before;
  }));
  for (int round = 0; round < 3; ++round) {
    grpc::ClientContext context;
    auto honest = stub_->Subscribe(&context);
    ASSERT_TRUE(honest->Write(request));
    int entries = 0;
    v1::SubscribeEvent event;
    while (entries < kEntries && honest->Read(&event)) {
      for (const v1::Entry& entry : event.entries().entries()) {
        EXPECT_TRUE(entry.payload() == payload);
        ++entries;
      }
    }
    EXPECT_EQ(entries, kEntries);
    honest->WritesDone();
    while (honest->Read(&event)) {
    }
    EXPECT_TRUE(honest->Finish().ok());
  }
  int given_up = 0;
  for (auto& attacker : attackers) {
    v1::SubscribeEvent event;
    int entries = 0;
    while (entries < kEntries && attacker->Read(&event)) entries += event.entries().entries_size();
    if (entries == kEntries) continue;
    ++given_up;
    EXPECT_EQ(attacker->Finish().error_code(), StatusCode::CANCELLED);
    attacker.reset();
  }
  // Each of the others holds two MiB of the eight, or had all of it taken by its gRPC's own
  // buffers.
  EXPECT_GE(given_up, kAttackers / 2);
  for (auto& context : contexts) context->TryCancel();
  for (auto& attacker : attackers) {
    if (attacker != nullptr) attacker->Finish();
  }
}

TEST(CountedCallTest, AddressesAreCountedWithoutPortsAndByNetwork) {
  EXPECT_EQ(AddressOfPeer("ipv4:192.0.2.7:1234"), AddressOfPeer("ipv4:192.0.2.7:4321"));
  EXPECT_NE(AddressOfPeer("ipv4:192.0.2.7:1234"), AddressOfPeer("ipv4:192.0.2.8:1234"));
  EXPECT_EQ(AddressOfPeer("ipv6:%5B2001:db8:1:2::7%5D:1"),
            AddressOfPeer("ipv6:%5B2001:db8:1:2:3:4:5:6%5D:2"));
  EXPECT_NE(AddressOfPeer("ipv6:%5B2001:db8:1:2::7%5D:1"),
            AddressOfPeer("ipv6:%5B2001:db8:1:3::7%5D:1"));
  EXPECT_NE(AddressOfPeer("ipv6:%5B::ffff:192.0.2.7%5D:1"),
            AddressOfPeer("ipv6:%5B::ffff:192.0.2.8%5D:1"));
  EXPECT_EQ(AddressOfPeer("nonsense"), "nonsense");
}

}  // namespace
}  // namespace parley::server
