// A relay's data folder, opened by one process at a time.
//
//   DIR/lock         held while a process uses the folder
//   DIR/keys/        see server/keys/key_folder.h
//   DIR/store/       RocksDB
//   DIR/address      where the relay last listened
//   DIR/admin.sock   while a relay runs
//   DIR/checkpoint/  while a backup is made (server/admin/backup.h)
//   DIR/restoring    while a backup is restored: the folder isn't complete
#ifndef PARLEY_SERVER_ADMIN_DATA_FOLDER_H_
#define PARLEY_SERVER_ADMIN_DATA_FOLDER_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "server/core/relay.h"
#include "server/core/verify.h"
#include "storage/kv/rocksdb_store.h"

namespace parley::server {

// The folder's lock, store and relay core. Threading: as Relay.
class OpenDataFolder {
 public:
  // Makes the folder and its keys when they aren't there.
  // Errors: FailedPrecondition when another process uses the folder, for a store of another
  // version, for a folder that a restore has left incomplete, and for root when the folder is
  // somebody else's; DataLoss, also for a store whose
  // identity is missing; Unavailable.
  static absl::StatusOr<std::unique_ptr<OpenDataFolder>> Open(const std::string& folder,
                                                              const Limits& limits);
  ~OpenDataFolder();
  OpenDataFolder(const OpenDataFolder&) = delete;
  OpenDataFolder& operator=(const OpenDataFolder&) = delete;

  Relay& relay() { return *relay_; }

  // Copies the store as it is now to DIR/checkpoint, in place of what is there. Takes seconds.
  // Errors: see FolderStore::MakeCheckpoint.
  absl::Status MakeCheckpoint();

  // Removes what was deleted from the store's files. Errors: see FolderStore::Purge.
  absl::Status Purge() { return store_->Purge(); }
  bool HasDeleted() const { return store_->HasDeleted(); }
  void CancelPurge() { store_->CancelPurge(); }

 private:
  OpenDataFolder(std::string folder, int lock) : folder_(std::move(folder)), lock_(lock) {}

  const std::string folder_;
  const int lock_;
  SystemClock clock_;
  std::unique_ptr<storage::FolderStore> store_;
  std::unique_ptr<Relay> relay_;
};

// The lock of a backup and of a restore: while somebody holds it, DIR/checkpoint is his. A
// descriptor to close. Errors: FailedPrecondition when somebody holds it; NotFound, Unavailable.
absl::StatusOr<int> LockCheckpoint(const std::string& folder);

// Removes DIR/checkpoint. With LockCheckpoint.
void RemoveCheckpoint(const std::string& folder);

// DIR/restoring.
std::string RestoreMark(const std::string& folder);

// Reads the whole folder, changing nothing, and says what doesn't hold; see VerifyStore.
// Errors: NotFound when there is no such folder or no store in it; FailedPrecondition when a relay
// uses it, or for a store of another version; Unavailable.
absl::StatusOr<VerifyReport> VerifyFolder(const std::string& folder);

// As above, of DIR/store alone, which the caller sees to that nobody uses.
absl::StatusOr<VerifyReport> VerifyStoreFolder(const std::string& folder);

}  // namespace parley::server

#endif  // PARLEY_SERVER_ADMIN_DATA_FOLDER_H_
