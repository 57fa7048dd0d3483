// How much memory groups take.
#ifndef PARLEY_TOOLS_PARLEY_BENCH_MLS_MEMORY_H_
#define PARLEY_TOOLS_PARLEY_BENCH_MLS_MEMORY_H_

#include "crypto/mls/ciphersuite.h"
#include "tools/parley-bench/rows.h"

namespace parley::bench {

// One member's group of `members`, no parent node blank, as loaded from its saved state: the growth
// of the process by several of them. In KiB, against 4 KiB a member (2 MiB for 512).
Row GroupMemory(mls::CipherSuiteId suite, const std::string& prefix, size_t members);

}  // namespace parley::bench

#endif  // PARLEY_TOOLS_PARLEY_BENCH_MLS_MEMORY_H_
