// The service over real TLS: what gRPC adds to the core in calls of one request and one answer, and
// in starting and ending. The core's own behaviour is tested beside the core.
#include "server/grpc/relay_server.h"

#include <arpa/inet.h>
#include <grpcpp/generic/generic_stub.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <future>

#include "crypto/primitives/hash.h"
#include "server/grpc/relay_server_fixture_for_test.h"

namespace parley::server {
namespace {

using grpc::StatusCode;

// The TLS version that a handshake offering exactly `version` ends with; 0 when it is refused.
int Handshake(int version, int port) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, version);
  SSL_CTX_set_max_proto_version(context, version);
  SSL_CTX_set_security_level(context, 0);
  const unsigned char alpn[] = {2, 'h', '2'};
  SSL_CTX_set_alpn_protos(context, alpn, sizeof(alpn));
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
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

TEST_F(RelayServerTest, SpeaksTls13AndNothingOlder) {
  EXPECT_EQ(Handshake(TLS1_3_VERSION, port_), TLS1_3_VERSION);
  EXPECT_EQ(Handshake(TLS1_2_VERSION, port_), 0);
  EXPECT_EQ(Handshake(TLS1_1_VERSION, port_), 0);
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

TEST_F(RelayServerTest, WhatIsUsedUpStandsInTheDetails) {
  const uint64_t quota = relay_.limits.least_closing_reserve_bytes + 1000;
  relay_.sponsor_token = relay_.AddSponsor("small", quota, 1);
  TestMailbox mailbox = relay_.NewMailbox();
  auto quota_is_named = [](const grpc::Status& status) {
    EXPECT_EQ(status.error_code(), StatusCode::RESOURCE_EXHAUSTED);
    v1::Exhausted details;
    return details.ParseFromString(status.error_details()) &&
           details.what() == v1::Exhausted::WHAT_QUOTA;
  };
  EXPECT_TRUE(quota_is_named(Append(relay_.AppendRequest(mailbox, std::string(quota, 'x')))));
  grpc::ClientContext mailbox_context;
  v1::CreateMailboxResponse mailbox_response;
  EXPECT_TRUE(quota_is_named(stub_->CreateMailbox(
      &mailbox_context, relay_.CreateRequest(TestMailbox()), &mailbox_response)));
  grpc::ClientContext blob_context;
  v1::CreateBlobResponse blob_response;
  EXPECT_TRUE(quota_is_named(
      stub_->CreateBlob(&blob_context, relay_.CreateRequest(TestBlob(), 1), &blob_response)));
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
  v1::SubscribeRequest request = Add(mailbox, relay_.ReadToken(mailbox, 1));
  ASSERT_TRUE(stream->Write(request));
  v1::SubscribeEvent event;
  ASSERT_TRUE(stream->Read(&event));
  // It waits for nothing: else this test would never end.
  server_->Shutdown(std::chrono::hours(24));
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
