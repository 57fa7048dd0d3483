#include "client-lib/api/status_conversion.h"

#include <string>

#include "absl/strings/cord.h"

namespace parley::client {
namespace {

StatusCode CodeOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return StatusCode::kOk;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
      return StatusCode::kInvalidArgument;
    case absl::StatusCode::kNotFound:
      return StatusCode::kNotFound;
    case absl::StatusCode::kAlreadyExists:
      return StatusCode::kAlreadyExists;
    case absl::StatusCode::kPermissionDenied:
      return StatusCode::kPermissionDenied;
    case absl::StatusCode::kUnauthenticated:
      return StatusCode::kUnauthenticated;
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAborted:
      return StatusCode::kFailedPrecondition;
    case absl::StatusCode::kResourceExhausted:
      return StatusCode::kResourceExhausted;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return StatusCode::kUnavailable;
    case absl::StatusCode::kDataLoss:
      return StatusCode::kDataLoss;
    case absl::StatusCode::kCancelled:
      return StatusCode::kCancelled;
    case absl::StatusCode::kUnimplemented:
      return StatusCode::kUnimplemented;
    default:
      return StatusCode::kInternal;
  }
}

}  // namespace

Status ToPublic(const absl::Status& status) {
  if (status.ok()) return {};
  if (status.GetPayload(kFileErrorPayload).has_value()) {
    return {StatusCode::kFileError, std::string(status.message())};
  }
  if (status.GetPayload(kAmbiguousPayload).has_value()) {
    return {StatusCode::kAmbiguous, std::string(status.message())};
  }
  return {CodeOf(status.code()), std::string(status.message())};
}

absl::Status FileError(const std::string& message) {
  absl::Status status = absl::FailedPreconditionError(message);
  status.SetPayload(kFileErrorPayload, absl::Cord());
  return status;
}

absl::Status AmbiguousError(const std::string& message) {
  absl::Status status = absl::FailedPreconditionError(message);
  status.SetPayload(kAmbiguousPayload, absl::Cord());
  return status;
}

namespace internal {

Status OutOfMemory() { return {StatusCode::kResourceExhausted, "out of memory"}; }

Status UnknownFailure() {
  return {StatusCode::kInternal, "an unexpected failure inside the library; please report it"};
}

}  // namespace internal
}  // namespace parley::client
