// The file store.key, and the folder around it.
//
// Threading: free functions; callers hold the profile's lock (a write transaction, or FolderLock).
#ifndef PARLEY_CLIENT_LIB_STORE_STORE_KEY_FILE_H_
#define PARLEY_CLIENT_LIB_STORE_STORE_KEY_FILE_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/base/secret.h"

namespace parley::client::internal {

// Makes the folder with mode 0700, or takes one that exists: an empty one of this user's, which
// gets that mode, or as it is one that is the user's alone and holds nothing but what making a
// profile leaves when it is interrupted. Errors: NotFound without the parent; PermissionDenied;
// InvalidArgument when it isn't a folder; FailedPrecondition when it holds other things, or others
// may use it.
absl::Status MakePrivateFolder(const std::string& dir);
// Puts what was renamed or removed in `dir` on disk.
absl::Status SyncFolder(const std::string& dir);

// An exclusive lock on a folder, held until it is destroyed.
class FolderLock {
 public:
  static absl::StatusOr<FolderLock> Take(const std::string& dir);
  FolderLock(FolderLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock();

 private:
  explicit FolderLock(int fd) : fd_(fd) {}
  int fd_;
};

// Writes the key with mode 0600; on disk when it returns. Errors: ResourceExhausted,
// PermissionDenied.
absl::Status WriteStoreKeyFile(const std::string& dir, const crypto::Secret& key);
// Errors: DataLoss when it is missing or damaged; PermissionDenied when it can't be read or others
// may read it.
absl::StatusOr<crypto::Secret> ReadStoreKeyFile(const std::string& dir);
// Overwrites and removes it, if it is there.
absl::Status DestroyStoreKeyFile(const std::string& dir);
bool StoreKeyFileExists(const std::string& dir);

}  // namespace parley::client::internal

#endif  // PARLEY_CLIENT_LIB_STORE_STORE_KEY_FILE_H_
