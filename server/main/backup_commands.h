// `parley-relay backup …` and `restore`.
//
// Each prints its result to standard output. Errors: for standard error.
#ifndef PARLEY_SERVER_MAIN_BACKUP_COMMANDS_H_
#define PARLEY_SERVER_MAIN_BACKUP_COMMANDS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "server/main/configuration.h"

namespace parley::server {

struct BackupOptions {
  FolderOptions folder;
  std::string to;
  bool without_keys = false;
  bool verify = false;
  uint32_t keep = 0;  // 0: all
};

// Errors: InvalidArgument when a folder isn't given; see MakeBackup.
absl::Status Backup(const BackupOptions& options);

struct BackupFolderOptions {
  std::string from;
  uint32_t number = 0;  // 0: the latest
  uint32_t keep = 0;
  bool json = false;
};

absl::Status BackupList(const BackupFolderOptions& options);
absl::Status BackupCheck(const BackupFolderOptions& options);
absl::Status BackupPrune(const BackupFolderOptions& options);

struct RestoreOptions {
  std::string from;
  std::string data;
  uint32_t number = 0;  // 0: the latest
  bool accept_damage = false;
};

absl::Status Restore(const RestoreOptions& options);

}  // namespace parley::server

#endif  // PARLEY_SERVER_MAIN_BACKUP_COMMANDS_H_
