// In a benchmark every step has to work: an error ends the program, with its message.
#ifndef PARLEY_TOOLS_PARLEY_BENCH_MUST_H_
#define PARLEY_TOOLS_PARLEY_BENCH_MUST_H_

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace parley::bench {

inline void Must(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "parley-bench: %s\n", std::string(status.message()).c_str());
  std::exit(1);
}

template <typename T>
T Must(absl::StatusOr<T> result) {
  Must(result.status());
  return std::move(*result);
}

}  // namespace parley::bench

#endif  // PARLEY_TOOLS_PARLEY_BENCH_MUST_H_
