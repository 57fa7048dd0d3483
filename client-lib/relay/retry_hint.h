// What a relay says that is asked too often: when to come again. A call that may be repeated waits
// that long and is made again, for a minute at least, whatever RelayOptions::retry_for says, since
// such a relay is there; a subscription is made anew after it.
//
// Threading: free functions.
#ifndef PARLEY_CLIENT_LIB_RELAY_RETRY_HINT_H_
#define PARLEY_CLIENT_LIB_RELAY_RETRY_HINT_H_

#include <chrono>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace parley::client::internal {

// How long the relay asks to wait, from a millisecond to 15 seconds whatever it says; nullopt: it
// says something else.
std::optional<std::chrono::milliseconds> WaitIn(const grpc::Status& status);

// Unavailable, since the relay is asked too often: it takes more after `wait`.
absl::Status TooOftenError(std::chrono::milliseconds wait, const std::string& message);

// The `wait` of such a status; 0 for any other.
std::chrono::milliseconds WaitOf(const absl::Status& status);

}  // namespace parley::client::internal

#endif  // PARLEY_CLIENT_LIB_RELAY_RETRY_HINT_H_
