// `parley-bench client`: what a profile with much in it costs, against reading the same records.
#ifndef PARLEY_TOOLS_PARLEY_BENCH_CLIENT_BENCHMARKS_H_
#define PARLEY_TOOLS_PARLEY_BENCH_CLIENT_BENCHMARKS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "tools/parley-bench/limit_benchmarks.h"
#include "tools/parley-bench/rows.h"

namespace parley::bench {

struct ClientBenchOptions {
  size_t messages = 100'000;
  size_t queries = 60;  // of each length
  std::string folder;   // where the profile is made; empty: TMPDIR, or /tmp

  bool with_search = true;
  bool with_limits = true;
  LimitBenchOptions limits;  // with this folder

  void MakeQuick() {
    messages = 1500;
    queries = 3;
    limits.MakeQuick();
  }
};

// Rows "profile/…", "client/…" and "limits/…". A profile without a passphrase and a channel of so
// many texts (20 words each, of 20,000 that are as unequally frequent as a language's) are made
// through the store; the profile is then opened anew for each query. Then the rows of
// limit_benchmarks.h.
std::vector<Row> RunClientBenchmarks(const ClientBenchOptions& options);

}  // namespace parley::bench

#endif  // PARLEY_TOOLS_PARLEY_BENCH_CLIENT_BENCHMARKS_H_
