// `parley-bench relay`: a relay on RocksDB against bare gRPC over the same TLS.
#ifndef PARLEY_TOOLS_PARLEY_BENCH_RELAY_BENCHMARKS_H_
#define PARLEY_TOOLS_PARLEY_BENCH_RELAY_BENCHMARKS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "tools/parley-bench/rows.h"

namespace parley::bench {

struct RelayBenchOptions {
  std::string relay_program;  // empty: parley-relay beside this program
  std::string folder;         // for temporary files; empty: TMPDIR, or /tmp
  size_t connections = 1;
  std::vector<size_t> in_flight = {1, 16, 64};  // may be empty: no calls
  int rounds = 7;
  double seconds = 1;       // of each load in each round
  uint64_t file_mib = 128;  // 0: no transfers

  // A few seconds in all.
  void MakeQuick() {
    rounds = 1;
    seconds = 0.1;
    file_mib = 4;
  }
};

// Rows "bare/…" and "relay/…". In each round every load runs once, the relay's right after its
// baseline's. Figures are medians of the rounds.
std::vector<Row> RunRelayBenchmarks(const RelayBenchOptions& options);

}  // namespace parley::bench

#endif  // PARLEY_TOOLS_PARLEY_BENCH_RELAY_BENCHMARKS_H_
