// A relay's data folder, opened by one process at a time.
//
//   DIR/lock         held while a process uses the folder
//   DIR/keys/        see server/keys/key_folder.h
//   DIR/store/       RocksDB
//   DIR/address      where the relay last listened
//   DIR/admin.sock   while a relay runs
#ifndef PARLEY_SERVER_ADMIN_DATA_FOLDER_H_
#define PARLEY_SERVER_ADMIN_DATA_FOLDER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/core/relay.h"
#include "server/core/verify.h"

namespace parley::server {

// The folder's lock, store and relay core. Threading: as Relay.
class OpenDataFolder {
 public:
  // Makes the folder and its keys when they aren't there.
  // Errors: FailedPrecondition when another process uses the folder, or for a store of another
  // version; Unavailable, DataLoss.
  static absl::StatusOr<std::unique_ptr<OpenDataFolder>> Open(const std::string& folder,
                                                              const Limits& limits);
  ~OpenDataFolder();
  OpenDataFolder(const OpenDataFolder&) = delete;
  OpenDataFolder& operator=(const OpenDataFolder&) = delete;

  Relay& relay() { return *relay_; }

 private:
  explicit OpenDataFolder(int lock) : lock_(lock) {}

  const int lock_;
  SystemClock clock_;
  std::unique_ptr<storage::KeyValueStore> store_;
  std::unique_ptr<Relay> relay_;
};

// Reads the whole folder, changing nothing, and says what doesn't hold; see VerifyStore.
// Errors: NotFound when there is no such folder or no store in it; FailedPrecondition when a relay
// uses it, or for a store of another version; Unavailable.
absl::StatusOr<VerifyReport> VerifyFolder(const std::string& folder);

}  // namespace parley::server

#endif  // PARLEY_SERVER_ADMIN_DATA_FOLDER_H_
