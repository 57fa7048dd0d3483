// From the inside's absl::Status to the public parley::Status, and the wall that no exception
// passes.
#ifndef PARLEY_CLIENT_LIB_API_STATUS_CONVERSION_H_
#define PARLEY_CLIENT_LIB_API_STATUS_CONVERSION_H_

#include <new>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "parley/status.h"

namespace parley::client {

// Two public codes that absl has no like of: a status made here keeps its kind until ToPublic.
absl::Status FileError(const std::string& message);
absl::Status AmbiguousError(const std::string& message);
inline constexpr char kFileErrorPayload[] = "parley/file";
inline constexpr char kAmbiguousPayload[] = "parley/ambiguous";

// The message as it is; DeadlineExceeded counts as a relay that can't be reached.
Status ToPublic(const absl::Status& status);

namespace internal {
inline Status Convert(const absl::Status& status) { return ToPublic(status); }
template <typename T>
Result<T> Convert(absl::StatusOr<T> result) {
  if (!result.ok()) return ToPublic(result.status());
  return Result<T>(std::move(*result));
}
Status OutOfMemory();
Status UnknownFailure();
}  // namespace internal

// Runs `body` (which gives an absl::Status or absl::StatusOr) and converts what it gives. An
// exception of a library below is a bug or a lack of memory: it becomes a Status here.
template <typename Body>
auto Guarded(Body&& body) noexcept -> decltype(internal::Convert(body())) {
  try {
    return internal::Convert(body());
  } catch (const std::bad_alloc&) {
    return internal::OutOfMemory();
  } catch (...) {
    return internal::UnknownFailure();
  }
}

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_API_STATUS_CONVERSION_H_
