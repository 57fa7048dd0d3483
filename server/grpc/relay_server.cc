#include "server/grpc/relay_server.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <utility>

#include "parley/relay/v1/relay.grpc.pb.h"
#include "server/grpc/status_mapping.h"
#include "server/grpc/streams.h"
#include "server/grpc/tls13_credentials.h"

namespace parley::server {
namespace {

namespace v1 = relay::v1;

// Room for a message's fields beside its payload or chunk: 256 append keys are the most of it.
constexpr int kMessageOverhead = 64 << 10;

class RelayService final : public v1::Relay::CallbackService {
 public:
  RelayService(Relay& relay, std::string tls_key_hash)
      : relay_(relay), tls_key_hash_(std::move(tls_key_hash)) {}

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
    return Answer(context, relay_.sessions().OpenSession(*request, *response));
  }

  grpc::ServerUnaryReactor* CreateMailbox(grpc::CallbackServerContext* context,
                                          const v1::CreateMailboxRequest* request,
                                          v1::CreateMailboxResponse* /*response*/) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    relay_.mailboxes().Create(*request, FinishLater(reactor));
    return reactor;
  }

  grpc::ServerUnaryReactor* Append(grpc::CallbackServerContext* context,
                                   const v1::AppendRequest* request,
                                   v1::AppendResponse* response) override {
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
    return Answer(context, relay_.mailboxes().Read(*request, *response));
  }

  grpc::ServerBidiReactor<v1::SubscribeRequest, v1::SubscribeEvent>* Subscribe(
      grpc::CallbackServerContext* /*context*/) override {
    return NewSubscribeStream(relay_, streams_);
  }

  grpc::ServerUnaryReactor* ControlMailbox(grpc::CallbackServerContext* context,
                                           const v1::ControlMailboxRequest* request,
                                           v1::ControlMailboxResponse* /*response*/) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    relay_.mailboxes().Control(*request, FinishLater(reactor));
    return reactor;
  }

  grpc::ServerUnaryReactor* CreateBlob(grpc::CallbackServerContext* context,
                                       const v1::CreateBlobRequest* request,
                                       v1::CreateBlobResponse* /*response*/) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    relay_.blobs().Create(*request, FinishLater(reactor));
    return reactor;
  }

  grpc::ServerBidiReactor<v1::UploadBlobRequest, v1::UploadBlobResponse>* UploadBlob(
      grpc::CallbackServerContext* /*context*/) override {
    return NewUploadStream(relay_, streams_);
  }

  grpc::ServerUnaryReactor* SealBlob(grpc::CallbackServerContext* context,
                                     const v1::SealBlobRequest* request,
                                     v1::SealBlobResponse* /*response*/) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    relay_.blobs().Seal(*request, FinishLater(reactor));
    return reactor;
  }

  grpc::ServerUnaryReactor* StatBlob(grpc::CallbackServerContext* context,
                                     const v1::StatBlobRequest* request,
                                     v1::StatBlobResponse* response) override {
    return Answer(context, relay_.blobs().Stat(*request, *response));
  }

  grpc::ServerWriteReactor<v1::DownloadBlobResponse>* DownloadBlob(
      grpc::CallbackServerContext* /*context*/, const v1::DownloadBlobRequest* request) override {
    return NewDownloadStream(relay_, *request);
  }

  grpc::ServerUnaryReactor* DeleteBlob(grpc::CallbackServerContext* context,
                                       const v1::DeleteBlobRequest* request,
                                       v1::DeleteBlobResponse* /*response*/) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    relay_.blobs().Delete(*request, FinishLater(reactor));
    return reactor;
  }

  grpc::ServerUnaryReactor* IssueVouchers(grpc::CallbackServerContext* context,
                                          const v1::IssueVouchersRequest* request,
                                          v1::IssueVouchersResponse* response) override {
    return Answer(context, relay_.sponsors().IssueVouchers(*request, *response));
  }

 private:
  static grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context,
                                          const absl::Status& status) {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(ToGrpcStatus(status));
    return reactor;
  }

  // gRPC keeps request, response and reactor until Finish, also when the client is gone.
  static std::function<void(absl::Status)> FinishLater(grpc::ServerUnaryReactor* reactor) {
    return [reactor](absl::Status status) { reactor->Finish(ToGrpcStatus(status)); };
  }

  Relay& relay_;
  const std::string tls_key_hash_;
  OpenStreams streams_;
};

// What gRPC may hold of messages that haven't come or gone in full: a thousand streams, each with a
// message begun, must not take all memory.
constexpr size_t kMostBufferedBytes = size_t{192} << 20;

void SetLimits(grpc::ServerBuilder& builder, const Limits& limits) {
  grpc::ResourceQuota quota("parley relay");
  quota.Resize(kMostBufferedBytes);
  builder.SetResourceQuota(quota);
  builder.SetMaxReceiveMessageSize(static_cast<int>(limits.max_chunk_bytes) + kMessageOverhead);
  // A peer that has vanished is noticed within a minute and a half.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60 * 1000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20 * 1000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10 * 1000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 1024);
  // Two relays on one port would each get a part of the calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
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
  int port = 0;
  builder.AddListeningPort(address, *credentials, &port);
  builder.RegisterService(&state_->service);
  state_->server = builder.BuildAndStart();
  if (state_->server == nullptr || port == 0) {
    state_->server.reset();
    return absl::UnavailableError(
        "can't listen on " + address +
        ": the address is not this machine's, or the port is in use or needs more rights");
  }
  state_->server->GetHealthCheckService()->SetServingStatus("parley.relay.v1.Relay", true);
  return port;
}

void RelayServer::Shutdown(std::chrono::milliseconds grace) {
  if (state_->server == nullptr) return;
  state_->server->GetHealthCheckService()->Shutdown();
  state_->service.streams().EndAll(
      grpc::Status(grpc::StatusCode::UNAVAILABLE, "the relay is shutting down"));
  state_->server->Shutdown(std::chrono::system_clock::now() + grace);
  state_->server->Wait();
  state_->server.reset();
}

}  // namespace parley::server
