// How calls of this library end: a Status, or a Result that holds a value or a Status.
//
//   parley::Result<parley::CaseId> made = profile.CreateCase("Harbor v Northline", connection);
//   if (!made.ok()) { std::cerr << made.status().message() << '\n'; return 1; }
//   Use(*made);
//
// No exception leaves the library. The message is one line for a person: what is wrong, and what to
// do about it. It holds no secret. Programs decide by the code.
#ifndef PARLEY_STATUS_H_
#define PARLEY_STATUS_H_

#include <optional>
#include <string>
#include <utility>

#include "parley/export.h"

namespace parley {

enum class StatusCode {
  kOk = 0,
  // A wrong argument: a malformed invitation, an empty name, a role without its side.
  kInvalidArgument,
  // No such case, channel, participant, document or profile.
  kNotFound,
  // It is there already (a profile in this folder; an invitation that was used).
  kAlreadyExists,
  // A name or prefix that fits several; the message lists them.
  kAmbiguous,
  // The role, or the state of the participant, doesn't allow it.
  kPermissionDenied,
  // Wrong passphrase, or something that doesn't verify: a forged entry, another relay's key.
  kUnauthenticated,
  // Not now: not approved yet, the channel is halted, the invitation has expired.
  kFailedPrecondition,
  // A limit or quota.
  kResourceExhausted,
  // The relay can't be reached. What was to be sent is kept, and sent at a later sync.
  kUnavailable,
  // The profile, or what the relay keeps, is damaged.
  kDataLoss,
  // The caller asked to stop.
  kCancelled,
  // A version that this library or the relay doesn't speak.
  kUnimplemented,
  // A file could not be read or written; the disk is full.
  kFileError,
  // A bug.
  kInternal,
};

// The name of a code in lower case, as "not found". Lives as long as the program.
PARLEY_EXPORT const char* StatusCodeName(StatusCode code);

class [[nodiscard]] Status {
 public:
  // Success.
  Status() = default;
  Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  // Empty for success.
  const std::string& message() const { return message_; }

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
};

// A value, or why there is none.
// Requires: value(), * and -> only when ok().
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}  // NOLINT: implicit on purpose
  // Requires: `status` is not OK.
  Result(Status status) : status_(std::move(status)) {}  // NOLINT: implicit on purpose

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }

  T& value() & { return *value_; }
  const T& value() const& { return *value_; }
  T&& value() && { return std::move(*value_); }
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T&& operator*() && { return std::move(*value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

 private:
  Status status_;
  std::optional<T> value_;
};

}  // namespace parley

#endif  // PARLEY_STATUS_H_
