#include "server/grpc/relay_server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/base/status_macros.h"
#include "parley/relay/v1/relay.grpc.pb.h"
#include "server/core/request_fields.h"
#include "server/grpc/acceptor.h"
#include "server/grpc/admission.h"
#include "server/grpc/append_stream.h"
#include "server/grpc/arrivals.h"
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

// The session's token, where such a request has one.
template <typename Request>
std::string_view TokenOf(const Request& request) {
  if constexpr (requires { request.token(); }) {
    return request.token();
  } else {
    return {};
  }
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
  RelayService(Relay& relay, OpenStreams& streams, UnreadAnswers& unread, std::string tls_key_hash)
      : relay_(relay), streams_(streams), unread_(unread), tls_key_hash_(std::move(tls_key_hash)) {}

  grpc::ServerUnaryReactor* GetInfo(grpc::CallbackServerContext* context,
                                    const v1::GetInfoRequest* /*request*/,
                                    v1::GetInfoResponse* response) override {
    const CallTimer timer(relay_.metrics(), Call::kGetInfo);
    if (absl::Status may = Admit(relay_, *context, ""); !may.ok()) {
      return Refuse(context, timer, may, 0);
    }
    relay_.GetInfo(tls_key_hash_, *response);
    return Answer(context, timer, absl::OkStatus());
  }

  grpc::ServerUnaryReactor* GetChallenge(grpc::CallbackServerContext* context,
                                         const v1::GetChallengeRequest* /*request*/,
                                         v1::GetChallengeResponse* response) override {
    const CallTimer timer(relay_.metrics(), Call::kGetChallenge);
    if (absl::Status may = Admit(relay_, *context, ""); !may.ok()) {
      return Refuse(context, timer, may, 0);
    }
    relay_.sessions().GetChallenge(*response);
    return Answer(context, timer, absl::OkStatus());
  }

  grpc::ServerUnaryReactor* OpenSession(grpc::CallbackServerContext* context,
                                        const v1::OpenSessionRequest* request,
                                        v1::OpenSessionResponse* response) override {
    const CallTimer timer(relay_.metrics(), Call::kOpenSession);
    if (absl::Status may = Admit(relay_, *context, "", RateLimits::kSignatureCalls); !may.ok()) {
      return Refuse(context, timer, may, request->ByteSizeLong());
    }
    absl::Status status = CheckSize(*request, relay_.limits());
    if (status.ok()) status = relay_.sessions().OpenSession(*request, *response);
    if (status.ok()) relay_.rates().MarkProven(context->peer());
    return Answer(context, timer, status);
  }

  grpc::ServerUnaryReactor* CreateMailbox(grpc::CallbackServerContext* context,
                                          const v1::CreateMailboxRequest* request,
                                          v1::CreateMailboxResponse* /*response*/) override {
    return AnswerLater(context, Call::kCreateMailbox, *request,
                       [&](auto done) { relay_.mailboxes().Create(*request, std::move(done)); });
  }

  grpc::ServerUnaryReactor* Append(grpc::CallbackServerContext* context,
                                   const v1::AppendRequest* request,
                                   v1::AppendResponse* response) override {
    const CallTimer timer(relay_.metrics(), Call::kAppend);
    const uint64_t calls = request->has_closing() ? RateLimits::kSignatureCalls : 1;
    if (absl::Status may = Admit(relay_, *context, request->token(), calls); !may.ok()) {
      return Refuse(context, timer, may, request->ByteSizeLong());
    }
    absl::Status size = CheckSize(*request, relay_.limits(), request->payload().size());
    if (!size.ok()) return Answer(context, timer, size);
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    relay_.mailboxes().Append(
        *request, [this, timer, request, reactor, response](absl::StatusOr<uint64_t> position) {
          if (position.ok()) {
            response->set_position(*position);
            relay_.metrics().of(Call::kAppend).bytes.Add(request->payload().size());
          }
          timer.End(position.status());
          reactor->Finish(ToGrpcStatus(position.status()));
        });
    return reactor;
  }

  grpc::ServerBidiReactor<v1::AppendStreamRequest, v1::AppendStreamResponse>* AppendStream(
      grpc::CallbackServerContext* context) override {
    return NewAppendStream(relay_, streams_, unread_, *context);
  }

  grpc::ServerUnaryReactor* Read(grpc::CallbackServerContext* context,
                                 const v1::ReadRequest* request,
                                 v1::ReadResponse* response) override {
    const CallTimer timer(relay_.metrics(), Call::kRead);
    if (absl::Status may = Admit(relay_, *context, request->token()); !may.ok()) {
      return Refuse(context, timer, may, request->ByteSizeLong());
    }
    absl::Status status = CheckSize(*request, relay_.limits());
    if (!status.ok()) return Answer(context, timer, status);
    status = relay_.mailboxes().Read(*request, *response);
    timer.End(status);
    relay_.metrics().of(Call::kRead).bytes.Add(response->ByteSizeLong());
    return new CountedAnswer(unread_, *context, *response, status);
  }

  grpc::ServerBidiReactor<v1::SubscribeRequest, v1::SubscribeEvent>* Subscribe(
      grpc::CallbackServerContext* context) override {
    return NewSubscribeStream(relay_, streams_, unread_, *context);
  }

  grpc::ServerUnaryReactor* ControlMailbox(grpc::CallbackServerContext* context,
                                           const v1::ControlMailboxRequest* request,
                                           v1::ControlMailboxResponse* /*response*/) override {
    return AnswerLater(context, Call::kControlMailbox, *request,
                       [&](auto done) { relay_.mailboxes().Control(*request, std::move(done)); });
  }

  grpc::ServerUnaryReactor* CreateBlob(grpc::CallbackServerContext* context,
                                       const v1::CreateBlobRequest* request,
                                       v1::CreateBlobResponse* /*response*/) override {
    return AnswerLater(context, Call::kCreateBlob, *request,
                       [&](auto done) { relay_.blobs().Create(*request, std::move(done)); });
  }

  grpc::ServerBidiReactor<v1::UploadBlobRequest, v1::UploadBlobResponse>* UploadBlob(
      grpc::CallbackServerContext* context) override {
    return NewUploadStream(relay_, streams_, *context);
  }

  grpc::ServerUnaryReactor* SealBlob(grpc::CallbackServerContext* context,
                                     const v1::SealBlobRequest* request,
                                     v1::SealBlobResponse* /*response*/) override {
    return AnswerLater(context, Call::kSealBlob, *request,
                       [&](auto done) { relay_.blobs().Seal(*request, std::move(done)); });
  }

  grpc::ServerUnaryReactor* StatBlob(grpc::CallbackServerContext* context,
                                     const v1::StatBlobRequest* request,
                                     v1::StatBlobResponse* response) override {
    const CallTimer timer(relay_.metrics(), Call::kStatBlob);
    if (absl::Status may = Admit(relay_, *context, request->token()); !may.ok()) {
      return Refuse(context, timer, may, request->ByteSizeLong());
    }
    absl::Status status = CheckSize(*request, relay_.limits());
    if (status.ok()) status = relay_.blobs().Stat(*request, *response);
    return Answer(context, timer, status);
  }

  grpc::ServerWriteReactor<grpc::ByteBuffer>* DownloadBlob(
      grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) override {
    return NewDownloadStream(relay_, streams_, unread_, *context, *request);
  }

  grpc::ServerUnaryReactor* DeleteBlob(grpc::CallbackServerContext* context,
                                       const v1::DeleteBlobRequest* request,
                                       v1::DeleteBlobResponse* /*response*/) override {
    return AnswerLater(context, Call::kDeleteBlob, *request,
                       [&](auto done) { relay_.blobs().Delete(*request, std::move(done)); });
  }

  grpc::ServerUnaryReactor* IssueVouchers(grpc::CallbackServerContext* context,
                                          const v1::IssueVouchersRequest* request,
                                          v1::IssueVouchersResponse* response) override {
    const CallTimer timer(relay_.metrics(), Call::kIssueVouchers);
    if (absl::Status may = Admit(relay_, *context, ""); !may.ok()) {
      return Refuse(context, timer, may, request->ByteSizeLong());
    }
    absl::Status status = CheckSize(*request, relay_.limits());
    if (status.ok()) status = relay_.sponsors().IssueVouchers(*request, *response);
    return Answer(context, timer, status);
  }

 private:
  static grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context,
                                          const CallTimer& timer, const absl::Status& status) {
    timer.End(status);
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(ToGrpcStatus(status));
    return reactor;
  }

  static grpc::ServerUnaryReactor* Refuse(grpc::CallbackServerContext* context,
                                          const CallTimer& timer, const absl::Status& refusal,
                                          size_t request_bytes) {
    timer.End(refusal);
    return RefuseLate(*context, refusal, request_bytes);
  }

  // `begin` gets what to call in the end. gRPC keeps request, response and reactor until Finish,
  // also when the client is gone.
  template <typename Request, typename Begin>
  grpc::ServerUnaryReactor* AnswerLater(grpc::CallbackServerContext* context, Call kind,
                                        const Request& request, Begin begin) {
    const CallTimer timer(relay_.metrics(), kind);
    const uint64_t calls = kind == Call::kControlMailbox ? RateLimits::kSignatureCalls : 1;
    if (absl::Status may = Admit(relay_, *context, TokenOf(request), calls); !may.ok()) {
      return Refuse(context, timer, may, request.ByteSizeLong());
    }
    if (absl::Status size = CheckSize(request, relay_.limits()); !size.ok()) {
      return Answer(context, timer, size);
    }
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    begin([timer, reactor](absl::Status status) {
      timer.End(status);
      reactor->Finish(ToGrpcStatus(status));
    });
    return reactor;
  }

  Relay& relay_;
  OpenStreams& streams_;
  UnreadAnswers& unread_;
  const std::string tls_key_hash_;
};

// What gRPC may hold of messages that haven't come or gone in full: a thousand streams, each with a
// message begun, must not take all memory. Connections with an earlier certificate, which end by
// and by, may hold as much again.
constexpr size_t kMostBufferedBytes = size_t{192} << 20;

// Reflection alone has threads: who keeps its streams open keeps others from it, and no more.
constexpr int kMostThreads = 32;

void SetLimits(grpc::ServerBuilder& builder, const Limits& limits,
               const grpc::ResourceQuota& quota) {
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

// A gRPC server with one certificate: another one gets another server, which new connections go to.
// So each connection's clients are told of the key that they have seen.
struct Serving {
  Serving(Relay& relay, OpenStreams& streams, UnreadAnswers& unread, TlsCertificate certificate_in)
      : certificate(std::move(certificate_in)),
        service(relay, streams, unread, certificate.key_hash) {
    quota.Resize(kMostBufferedBytes);
    quota.SetMaxThreads(kMostThreads);
  }

  const TlsCertificate certificate;
  // Its own: gRPC aborts when a server that starts finds no thread left, and connections with the
  // earlier certificate may hold all of theirs.
  grpc::ResourceQuota quota{"parley relay"};
  RelayService service;
  grpc::CallbackGenericService unknown;  // answers calls of methods that there aren't
  std::shared_ptr<grpc::experimental::ExternalConnectionAcceptor> connections;
  std::unique_ptr<grpc::Server> server;
};

}  // namespace

struct RelayServer::State {
  State(Relay& relay_in, const Limits& limits_in, TlsCertificate certificate_in)
      : relay(relay_in),
        limits(limits_in),
        unread(limits_in.max_unread_bytes, &relay_in.metrics()),
        first_certificate(std::move(certificate_in)) {}

  // Errors: InvalidArgument, Unavailable.
  absl::StatusOr<std::unique_ptr<Serving>> NewServing(TlsCertificate certificate);

  Relay& relay;
  const Limits limits;
  OpenStreams streams;
  UnreadAnswers unread;
  TlsCertificate first_certificate;
  std::mutex mutex;                                // guards `servings`
  std::vector<std::unique_ptr<Serving>> servings;  // the last gets new connections
  std::unique_ptr<Acceptor> acceptor;
};

absl::StatusOr<std::unique_ptr<Serving>> RelayServer::State::NewServing(
    TlsCertificate certificate) {
  auto credentials =
      Tls13ServerCredentials(certificate.certificate_pem, certificate.private_key_pem);
  if (!credentials.ok()) return credentials.status();
  auto serving = std::make_unique<Serving>(relay, streams, unread, std::move(certificate));
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  SetLimits(builder, limits, serving->quota);
  builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, 1);
  using Experimental = grpc::ServerBuilder::experimental_type;
  serving->connections = builder.experimental().AddExternalConnectionAcceptor(
      Experimental::ExternalConnectionType::FROM_FD, *credentials);
  builder.RegisterService(&serving->service);
  CountArrivals(relay, serving->unknown, builder);
  serving->server = builder.BuildAndStart();
  if (serving->server == nullptr) return absl::UnavailableError("the gRPC server can't be started");
  serving->server->GetHealthCheckService()->SetServingStatus("parley.relay.v1.Relay", true);
  return serving;
}

RelayServer::RelayServer(Relay& relay, const Limits& limits, TlsCertificate certificate)
    : state_(std::make_unique<State>(relay, limits, std::move(certificate))) {}

RelayServer::~RelayServer() { Shutdown(); }

void RelayServer::OfferReflection() { grpc::reflection::InitProtoReflectionServerBuilderPlugin(); }

absl::StatusOr<int> RelayServer::Start(const std::string& address) {
  PARLEY_ASSIGN_OR_RETURN(state_->acceptor,
                          Acceptor::Listen(address, state_->limits, &state_->relay.metrics()));
  absl::StatusOr<std::unique_ptr<Serving>> serving =
      state_->NewServing(std::move(state_->first_certificate));
  if (!serving.ok()) {
    state_->acceptor.reset();
    return serving.status();
  }
  state_->servings.push_back(*std::move(serving));
  Acceptor* const acceptor = state_->acceptor.get();
  state_->relay.rates().Tell(
      {.not_waiting =
           [acceptor](const std::string& peer, bool is_proven) {
             acceptor->End(peer,
                           is_proven ? Acceptor::Hits::kConnection : Acceptor::Hits::kAddress);
           },
       .proven = [acceptor](const std::string& peer) { return acceptor->MarkProven(peer); }});
  state_->acceptor->Start(
      [state = state_.get()](int fd) {
        grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
        connection.fd = fd;
        std::lock_guard lock(state->mutex);
        state->servings.back()->connections->HandleNewConnection(&connection);
      },
      [rates = &state_->relay.rates()](const std::string& peer) { rates->MarkUnproven(peer); });
  return state_->acceptor->port();
}

absl::Status RelayServer::UseCertificate(TlsCertificate certificate) {
  const TlsCertificate& used = state_->servings.back()->certificate;
  if (certificate.certificate_pem == used.certificate_pem) return absl::OkStatus();
  PARLEY_ASSIGN_OR_RETURN(std::unique_ptr<Serving> serving,
                          state_->NewServing(std::move(certificate)));
  std::lock_guard lock(state_->mutex);
  state_->servings.push_back(std::move(serving));
  return absl::OkStatus();
}

const std::string& RelayServer::key_hash() const {
  return state_->servings.back()->certificate.key_hash;
}

void RelayServer::Shutdown(std::chrono::milliseconds grace) {
  if (state_->servings.empty()) return;
  state_->acceptor->Stop();
  for (const auto& serving : state_->servings) serving->server->GetHealthCheckService()->Shutdown();
  state_->streams.EndAll(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the relay is shutting down"));
  const auto deadline = std::chrono::system_clock::now() + grace;
  for (const auto& serving : state_->servings) serving->server->Shutdown(deadline);
  for (const auto& serving : state_->servings) serving->server->Wait();
  state_->servings.clear();
  state_->relay.rates().Tell({});
  state_->acceptor.reset();
}

}  // namespace parley::server
