// A folder with backups of stores on RocksDB: RocksDB's BackupEngine.
//
//   auto backups = BackupFolder::Open("/var/backups/relay/store");
//   absl::StatusOr<uint32_t> number = (*backups)->Add(checkpoint, label);
//   absl::Status status = (*backups)->Restore(*number, "/var/lib/relay/store");
//
// Files that don't change are kept once for all backups, so the next one adds what is new. Each
// file's checksum is kept, and compared when it is read back.
//
// Threading: one thread; one process at a time may write to a folder, which the caller sees to.
#ifndef PARLEY_STORAGE_KV_ROCKSDB_BACKUP_H_
#define PARLEY_STORAGE_KV_ROCKSDB_BACKUP_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace parley::storage {

struct StoredBackup {
  uint32_t number = 0;   // from 1 on; numbers are not used again
  int64_t made_at = 0;   // seconds since 1970
  uint64_t bytes = 0;    // of all its files, those that it shares included
  std::string label;     // what Add was given
  bool damaged = false;  // a file is missing or has another size; then only `number` is known
};

class BackupFolder {
 public:
  // To add and remove; makes the folder when it isn't there. Errors: Unavailable, DataLoss.
  static absl::StatusOr<std::unique_ptr<BackupFolder>> Open(const std::string& folder);
  // To list, check and restore; changes nothing. Errors: NotFound, Unavailable, DataLoss.
  static absl::StatusOr<std::unique_ptr<BackupFolder>> OpenForReading(const std::string& folder);
  virtual ~BackupFolder() = default;

  // In the order in which they were made.
  virtual std::vector<StoredBackup> List() const = 0;

  // Copies the store in `checkpoint`, which is the caller's own (FolderStore::MakeCheckpoint) and
  // is changed, and returns the backup's number when all is on disk. What fails adds nothing.
  // Errors: ResourceExhausted, DataLoss, Unavailable.
  virtual absl::StatusOr<uint32_t> Add(const std::string& checkpoint, const std::string& label) = 0;

  // Removes all but the latest `most`, damaged ones first. Errors: Unavailable.
  virtual absl::Status Keep(uint32_t most) = 0;

  // Reads the backup's files and compares their checksums. Errors: DataLoss, naming the file;
  // NotFound, Unavailable.
  virtual absl::Status Check(uint32_t number) const = 0;

  // Copies the backup's files to `folder`, comparing their checksums. Errors: as Check;
  // ResourceExhausted. On failure something may be in `folder`.
  virtual absl::Status Restore(uint32_t number, const std::string& folder) const = 0;
};

}  // namespace parley::storage

#endif  // PARLEY_STORAGE_KV_ROCKSDB_BACKUP_H_
