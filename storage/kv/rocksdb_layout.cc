#include "storage/kv/rocksdb_layout.h"

#include <rocksdb/db.h>
#include <rocksdb/memtablerep.h>
#include <rocksdb/metadata.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/base/status_macros.h"
#include "storage/kv/rocksdb_options.h"
#include "storage/kv/synced_mark.h"

namespace parley::storage {
namespace {

namespace fs = std::filesystem;

// A store that is only looked at, with the families that are named.
class ReadOnly {
 public:
  ~ReadOnly() {
    for (rocksdb::ColumnFamilyHandle* family : families_) db_->DestroyColumnFamilyHandle(family);
  }
  absl::Status Open(const std::string& folder,
                    const std::vector<rocksdb::ColumnFamilyDescriptor>& families) {
    rocksdb::DB* opened = nullptr;
    rocksdb::DBOptions options = StoreOptions();
    options.allow_concurrent_memtable_write = false;  // which vectors can't, see ToBeLookedAt
    const rocksdb::Status status =
        rocksdb::DB::OpenForReadOnly(options, folder, families, &families_, &opened);
    db_.reset(opened);
    return FromOpening(status, folder);
  }
  rocksdb::DB& db() { return *db_; }
  const std::vector<rocksdb::ColumnFamilyHandle*>& families() const { return families_; }

 private:
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
};

// Whether there is a file that only a store has in which something was: tables, or the mark of what
// was acknowledged.
bool HasFilesOfAUsedStore(const std::string& folder) {
  std::error_code error;
  const fs::directory_iterator files(folder, error);
  return std::any_of(begin(files), end(files), [&](const fs::directory_entry& file) {
    const std::string kind = file.path().extension();
    return kind == ".sst" || kind == ".blob" || file.path() == SyncedMark::PathIn(folder);
  });
}

// RocksDB would begin a new store where the file is gone that says which of its files count, and
// remove the others.
absl::Status CheckThereIsNone(const std::string& folder) {
  std::error_code error;
  const fs::directory_iterator files(folder, error);
  const bool has_logs = std::any_of(begin(files), end(files), [](const fs::directory_entry& file) {
    return file.path().extension() == ".log";
  });
  if (!has_logs && !HasFilesOfAUsedStore(folder)) return absl::OkStatus();
  return absl::DataLossError("the store: opening " + folder +
                             ": the file CURRENT is missing, and others are left there; restore "
                             "the folder from a backup");
}

// Whether nothing is in the first of a store's families, as when it was being made and this was cut
// short. Errors: as opening it.
absl::StatusOr<bool> IsEmpty(const std::string& folder, const std::vector<std::string>& names) {
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const std::string& name : names) {
    descriptors.emplace_back(name, rocksdb::ColumnFamilyOptions());
  }
  ReadOnly store;
  PARLEY_RETURN_IF_ERROR(store.Open(folder, descriptors));
  const std::unique_ptr<rocksdb::Iterator> it(store.db().NewIterator(rocksdb::ReadOptions()));
  it->SeekToFirst();
  return !it->Valid() && it->status().ok();
}

absl::Status MadeByAnotherVersion(const std::string& folder, const std::string& which) {
  return absl::FailedPreconditionError(
      "the store in " + folder + " was made by " + which +
      "; nothing was changed: go on with the version that made it (\"Upgrade\" in "
      "docs/operations.md says which reads what, and how cases move to a new folder)");
}

absl::Status ListIsShort(const std::string& folder) {
  return absl::DataLossError("the store: opening " + folder +
                             ": its list of files (MANIFEST) was cut short or replaced by an older "
                             "one, and files that it doesn't name are left there; restore the "
                             "folder from a backup");
}

// By an older list the store may be whole, but for what is in tables that it doesn't name: the logs
// that these came from are gone, and the later ones are there, so that it ends as it did.
absl::Status CheckListOfFiles(const std::string& folder, const SyncedMark::Synced& synced) {
  const std::optional<ListOfFiles> list = FindListOfFiles(folder);
  if (!list.has_value() || !synced.list.has_value()) return absl::OkStatus();
  if (*list >= *synced.list) return absl::OkStatus();
  const absl::Status refusal = ListIsShort(folder);
  return absl::Status(refusal.code(), std::string(refusal.message()) +
                                          ", or, to go on without what is in them, delete the "
                                          "file " +
                                          SyncedMark::PathIn(folder));
}

// Opening a store of another version's layout would add what it lacks, and its own version couldn't
// open it any more. Returns whether it is complete, or was only begun. Errors: FailedPrecondition;
// or as opening it.
absl::StatusOr<bool> CheckLayout(const std::string& folder) {
  std::vector<std::string> names;
  const rocksdb::Status listed =
      rocksdb::DB::ListColumnFamilies(rocksdb::DBOptions(), folder, &names);
  if (!listed.ok()) return FromOpening(listed, folder);
  size_t known = 0;
  const std::vector<rocksdb::ColumnFamilyDescriptor> ours = StoreFamilies(nullptr);
  for (const rocksdb::ColumnFamilyDescriptor& family : ours) {
    known += std::count(names.begin(), names.end(), family.name) != 0;
  }
  if (known < names.size()) {
    return MadeByAnotherVersion(
        folder, "another version of this program, which keeps things that this one doesn't know");
  }
  if (known == ours.size()) return true;
  // Opening would remove every table that the list doesn't name. Formats 1 and 2 had no mark.
  std::error_code error;
  const bool has_mark = fs::exists(SyncedMark::PathIn(folder), error);
  if (has_mark) return ListIsShort(folder);
  PARLEY_ASSIGN_OR_RETURN(const bool is_empty, IsEmpty(folder, names));
  if (is_empty && HasFilesOfAUsedStore(folder)) return ListIsShort(folder);
  if (is_empty) return false;
  return MadeByAnotherVersion(
      folder,
      "an earlier version of this program (its format is 1 or 2), which this one can't read");
}

// RocksDB looks whether its tables are there and complete when it opens a store, and for these only
// when somebody asks for a value in them.
absl::Status CheckBlobFiles(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family,
                            const std::string& folder) {
  rocksdb::ColumnFamilyMetaData files;
  db.GetColumnFamilyMetaData(family, &files);
  for (const rocksdb::BlobMetaData& file : files.blob_files) {
    const std::string name = fs::path(file.blob_file_name).filename();
    std::error_code error;
    const uintmax_t size = fs::file_size(fs::path(folder) / name, error);
    if (!error && size == file.blob_file_size) continue;
    return absl::DataLossError("the store: opening " + folder + ": the file " + name + " is " +
                               (error ? "missing" : "cut short") +
                               "; restore the folder from a backup");
  }
  return absl::OkStatus();
}

// The log is read before the store is opened, and by opening it once more: what it lacks must be
// known before anything is changed, and only RocksDB says what of it counts. So here it is read as
// cheaply as can be: nothing in it is looked for, so that it needn't be sorted.
std::vector<rocksdb::ColumnFamilyDescriptor> ToBeLookedAt() {
  std::vector<rocksdb::ColumnFamilyDescriptor> families = StoreFamilies(NewStoreCache());
  for (rocksdb::ColumnFamilyDescriptor& family : families) {
    family.options.memtable_factory = std::make_shared<rocksdb::VectorRepFactory>();
    family.options.memtable_prefix_bloom_size_ratio = 0;
  }
  return families;
}

absl::Status CheckNothingIsMissing(const std::string& folder, const SyncedMark::Synced& synced) {
  ReadOnly store;
  PARLEY_RETURN_IF_ERROR(store.Open(folder, ToBeLookedAt()));
  for (rocksdb::ColumnFamilyHandle* family : store.families()) {
    PARLEY_RETURN_IF_ERROR(CheckBlobFiles(store.db(), family, folder));
  }
  if (!synced.change.has_value()) return absl::OkStatus();
  const uint64_t last = store.db().GetLatestSequenceNumber();
  if (last >= *synced.change) return absl::OkStatus();
  return absl::DataLossError(
      "the store: opening " + folder + ": its latest changes are missing (it ends with change " +
      std::to_string(last) + ", and " + std::to_string(*synced.change) +
      " had been acknowledged): a file was cut short, lost, or replaced by an older one; restore "
      "the folder from a backup, or, to go on without what is missing, delete the file " +
      SyncedMark::PathIn(folder));
}

}  // namespace

absl::Status CheckBeforeOpening(const std::string& folder) {
  std::error_code error;
  if (!fs::exists(folder + "/CURRENT", error)) return CheckThereIsNone(folder);
  PARLEY_ASSIGN_OR_RETURN(const SyncedMark::Synced synced, SyncedMark::Load(folder));
  PARLEY_RETURN_IF_ERROR(CheckListOfFiles(folder, synced));
  PARLEY_ASSIGN_OR_RETURN(const bool is_complete, CheckLayout(folder));
  if (!is_complete) return absl::OkStatus();
  return CheckNothingIsMissing(folder, synced);
}

}  // namespace parley::storage
