// The connection under a RelayClient: the channel with its pinned key, and how calls are made over
// it (deadline, retries, shutdown, errors for people).
//
// Threading: safe from any thread.
#ifndef PARLEY_CLIENT_LIB_RELAY_RELAY_CONNECTION_H_
#define PARLEY_CLIENT_LIB_RELAY_RELAY_CONNECTION_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-lib/relay/relay_client.h"
#include "client-lib/relay/tls_channel.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "parley/relay/v1/relay.grpc.pb.h"

namespace parley::client::internal {

namespace v1 = relay::v1;

class RelayConnection;

// One call under way: Shutdown() ends it, and so does the watchdog when it stands still.
class ActiveCall {
 public:
  // Without `stalls_after` the call may be silent for as long as it likes.
  explicit ActiveCall(RelayConnection& connection,
                      std::optional<std::chrono::milliseconds> stalls_after = std::nullopt);
  ~ActiveCall();
  ActiveCall(const ActiveCall&) = delete;
  ActiveCall& operator=(const ActiveCall&) = delete;

  grpc::ClientContext& context() { return context_; }
  // Something has come or gone: the watchdog begins to count anew.
  void Touch() { last_progress_ms_.store(NowMs(), std::memory_order_relaxed); }
  // While paused (the other side waits for us) the watchdog doesn't count.
  void Pause() { last_progress_ms_.store(INT64_MAX, std::memory_order_relaxed); }
  bool stalled() const { return stalled_.load(); }
  void Cancel() {
    cancelled_ = true;
    context_.TryCancel();
  }
  // Whether by us, not by the relay.
  bool cancelled() const { return cancelled_; }

 private:
  friend class RelayConnection;
  static int64_t NowMs();

  RelayConnection& connection_;
  const std::optional<std::chrono::milliseconds> stalls_after_;
  grpc::ClientContext context_;
  std::atomic<int64_t> last_progress_ms_;
  std::atomic<bool> stalled_ = false;
  std::atomic<bool> cancelled_ = false;
};

class RelayConnection {
 public:
  // Checks the relay's identity and protocol version, as RelayClient::Connect.
  static absl::StatusOr<std::unique_ptr<RelayConnection>> Open(const ConnectionInfo& relay,
                                                               RelayOptions options);
  ~RelayConnection();

  const ConnectionInfo& relay() const { return relay_; }
  const RelayInfo& info() const { return info_; }
  const RelayOptions& options() const { return options_; }

  // A unary call that may be repeated.
  template <typename Request, typename Response>
  absl::Status Call(grpc::Status (v1::Relay::Stub::*method)(grpc::ClientContext*, const Request&,
                                                            Response*),
                    const std::type_identity_t<Request>& request, Response& response) {
    return Repeat([&](v1::Relay::Stub& stub, grpc::ClientContext& context) {
      return (stub.*method)(&context, request, &response);
    });
  }
  // The same; `failure` is what the last attempt gave, for its details.
  absl::Status Repeat(
      const std::function<grpc::Status(v1::Relay::Stub&, grpc::ClientContext&)>& call,
      grpc::Status* failure = nullptr);

  // For streams.
  std::shared_ptr<v1::Relay::Stub> stub() const;
  // Asks the relay to vouch for its TLS key anew where that is due; calls that may be repeated do
  // it by themselves. Errors: Unauthenticated when it doesn't; else why the relay can't be asked,
  // once its last word is too old.
  absl::Status KeepCertified();
  // What a stream's end means, and whether the relay has taken another TLS key meanwhile (which is
  // then checked, so that the next stream can be opened).
  absl::Status EndOf(const ActiveCall& call, const grpc::Status& status);

  void Shutdown();
  bool is_shut_down() const;
  // Waits so long, or until a lost connection is there again: gRPC goes on connecting only while
  // somebody waits for it. False, at once, when it is shut down.
  bool Pause(std::chrono::milliseconds time);

 private:
  friend class ActiveCall;
  RelayConnection(const ConnectionInfo& relay, RelayOptions options)
      : relay_(relay), options_(std::move(options)) {}

  absl::Status Start();
  absl::Status RepeatFor(
      std::chrono::milliseconds retry_for,
      const std::function<grpc::Status(v1::Relay::Stub&, grpc::ClientContext&)>& call,
      grpc::Status* failure = nullptr);
  // Asks whoever is there for its identity, over a connection for that alone.
  absl::StatusOr<CertifiedTlsKey> CheckIdentity(v1::GetInfoResponse& info);
  // What `info` says of the key `shown`. Errors: Unauthenticated, when it is another relay's, not
  // signed, or not of this time.
  absl::StatusOr<CertifiedTlsKey> CheckCertification(const v1::GetInfoResponse& info,
                                                     const std::optional<TlsKeyHash>& shown) const;
  uint64_t Now() const;
  bool IsOfNow(const CertifiedTlsKey& key) const;
  // Keeps it for later runs, unless what is kept is about as good.
  void Keep(const CertifiedTlsKey& key);
  absl::Status UseKey(const CertifiedTlsKey& key);
  absl::Status AcceptInfo(const v1::GetInfoResponse& info);
  // After a handshake was refused: OK when the relay has proven its new key.
  absl::Status RenewKey();
  absl::Status ToStatus(const grpc::Status& status) const;
  void Watch();

  const ConnectionInfo relay_;
  const RelayOptions options_;
  RelayInfo info_;

  std::mutex renewal_mutex_;  // one check at a time
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<grpc::Channel> channel_;
  std::shared_ptr<v1::Relay::Stub> stub_;
  std::shared_ptr<ShownKeys> shown_;
  CertifiedTlsKey key_;  // that channel_ accepts
  std::optional<CertifiedTlsKey> kept_;
  uint64_t certification_due_ = 0;  // when the relay is asked again
  std::set<ActiveCall*> calls_;
  bool shut_down_ = false;
  bool ending_ = false;
  std::thread watchdog_;
};

// With growing length and chance in it, so that many clients don't come back at once.
std::chrono::milliseconds BackoffPause(int attempt);

}  // namespace parley::client::internal

#endif  // PARLEY_CLIENT_LIB_RELAY_RELAY_CONNECTION_H_
