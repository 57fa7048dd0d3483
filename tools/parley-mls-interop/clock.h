// The time, for the lifetimes of key packages.
#ifndef PARLEY_TOOLS_PARLEY_MLS_INTEROP_CLOCK_H_
#define PARLEY_TOOLS_PARLEY_MLS_INTEROP_CLOCK_H_

#include <chrono>
#include <cstdint>

namespace parley::interop {

// Seconds since 1970, never before.
inline uint64_t NowSeconds() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since_1970).count();
  return seconds < 0 ? 0 : static_cast<uint64_t>(seconds);
}

}  // namespace parley::interop

#endif  // PARLEY_TOOLS_PARLEY_MLS_INTEROP_CLOCK_H_
