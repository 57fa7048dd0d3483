#include "server/grpc/admission.h"

#include <grpcpp/alarm.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/cord.h"
#include "parley/relay/v1/relay.pb.h"
#include "server/core/sponsors.h"
#include "server/grpc/counted_call.h"
#include "server/grpc/status_mapping.h"

namespace parley::server {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLongestDelay{1000};
// gRPC keeps the request meanwhile.
constexpr size_t kSmallRequest = 1024;
// Of all connections together; each is a call that gRPC keeps.
constexpr size_t kMostHeld = 4096;

std::atomic<size_t> held_refusals{0};

// A refusal that waits for its time. It ends at once when its client gives the call up: else who
// makes calls only to cancel them would have any number of them kept.
class LateRefusal final : public grpc::ServerUnaryReactor,
                          public std::enable_shared_from_this<LateRefusal> {
 public:
  explicit LateRefusal(grpc::Status status) : status_(std::move(status)) {}
  ~LateRefusal() override { held_refusals.fetch_sub(1); }

  void Begin(milliseconds delay) {
    self_ = shared_from_this();
    // The alarm owns what it calls until it has been called, which a cancelled one is too.
    alarm_.Set(std::chrono::system_clock::now() + delay, [self = self_](bool) mutable {
      self->End();
      self.reset();
    });
  }

  void OnCancel() override {
    alarm_.Cancel();
    End();
  }
  void OnDone() override { self_.reset(); }

 private:
  void End() {
    if (!ended_.exchange(true)) Finish(status_);
  }

  const grpc::Status status_;
  grpc::Alarm alarm_;
  std::atomic<bool> ended_{false};
  std::shared_ptr<LateRefusal> self_;  // until gRPC is done with it
};

bool TakePlace() {
  if (held_refusals.fetch_add(1) < kMostHeld) return true;
  held_refusals.fetch_sub(1);
  return false;
}

milliseconds HintOf(const absl::Status& refusal) {
  relay::v1::Exhausted details;
  const auto payload = refusal.GetPayload(kExhaustedPayload);
  if (!payload.has_value() || !details.ParseFromString(std::string(*payload))) {
    return milliseconds(0);
  }
  return milliseconds(static_cast<int64_t>(details.retry_after_ms()));
}

}  // namespace

absl::Status Admit(Relay& relay, const grpc::CallbackServerContext& context, std::string_view token,
                   uint64_t calls) {
  const std::string connection = context.peer();  // its address and port
  const milliseconds wait = relay.rates().OfConnection(connection, calls);
  MarkIfMember(relay, connection, token);
  if (wait.count() != 0) return TooOften(wait, "this connection");
  return AdmitCaller(relay, connection, token, calls);
}

void MarkIfMember(Relay& relay, const std::string& peer, std::string_view token) {
  if (token.empty() || relay.rates().IsProven(peer)) return;
  if (relay.sessions().HasOpened(token)) relay.rates().MarkProven(peer);
}

absl::Status AdmitCaller(Relay& relay, const std::string& peer, std::string_view token,
                         uint64_t calls) {
  if (token.empty()) {
    const milliseconds wait = relay.rates().OfAddress(AddressOfPeer(peer), peer, calls);
    if (wait.count() != 0) return TooOften(wait, "this address");
    return absl::OkStatus();
  }
  const milliseconds wait = relay.rates().OfSession(peer, token);
  if (wait.count() != 0) return TooOften(wait, "this session");
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* RefuseLate(grpc::CallbackServerContext& context,
                                     const absl::Status& refusal, size_t request_bytes) {
  const grpc::Status status = ToGrpcStatus(refusal);
  if (request_bytes > kSmallRequest || !TakePlace()) {
    grpc::ServerUnaryReactor* const reactor = context.DefaultReactor();
    reactor->Finish(status);
    return reactor;
  }
  auto refused = std::make_shared<LateRefusal>(status);
  refused->Begin(std::min(HintOf(refusal), kLongestDelay));
  return refused.get();
}

}  // namespace parley::server
