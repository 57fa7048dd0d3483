#include "server/core/metrics.h"

#include <string>

#include "parley/relay/v1/relay.pb.h"
#include "server/core/sponsors.h"

namespace parley::server {
namespace {

Outcome OutcomeOfExhausted(const absl::Status& status) {
  const auto payload = status.GetPayload(kExhaustedPayload);
  relay::v1::Exhausted details;
  if (!payload.has_value() || !details.ParseFromString(std::string(*payload))) {
    return Outcome::kFull;
  }
  switch (details.what()) {
    case relay::v1::Exhausted::WHAT_QUOTA:
      return Outcome::kQuota;
    case relay::v1::Exhausted::WHAT_ALLOWANCE:
      return Outcome::kAllowance;
    case relay::v1::Exhausted::WHAT_MAILBOX:
      return Outcome::kMailboxFull;
    case relay::v1::Exhausted::WHAT_VOUCHER:
      return Outcome::kVoucher;
    case relay::v1::Exhausted::WHAT_RATE:
      return Outcome::kRate;
    default:
      return Outcome::kFull;
  }
}

}  // namespace

Outcome OutcomeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return Outcome::kOk;
    case absl::StatusCode::kResourceExhausted:
      return OutcomeOfExhausted(status);
    case absl::StatusCode::kAborted:
      return Outcome::kStale;
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
      return Outcome::kNoRight;
    case absl::StatusCode::kNotFound:
      return Outcome::kNotFound;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAlreadyExists:
      return Outcome::kWrong;
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kDeadlineExceeded:
      return Outcome::kCancelled;
    case absl::StatusCode::kUnavailable:
      return Outcome::kUnavailable;
    case absl::StatusCode::kDataLoss:
      return Outcome::kDamaged;
    default:
      return Outcome::kOther;
  }
}

}  // namespace parley::server
