// The key-value interface that the relay stands on.
//
//   WriteBatch batch;
//   batch.Require(Space::kRecords, "head", "7");          // the precondition
//   batch.Put(Space::kRecords, "head", "8");
//   absl::Status status = store.Commit(batch, Durability::kSynced);   // Aborted: somebody was
//   faster
//
// It asks for no more than a distributed engine can give: an atomic batch with a precondition,
// point get, ordered range read, delete range, watch. Keys and values are byte strings; keys are
// ordered as unsigned bytes. One suite, conformance_test.cc, says what every engine must do.
//
// Threading: every method of a store may be called from any thread. A WriteBatch belongs to one.
#ifndef PARLEY_STORAGE_KV_KEY_VALUE_STORE_H_
#define PARLEY_STORAGE_KV_KEY_VALUE_STORE_H_

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace parley::storage {

// Key spaces, since engines keep values of different kinds differently.
enum class Space : uint8_t {
  kRecords = 0,  // small values that change, checked by the engine's own checksums
  kChunks = 1,   // large values that their readers authenticate
  kEntries = 2,  // values of any size up to a MiB, written once, in ascending order of nearby keys
};
inline constexpr std::array kSpaces = {Space::kRecords, Space::kChunks, Space::kEntries};

enum class Durability : uint8_t {
  kSynced,    // on disk, with every commit before it, when Commit returns
  kBuffered,  // survives the process, not a power failure, until a synced commit follows
};

// What one commit does. Changes apply in the order in which they were added.
class WriteBatch {
 public:
  enum class Kind : uint8_t { kPut, kDelete, kDeleteRange };
  struct Change {
    Kind kind;
    Space space;
    std::string key;
    std::string value;  // kPut: the value; kDeleteRange: the end of the range
  };
  struct Requirement {
    Space space;
    std::string key;
    std::optional<std::string> value;  // nullopt: there is no such key
  };

  void Put(Space space, std::string key, std::string value);
  // Deleting what isn't there is no error.
  void Delete(Space space, std::string key);
  // Deletes the keys in [begin, end); nothing when begin >= end.
  void DeleteRange(Space space, std::string begin, std::string end);
  // The commit happens only if `key` has exactly this value (nullopt: is absent) before it.
  void Require(Space space, std::string key, std::optional<std::string> value);

  // Makes room for so many of each, which spares the batch growing.
  void Reserve(size_t changes, size_t requirements) {
    changes_.reserve(changes);
    requirements_.reserve(requirements);
  }

  const std::vector<Change>& changes() const { return changes_; }
  const std::vector<Requirement>& requirements() const { return requirements_; }
  bool empty() const { return changes_.empty(); }

 private:
  std::vector<Change> changes_;
  std::vector<Requirement> requirements_;
};

// A value where the engine has it, for large ones that are only passed on.
struct PinnedValue {
  std::shared_ptr<const void> owner;  // `bytes` stay as long as this does, also without the store
  std::string_view bytes;
};

// How much room a store takes, as far as its engine knows; for watching it.
struct StoreSizes {
  uint64_t record_bytes = 0;  // of the files of Space::kRecords and Space::kEntries
  uint64_t chunk_bytes = 0;   // of the files of Space::kChunks
  uint64_t free_bytes = 0;    // on their disk
};

// What is wrong with an engine's files: a sentence for each, which names it.
struct DamagedFiles {
  std::vector<std::string> damaged;  // something in it is lost
  // Which values it has can't be told any more, so that what was deleted stays in it. Nothing is
  // lost by that; which of the values that are needed are damaged, GetChecked says.
  std::vector<std::string> unpurgeable;
};

class KeyValueStore {
 public:
  // Gets the keys, in one space and with one prefix, that a commit put or deleted one by one; what
  // DeleteRange removes is not listed. Runs on the committing thread, after the commit and before
  // it returns: it must be quick and must not call Watch or Unwatch.
  using WatchCallback = std::function<void(std::span<const std::string_view> keys)>;
  // Returns false to end the scan. Key and value are valid during the call only.
  using Visitor = std::function<bool(std::string_view key, std::string_view value)>;

  virtual ~KeyValueStore() = default;

  // Checks the requirements and applies all changes, as one step that no other commit comes
  // between. Errors: Aborted when a requirement doesn't hold, ResourceExhausted when the disk is
  // full (nothing is written); DataLoss or Unavailable when the engine fails. After such a failure
  // nothing more is written, and whether this was is unknown until the store has been opened again.
  virtual absl::Status Commit(const WriteBatch& batch, Durability durability) = 0;

  // The value of `key`, or nullopt. Errors: DataLoss for a damaged value, Unavailable.
  virtual absl::StatusOr<std::optional<std::string>> Get(Space space,
                                                         std::string_view key) const = 0;

  // As Get, where an engine can spare the copy.
  virtual absl::StatusOr<std::optional<PinnedValue>> GetPinned(Space space,
                                                               std::string_view key) const;

  // As Get, and compares the value with the engine's checksum also where reading spares that.
  virtual absl::StatusOr<std::optional<std::string>> GetChecked(Space space,
                                                                std::string_view key) const;

  // Reads the files that the engine keeps its records in, and compares them with its checksums; of
  // those with large values what says where each is, as for the values themselves there is
  // GetChecked. Errors: Unavailable.
  virtual absl::StatusOr<DamagedFiles> CheckFiles() const;

  // Visits the keys in [begin, end) in ascending order, as they were at one moment.
  // Errors: DataLoss, Unavailable.
  virtual absl::Status Scan(Space space, std::string_view begin, std::string_view end,
                            const Visitor& visitor) const = 0;

  virtual StoreSizes Sizes() const { return {}; }

  // Calls `callback` after each commit that changes a key with `prefix`. Returns a number for
  // Unwatch, after which (it waits) the callback is not running and is not called any more.
  virtual uint64_t Watch(Space space, std::string prefix, WatchCallback callback) = 0;
  virtual void Unwatch(uint64_t watch) = 0;
};

// The first key after all keys with `prefix`; CHECK-fails for a prefix of 0xFF bytes alone.
std::string PrefixEnd(std::string_view prefix);

}  // namespace parley::storage

#endif  // PARLEY_STORAGE_KV_KEY_VALUE_STORE_H_
