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

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "storage/kv/key_value_store.h"

namespace parley::storage {

// Opens the store in `folder`, making it when it isn't there.
// Errors: Unavailable when another process has it open or the folder can't be used; DataLoss when
// its files are damaged (nothing is dropped silently).
absl::StatusOr<std::unique_ptr<KeyValueStore>> OpenRocksDbStore(const std::string& folder);

// Opens the store in `folder` to be read alone, and changes no file of it: Commit() is Unavailable.
// The caller sees to it that nobody writes to the store meanwhile.
// Errors: as above; Unavailable when there is no store.
absl::StatusOr<std::unique_ptr<KeyValueStore>> OpenRocksDbStoreForReading(
    const std::string& folder);

}  // namespace parley::storage

#endif  // PARLEY_STORAGE_KV_ROCKSDB_STORE_H_
