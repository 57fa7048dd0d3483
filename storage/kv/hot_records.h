// The values of records that commits were conditional on of late: those of mailboxes and sponsors
// in use. Each append reads and requires them, and to find them in the engine's sorted memory costs
// more than all else in an append.
//
// It follows every commit, so what it has is what the engine has. When in doubt it forgets.
//
// Threading: safe from any thread; Follow() from one at a time, in the commits' order.
#ifndef PARLEY_STORAGE_KV_HOT_RECORDS_H_
#define PARLEY_STORAGE_KV_HOT_RECORDS_H_

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "storage/kv/key_value_store.h"

namespace parley::storage {

class HotRecords {
 public:
  // The value of `key` in Space::kRecords; nullopt when it isn't kept here.
  std::optional<std::string> Find(std::string_view key) const;

  // Whether that is `value` (nullopt: there is none); nullopt when it isn't kept here.
  std::optional<bool> Is(std::string_view key, const std::optional<std::string>& value) const;

  // Takes in a batch that was committed just now: it begins to keep the records that the batch
  // required, and changes or forgets those that it changes.
  void Follow(const WriteBatch& batch);

  void Forget();

 private:
  // Together at most 16 MiB.
  static constexpr size_t kMostRecords = 8192;
  static constexpr size_t kMostValueBytes = 2048;

  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view key) const { return std::hash<std::string_view>()(key); }
  };

  void Keep(const std::string& key, const std::string& value);
  // Keeps the new value of a record that is kept.
  void Replace(const std::string& key, const std::string& value);

  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::string, Hash, std::equal_to<>> values_;
};

}  // namespace parley::storage

#endif  // PARLEY_STORAGE_KV_HOT_RECORDS_H_
