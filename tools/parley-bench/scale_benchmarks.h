// `parley-bench scale`: whether what a relay does depends on how much there is already.
#ifndef PARLEY_TOOLS_PARLEY_BENCH_SCALE_BENCHMARKS_H_
#define PARLEY_TOOLS_PARLEY_BENCH_SCALE_BENCHMARKS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "tools/parley-bench/rows.h"

namespace parley::bench {

struct ScaleBenchOptions {
  std::string relay_program;  // empty: parley-relay beside this program
  std::string folder;         // for temporary files; empty: TMPDIR, or /tmp
  std::string plot;           // where to write a picture (SVG); empty: none
  size_t mailboxes = 100'000;
  size_t entries_each = 20;
  size_t subscribers = 2'000;
  size_t follow_each = 20;
  int rounds = 5;
  double seconds = 0.5;  // of each load in a round
  std::vector<size_t> in_flight = {1, 4, 16, 64, 256};

  // A few seconds in all.
  void MakeQuick() {
    mailboxes = 500;
    entries_each = 2;
    subscribers = 20;
    follow_each = 3;
    rounds = 1;
    seconds = 0.05;
    in_flight = {1, 16};
  }
};

// Makes a full store (mailboxes with entries, written straight into it) and an empty one, starts a
// relay on each, and returns rows:
//   scale/open                  its start until it listens, against the empty one's
//   scale/append/1KiB/64        64 appends in flight, against the empty one's, in turns
//   scale/append_p99/1KiB/64    the same, the 99th percentile
//   scale/append_subscribed     beside the subscribers (whose mailboxes are others), in turns
//   scale/subscriber/memory     of the relay for each subscriber, against a bare stream's
//   scale/relay/memory          of the full relay after its start, against the empty one's
//   scale/rate/N, scale/median/N, scale/p99/N   appends at N in flight at the full relay
std::vector<Row> RunScaleBenchmarks(const ScaleBenchOptions& options);

}  // namespace parley::bench

#endif  // PARLEY_TOOLS_PARLEY_BENCH_SCALE_BENCHMARKS_H_
