// In a benchmark every step has to work: an error ends the program, with its message, and what was
// started and made is cleaned up on the way.
#ifndef PARLEY_TOOLS_PARLEY_BENCH_MUST_H_
#define PARLEY_TOOLS_PARLEY_BENCH_MUST_H_

#include <stdexcept>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace parley::bench {

// Caught by main alone. Never thrown on gRPC's threads.
class Failure : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline void Must(const absl::Status& status) {
  if (!status.ok()) throw Failure(std::string(status.message()));
}

template <typename T>
T Must(absl::StatusOr<T> result) {
  Must(result.status());
  return std::move(*result);
}

}  // namespace parley::bench

#endif  // PARLEY_TOOLS_PARLEY_BENCH_MUST_H_
