#include "client-lib/relay/retry_hint.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/cord.h"
#include "parley/relay/v1/relay.pb.h"

namespace parley::client::internal {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLongestWait{15'000};
// Where a status carries how long to wait, as milliseconds in decimal digits.
constexpr char kWaitPayload[] = "parley/wait";

}  // namespace

std::optional<milliseconds> WaitIn(const grpc::Status& status) {
  relay::v1::Exhausted exhausted;
  if (status.error_code() != grpc::StatusCode::RESOURCE_EXHAUSTED ||
      !exhausted.ParseFromString(status.error_details()) ||
      exhausted.what() != relay::v1::Exhausted::WHAT_RATE) {
    return std::nullopt;
  }
  const auto longest = static_cast<uint64_t>(kLongestWait.count());
  return milliseconds(
      static_cast<int64_t>(std::clamp<uint64_t>(exhausted.retry_after_ms(), 1, longest)));
}

absl::Status TooOftenError(milliseconds wait, const std::string& message) {
  absl::Status status = absl::UnavailableError(message);
  status.SetPayload(kWaitPayload, absl::Cord(std::to_string(wait.count())));
  return status;
}

milliseconds WaitOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kWaitPayload);
  if (!payload.has_value()) return milliseconds(0);
  return milliseconds(std::stoll(std::string(*payload)));
}

}  // namespace parley::client::internal
