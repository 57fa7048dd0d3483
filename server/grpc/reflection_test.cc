// Reflection: that it says which calls there are, and that who misuses it keeps nobody from the
// rest.
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>

#include "server/grpc/relay_server_fixture_for_test.h"

namespace parley::server {
namespace {

constexpr char kMethod[] = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
// A ServerReflectionRequest with list_services = "" (field 7).
constexpr std::string_view kListServices("\x3A\x00", 2);

// Read off the service with the messages' bytes: their classes aren't in Debian's headers.
class ReflectionStream {
 public:
  explicit ReflectionStream(const std::shared_ptr<grpc::Channel>& channel) : stub_(channel) {
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    stream_ = stub_.PrepareCall(&context_, kMethod, &queue_);
    stream_->StartCall(this);
    Wait();
  }
  ~ReflectionStream() {
    context_.TryCancel();
    grpc::Status status;
    stream_->Finish(&status, this);
    Wait();
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }
  ReflectionStream(const ReflectionStream&) = delete;
  ReflectionStream& operator=(const ReflectionStream&) = delete;

  // The answer's bytes; empty when the call has ended.
  std::string Ask(std::string_view request) {
    const grpc::Slice slice(request.data(), request.size());
    stream_->Write(grpc::ByteBuffer(&slice, 1), this);
    if (!Wait()) return "";
    grpc::ByteBuffer answer;
    stream_->Read(&answer, this);
    if (!Wait()) return "";
    std::vector<grpc::Slice> slices;
    EXPECT_TRUE(answer.Dump(&slices).ok());
    std::string bytes;
    for (const grpc::Slice& part : slices) {
      bytes.append(reinterpret_cast<const char*>(part.begin()), part.size());
    }
    return bytes;
  }

 private:
  bool Wait() {
    void* tag = nullptr;
    bool ok = false;
    return queue_.Next(&tag, &ok) && ok;
  }

  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
};

class ReflectionTest : public RelayServerTest {
 protected:
  void SetUp() override {
    RelayServer::OfferReflection();  // for this process, from here on
    RelayServerTest::SetUp();
  }
};

TEST_F(ReflectionTest, NamesTheServicesAndDescribesTheRelay) {
  const std::shared_ptr<grpc::Channel> channel = NewChannel();
  const std::string services = ReflectionStream(channel).Ask(kListServices);
  EXPECT_NE(services.find("parley.relay.v1.Relay"), std::string::npos) << services;
  EXPECT_NE(services.find("grpc.health.v1.Health"), std::string::npos) << services;
  // file_containing_symbol (field 4): the file's descriptor.
  const std::string symbol = "parley.relay.v1.Relay";
  const std::string file = ReflectionStream(channel).Ask(
      "\x22" + std::string(1, static_cast<char>(symbol.size())) + symbol);
  for (const char* name : {"parley/relay/v1/relay.proto", "AppendRequest", "GetInfo"}) {
    EXPECT_NE(file.find(name), std::string::npos) << name;
  }
}

TEST_F(ReflectionTest, WhoKeepsItsStreamsOpenKeepsNobodyFromTheRelay) {
  std::vector<std::unique_ptr<ReflectionStream>> kept;
  for (int connection = 0; connection < 3; ++connection) {
    const std::shared_ptr<grpc::Channel> channel = NewChannel();
    for (int i = 0; i < 40; ++i) kept.push_back(std::make_unique<ReflectionStream>(channel));
  }
  const TestMailbox mailbox = relay_.NewMailbox();
  for (int i = 0; i < 5; ++i) {
    const grpc::Status status = Append(relay_.AppendRequest(mailbox, "goes on"));
    EXPECT_TRUE(status.ok()) << status.error_message();
  }
}

TEST_F(ReflectionTest, WhoKeepsItsStreamsOpenKeepsNoNewCertificateOut) {
  std::vector<std::unique_ptr<ReflectionStream>> kept;
  for (int connection = 0; connection < 3; ++connection) {
    const std::shared_ptr<grpc::Channel> channel = NewChannel();
    for (int i = 0; i < 40; ++i) {
      kept.push_back(std::make_unique<ReflectionStream>(channel));
      kept.back()->Ask(kListServices);  // so that it has its thread, or is refused
    }
  }
  absl::StatusOr<TlsCertificate> made = MakeTlsCertificate(MakeTlsKey(), "127.0.0.1");
  ASSERT_TRUE(made.ok()) << made.status();
  certificate_pem_ = made->certificate_pem;
  const absl::Status used = server_->UseCertificate(*std::move(made));
  ASSERT_TRUE(used.ok()) << used;
  const std::shared_ptr<grpc::Channel> channel = NewChannel();
  stub_ = v1::Relay::NewStub(channel);
  const grpc::Status status = Append(relay_.AppendRequest(relay_.NewMailbox(), "goes on"));
  EXPECT_TRUE(status.ok()) << status.error_message();
  const std::string services = ReflectionStream(channel).Ask(kListServices);
  EXPECT_NE(services.find("parley.relay.v1.Relay"), std::string::npos);
}

}  // namespace
}  // namespace parley::server
