#include "server/grpc/admission.h"

#include <grpcpp/alarm.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>

#include "absl/strings/cord.h"
#include "parley/relay/v1/relay.pb.h"
#include "server/core/sponsors.h"
#include "server/grpc/status_mapping.h"

namespace parley::server {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLongestDelay{1000};
// gRPC keeps the request meanwhile.
constexpr size_t kSmallRequest = 1024;

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
  milliseconds wait = relay.rates().OfConnection(connection, calls);
  if (wait.count() != 0) return TooOften(wait, "this connection");
  if (token.empty()) return absl::OkStatus();
  wait = relay.rates().OfSession(connection, token);
  if (wait.count() != 0) return TooOften(wait, "this session");
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* RefuseLate(grpc::CallbackServerContext& context,
                                     const absl::Status& refusal, size_t request_bytes) {
  grpc::ServerUnaryReactor* reactor = context.DefaultReactor();
  const grpc::Status status = ToGrpcStatus(refusal);
  if (request_bytes > kSmallRequest) {
    reactor->Finish(status);
    return reactor;
  }
  const milliseconds delay = std::min(HintOf(refusal), kLongestDelay);
  auto alarm = std::make_shared<grpc::Alarm>();
  alarm->Set(std::chrono::system_clock::now() + delay, [alarm, reactor, status](bool) mutable {
    reactor->Finish(status);
    alarm.reset();
  });
  return reactor;
}

}  // namespace parley::server
