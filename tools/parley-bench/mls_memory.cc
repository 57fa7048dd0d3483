#include "tools/parley-bench/mls_memory.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <vector>

#include "tools/parley-bench/mls_groups.h"
#include "tools/parley-bench/must.h"

namespace parley::bench {
namespace {

constexpr double kKibAMember = 4;

// What the process has in memory now, freed pieces given back.
double ResidentKib() {
  malloc_trim(0);
  std::ifstream statm("/proc/self/statm");
  double pages = 0;
  statm >> pages >> pages;
  return pages * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1024;
}

}  // namespace

Row GroupMemory(mls::CipherSuiteId suite, const std::string& prefix, size_t members) {
  const crypto::Secret stored = FullTree(suite, members).receiver.Serialize();
  const size_t copies = std::max<size_t>(8, 2048 / members);
  std::vector<mls::Group> groups;
  groups.reserve(copies);
  groups.push_back(Must(mls::Group::Parse(stored.Reveal())));  // warms the allocators up
  const double before = ResidentKib();
  for (size_t i = 1; i < copies; ++i) groups.push_back(Must(mls::Group::Parse(stored.Reveal())));
  const double after = ResidentKib();
  return {.name = prefix + "memory/" + std::to_string(members),
          .value = (after - before) / static_cast<double>(copies - 1),
          .unit = "KiB",
          .baseline = kKibAMember * static_cast<double>(members),
          .against = "4 KiB a member"};
}

}  // namespace parley::bench
