#include "server/admin/data_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

#include "crypto/base/status_macros.h"
#include "server/keys/key_folder.h"
#include "server/keys/private_files.h"
#include "storage/kv/rocksdb_store.h"

namespace parley::server {
namespace {

namespace fs = std::filesystem;

// Errors: FailedPrecondition, DataLoss.
absl::Status CheckComplete(const std::string& folder) {
  std::error_code error;
  if (fs::exists(RestoreMark(folder), error)) {
    return absl::FailedPreconditionError("restoring a backup to " + folder +
                                         " was cut short: do that again first, by the same "
                                         "\"parley-relay restore\" command");
  }
  // A new identity in place of a lost one would make every client refuse the relay.
  const std::string seed = folder + "/keys/identity.seed";
  if (fs::exists(folder + "/store/CURRENT", error) && !fs::exists(seed, error)) {
    return absl::DataLossError(seed +
                               " is missing: put it back from your copy, since clients know this "
                               "relay by it");
  }
  return absl::OkStatus();
}

// What a backup that was killed has left behind.
void RemoveLeftCheckpoint(const std::string& folder) {
  const absl::StatusOr<int> lock = LockCheckpoint(folder);
  if (!lock.ok()) return;  // a backup is being made of it
  RemoveCheckpoint(folder);
  ::close(*lock);
}

}  // namespace

std::string RestoreMark(const std::string& folder) { return folder + "/restoring"; }

absl::StatusOr<int> LockCheckpoint(const std::string& folder) {
  const int lock = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock < 0 && errno == ENOENT) return absl::NotFoundError("there is no folder " + folder);
  if (lock < 0) return absl::UnavailableError("can't use " + folder + ": " + std::strerror(errno));
  if (::flock(lock, LOCK_EX | LOCK_NB) == 0) return lock;
  ::close(lock);
  return absl::FailedPreconditionError("another backup of " + folder +
                                       " is being made, or one is restored there: wait until it "
                                       "is done");
}

void RemoveCheckpoint(const std::string& folder) {
  std::error_code error;
  fs::remove_all(folder + "/checkpoint", error);
  fs::remove_all(folder + "/checkpoint.tmp", error);  // RocksDB's, before it is complete
}

absl::Status OpenDataFolder::MakeCheckpoint() {
  RemoveCheckpoint(folder_);
  return store_->MakeCheckpoint(folder_ + "/checkpoint");
}

absl::StatusOr<std::unique_ptr<OpenDataFolder>> OpenDataFolder::Open(const std::string& folder,
                                                                     const Limits& limits) {
  PARLEY_RETURN_IF_ERROR(MakePrivateFolder(folder));
  // Root's files would keep the owner's relay from starting.
  PARLEY_RETURN_IF_ERROR(CheckOwner(folder));
  const std::string lock_path = folder + "/lock";
  const int lock = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (lock < 0) {
    return absl::UnavailableError("can't use " + lock_path + ": " + std::strerror(errno));
  }
  std::unique_ptr<OpenDataFolder> opened(new OpenDataFolder(folder, lock));
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError("another parley-relay is using " + folder +
                                         ": one relay at a time can run on a folder");
  }
  PARLEY_RETURN_IF_ERROR(CheckComplete(folder));
  RemoveLeftCheckpoint(folder);
  PARLEY_ASSIGN_OR_RETURN(RelayIdentity identity, LoadOrMakeIdentity(folder));
  PARLEY_ASSIGN_OR_RETURN(opened->store_, storage::OpenRocksDbStore(folder + "/store"));
  PARLEY_RETURN_IF_ERROR(PrepareStore(*opened->store_));
  opened->relay_ =
      std::make_unique<Relay>(*opened->store_, opened->clock_, std::move(identity), limits);
  return opened;
}

absl::StatusOr<VerifyReport> VerifyStoreFolder(const std::string& folder) {
  VerifyReport report;
  absl::StatusOr<std::unique_ptr<storage::KeyValueStore>> store =
      storage::OpenRocksDbStoreForReading(folder + "/store");
  if (absl::IsDataLoss(store.status())) {
    report.findings.push_back({std::string(store.status().message())});
    return report;
  }
  if (!store.ok()) return store.status();
  absl::StatusOr<bool> has_format = HasFormat(**store);
  if (absl::IsFailedPrecondition(has_format.status())) return has_format.status();
  report = VerifyStore(**store, Limits());
  if (has_format.ok() && !*has_format) {
    report.findings.push_back({"the store's version is missing"});
  }
  return report;
}

absl::StatusOr<VerifyReport> VerifyFolder(const std::string& folder) {
  std::error_code error;
  if (!fs::is_directory(folder + "/store", error)) {
    return absl::NotFoundError(folder + " is no relay's data folder: there is no " + folder +
                               "/store");
  }
  // Without the file no relay has run here; it isn't made.
  const int lock = ::open((folder + "/lock").c_str(), O_RDONLY | O_CLOEXEC);
  const std::unique_ptr<const int, void (*)(const int*)> closes(&lock, [](const int* fd) {
    if (*fd >= 0) ::close(*fd);
  });
  if (lock >= 0 && ::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError("a parley-relay is using " + folder +
                                         ": stop it first, or verify a backup of it");
  }
  const absl::Status identity = CheckIdentity(folder);
  if (!identity.ok() && !absl::IsDataLoss(identity)) return identity;
  PARLEY_ASSIGN_OR_RETURN(VerifyReport report, VerifyStoreFolder(folder));
  if (!identity.ok()) {
    report.findings.insert(report.findings.begin(), {std::string(identity.message())});
  }
  return report;
}

OpenDataFolder::~OpenDataFolder() {
  relay_.reset();
  store_.reset();
  ::close(lock_);  // the last, which lets the next process in
}

}  // namespace parley::server
