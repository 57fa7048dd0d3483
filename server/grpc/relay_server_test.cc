// The service over real TLS on the loopback: what gRPC adds to the core, and what clients can do to
// it. The core's own behaviour is tested beside the core.
#include "server/grpc/relay_server.h"

#include <arpa/inet.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "crypto/primitives/hash.h"
#include "parley/relay/v1/relay.grpc.pb.h"
#include "server/core/relay_fixture_for_test.h"

namespace parley::server {
namespace {

using grpc::StatusCode;

class RelayServerTest : public testing::Test {
 protected:
  explicit RelayServerTest(const Limits& limits = Limits()) : relay_(limits) {}

  void SetUp() override {
    const crypto::Secret key = MakeTlsKey();
    absl::StatusOr<TlsCertificate> made = MakeTlsCertificate(key, "127.0.0.1");
    ASSERT_TRUE(made.ok()) << made.status();
    certificate_pem_ = made->certificate_pem;
    key_hash_ = made->key_hash;
    server_ = std::make_unique<RelayServer>(*relay_.relay, relay_.limits, *std::move(made));
    absl::StatusOr<int> port = server_->Start("127.0.0.1:0");
    ASSERT_TRUE(port.ok()) << port.status();
    port_ = *port;
    stub_ = v1::Relay::NewStub(NewChannel());
  }

  std::shared_ptr<grpc::Channel> NewChannel() {
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = certificate_pem_;
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a connection of its own
    arguments.SetMaxReceiveMessageSize(-1);
    return grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(port_),
                                     grpc::SslCredentials(options), arguments);
  }

  grpc::Status Append(const v1::AppendRequest& request, uint64_t& position) {
    grpc::ClientContext context;
    v1::AppendResponse response;
    grpc::Status status = stub_->Append(&context, request, &response);
    position = response.position();
    return status;
  }
  grpc::Status Append(const v1::AppendRequest& request) {
    uint64_t position = 0;
    return Append(request, position);
  }

  // The TLS version that a handshake offering exactly `version` ends with; 0 when it is refused.
  int Handshake(int version) {
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(context, version);
    SSL_CTX_set_max_proto_version(context, version);
    SSL_CTX_set_security_level(context, 0);
    const unsigned char alpn[] = {2, 'h', '2'};
    SSL_CTX_set_alpn_protos(context, alpn, sizeof(alpn));
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port_));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    SSL* ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    const int agreed = SSL_connect(ssl) == 1 ? SSL_version(ssl) : 0;
    SSL_free(ssl);
    SSL_CTX_free(context);
    ::close(fd);
    return agreed;
  }

  RelayFixture relay_;
  std::unique_ptr<RelayServer> server_;
  std::string certificate_pem_;
  std::string key_hash_;
  int port_ = 0;
  std::unique_ptr<v1::Relay::Stub> stub_;
};

TEST_F(RelayServerTest, SpeaksTls13AndNothingOlder) {
  EXPECT_EQ(Handshake(TLS1_3_VERSION), TLS1_3_VERSION);
  EXPECT_EQ(Handshake(TLS1_2_VERSION), 0);
  EXPECT_EQ(Handshake(TLS1_1_VERSION), 0);
}

TEST_F(RelayServerTest, InfoIsSignedByTheIdentityKeyForTheKeyInUse) {
  grpc::ClientContext context;
  v1::GetInfoResponse info;
  ASSERT_TRUE(stub_->GetInfo(&context, {}, &info).ok());
  EXPECT_EQ(info.identity_key(), std::string(storage::IdView(relay_.relay->identity_key())));
  EXPECT_EQ(info.tls_key_hash(), key_hash_);
  const crypto::Bytes message = crypto::Concat(
      {crypto::ViewOf(std::string_view("parley relay tls key v1\0", 24)),
       crypto::ViewOf(info.tls_key_hash()), crypto::BigEndian64(info.tls_key_not_before()),
       crypto::BigEndian64(info.tls_key_not_after())});
  EXPECT_TRUE(crypto::VerifySignature(crypto::ViewOf(info.identity_key()), message,
                                      crypto::ViewOf(info.tls_key_signature()))
                  .ok());
  EXPECT_LE(info.tls_key_not_before(), relay_.clock.NowSeconds());
  EXPECT_GT(info.tls_key_not_after(), relay_.clock.NowSeconds());
  EXPECT_EQ(info.protocol_versions_size(), 1);
  EXPECT_EQ(info.protocol_versions(0), 1u);
  EXPECT_EQ(info.max_entry_bytes(), 1u << 20);
}

TEST_F(RelayServerTest, TheTlsKeyIsCertifiedForDaysAndAnewWhileTheRelayRuns) {
  auto not_after = [&] {
    grpc::ClientContext context;
    v1::GetInfoResponse info;
    EXPECT_TRUE(stub_->GetInfo(&context, {}, &info).ok());
    return info.tls_key_not_after();
  };
  constexpr uint64_t kDay = 24 * 60 * 60;
  for (int day = 0; day < 5; ++day) {
    EXPECT_GT(not_after(), relay_.clock.NowSeconds() + 2 * kDay);
    EXPECT_LE(not_after(), relay_.clock.NowSeconds() + 3 * kDay);
    relay_.clock.Advance(kDay);
  }
}

TEST_F(RelayServerTest, AppendsAndReadsOverTheNetwork) {
  TestMailbox mailbox;
  {
    grpc::ClientContext context;
    v1::CreateMailboxResponse response;
    ASSERT_TRUE(stub_->CreateMailbox(&context, relay_.CreateRequest(mailbox), &response).ok());
  }
  const std::string payload = RandomString(1 << 20);
  uint64_t position = 0;
  ASSERT_TRUE(Append(relay_.AppendRequest(mailbox, payload), position).ok());
  EXPECT_EQ(position, 1u);
  grpc::ClientContext context;
  v1::ReadRequest request;
  request.set_token(relay_.ReadToken(mailbox, 1));
  request.set_mailbox_id(mailbox.id);
  request.set_from(1);
  v1::ReadResponse response;
  ASSERT_TRUE(stub_->Read(&context, request, &response).ok());
  ASSERT_EQ(response.entries_size(), 1);
  EXPECT_TRUE(response.entries(0).payload() == payload);
}

TEST_F(RelayServerTest, AStaleAppendCarriesTheCurrentGenerationInItsDetails) {
  TestMailbox mailbox = relay_.NewMailbox();
  const std::string token = relay_.AppendToken(mailbox, 1);
  ASSERT_TRUE(relay_.Close(mailbox, "commit").ok());
  grpc::Status status = Append(relay_.AppendRequest(mailbox, 1, token, "late"));
  EXPECT_EQ(status.error_code(), StatusCode::ABORTED);
  v1::StaleGeneration details;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  EXPECT_EQ(details.current_generation(), 2u);
}

TEST_F(RelayServerTest, AnExhaustedAppendSaysInItsDetailsWhatIsUsedUp) {
  const uint64_t quota = relay_.limits.least_closing_reserve_bytes + 1000;
  relay_.sponsor_token = relay_.AddSponsor("small", quota);
  TestMailbox mailbox = relay_.NewMailbox();
  grpc::Status status = Append(relay_.AppendRequest(mailbox, std::string(quota, 'x')));
  EXPECT_EQ(status.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  v1::Exhausted details;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  EXPECT_EQ(details.what(), v1::Exhausted::WHAT_QUOTA);
}

TEST_F(RelayServerTest, ErrorsKeepTheirCodeAndMessage) {
  grpc::Status status = Append(v1::AppendRequest());
  EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "mailbox_id is missing: it must be 32 bytes");
  TestMailbox mailbox = relay_.NewMailbox();
  v1::AppendRequest request = relay_.AppendRequest(mailbox, "x");
  request.set_token("nonsense");
  EXPECT_EQ(Append(request).error_code(), StatusCode::UNAUTHENTICATED);
  // Over gRPC's own limit of a message.
  request.set_payload(std::string(4 << 20, 'x'));
  EXPECT_EQ(Append(request).error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(Append(relay_.AppendRequest(mailbox, "fine")).ok());
}

TEST_F(RelayServerTest, SubscribeStreamsManyMailboxes) {
  TestMailbox first = relay_.NewMailbox();
  TestMailbox second = relay_.NewMailbox();
  ASSERT_TRUE(relay_.Append(first, "stored").ok());
  grpc::ClientContext context;
  auto stream = stub_->Subscribe(&context);
  auto add = [&](const TestMailbox& mailbox, const std::string& token) {
    v1::SubscribeRequest request;
    request.mutable_add()->set_mailbox_id(mailbox.id);
    request.mutable_add()->set_token(token);
    request.mutable_add()->set_from(1);
    EXPECT_TRUE(stream->Write(request));
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

// 100 KB of fields that nobody knows, in a request of each kind.
TEST_F(RelayServerTest, RequestsThatAreTooLargeAreRefused) {
  const std::string junk = std::string("\xfa\x07\xa0\x8d\x06", 5) + std::string(100'000, 'j');
  auto refused = [&](auto request, auto method) {
    EXPECT_TRUE(request.ParseFromString(junk));
    grpc::ClientContext context;
    return method(&context, request).error_code() == StatusCode::INVALID_ARGUMENT;
  };
  EXPECT_TRUE(refused(v1::OpenSessionRequest(), [&](auto* context, const auto& request) {
    v1::OpenSessionResponse response;
    return stub_->OpenSession(context, request, &response);
  }));
  EXPECT_TRUE(refused(v1::CreateMailboxRequest(), [&](auto* context, const auto& request) {
    v1::CreateMailboxResponse response;
    return stub_->CreateMailbox(context, request, &response);
  }));
  EXPECT_TRUE(refused(v1::DownloadBlobRequest(), [&](auto* context, const auto& request) {
    auto stream = stub_->DownloadBlob(context, request);
    v1::DownloadBlobResponse response;
    EXPECT_FALSE(stream->Read(&response));
    return stream->Finish();
  }));
  TestMailbox mailbox = relay_.NewMailbox();
  v1::AppendRequest append = relay_.AppendRequest(mailbox, std::string(1 << 20, 'x'));
  EXPECT_TRUE(Append(append).ok());
  append = relay_.AppendRequest(mailbox, "x");
  EXPECT_TRUE(append.MergeFromString(junk));
  EXPECT_EQ(Append(append).error_code(), StatusCode::INVALID_ARGUMENT);
}

class FewConnectionsTest : public RelayServerTest {
 protected:
  static Limits Few() {
    Limits limits;
    limits.max_connections = 8;
    limits.max_connections_per_address = 6;
    return limits;
  }
  FewConnectionsTest() : RelayServerTest(Few()) {}

  // A connection from an address of the loopback's; -1 when it was closed at once.
  int Connect(const char* from) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    ::inet_pton(AF_INET, from, &address.sin_addr);
    EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    address.sin_port = htons(static_cast<uint16_t>(port_));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    timeval patience{0, 300'000};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    char byte = 0;
    if (::recv(fd, &byte, 1, 0) < 0 && errno == EAGAIN) return fd;  // open, and silent
    ::close(fd);
    return -1;
  }
  bool Answers() {
    auto stub = v1::Relay::NewStub(NewChannel());
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
    v1::GetInfoResponse info;
    return stub->GetInfo(&context, {}, &info).ok();
  }
};

TEST_F(FewConnectionsTest, ConnectionsAreBoundedByAddressAndInAll) {
  std::vector<int> open;
  auto hold = [&](const char* from, int count) {
    int held = 0;
    for (int i = 0; i < count; ++i) {
      const int fd = Connect(from);
      if (fd < 0) continue;
      open.push_back(fd);
      ++held;
    }
    return held;
  };
  // Whoever takes all places of one address leaves others theirs.
  EXPECT_EQ(hold("127.0.0.2", 9), 6);
  EXPECT_TRUE(Answers());
  EXPECT_EQ(hold("127.0.0.3", 4), 2);
  EXPECT_FALSE(Answers());
  // They are free again when their connections end, handshake or not.
  for (int fd : open) ::close(fd);
  open.clear();
  bool answers = false;
  for (int i = 0; i < 50 && !answers; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    answers = Answers();
  }
  EXPECT_TRUE(answers);
}

class UnprovenStreamsTest : public RelayServerTest {
 protected:
  static Limits ShortPatience() {
    Limits limits;
    limits.unproven_stream_seconds = 1;
    limits.max_open_streams = 20;
    return limits;
  }
  UnprovenStreamsTest() : RelayServerTest(ShortPatience()) {}
};

TEST_F(UnprovenStreamsTest, WhoShowsNoKeyKeepsNoStream) {
  TestMailbox mailbox = relay_.NewMailbox();
  grpc::ClientContext proven_context;
  auto proven = stub_->Subscribe(&proven_context);
  v1::SubscribeRequest request;
  request.mutable_add()->set_mailbox_id(mailbox.id);
  request.mutable_add()->set_token(relay_.ReadToken(mailbox, 1));
  request.mutable_add()->set_from(1);
  ASSERT_TRUE(proven->Write(request));
  v1::SubscribeEvent event;
  ASSERT_TRUE(proven->Read(&event));

  // One says nothing, one shows something that isn't a key.
  grpc::ClientContext silent_context;
  auto silent = stub_->Subscribe(&silent_context);
  grpc::ClientContext wrong_context;
  auto wrong = stub_->Subscribe(&wrong_context);
  request.mutable_add()->set_token("nonsense");
  ASSERT_TRUE(wrong->Write(request));
  ASSERT_TRUE(wrong->Read(&event));
  EXPECT_TRUE(event.has_ended());
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
  proven_context.TryCancel();
  proven->Finish();
}

TEST_F(UnprovenStreamsTest, StreamsBeyondTheBoundAreRefusedUntilOthersEnd) {
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::unique_ptr<grpc::ClientReaderWriter<v1::SubscribeRequest, v1::SubscribeEvent>>>
      streams;
  int refused = 0;
  v1::SubscribeEvent event;
  for (int i = 0; i < 40; ++i) {
    contexts.push_back(std::make_unique<grpc::ClientContext>());
    streams.push_back(stub_->Subscribe(contexts.back().get()));
  }
  for (auto& stream : streams) {
    EXPECT_FALSE(stream->Read(&event));
    refused += stream->Finish().error_code() == StatusCode::RESOURCE_EXHAUSTED;
  }
  EXPECT_EQ(refused, 20);
  grpc::ClientContext context;
  auto stream = stub_->Subscribe(&context);
  EXPECT_FALSE(stream->Read(&event));
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::DEADLINE_EXCEEDED);
}

class BlobServerTest : public RelayServerTest {
 protected:
  using UploadStream = grpc::ClientReaderWriter<v1::UploadBlobRequest, v1::UploadBlobResponse>;

  TestBlob NewBlob(uint64_t bytes) {
    TestBlob blob;
    EXPECT_TRUE(relay_.Create(relay_.CreateRequest(blob, bytes)).ok());
    return blob;
  }
  void SendHeader(UploadStream& stream, const TestBlob& blob) {
    v1::UploadBlobRequest request;
    request.mutable_header()->set_token(relay_.BlobToken(blob, AccessRight::kWrite));
    request.mutable_header()->set_blob_id(blob.id);
    EXPECT_TRUE(stream.Write(request));
  }
  static bool SendChunk(UploadStream& stream, uint64_t index, const std::string& data) {
    v1::UploadBlobRequest request;
    request.mutable_chunk()->set_index(index);
    request.mutable_chunk()->set_data(data);
    return stream.Write(request);
  }
};

TEST_F(BlobServerTest, UploadsAcknowledgeEveryChunkAndDownloadsReturnThem) {
  constexpr uint64_t kChunks = 20;
  TestBlob blob = NewBlob(kChunks << 20);
  std::vector<std::string> chunks;
  for (uint64_t i = 0; i < kChunks; ++i) chunks.push_back(RandomString(1 << 20));
  {
    grpc::ClientContext context;
    auto stream = stub_->UploadBlob(&context);
    SendHeader(*stream, blob);
    for (uint64_t i = 0; i < kChunks; ++i) ASSERT_TRUE(SendChunk(*stream, i, chunks[i]));
    stream->WritesDone();
    v1::UploadBlobResponse response;
    uint64_t acknowledged = 0;
    while (stream->Read(&response)) {
      EXPECT_GT(response.chunks(), acknowledged);
      acknowledged = response.chunks();
    }
    EXPECT_EQ(acknowledged, kChunks);
    EXPECT_TRUE(stream->Finish().ok());
  }
  ASSERT_TRUE(relay_.Seal(blob, kChunks, kChunks << 20).ok());
  v1::DownloadBlobRequest request;
  request.set_token(relay_.BlobToken(blob, AccessRight::kRead));
  request.set_blob_id(blob.id);
  request.set_first_chunk(3);
  request.set_chunk_count(10);
  grpc::ClientContext context;
  auto stream = stub_->DownloadBlob(&context, request);
  v1::DownloadBlobResponse response;
  uint64_t index = 3;
  while (stream->Read(&response)) {
    EXPECT_EQ(response.index(), index);
    EXPECT_TRUE(response.data() == chunks[index]);
    ++index;
  }
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(index, 13u);
}

TEST_F(BlobServerTest, UploadErrorsEndTheStreamWithTheirReason) {
  TestBlob blob = NewBlob(10000);
  auto finish = [&](auto send) {
    grpc::ClientContext context;
    auto stream = stub_->UploadBlob(&context);
    send(*stream);
    v1::UploadBlobResponse response;
    while (stream->Read(&response)) {
    }
    return stream->Finish().error_code();
  };
  EXPECT_EQ(finish([&](auto& s) { SendChunk(s, 0, "data"); }), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(finish([&](auto& s) { s.Write(v1::UploadBlobRequest()); }),
            StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(finish([&](auto& s) {
              SendHeader(s, blob);
              SendHeader(s, blob);
            }),
            StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(finish([&](auto& s) {
              SendHeader(s, blob);
              SendChunk(s, 1, "data");
            }),
            StatusCode::OUT_OF_RANGE);
  EXPECT_EQ(finish([&](auto& s) {
              SendHeader(s, blob);
              SendChunk(s, 0, std::string(10001, 'x'));
            }),
            StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(finish([&](auto& s) { s.WritesDone(); }), StatusCode::OK);
}

// Clients that cancel in the middle of everything, again and again: the relay must not mind.
TEST_F(BlobServerTest, CancelledCallsBreakNothing) {
  TestMailbox mailbox = relay_.NewMailbox();
  TestBlob blob = NewBlob(uint64_t{1} << 30);
  const std::string read_token = relay_.ReadToken(mailbox, 1);
  const std::string append_token = relay_.AppendToken(mailbox, 1);
  std::atomic<bool> stop = false;
  std::thread appender([&] {
    while (!stop) {
      ASSERT_TRUE(
          relay_.Append(relay_.AppendRequest(mailbox, 1, append_token, RandomString(2000))).ok());
    }
  });
  for (int round = 0; round < 60; ++round) {
    auto stub = v1::Relay::NewStub(NewChannel());
    grpc::ClientContext subscribe_context;
    auto subscription = stub->Subscribe(&subscribe_context);
    v1::SubscribeRequest request;
    request.mutable_add()->set_mailbox_id(mailbox.id);
    request.mutable_add()->set_token(read_token);
    request.mutable_add()->set_from(1);
    subscription->Write(request);
    grpc::ClientContext upload_context;
    auto upload = stub->UploadBlob(&upload_context);
    SendHeader(*upload, blob);
    SendChunk(*upload, 0, std::string(100000, 'x'));
    v1::SubscribeEvent event;
    if (round % 3 == 0) subscription->Read(&event);
    subscribe_context.TryCancel();
    upload_context.TryCancel();
    // Without Finish the streams would leak; with it both end as cancelled.
    subscription->Finish();
    upload->Finish();
    grpc::ClientContext append_context;
    append_context.set_deadline(std::chrono::system_clock::now() +
                                std::chrono::microseconds(100 * round));
    v1::AppendResponse response;
    stub->Append(&append_context, relay_.AppendRequest(mailbox, 1, append_token, "deadline"),
                 &response);
  }
  stop = true;
  appender.join();
  EXPECT_TRUE(Append(relay_.AppendRequest(mailbox, "still alive")).ok());
}

TEST_F(RelayServerTest, HealthAnswersServing) {
  // The health service's messages, by hand: HealthCheckRequest{service=1}, response status=1.
  auto stub = std::make_unique<
      grpc::TemplatedGenericStub<v1::GetChallengeResponse, v1::GetChallengeResponse>>(NewChannel());
  v1::GetChallengeResponse request;  // its field 1 is a byte string, as the service's name is
  request.set_challenge("parley.relay.v1.Relay");
  v1::GetChallengeResponse response;
  grpc::ClientContext context;
  std::promise<grpc::Status> done;
  stub->UnaryCall(&context, "/grpc.health.v1.Health/Check", grpc::StubOptions(), &request,
                  &response, [&](grpc::Status status) { done.set_value(std::move(status)); });
  EXPECT_TRUE(done.get_future().get().ok());
  EXPECT_EQ(response.SerializeAsString(), std::string("\x08\x01"));  // SERVING
}

TEST_F(RelayServerTest, ShutdownEndsStreamsAndReturnsSoon) {
  TestMailbox mailbox = relay_.NewMailbox();
  grpc::ClientContext context;
  auto stream = stub_->Subscribe(&context);
  v1::SubscribeRequest request;
  request.mutable_add()->set_mailbox_id(mailbox.id);
  request.mutable_add()->set_token(relay_.ReadToken(mailbox, 1));
  request.mutable_add()->set_from(1);
  ASSERT_TRUE(stream->Write(request));
  v1::SubscribeEvent event;
  ASSERT_TRUE(stream->Read(&event));
  const auto begin = std::chrono::steady_clock::now();
  server_->Shutdown();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  EXPECT_FALSE(stream->Read(&event));
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::UNAVAILABLE);
}

TEST_F(RelayServerTest, APortInUseIsRefused) {
  const crypto::Secret key = MakeTlsKey();
  RelayServer second(*relay_.relay, relay_.limits, *MakeTlsCertificate(key, "127.0.0.1"));
  EXPECT_EQ(second.Start("127.0.0.1:" + std::to_string(port_)).status().code(),
            absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace parley::server
