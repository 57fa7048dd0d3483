// The public library's results in a benchmark: as must.h has it for those inside.
#ifndef PARLEY_TOOLS_PARLEY_BENCH_TAKEN_H_
#define PARLEY_TOOLS_PARLEY_BENCH_TAKEN_H_

#include <utility>

#include "parley/status.h"
#include "tools/parley-bench/must.h"

namespace parley::bench {

template <typename T>
T Take(Result<T> result) {
  if (!result.ok()) throw Failure(result.status().message());
  return std::move(*result);
}

}  // namespace parley::bench

#endif  // PARLEY_TOOLS_PARLEY_BENCH_TAKEN_H_
