#include "server/admin/backup.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <thread>

#include "crypto/base/status_macros.h"
#include "server/admin/admin_socket.h"
#include "server/admin/backup_folder.h"
#include "server/admin/data_folder.h"
#include "server/keys/key_folder.h"
#include "server/keys/private_files.h"
#include "storage/kv/rocksdb_store.h"

namespace parley::server {
namespace {

namespace fs = std::filesystem;
using storage::BackupFolder;
using storage::StoredBackup;

constexpr std::string_view kRestoreMark = "parley-relay restore\n";

std::string StoreIn(const std::string& folder) { return folder + "/store"; }

uint64_t BytesBelow(const std::string& folder) {
  uint64_t sum = 0;
  std::error_code error;
  for (auto it = fs::recursive_directory_iterator(folder, error);
       it != fs::recursive_directory_iterator(); it.increment(error)) {
    if (it->is_regular_file(error)) sum += it->file_size(error);
  }
  return sum;
}

// Errors: FailedPrecondition, NotFound.
absl::Status CheckFolders(const BackupRequest& request) {
  std::error_code error;
  if (!fs::exists(request.data + "/store/CURRENT", error)) {
    return absl::NotFoundError(request.data +
                               " is no relay's data folder: there is no store in it");
  }
  PARLEY_RETURN_IF_ERROR(CheckOwner(request.data));
  const fs::path data = fs::weakly_canonical(request.data, error);
  const fs::path to = fs::weakly_canonical(request.to, error);
  if (std::mismatch(data.begin(), data.end(), to.begin(), to.end()).first != data.end()) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(request.to +
                                       " lies in the data folder: keep backups elsewhere, "
                                       "best on another disk");
}

// Of a relay that doesn't run. Whoever opens the folder makes files in it, which must stay its
// owner's.
absl::Status MakeCheckpointOfStopped(const std::string& data) {
  struct stat info {};
  if (::stat(data.c_str(), &info) == 0 && info.st_uid != ::geteuid()) {
    return absl::FailedPreconditionError("no relay runs on " + data +
                                         ": then run this as the user whose folder it is");
  }
  PARLEY_ASSIGN_OR_RETURN(const std::unique_ptr<OpenDataFolder> folder,
                          OpenDataFolder::Open(data, Limits()));
  return folder->MakeCheckpoint();
}

// Makes DATA/checkpoint, by the relay if one runs. One that is just starting or ending has the
// folder locked and no socket: that passes.
absl::Status TakeCheckpoint(const std::string& data) {
  constexpr int kAttempts = 50;
  AdminRequest request;
  request.command = AdminCommand::kCheckpoint;
  absl::Status status;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    PARLEY_ASSIGN_OR_RETURN(const std::optional<AdminResponse> response,
                            AskRunningRelay(data, request));
    if (response.has_value()) return response->status();
    status = MakeCheckpointOfStopped(data);
    if (status.code() != absl::StatusCode::kFailedPrecondition) return status;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return status;
}

// What of the report may mean loss, a line each; empty: nothing.
std::string FindingsOf(const VerifyReport& report) {
  std::string text;
  for (const Finding& finding : report.findings) {
    if (finding.remedy == Remedy::kRestore) text += "\n  " + finding.what;
  }
  // Of what isn't listed the remedy isn't known.
  if (report.further_findings != 0) {
    text += "\n  and " + std::to_string(report.further_findings) + " that are not listed";
  }
  return text;
}

// Errors: DataLoss.
absl::Status VerifyCheckpoint(const std::string& checkpoint) {
  PARLEY_ASSIGN_OR_RETURN(const std::unique_ptr<storage::KeyValueStore> store,
                          storage::OpenRocksDbStoreForReading(checkpoint));
  const std::string findings = FindingsOf(VerifyStore(*store, Limits()));
  if (findings.empty()) return absl::OkStatus();
  return absl::DataLossError(
      "the relay's store is damaged, so no backup was made of it; earlier ones stay:" + findings);
}

std::vector<uint32_t> DamagedOf(const BackupFolder& backups) {
  std::vector<uint32_t> numbers;
  for (const StoredBackup& backup : backups.List()) {
    if (backup.damaged) numbers.push_back(backup.number);
  }
  return numbers;
}

// Removes all but the latest `keep`, with the keys that belonged to them.
absl::StatusOr<PrunedBackups> Prune(const std::string& folder, BackupFolder& backups,
                                    uint32_t keep) {
  PrunedBackups pruned;
  pruned.damaged = DamagedOf(backups);
  const size_t before = backups.List().size();
  PARLEY_RETURN_IF_ERROR(backups.Keep(keep));
  pruned.removed = static_cast<uint32_t>(before - backups.List().size());
  RemoveUnusedKeys(folder, backups);
  return pruned;
}

absl::StatusOr<MadeBackup> CopyCheckpoint(const BackupRequest& request) {
  const std::string checkpoint = request.data + "/checkpoint";
  if (request.verify) PARLEY_RETURN_IF_ERROR(VerifyCheckpoint(checkpoint));
  const uint64_t before = BytesBelow(request.to);
  BackupLabel label;
  PARLEY_ASSIGN_OR_RETURN(label.identity_key, ReadIdentityKey(request.data));
  if (request.with_keys) PARLEY_RETURN_IF_ERROR(SaveKeys(request.data, request.to, label));
  PARLEY_ASSIGN_OR_RETURN(const std::unique_ptr<BackupFolder> backups,
                          BackupFolder::Open(StoreIn(request.to)));
  MadeBackup made;
  made.with_keys = request.with_keys;
  PARLEY_ASSIGN_OR_RETURN(made.number, backups->Add(checkpoint, FormatLabel(label)));
  made.added_bytes = BytesBelow(request.to) - std::min(before, BytesBelow(request.to));
  if (request.keep != 0) {
    PARLEY_ASSIGN_OR_RETURN(made.pruned, Prune(request.to, *backups, request.keep));
  }
  for (const StoredBackup& backup : backups->List()) {
    if (backup.number == made.number) made.bytes = backup.bytes;
  }
  return made;
}

// The backup of that number (0: the latest) with its label.
struct Found {
  StoredBackup backup;
  BackupLabel label;
};

// Errors: NotFound, DataLoss, FailedPrecondition.
absl::StatusOr<Found> Find(const std::string& folder, const BackupFolder& backups,
                           uint32_t number) {
  const std::vector<StoredBackup> all = backups.List();
  const auto is_wanted = [number](const StoredBackup& backup) {
    return number == 0 || backup.number == number;
  };
  const auto found = std::find_if(all.rbegin(), all.rend(), is_wanted);
  if (found == all.rend()) {
    return absl::NotFoundError(
        number == 0 ? "there are no backups in " + folder
                    : "there is no backup " + std::to_string(number) + " in " + folder +
                          ": \"parley-relay backup list\" shows those that are there");
  }
  const std::string name = "backup " + std::to_string(found->number) + " in " + folder;
  if (found->damaged) {
    return absl::DataLossError(name + " is damaged: files of it are missing or cut short. Name " +
                               "another one with --backup");
  }
  absl::StatusOr<BackupLabel> label = ParseLabel(found->label);
  if (label.ok()) return Found{*found, *std::move(label)};
  return absl::Status(label.status().code(), name + ": " + std::string(label.status().message()));
}

// Removes what is in the folder, and leaves the folder.
void Empty(const std::string& folder) {
  std::error_code error;
  std::vector<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(folder, error)) entries.push_back(entry.path());
  // The mark goes last: without it the folder would look like a relay's.
  std::partition(entries.begin(), entries.end(),
                 [&](const fs::path& entry) { return entry != RestoreMark(folder); });
  for (const fs::path& entry : entries) fs::remove_all(entry, error);
}

// Whether a restore has left its mark there, and not just somebody a file of that name.
// Errors: Unavailable.
absl::StatusOr<bool> IsLeftIncomplete(const std::string& data) {
  PARLEY_ASSIGN_OR_RETURN(const std::optional<crypto::Secret> mark,
                          ReadPrivateFile(RestoreMark(data)));
  return mark.has_value() && crypto::ToString(mark->Reveal()) == kRestoreMark;
}

// Makes the folder, or takes an empty one or what a restore that was cut short has left, and marks
// it. Until the lock's end no other command begins there. Errors: FailedPrecondition, Unavailable.
absl::StatusOr<FolderLock> BeginRestore(const std::string& data) {
  PARLEY_RETURN_IF_ERROR(MakePrivateFolder(data));
  PARLEY_RETURN_IF_ERROR(CheckOwner(data));
  PARLEY_ASSIGN_OR_RETURN(const int descriptor, LockCheckpoint(data));
  FolderLock lock(descriptor);
  PARLEY_ASSIGN_OR_RETURN(const bool is_incomplete, IsLeftIncomplete(data));
  std::error_code error;
  if (is_incomplete) {
    Empty(data);
  } else if (!fs::is_empty(data, error) || error) {
    return absl::FailedPreconditionError(
        data +
        " is not empty, and restoring there would overwrite what is in it: move that away "
        "first, or restore to another folder");
  }
  PARLEY_RETURN_IF_ERROR(WritePrivateFile(RestoreMark(data), crypto::ViewOf(kRestoreMark)));
  return lock;
}

absl::StatusOr<VerifyReport> VerifyRestored(const std::string& data, const BackupLabel& label,
                                            bool accept_damage) {
  if (!label.keys.empty()) {
    PARLEY_ASSIGN_OR_RETURN(const storage::PublicKey identity, ReadIdentityKey(data));
    if (!crypto::PublicEquals(identity, label.identity_key)) {
      return absl::DataLossError("the keys in the backup are another relay's");
    }
  }
  PARLEY_ASSIGN_OR_RETURN(VerifyReport report, VerifyStoreFolder(data));
  const std::string findings = FindingsOf(report);
  if (findings.empty() || accept_damage) return report;
  return absl::DataLossError(
      "every file of the backup is as it was copied, but the store was damaged before; name an "
      "earlier backup with --backup, or take this one as it is with --accept-damage:" +
      findings);
}

absl::StatusOr<VerifyReport> CopyBack(const std::string& from, const BackupFolder& backups,
                                      const Found& found, const std::string& data,
                                      bool accept_damage) {
  PARLEY_RETURN_IF_ERROR(backups.Restore(found.backup.number, StoreIn(data)));
  if (!found.label.keys.empty()) PARLEY_RETURN_IF_ERROR(PutKeysBack(from, found.label, data));
  return VerifyRestored(data, found.label, accept_damage);
}

}  // namespace

absl::StatusOr<MadeBackup> MakeBackup(const BackupRequest& request) {
  PARLEY_RETURN_IF_ERROR(CheckFolders(request));
  PARLEY_ASSIGN_OR_RETURN(const FolderLock backup_lock, LockForWriting(request.to));
  PARLEY_ASSIGN_OR_RETURN(const int descriptor, LockCheckpoint(request.data));
  const FolderLock checkpoint_lock(descriptor);
  absl::Status taken = TakeCheckpoint(request.data);
  absl::StatusOr<MadeBackup> made =
      taken.ok() ? CopyCheckpoint(request) : absl::StatusOr<MadeBackup>(taken);
  RemoveCheckpoint(request.data);
  return made;
}

absl::StatusOr<std::vector<ListedBackup>> ListBackups(const std::string& folder) {
  PARLEY_ASSIGN_OR_RETURN(const FolderLock lock, LockForReading(folder));
  PARLEY_ASSIGN_OR_RETURN(const std::unique_ptr<BackupFolder> backups,
                          BackupFolder::OpenForReading(StoreIn(folder)));
  std::vector<ListedBackup> listed;
  for (const StoredBackup& backup : backups->List()) {
    ListedBackup entry{backup.number, backup.made_at, backup.bytes, false, "", backup.damaged};
    const absl::StatusOr<BackupLabel> label = ParseLabel(backup.label);
    if (label.ok()) {
      entry.with_keys = !label->keys.empty();
      entry.fingerprint = Fingerprint(label->identity_key);
    } else {
      entry.damaged = true;
    }
    listed.push_back(std::move(entry));
  }
  return listed;
}

absl::StatusOr<uint32_t> CheckBackup(const std::string& folder, uint32_t number) {
  PARLEY_ASSIGN_OR_RETURN(const FolderLock lock, LockForReading(folder));
  PARLEY_ASSIGN_OR_RETURN(const std::unique_ptr<BackupFolder> backups,
                          BackupFolder::OpenForReading(StoreIn(folder)));
  PARLEY_ASSIGN_OR_RETURN(const Found found, Find(folder, *backups, number));
  PARLEY_RETURN_IF_ERROR(backups->Check(found.backup.number));
  return found.backup.number;
}

absl::StatusOr<PrunedBackups> PruneBackups(const std::string& folder, uint32_t keep) {
  if (keep == 0) {
    return absl::InvalidArgumentError("one backup at least is kept: remove the folder " + folder +
                                      " if you want none");
  }
  // First, as the other lock would make the folder.
  PARLEY_RETURN_IF_ERROR(LockForReading(folder).status());
  PARLEY_ASSIGN_OR_RETURN(const FolderLock lock, LockForWriting(folder));
  PARLEY_ASSIGN_OR_RETURN(const std::unique_ptr<BackupFolder> backups,
                          BackupFolder::Open(StoreIn(folder)));
  return Prune(folder, *backups, keep);
}

absl::StatusOr<RestoredBackup> RestoreBackup(const RestoreRequest& request) {
  const std::string& data = request.data;
  PARLEY_ASSIGN_OR_RETURN(const FolderLock lock, LockForReading(request.from));
  PARLEY_ASSIGN_OR_RETURN(std::unique_ptr<BackupFolder> backups,
                          BackupFolder::OpenForReading(StoreIn(request.from)));
  PARLEY_ASSIGN_OR_RETURN(const Found found, Find(request.from, *backups, request.number));
  PARLEY_ASSIGN_OR_RETURN(const FolderLock data_lock, BeginRestore(data));
  absl::StatusOr<VerifyReport> report =
      CopyBack(request.from, *backups, found, data, request.accept_damage);
  backups
      .reset();  // its threads may go on with other files when one was damaged: it waits for them
  if (!report.ok()) {
    Empty(data);
    return report.status();
  }
  std::error_code error;
  fs::remove(RestoreMark(data), error);
  if (error) {
    return absl::UnavailableError("all is restored, but " + RestoreMark(data) +
                                  ", which keeps a relay from starting there, can't be removed: " +
                                  error.message() + ". Remove it yourself");
  }
  return RestoredBackup{found.backup.number, found.backup.made_at, !found.label.keys.empty(),
                        Fingerprint(found.label.identity_key), *std::move(report)};
}

}  // namespace parley::server
