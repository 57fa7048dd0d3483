#include "storage/kv/rocksdb_backup.h"

#include <rocksdb/utilities/backup_engine.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "crypto/base/status_macros.h"
#include "storage/kv/rocksdb_checksum.h"
#include "storage/kv/rocksdb_options.h"

namespace parley::storage {
namespace {

rocksdb::BackupEngineOptions EngineOptions(const std::string& folder) {
  rocksdb::BackupEngineOptions options(folder);
  options.sync = true;
  options.max_background_operations = 2;
  return options;
}

// What the engine says of a backup's files. Their damage is the backup's, not the relay's.
absl::Status FromEngine(const rocksdb::Status& status, const std::string& what) {
  if (status.ok()) return absl::OkStatus();
  const std::string message = what + ": " + status.ToString();
  if (status.IsCorruption()) return absl::DataLossError(message);
  if (status.IsNoSpace()) return absl::ResourceExhaustedError(message + "; free some space there");
  if (status.IsNotFound()) return absl::NotFoundError(message);
  return absl::UnavailableError(message);
}

// A store that is opened to be copied: nothing in it is merged, so that its files stay those that
// earlier backups have.
struct OpenedCheckpoint {
  ~OpenedCheckpoint() {
    if (db == nullptr) return;
    for (rocksdb::ColumnFamilyHandle* family : families) db->DestroyColumnFamilyHandle(family);
    db->Close().PermitUncheckedError();
  }

  absl::Status Open(const std::string& folder) {
    rocksdb::DBOptions options = StoreOptions();
    options.create_if_missing = false;
    options.create_missing_column_families = false;
    std::vector<rocksdb::ColumnFamilyDescriptor> descriptors = StoreFamilies(NewStoreCache());
    for (rocksdb::ColumnFamilyDescriptor& descriptor : descriptors) {
      descriptor.options.disable_auto_compactions = true;
    }
    rocksdb::DB* opened = nullptr;
    const rocksdb::Status status =
        rocksdb::DB::Open(options, folder, descriptors, &families, &opened);
    db.reset(opened);
    return FromRocksDb(status, ("opening " + folder).c_str());
  }

  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> families;
};

class EngineFolder : public BackupFolder {
 public:
  EngineFolder(std::string folder, std::unique_ptr<rocksdb::BackupEngineReadOnly> reader,
               std::unique_ptr<rocksdb::BackupEngine> writer)
      : folder_(std::move(folder)), reader_(std::move(reader)), writer_(std::move(writer)) {}

  std::vector<StoredBackup> List() const override {
    std::vector<rocksdb::BackupInfo> infos;
    engine().GetBackupInfo(&infos);
    std::vector<StoredBackup> backups;
    for (const rocksdb::BackupInfo& info : infos) {
      backups.push_back({info.backup_id, info.timestamp, info.size, info.app_metadata, false});
    }
    for (const rocksdb::BackupID id : Damaged()) backups.push_back({id, 0, 0, "", true});
    std::sort(backups.begin(), backups.end(),
              [](const auto& a, const auto& b) { return a.number < b.number; });
    return backups;
  }

  absl::StatusOr<uint32_t> Add(const std::string& checkpoint, const std::string& label) override {
    if (writer_ == nullptr) return absl::UnavailableError(folder_ + " was opened to be read only");
    OpenedCheckpoint opened;
    PARLEY_RETURN_IF_ERROR(opened.Open(checkpoint));
    rocksdb::CreateBackupOptions options;
    options.flush_before_backup = true;
    rocksdb::BackupID number = 0;
    PARLEY_RETURN_IF_ERROR(
        FromEngine(writer_->CreateNewBackupWithMetadata(options, opened.db.get(), label, &number),
                   "copying to " + folder_));
    return number;
  }

  absl::Status Keep(uint32_t most) override {
    if (writer_ == nullptr) return absl::UnavailableError(folder_ + " was opened to be read only");
    for (const rocksdb::BackupID id : Damaged()) {
      PARLEY_RETURN_IF_ERROR(FromEngine(writer_->DeleteBackup(id), "removing from " + folder_));
    }
    PARLEY_RETURN_IF_ERROR(FromEngine(writer_->PurgeOldBackups(most), "removing from " + folder_));
    return FromEngine(writer_->GarbageCollect(), "removing from " + folder_);
  }

  absl::Status Check(uint32_t number) const override {
    return FromEngine(engine().VerifyBackup(number, true), NameOf(number));
  }

  absl::Status Restore(uint32_t number, const std::string& folder) const override {
    const absl::Status status =
        FromEngine(engine().RestoreDBFromBackup(number, folder, folder), NameOf(number));
    if (!absl::IsDataLoss(status)) return status;
    // The engine doesn't say here which file it is.
    const absl::Status checked = Check(number);
    return checked.ok() ? status : checked;
  }

 private:
  const rocksdb::BackupEngineReadOnlyBase& engine() const {
    if (writer_ != nullptr) return *writer_;
    return *reader_;
  }
  std::vector<rocksdb::BackupID> Damaged() const {
    std::vector<rocksdb::BackupID> ids;
    engine().GetCorruptedBackups(&ids);
    return ids;
  }
  std::string NameOf(uint32_t number) const {
    return "backup " + std::to_string(number) + " in " + folder_;
  }

  const std::string folder_;
  const std::unique_ptr<rocksdb::BackupEngineReadOnly> reader_;  // one of the two
  const std::unique_ptr<rocksdb::BackupEngine> writer_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<BackupFolder>> BackupFolder::Open(const std::string& folder) {
  PrepareRocksDbChecksum();
  rocksdb::BackupEngine* opened = nullptr;
  const rocksdb::Status status =
      rocksdb::BackupEngine::Open(EngineOptions(folder), rocksdb::Env::Default(), &opened);
  std::unique_ptr<rocksdb::BackupEngine> engine(opened);
  PARLEY_RETURN_IF_ERROR(FromEngine(status, "opening " + folder));
  return std::make_unique<EngineFolder>(folder, nullptr, std::move(engine));
}

absl::StatusOr<std::unique_ptr<BackupFolder>> BackupFolder::OpenForReading(
    const std::string& folder) {
  PrepareRocksDbChecksum();
  std::error_code error;
  if (!std::filesystem::is_directory(folder + "/meta", error)) {
    return absl::NotFoundError("there are no backups in " + folder);
  }
  rocksdb::BackupEngineReadOnly* opened = nullptr;
  const rocksdb::Status status =
      rocksdb::BackupEngineReadOnly::Open(EngineOptions(folder), rocksdb::Env::Default(), &opened);
  std::unique_ptr<rocksdb::BackupEngineReadOnly> engine(opened);
  PARLEY_RETURN_IF_ERROR(FromEngine(status, "opening " + folder));
  return std::make_unique<EngineFolder>(folder, std::move(engine), nullptr);
}

}  // namespace parley::storage
