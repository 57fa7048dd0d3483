// `parley-bench attack`: what honest clients keep of their rate while others attack the relay.
#ifndef PARLEY_TOOLS_PARLEY_BENCH_ATTACK_BENCHMARKS_H_
#define PARLEY_TOOLS_PARLEY_BENCH_ATTACK_BENCHMARKS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "tools/parley-bench/rows.h"

namespace parley::bench {

struct AttackBenchOptions {
  std::string relay_program;  // empty: parley-relay beside this program
  std::string folder;         // for temporary files; empty: TMPDIR, or /tmp
  size_t attackers = 4;       // connections of each attack
  double cores = 0.5;         // processors' time that an attack may use
  int rounds = 5;
  double seconds = 1;          // of honest load in each round
  double warm_up_seconds = 3;  // of each attack, before the honest load begins beside it

  // A few seconds in all.
  void MakeQuick() {
    rounds = 1;
    seconds = 0.1;
    warm_up_seconds = 0.1;
  }
};

// A row "honest/append/1KiB/alone", and of each kind of attack "honest/append/1KiB/KIND": the
// honest rate beside the attack, whose baseline is that beside a process that uses as much
// processor time for nothing, in the same round. What the attackers used stands beside it
// ("attackers/processors", against what the other process did), what the relay did
// ("relay/processors"), how many calls they made, and how many of these were answered, were refused
// for their number, and found no connection. Each attack has a relay of its own. Figures are
// medians of the rounds.
std::vector<Row> RunAttackBenchmarks(const AttackBenchOptions& options);

}  // namespace parley::bench

#endif  // PARLEY_TOOLS_PARLEY_BENCH_ATTACK_BENCHMARKS_H_
