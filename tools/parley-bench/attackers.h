// Those who attack a relay, and a process that merely works as much: `parley-bench attack` runs
// each as a process of its own, since they share the machine with whom they attack. Neither uses
// more than a given share of the processors.
//
// Threading: from main alone.
#ifndef PARLEY_TOOLS_PARLEY_BENCH_ATTACKERS_H_
#define PARLEY_TOOLS_PARLEY_BENCH_ATTACKERS_H_

#include <cstddef>
#include <string>

namespace parley::bench {

// Attacks the relay at `address` over so many connections, with `cores` processors' time at most.
// `kind`: "challenges", "sessions", "cancels", "unread" (docs/performance.md, "Under attack").
// Prints "ready" when it begins, ends with SIGTERM, and then prints how many calls it made, and how
// many of them were answered, were refused for their number, and found no connection; those that it
// cancelled, and what it wrote on streams, are none of these.
int RunAttackers(const std::string& kind, const std::string& address, size_t connections,
                 double cores);

// Uses so much processor time, for nothing. Prints "ready"; ends with SIGTERM.
int RunOtherWork(double cores);

}  // namespace parley::bench

#endif  // PARLEY_TOOLS_PARLEY_BENCH_ATTACKERS_H_
