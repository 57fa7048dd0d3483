// `parley-bench mls`: the steps of MLS groups against the primitives that they stand on.
#ifndef PARLEY_TOOLS_PARLEY_BENCH_MLS_BENCHMARKS_H_
#define PARLEY_TOOLS_PARLEY_BENCH_MLS_BENCHMARKS_H_

#include <cstddef>
#include <vector>

#include "crypto/mls/ciphersuite.h"
#include "tools/parley-bench/rows.h"

namespace parley::bench {

struct MlsBenchOptions {
  mls::CipherSuiteId suite = mls::CipherSuiteId::k0x0003;
  std::vector<size_t> members = {2, 8, 32, 128, 512};  // each at least 2
  bool quick = false;  // a few iterations of each, to see that it works
};

// Rows "primitive/…" and "mls/…". Runs are interleaved at random; figures are medians of them.
std::vector<Row> RunMlsBenchmarks(const MlsBenchOptions& options);

}  // namespace parley::bench

#endif  // PARLEY_TOOLS_PARLEY_BENCH_MLS_BENCHMARKS_H_
