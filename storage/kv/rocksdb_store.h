// The engine on RocksDB: one folder, two column families, a synced write-ahead log.
//
// Space::kChunks keeps its values in blob files beside the tree, so that compactions don't copy
// them. Their checksums are not verified on reading: clients authenticate every chunk.
//
// A disk that is nearly full (less than 512 MiB free; of a small disk, a quarter) takes no more
// writes, so that RocksDB has room for what it still owes: Commit() is ResourceExhausted, but
// for batches with a DeleteRange. As soon as there is room again it goes on.
//
// Lifetime: one process at a time has a folder open; the destructor closes it.
#ifndef PARLEY_STORAGE_KV_ROCKSDB_STORE_H_
#define PARLEY_STORAGE_KV_ROCKSDB_STORE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "storage/kv/key_value_store.h"

namespace parley::storage {

// A store that has a folder for itself, and can do with it as a whole what its operator needs.
class FolderStore : public KeyValueStore {
 public:
  // Makes in `folder`, which must not be there, another store with all that was committed before
  // the call, and of what is committed meanwhile the part up to one moment. On the same disk it
  // takes no room at first: its files are links. Commits go on meanwhile.
  // Errors: ResourceExhausted when the disk is nearly full; Unavailable; of the commit that failed.
  virtual absl::Status MakeCheckpoint(const std::string& folder) = 0;

  // Removes from the files what was deleted before the call: until then its bytes may stand there.
  // Of the three parts of the store (records, entries, chunks), the smallest first, those files are
  // written anew that it lies in (rocksdb_purge.h); commits go on meanwhile, and another purge
  // waits for this one. Errors: as above, DataLoss; also ResourceExhausted when there is no room
  // for what is written at once: then what isn't done yet stays as it was; Cancelled.
  virtual absl::Status Purge() = 0;
  // Whether Purge() has something to do.
  virtual bool HasDeleted() const = 0;
  // Ends a Purge() that runs, and lets none run any more.
  virtual void CancelPurge() = 0;
};

struct DiskRoom {
  uint64_t size = 0;  // bytes, of the whole disk
  uint64_t free = 0;  // for this process
};
// Of the disk that a folder is on; nullopt when that can't be told. Called from any thread.
using AskDisk = std::function<std::optional<DiskRoom>(const std::string& folder)>;
std::optional<DiskRoom> AskSystemForRoom(const std::string& folder);

// Opens the store in `folder`, making it when it isn't there; how much room is left `ask` says.
// Errors: Unavailable when another process has it open or the folder can't be used; DataLoss when
// its files are damaged, or lack something that was acknowledged; FailedPrecondition when another
// version made it that keeps things elsewhere. Of a store that is refused nothing is changed.
absl::StatusOr<std::unique_ptr<FolderStore>> OpenRocksDbStore(const std::string& folder,
                                                              AskDisk ask = AskSystemForRoom);

// Opens the store in `folder` to be read alone, and changes no file of it: Commit() is Unavailable.
// The caller sees to it that nobody writes to the store meanwhile.
// Errors: as above; Unavailable when there is no store.
absl::StatusOr<std::unique_ptr<KeyValueStore>> OpenRocksDbStoreForReading(
    const std::string& folder);

}  // namespace parley::storage

#endif  // PARLEY_STORAGE_KV_ROCKSDB_STORE_H_
