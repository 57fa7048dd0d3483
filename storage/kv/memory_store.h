// The engine that keeps everything in memory: for tests, and the model that others are held to.
#ifndef PARLEY_STORAGE_KV_MEMORY_STORE_H_
#define PARLEY_STORAGE_KV_MEMORY_STORE_H_

#include <array>
#include <functional>
#include <map>
#include <shared_mutex>
#include <string>

#include "storage/kv/key_value_store.h"
#include "storage/kv/watchers.h"

namespace parley::storage {

class MemoryStore : public KeyValueStore {
 public:
  absl::Status Commit(const WriteBatch& batch, Durability durability) override;
  absl::StatusOr<std::optional<std::string>> Get(Space space, std::string_view key) const override;
  // The visitor runs under the store's lock: it must not call Commit.
  absl::Status Scan(Space space, std::string_view begin, std::string_view end,
                    const Visitor& visitor) const override;
  uint64_t Watch(Space space, std::string prefix, WatchCallback callback) override;
  void Unwatch(uint64_t watch) override;

  // Makes every following commit fail with `status` (OK: no longer), as a broken disk would.
  void FailCommits(absl::Status status);

 private:
  using Map = std::map<std::string, std::string, std::less<>>;
  Map& MapOf(Space space) { return maps_[static_cast<size_t>(space)]; }
  const Map& MapOf(Space space) const { return maps_[static_cast<size_t>(space)]; }

  mutable std::shared_mutex mutex_;
  std::array<Map, kSpaces.size()> maps_;
  absl::Status failure_;
  Watchers watchers_;
};

}  // namespace parley::storage

#endif  // PARLEY_STORAGE_KV_MEMORY_STORE_H_
