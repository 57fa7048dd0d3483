#include "server/grpc/relay_server.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <utility>

#include "crypto/base/status_macros.h"
#include "parley/relay/v1/relay.grpc.pb.h"
#include "server/core/request_fields.h"
#include "server/grpc/acceptor.h"
#include "server/grpc/counted_call.h"
#include "server/grpc/download_stream.h"
#include "server/grpc/status_mapping.h"
#include "server/grpc/streams.h"
#include "server/grpc/tls13_credentials.h"

namespace parley::server {
namespace {

namespace v1 = relay::v1;

template <typename Request>
absl::Status CheckSize(const Request& request, const Limits& limits, uint64_t payload = 0) {
  return CheckRequestSize(request.ByteSizeLong(), limits, payload);
}

// Finishes a call whose answer may be large, and that its client may leave unread.
class CountedAnswer final : public grpc::ServerUnaryReactor {
 public:
  CountedAnswer(UnreadAnswers& unread, grpc::CallbackServerContext& context,
                const v1::ReadResponse& response, const absl::Status& status)
      : call_(unread, context) {
    call_.Sending(2 * response.ByteSizeLong());  // gRPC has a copy
    Finish(ToGrpcStatus(status));
  }
  void OnDone() override {
    call_.Close();
    delete this;
  }

 private:
  CountedCall call_;
};

// Of a download, the service gets and gives the messages' bytes.
class RelayService final
    : public v1::Relay::WithRawCallbackMethod_DownloadBlob<v1::Relay::CallbackService> {
 public:
  RelayService(Relay& relay, std::string tls_key_hash)
      : relay_(relay),
        tls_key_hash_(std::move(tls_key_hash)),
        unread_(relay.limits().max_unread_bytes) {}

  OpenStreams& streams() { return streams_; }

  grpc::ServerUnaryReactor* GetInfo(grpc::CallbackServerContext* context,
                                    const v1::GetInfoRequest* /*request*/,
                                    v1::GetInfoResponse* response) override {
    relay_.GetInfo(tls_key_hash_, *response);
    return Answer(context, absl::OkStatus());
  }

  grpc::ServerUnaryReactor* GetChallenge(grpc::CallbackServerContext* context,
                                         const v1::GetChallengeRequest* /*request*/,
                                         v1::GetChallengeResponse* response) override {
    relay_.sessions().GetChallenge(*response);
    return Answer(context, absl::OkStatus());
  }

  grpc::ServerUnaryReactor* OpenSession(grpc::CallbackServerContext* context,
                                        const v1::OpenSessionRequest* request,
                                        v1::OpenSessionResponse* response) override {
    absl::Status status = CheckSize(*request, relay_.limits());
    if (status.ok()) status = relay_.sessions().OpenSession(*request, *response);
    return Answer(context, status);
  }

  grpc::ServerUnaryReactor* CreateMailbox(grpc::CallbackServerContext* context,
                                          const v1::CreateMailboxRequest* request,
                                          v1::CreateMailboxResponse* /*response*/) override {
    return AnswerLater(context, *request,
                       [&](auto done) { relay_.mailboxes().Create(*request, std::move(done)); });
  }

  grpc::ServerUnaryReactor* Append(grpc::CallbackServerContext* context,
                                   const v1::AppendRequest* request,
                                   v1::AppendResponse* response) override {
    absl::Status size = CheckSize(*request, relay_.limits(), request->payload().size());
    if (!size.ok()) return Answer(context, size);
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    relay_.mailboxes().Append(*request, [reactor, response](absl::StatusOr<uint64_t> position) {
      if (position.ok()) response->set_position(*position);
      reactor->Finish(ToGrpcStatus(position.status()));
    });
    return reactor;
  }

  grpc::ServerUnaryReactor* Read(grpc::CallbackServerContext* context,
                                 const v1::ReadRequest* request,
                                 v1::ReadResponse* response) override {
    absl::Status status = CheckSize(*request, relay_.limits());
    if (!status.ok()) return Answer(context, status);
    status = relay_.mailboxes().Read(*request, *response);
    return new CountedAnswer(unread_, *context, *response, status);
  }

  grpc::ServerBidiReactor<v1::SubscribeRequest, v1::SubscribeEvent>* Subscribe(
      grpc::CallbackServerContext* context) override {
    return NewSubscribeStream(relay_, streams_, unread_, *context);
  }

  grpc::ServerUnaryReactor* ControlMailbox(grpc::CallbackServerContext* context,
                                           const v1::ControlMailboxRequest* request,
                                           v1::ControlMailboxResponse* /*response*/) override {
    return AnswerLater(context, *request,
                       [&](auto done) { relay_.mailboxes().Control(*request, std::move(done)); });
  }

  grpc::ServerUnaryReactor* CreateBlob(grpc::CallbackServerContext* context,
                                       const v1::CreateBlobRequest* request,
                                       v1::CreateBlobResponse* /*response*/) override {
    return AnswerLater(context, *request,
                       [&](auto done) { relay_.blobs().Create(*request, std::move(done)); });
  }

  grpc::ServerBidiReactor<v1::UploadBlobRequest, v1::UploadBlobResponse>* UploadBlob(
      grpc::CallbackServerContext* /*context*/) override {
    return NewUploadStream(relay_, streams_);
  }

  grpc::ServerUnaryReactor* SealBlob(grpc::CallbackServerContext* context,
                                     const v1::SealBlobRequest* request,
                                     v1::SealBlobResponse* /*response*/) override {
    return AnswerLater(context, *request,
                       [&](auto done) { relay_.blobs().Seal(*request, std::move(done)); });
  }

  grpc::ServerUnaryReactor* StatBlob(grpc::CallbackServerContext* context,
                                     const v1::StatBlobRequest* request,
                                     v1::StatBlobResponse* response) override {
    absl::Status status = CheckSize(*request, relay_.limits());
    if (status.ok()) status = relay_.blobs().Stat(*request, *response);
    return Answer(context, status);
  }

  grpc::ServerWriteReactor<grpc::ByteBuffer>* DownloadBlob(
      grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) override {
    return NewDownloadStream(relay_, unread_, *context, *request);
  }

  grpc::ServerUnaryReactor* DeleteBlob(grpc::CallbackServerContext* context,
                                       const v1::DeleteBlobRequest* request,
                                       v1::DeleteBlobResponse* /*response*/) override {
    return AnswerLater(context, *request,
                       [&](auto done) { relay_.blobs().Delete(*request, std::move(done)); });
  }

  grpc::ServerUnaryReactor* IssueVouchers(grpc::CallbackServerContext* context,
                                          const v1::IssueVouchersRequest* request,
                                          v1::IssueVouchersResponse* response) override {
    absl::Status status = CheckSize(*request, relay_.limits());
    if (status.ok()) status = relay_.sponsors().IssueVouchers(*request, *response);
    return Answer(context, status);
  }

 private:
  static grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context,
                                          const absl::Status& status) {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(ToGrpcStatus(status));
    return reactor;
  }

  // `call` gets what to call in the end. gRPC keeps request, response and reactor until Finish,
  // also when the client is gone.
  template <typename Request, typename Call>
  grpc::ServerUnaryReactor* AnswerLater(grpc::CallbackServerContext* context,
                                        const Request& request, Call call) {
    if (absl::Status size = CheckSize(request, relay_.limits()); !size.ok()) {
      return Answer(context, size);
    }
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    call([reactor](absl::Status status) { reactor->Finish(ToGrpcStatus(status)); });
    return reactor;
  }

  Relay& relay_;
  const std::string tls_key_hash_;
  OpenStreams streams_;
  UnreadAnswers unread_;
};

// What gRPC may hold of messages that haven't come or gone in full: a thousand streams, each with a
// message begun, must not take all memory.
constexpr size_t kMostBufferedBytes = size_t{192} << 20;

void SetLimits(grpc::ServerBuilder& builder, const Limits& limits) {
  grpc::ResourceQuota quota("parley relay");
  quota.Resize(kMostBufferedBytes);
  builder.SetResourceQuota(quota);
  builder.SetMaxReceiveMessageSize(
      static_cast<int>(limits.max_chunk_bytes + limits.max_request_overhead_bytes));
  // A peer that has vanished is noticed within a minute and a half.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60 * 1000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20 * 1000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10 * 1000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, limits.max_streams_per_connection);
  // Who doesn't finish a handshake, or makes no call, doesn't keep a connection.
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 20 * 1000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, 10 * 60 * 1000);
}

}  // namespace

struct RelayServer::State {
  State(Relay& relay, const Limits& limits_in, TlsCertificate certificate_in)
      : limits(limits_in),
        certificate(std::move(certificate_in)),
        service(relay, certificate.key_hash) {}

  const Limits limits;
  const TlsCertificate certificate;
  RelayService service;
  std::unique_ptr<Acceptor> acceptor;
  std::unique_ptr<grpc::Server> server;
};

RelayServer::RelayServer(Relay& relay, const Limits& limits, TlsCertificate certificate)
    : state_(std::make_unique<State>(relay, limits, std::move(certificate))) {}

RelayServer::~RelayServer() { Shutdown(); }

absl::StatusOr<int> RelayServer::Start(const std::string& address) {
  auto credentials = Tls13ServerCredentials(state_->certificate.certificate_pem,
                                            state_->certificate.private_key_pem);
  if (!credentials.ok()) return credentials.status();
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  SetLimits(builder, state_->limits);
  PARLEY_ASSIGN_OR_RETURN(state_->acceptor, Acceptor::Listen(address, state_->limits));
  using Experimental = grpc::ServerBuilder::experimental_type;
  std::shared_ptr<grpc::experimental::ExternalConnectionAcceptor> into =
      builder.experimental().AddExternalConnectionAcceptor(
          Experimental::ExternalConnectionType::FROM_FD, *credentials);
  builder.RegisterService(&state_->service);
  state_->server = builder.BuildAndStart();
  if (state_->server == nullptr) {
    state_->acceptor.reset();
    return absl::UnavailableError("the gRPC server can't be started");
  }
  state_->acceptor->Start([into](int fd) {
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
    connection.fd = fd;
    into->HandleNewConnection(&connection);
  });
  state_->server->GetHealthCheckService()->SetServingStatus("parley.relay.v1.Relay", true);
  return state_->acceptor->port();
}

void RelayServer::Shutdown(std::chrono::milliseconds grace) {
  if (state_->server == nullptr) return;
  state_->acceptor->Stop();
  state_->server->GetHealthCheckService()->Shutdown();
  state_->service.streams().EndAll(
      grpc::Status(grpc::StatusCode::UNAVAILABLE, "the relay is shutting down"));
  state_->server->Shutdown(std::chrono::system_clock::now() + grace);
  state_->server->Wait();
  state_->server.reset();
  state_->acceptor.reset();
}

}  // namespace parley::server
