#include "tools/parley-bench/bare_server.h"

#include <grpcpp/grpcpp.h>
#include <signal.h>

#include <cstdio>
#include <deque>
#include <mutex>
#include <utility>

#include "absl/status/status.h"
#include "client-lib/relay/tls_channel.h"
#include "server/grpc/tls13_credentials.h"
#include "server/keys/tls_certificate.h"
#include "tools/parley-bench/must.h"

namespace parley::bench {
namespace {

constexpr int kMaxMessageBytes = 4 << 20;

class UploadReader final : public grpc::ServerReadReactor<v1::Payload> {
 public:
  explicit UploadReader(v1::Received* response) : response_(response) { StartRead(&payload_); }

  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);
    response_->set_bytes(response_->bytes() + payload_.data().size());
    StartRead(&payload_);
  }
  void OnDone() override { delete this; }

 private:
  v1::Received* const response_;
  v1::Payload payload_;
};

class DownloadWriter final : public grpc::ServerWriteReactor<v1::Payload> {
 public:
  explicit DownloadWriter(const v1::DownloadRequest& request) : left_(request.payloads()) {
    payload_.set_data(std::string(request.payload_bytes(), 'p'));
    Next();
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    Next();
  }
  void OnDone() override { delete this; }

 private:
  void Next() {
    if (left_ == 0) return Finish(grpc::Status::OK);
    --left_;
    StartWrite(&payload_);
  }

  uint64_t left_;
  v1::Payload payload_;
};

// Reads on while it writes; as many wait as the client has under way.
class StreamEchoer final : public grpc::ServerBidiReactor<v1::Payload, v1::Payload> {
 public:
  StreamEchoer() { StartRead(&incoming_); }

  void OnReadDone(bool ok) override {
    {
      std::lock_guard lock(mutex_);
      if (ok) {
        waiting_.push_back(std::move(incoming_));
        WriteNext();
      } else {
        has_ended_ = true;
        FinishAtTheEnd();
      }
    }
    if (ok) StartRead(&incoming_);
  }
  void OnWriteDone(bool ok) override {
    std::lock_guard lock(mutex_);
    writing_ = false;
    if (!ok) waiting_.clear();
    WriteNext();
    FinishAtTheEnd();
  }
  void OnDone() override { delete this; }

 private:
  void WriteNext() {
    if (writing_ || waiting_.empty()) return;
    outgoing_ = std::move(waiting_.front());
    waiting_.pop_front();
    writing_ = true;
    StartWrite(&outgoing_);
  }
  void FinishAtTheEnd() {
    if (has_ended_ && !writing_) Finish(grpc::Status::OK);
  }

  std::mutex mutex_;
  std::deque<v1::Payload> waiting_;
  bool writing_ = false;
  bool has_ended_ = false;
  v1::Payload incoming_;
  v1::Payload outgoing_;
};

class BareService final : public v1::Bare::CallbackService {
  grpc::ServerUnaryReactor* Echo(grpc::CallbackServerContext* context, const v1::Payload* request,
                                 v1::Payload* response) override {
    response->set_data(request->data());
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
  grpc::ServerBidiReactor<v1::Payload, v1::Payload>* EchoStream(
      grpc::CallbackServerContext* /*context*/) override {
    return new StreamEchoer();
  }
  grpc::ServerReadReactor<v1::Payload>* Upload(grpc::CallbackServerContext* /*context*/,
                                               v1::Received* response) override {
    return new UploadReader(response);
  }
  grpc::ServerWriteReactor<v1::Payload>* Download(grpc::CallbackServerContext* /*context*/,
                                                  const v1::DownloadRequest* request) override {
    return new DownloadWriter(*request);
  }
};

}  // namespace

int RunBareServer() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  const server::TlsCertificate certificate =
      Must(server::MakeTlsCertificate(server::MakeTlsKey(), "127.0.0.1"));
  BareService service;
  grpc::ServerBuilder builder;
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0",
                           Must(server::Tls13ServerCredentials(certificate.certificate_pem,
                                                               certificate.private_key_pem)),
                           &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) Must(absl::UnavailableError("the bare server can't listen"));
  std::printf("127.0.0.1:%d\n", port);
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  server->Shutdown(std::chrono::system_clock::now());
  return 0;
}

BareServer::BareServer() : process_({OwnPath(), "bare-server"}), address_(process_.ReadLine()) {
  if (address_.empty()) Must(absl::UnavailableError("the bare server doesn't start"));
}

}  // namespace parley::bench
