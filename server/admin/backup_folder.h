// What the backup commands share: the lock, labels and keys of a backup folder.
//
// Threading: free functions; not for one folder from two threads.
#ifndef PARLEY_SERVER_ADMIN_BACKUP_FOLDER_H_
#define PARLEY_SERVER_ADMIN_BACKUP_FOLDER_H_

#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/base/codec.h"
#include "storage/kv/rocksdb_backup.h"
#include "storage/records/records.h"

namespace parley::server {

// A descriptor with a lock, which its end gives back.
class FolderLock {
 public:
  explicit FolderLock(int descriptor) : descriptor_(descriptor) {}
  FolderLock(FolderLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock();

 private:
  int descriptor_;
};

// Makes the backup folder when it isn't there, and marks it as one. Errors: FailedPrecondition when
// it holds something else (a data folder, most of all), another command has it, it is another
// version's, or root asks and it is somebody else's; Unavailable.
absl::StatusOr<FolderLock> LockForWriting(const std::string& folder);
// Errors: NotFound when there are no backups; FailedPrecondition, Unavailable.
absl::StatusOr<FolderLock> LockForReading(const std::string& folder);

struct BackedUpFile {
  std::string name;
  crypto::ByteArray<32> hash{};  // SHA-256; the files are random keys or public
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.name, self.hash);
  }
};

// What a backup says of itself. Base64url of a version (1) and the structure.
struct BackupLabel {
  storage::PublicKey identity_key{};
  std::string keys;                 // the folder in TO/keys; empty: without keys
  std::vector<BackedUpFile> files;  // that are in it
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.identity_key, self.keys, self.files);
  }
};

std::string FormatLabel(const BackupLabel& label);
// Errors: FailedPrecondition for another version's; DataLoss.
absl::StatusOr<BackupLabel> ParseLabel(const std::string& text);

// Copies the relay's keys and address from `data` to a new folder in TO/keys, and names in `label`
// what is there. Errors: ResourceExhausted, Unavailable.
absl::Status SaveKeys(const std::string& data, const std::string& folder, BackupLabel& label);

// The other way. Errors: DataLoss when a file is missing or was changed; Unavailable.
absl::Status PutKeysBack(const std::string& folder, const BackupLabel& label,
                         const std::string& data);

// Removes keys of backups that are no longer there, and nothing that SaveKeys didn't make.
void RemoveUnusedKeys(const std::string& folder, const storage::BackupFolder& backups);

}  // namespace parley::server

#endif  // PARLEY_SERVER_ADMIN_BACKUP_FOLDER_H_
