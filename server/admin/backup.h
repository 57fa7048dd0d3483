// Backups of a relay's data folder, also of a relay that runs.
//
//   MadeBackup made = *MakeBackup({.data = "/var/lib/parley-relay", .to = "/var/backups/relay"});
//   RestoredBackup restored = *RestoreBackup({.from = "/var/backups/relay", .data = "/srv/relay"});
//
// A relay that runs makes a checkpoint of its store in its own folder, which takes seconds and
// hardly any room; from there this process copies what the backup folder doesn't have yet. So the
// relay needs no right to the backup folder. What was acknowledged before MakeBackup was called is
// in the backup; of what comes meanwhile it has all up to one moment.
//
//   TO/parley-backups says that the folder is one for backups, and of what format
//   TO/lock           held while somebody writes to the folder or reads from it
//   TO/store/         RocksDB's BackupEngine: files are shared by the backups that have them
//   TO/keys/NAME/     the keys of one backup, mode 0600; the backup's label names the folder
//
// Threading: free functions; not for one backup folder from two threads.
#ifndef PARLEY_SERVER_ADMIN_BACKUP_H_
#define PARLEY_SERVER_ADMIN_BACKUP_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/core/verify.h"

namespace parley::server {

struct BackupRequest {
  std::string data;       // the data folder
  std::string to;         // the backup folder: made when it isn't there
  bool with_keys = true;  // identity, relay secret and TLS key are part of it
  bool verify = false;    // reads everything first, and makes no backup of what is damaged
  uint32_t keep = 0;      // afterwards only so many are left; 0: all
};

struct PrunedBackups {
  uint32_t removed = 0;
  std::vector<uint32_t> damaged;  // the numbers of those among them that were damaged
};

struct MadeBackup {
  uint32_t number = 0;
  uint64_t bytes = 0;        // of everything in it
  uint64_t added_bytes = 0;  // that the backup folder grew by
  bool with_keys = false;
  PrunedBackups pruned;  // earlier backups that `keep` removed
};

// Errors: NotFound without a store in `data`; FailedPrecondition when `to` lies in the data folder,
// or has something else in it, when another backup is being made, or
// root asks and a folder is somebody else's; DataLoss when the keys, or (`verify`) the
// store, are damaged; ResourceExhausted; Unavailable. On failure no backup is added.
absl::StatusOr<MadeBackup> MakeBackup(const BackupRequest& request);

struct ListedBackup {
  uint32_t number = 0;
  int64_t made_at = 0;  // seconds since 1970
  uint64_t bytes = 0;
  bool with_keys = false;
  std::string fingerprint;  // of the relay, as `serve` prints it
  bool damaged = false;     // files are missing or cut short: only the number is known
};

// In the order in which they were made. Errors: NotFound, FailedPrecondition, Unavailable.
absl::StatusOr<std::vector<ListedBackup>> ListBackups(const std::string& folder);

// Reads a backup's files (0: the latest's) and compares them with their checksums. Returns its
// number. Errors: DataLoss, naming what is damaged; NotFound, FailedPrecondition, Unavailable.
absl::StatusOr<uint32_t> CheckBackup(const std::string& folder, uint32_t number);

// Leaves the latest `keep` (1 at least); damaged ones go, too.
// Errors: InvalidArgument, NotFound, FailedPrecondition, Unavailable.
absl::StatusOr<PrunedBackups> PruneBackups(const std::string& folder, uint32_t keep);

struct RestoreRequest {
  std::string from;     // the backup folder
  uint32_t number = 0;  // 0: the latest
  std::string data;     // the data folder, which must be empty or not be there
  bool accept_damage = false;
};

struct RestoredBackup {
  uint32_t number = 0;
  int64_t made_at = 0;
  bool with_keys = false;
  std::string fingerprint;
  VerifyReport report;  // without findings that mean loss, unless damage was accepted
};

// Copies a backup to `data`, comparing all checksums, and verifies what is there then. With
// `accept_damage` a store that was damaged before the backup was made is kept all the same, and the
// report says what it lacks; not files that have changed since.
// Errors: FailedPrecondition when `data` isn't empty, another command uses it, or root asks and it
// is somebody else's; NotFound; DataLoss when the backup or its store is damaged;
// ResourceExhausted, Unavailable. On failure `data` is empty; when it is cut short, no relay starts
// on it, and the next restore begins anew.
absl::StatusOr<RestoredBackup> RestoreBackup(const RestoreRequest& request);

}  // namespace parley::server

#endif  // PARLEY_SERVER_ADMIN_BACKUP_H_
