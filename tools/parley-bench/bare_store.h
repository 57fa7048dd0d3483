// What the relay's store stands on: RocksDB alone, and files on the disk alone.
//
// Threading: one thread at a time. Errors end the program (must.h).
#ifndef PARLEY_TOOLS_PARLEY_BENCH_BARE_STORE_H_
#define PARLEY_TOOLS_PARLEY_BENCH_BARE_STORE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace parley::bench {

// RocksDB as it comes, without our options, in a folder of its own.
class BareStore {
 public:
  // `folder` must not exist.
  explicit BareStore(const std::string& folder);
  ~BareStore();

  // So many threads, each putting values of `bytes` one after the other, each put synced; RocksDB
  // makes groups of what comes together. Returns puts per second.
  double SyncedPuts(size_t threads, size_t bytes, double seconds);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Seconds that it takes to write `mib` MiB to a new file at `path`, synced at the end, in pieces of
// 1 MiB.
double FileWriteSeconds(const std::string& path, uint64_t mib);
// The same to read it back. It comes from the system's cache, as what was uploaded just now does.
double FileReadSeconds(const std::string& path);

}  // namespace parley::bench

#endif  // PARLEY_TOOLS_PARLEY_BENCH_BARE_STORE_H_
