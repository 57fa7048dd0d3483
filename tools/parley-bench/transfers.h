// Files to the relay and back, raw and sealed, and the same bytes over bare streams.
#ifndef PARLEY_TOOLS_PARLEY_BENCH_TRANSFERS_H_
#define PARLEY_TOOLS_PARLEY_BENCH_TRANSFERS_H_

#include <cstdint>
#include <memory>
#include <string>

#include "tools/parley-bench/relay_under_test.h"

namespace parley::bench {

// Seconds that each way took for the same number of bytes.
struct TransferTimes {
  double bare_up = 0;
  double bare_down = 0;
  double raw_up = 0;  // of chunks that are there already, until the blob is sealed (on disk)
  double raw_down = 0;
  double share = 0;       // a file: read, hashed, sealed, sent, until the blob is sealed
  double fetch = 0;       // received, opened, verified, written and synced to a file
  double file_write = 0;  // to the disk alone, synced
  double file_read = 0;
  // In so many parts at once, each over a connection of its own.
  double bare_up_together = 0;
  double bare_down_together = 0;
  double raw_up_together = 0;
  double raw_down_together = 0;
};
inline constexpr uint64_t kTransfersTogether = 4;

class Transfers {
 public:
  // `folder` is for the files and a profile.
  Transfers(const RelayUnderTest& relay, const std::string& bare_address, const std::string& folder,
            uint64_t mib);
  ~Transfers();

  uint64_t bytes() const;
  // Each way once, one after the other. What was stored is deleted again.
  TransferTimes RunOnce();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace parley::bench

#endif  // PARLEY_TOOLS_PARLEY_BENCH_TRANSFERS_H_
