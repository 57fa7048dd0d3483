// People without any key against the memory of the real relay: whatever they send, and however much
// of it they leave unread, the relay stays small and goes on serving others.
#include <grpcpp/generic/generic_stub.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>

#include "crypto/primitives/random.h"
#include "server/crash_test/relay_process_for_test.h"

namespace parley::server {
namespace {

namespace fs = std::filesystem;
namespace v1 = relay::v1;

constexpr size_t kLong = (2 << 20) - 4096;
// What the relay may add to what it has after its start: what gRPC may hold of messages that are
// on their way (192 MiB of all connections together), their copies while they are looked at, and
// what the allocator keeps of both. Four hundred streams of 2 MiB would be 800 MiB once.
constexpr long kMostGrowthKib = 512 << 10;

using Stream = grpc::ClientReaderWriter<v1::SubscribeRequest, v1::SubscribeEvent>;

class RelayFloodTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("parley-flood-" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    relay_ = std::make_unique<RelayProcess>(RelayProgram(), folder_);
    relay_->Start();
    stub_ = relay_->Connect();
    ASSERT_TRUE(Answers());
    at_start_ = relay_->PeakKib();
    ASSERT_GT(at_start_, 0);
  }
  void TearDown() override {
    relay_.reset();
    RemoveRelayFolder(folder_);
  }

  // Somebody else's call, over a connection of its own.
  bool Answers() {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    v1::GetChallengeResponse response;
    return stub_->GetChallenge(&context, {}, &response).ok();
  }

  void ExpectUnharmed() {
    EXPECT_TRUE(Answers());
    EXPECT_LT(relay_->PeakKib() - at_start_, kMostGrowthKib);
  }

  // Sends `request` again and again on many streams, and reads nothing.
  void FloodSubscribe(const v1::SubscribeRequest& request, int connections, int streams,
                      int requests) {
    std::vector<std::thread> senders;
    for (int i = 0; i < connections; ++i) {
      senders.emplace_back([&] {
        auto stub = relay_->Connect();
        std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
        std::vector<std::unique_ptr<Stream>> open;
        for (int j = 0; j < streams; ++j) {
          auto& context = contexts.emplace_back(std::make_unique<grpc::ClientContext>());
          context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
          open.push_back(stub->Subscribe(context.get()));
        }
        for (int round = 0; round < requests; ++round) {
          for (auto& stream : open) stream->Write(request);
        }
        held_ += streams;
        while (held_ < connections * streams) {
          std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        for (int j = 0; j < streams; ++j) {
          contexts[static_cast<size_t>(j)]->TryCancel();
          open[static_cast<size_t>(j)]->Finish();
        }
      });
    }
    for (std::thread& sender : senders) sender.join();
    held_ = 0;
  }

  fs::path folder_;
  std::unique_ptr<RelayProcess> relay_;
  std::unique_ptr<v1::Relay::Stub> stub_;
  long at_start_ = 0;
  std::atomic<int> held_ = 0;
};

TEST_F(RelayFloodTest, LongIdsInSubscriptions) {
  v1::SubscribeRequest request;
  request.mutable_add()->set_mailbox_id(std::string(kLong, 'm'));
  FloodSubscribe(request, 2, 12, 40);
  ExpectUnharmed();
}

TEST_F(RelayFloodTest, LongTokensAndIdsToDropInSubscriptions) {
  v1::SubscribeRequest add;
  add.mutable_add()->set_mailbox_id(std::string(32, 'm'));
  add.mutable_add()->set_token(std::string(kLong, 't'));
  FloodSubscribe(add, 4, 100, 1);
  v1::SubscribeRequest drop;
  drop.set_drop_mailbox_id(std::string(kLong, 'm'));
  FloodSubscribe(drop, 4, 100, 1);
  ExpectUnharmed();
}

// Requests of the right form, with junk that protobuf keeps as unknown fields.
TEST_F(RelayFloodTest, JunkBesideWhatIsKnown) {
  const std::string junk = std::string("\xfa\x07", 2) + "\xe0\xff\x7f" + std::string(2097120, 'j');
  std::atomic<int> refused = 0;
  std::atomic<int> answered = 0;
  std::vector<std::thread> senders;
  for (int i = 0; i < 4; ++i) {
    senders.emplace_back([&] {
      auto stub = relay_->Connect();
      for (int round = 0; round < 20; ++round) {
        v1::CreateMailboxRequest request;
        request.ParseFromString(junk);
        request.set_sponsor_token(crypto::ToString(crypto::RandomBytes(32)));
        request.set_mailbox_id(crypto::ToString(crypto::RandomBytes(32)));
        request.mutable_keys()->set_read_key(std::string(32, 'r'));
        request.mutable_keys()->add_append_keys(std::string(32, 'a'));
        request.mutable_keys()->set_control_key(std::string(32, 'c'));
        grpc::ClientContext context;
        v1::CreateMailboxResponse response;
        const grpc::Status status = stub->CreateMailbox(&context, request, &response);
        ++answered;
        if (status.error_code() == grpc::StatusCode::INVALID_ARGUMENT) ++refused;
      }
    });
  }
  for (std::thread& sender : senders) sender.join();
  EXPECT_EQ(refused.load(), answered.load());
  ExpectUnharmed();
}

// More connections, from many addresses, than the relay can have files open: it answers those that
// it has, and takes others when those are gone.
TEST_F(RelayFloodTest, MoreConnectionsThanFiles) {
  relay_->LimitFiles(300);
  std::vector<int> open;
  for (int i = 0; i < 600; ++i) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0) break;  // this process has a bound, too
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + static_cast<uint32_t>(i % 50));
    ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(relay_->port()));
    ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    open.push_back(fd);
    if (i % 100 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  std::this_thread::sleep_for(std::chrono::seconds(1));
  EXPECT_TRUE(Answers());  // over the connection that is there
  for (int fd : open) ::close(fd);
  bool answers = false;
  for (int i = 0; i < 30 && !answers; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    stub_ = relay_->Connect();
    answers = Answers();
  }
  EXPECT_TRUE(answers);
  ExpectUnharmed();
}

// gRPC's own health service watches names that nobody has registered.
TEST_F(RelayFloodTest, LongNamesOfServicesToWatch) {
  using Message = v1::GetChallengeResponse;  // its field 1 is a byte string, as the service's name
  auto channel = relay_->Channel();
  auto codec = [&](const std::string& name) {
    Message message;
    message.set_challenge(name);
    grpc::ByteBuffer buffer;
    bool own = false;
    EXPECT_TRUE(grpc::SerializationTraits<Message>::Serialize(message, &buffer, &own).ok());
    return buffer;
  };
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::unique_ptr<grpc::GenericClientAsyncReaderWriter>> streams;
  grpc::GenericStub stub(channel);
  grpc::CompletionQueue queue;
  constexpr int kStreams = 100;
  std::array<grpc::Status, kStreams> statuses;
  auto await = [&](int count) {
    void* tag = nullptr;
    bool ok = false;
    for (int i = 0; i < count; ++i) {
      ASSERT_EQ(
          queue.AsyncNext(&tag, &ok, std::chrono::system_clock::now() + std::chrono::seconds(30)),
          grpc::CompletionQueue::GOT_EVENT);
    }
  };
  for (int i = 0; i < kStreams; ++i) {
    contexts.push_back(std::make_unique<grpc::ClientContext>());
    streams.push_back(
        stub.PrepareCall(contexts.back().get(), "/grpc.health.v1.Health/Watch", &queue));
    streams.back()->StartCall(nullptr);
  }
  await(kStreams);
  const grpc::ByteBuffer message = codec(std::string(kLong, 'n'));
  for (auto& stream : streams) stream->Write(message, nullptr);
  await(kStreams);
  for (size_t i = 0; i < kStreams; ++i) {
    contexts[i]->TryCancel();
    streams[i]->Finish(&statuses[i], nullptr);
  }
  await(kStreams);
  queue.Shutdown();
  ExpectUnharmed();
}

}  // namespace
}  // namespace parley::server
