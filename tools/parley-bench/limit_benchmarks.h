// The part of `parley-bench client` about what a case may have in it: opening it and sending in it,
// against the same in a case of the same people with nothing in it.
#ifndef PARLEY_TOOLS_PARLEY_BENCH_LIMIT_BENCHMARKS_H_
#define PARLEY_TOOLS_PARLEY_BENCH_LIMIT_BENCHMARKS_H_

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "tools/parley-bench/large_case.h"
#include "tools/parley-bench/rows.h"

namespace parley::bench {

struct LimitBenchOptions {
  CaseSize size;
  // In the joint channel, and in all caucuses together.
  Filling joint = {100'000, 10'000};
  Filling caucuses = {100'000, 10'000};
  size_t rounds = 11;  // of which medians are taken
  // Called when all is made, before it is measured; null: nothing.
  std::function<void()> made;
  std::string relay_program;  // empty: the one beside this program
  std::string folder;         // where profiles and relay are made; empty: TMPDIR, or /tmp

  void MakeQuick() {
    size = {2, 6};
    joint = caucuses = {200, 20};
    rounds = 2;
  }
};

// Rows "limits/…". Sending goes over a relay that runs as a child; both cases are its, and take
// turns.
std::vector<Row> RunLimitBenchmarks(const LimitBenchOptions& options);

}  // namespace parley::bench

#endif  // PARLEY_TOOLS_PARLEY_BENCH_LIMIT_BENCHMARKS_H_
