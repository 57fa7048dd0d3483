// The list of watches that an engine in this process keeps.
//
// Threading: any thread.
#ifndef PARLEY_STORAGE_KV_WATCHERS_H_
#define PARLEY_STORAGE_KV_WATCHERS_H_

#include <cstdint>
#include <map>
#include <shared_mutex>
#include <string>

#include "storage/kv/key_value_store.h"

namespace parley::storage {

class Watchers {
 public:
  uint64_t Add(Space space, std::string prefix, KeyValueStore::WatchCallback callback);
  // Waits for a running callback to return.
  void Remove(uint64_t watch);
  // Tells every watch what `batch` changed under its prefix.
  void Notify(const WriteBatch& batch) const;

 private:
  struct Entry {
    Space space;
    std::string prefix;
    KeyValueStore::WatchCallback callback;
  };
  mutable std::shared_mutex mutex_;
  std::map<uint64_t, Entry> entries_;
  uint64_t next_ = 1;
};

}  // namespace parley::storage

#endif  // PARLEY_STORAGE_KV_WATCHERS_H_
