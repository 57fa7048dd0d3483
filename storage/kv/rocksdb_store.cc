#include "storage/kv/rocksdb_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <mutex>
#include <utility>
#include <vector>

#include "storage/kv/hot_records.h"
#include "storage/kv/rocksdb_checksum.h"
#include "storage/kv/watchers.h"

namespace parley::storage {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

rocksdb::Slice SliceOf(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

absl::Status ToStatus(const rocksdb::Status& status, const char* what) {
  if (status.ok()) return absl::OkStatus();
  const std::string message = std::string("the store: ") + what + ": " + status.ToString();
  if (status.IsNoSpace()) {
    return absl::ResourceExhaustedError(message + "; free some space on the disk and start again");
  }
  if (status.IsCorruption()) {
    return absl::DataLossError(message + "; restore the folder from a backup");
  }
  return absl::UnavailableError(message);
}

rocksdb::DBOptions DatabaseOptions() {
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.paranoid_checks = true;
  // A record cut short at the log's end was never acknowledged; anything else that is damaged must
  // not shorten the log silently.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.max_total_wal_size = 128 * kMiB;
  // Write-back starts early, so that a sync after a long upload doesn't wait for all of it.
  options.wal_bytes_per_sync = kMiB;
  options.bytes_per_sync = kMiB;
  options.max_open_files = 512;
  options.max_background_jobs = 2;
  options.info_log_level = rocksdb::WARN_LEVEL;
  options.keep_log_file_num = 2;
  options.stats_dump_period_sec = 0;
  return options;
}

rocksdb::ColumnFamilyOptions SmallValues(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions options;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  // Writing a record is mostly the search for its place among those in memory, which takes long
  // when these don't stay in a core's cache. As many bytes as with larger buffers gather before
  // they are merged.
  options.write_buffer_size = 4 * kMiB;
  options.max_write_buffer_number = 4;
  options.level0_file_num_compaction_trigger = 16;
  options.level0_slowdown_writes_trigger = 32;
  options.level0_stop_writes_trigger = 48;
  // Each append asks for its id, which as a rule isn't there: a filter in memory says so at once.
  options.memtable_prefix_bloom_size_ratio = 0.01;
  options.memtable_whole_key_filtering = true;
  options.compression = rocksdb::kNoCompression;  // what clients store is sealed: it doesn't shrink
  return options;
}

// Entries of one mailbox come in order, and so each finds its place quickly also among many. They
// are apart from the records, which so stay closer together, in fewer files: each append asks for
// its id in all of them.
rocksdb::ColumnFamilyOptions Entries(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions options = SmallValues(cache);
  options.write_buffer_size = 16 * kMiB;
  options.max_write_buffer_number = 3;
  options.memtable_prefix_bloom_size_ratio = 0;
  return options;
}

rocksdb::ColumnFamilyOptions LargeValues(const std::shared_ptr<rocksdb::Cache>& cache) {
  const rocksdb::ColumnFamilyOptions defaults;
  rocksdb::ColumnFamilyOptions options = SmallValues(cache);
  options.level0_file_num_compaction_trigger = defaults.level0_file_num_compaction_trigger;
  options.level0_slowdown_writes_trigger = defaults.level0_slowdown_writes_trigger;
  options.level0_stop_writes_trigger = defaults.level0_stop_writes_trigger;
  options.enable_blob_files = true;
  options.min_blob_size = 4096;
  options.blob_file_size = 256 * kMiB;
  options.blob_compression_type = rocksdb::kNoCompression;
  options.enable_blob_garbage_collection = true;
  options.write_buffer_size = 32 * kMiB;
  options.max_write_buffer_number = 3;
  return options;
}

// What writes leave free on the disk, for RocksDB's own work behind them: it writes what memory
// holds to new files (up to three buffers of 32 MiB, three of 16 and four of 4) and merges old
// ones, and a disk that is full in the middle of that can't be gone on from.
constexpr uint64_t kMostReserve = 512 * kMiB;
constexpr uint64_t kReservePart = 4;  // of a small disk: a quarter

bool FreesRoom(const WriteBatch& batch) {
  return std::any_of(batch.changes().begin(), batch.changes().end(), [](const auto& change) {
    return change.kind == WriteBatch::Kind::kDeleteRange;
  });
}

// Errors: ResourceExhausted.
absl::Status CheckRoom(const std::string& folder, const WriteBatch& batch) {
  struct statvfs disk {};
  if (statvfs(folder.c_str(), &disk) != 0) return absl::OkStatus();  // the write will tell
  const uint64_t size = uint64_t{disk.f_blocks} * disk.f_frsize;
  const uint64_t free = uint64_t{disk.f_bavail} * disk.f_frsize;
  if (free >= std::min(kMostReserve, size / kReservePart) || FreesRoom(batch)) {
    return absl::OkStatus();
  }
  return absl::ResourceExhaustedError(
      "the relay's disk is full: its operator must free some room; try again later");
}

// A value as RocksDB hands it out; a small one may be a block of the cache.
struct PinnedSlice {
  explicit PinnedSlice(std::shared_ptr<rocksdb::Cache> cache_in) : cache(std::move(cache_in)) {}

  const std::shared_ptr<rocksdb::Cache> cache;  // outlives the slice
  rocksdb::PinnableSlice slice;
};

enum class Access : uint8_t { kFull, kRead };

class RocksDbStore : public KeyValueStore {
 public:
  RocksDbStore(std::string folder, Access access, std::shared_ptr<rocksdb::Cache> cache,
               std::unique_ptr<rocksdb::DB> db, std::vector<rocksdb::ColumnFamilyHandle*> families)
      : folder_(std::move(folder)),
        access_(access),
        cache_(std::move(cache)),
        db_(std::move(db)),
        families_(std::move(families)) {}

  ~RocksDbStore() override {
    if (!failed_.ok()) {
      // RocksDB's assertions don't bear that its failed log is written to again, closing included.
      // What was acknowledged is on disk.
      (void)db_.release();
      return;
    }
    for (rocksdb::ColumnFamilyHandle* family : families_) db_->DestroyColumnFamilyHandle(family);
    db_->Close().PermitUncheckedError();
  }

  absl::Status Commit(const WriteBatch& batch, Durability durability) override {
    if (access_ == Access::kRead) {
      return absl::UnavailableError("the store: it was opened to be read only");
    }
    rocksdb::WriteBatch out;
    for (const WriteBatch::Change& change : batch.changes()) {
      absl::Status added = ToStatus(Add(change, out), "preparing a write");
      if (!added.ok()) return added;
    }
    rocksdb::WriteOptions options;
    options.sync = durability == Durability::kSynced;
    {
      std::lock_guard lock(commit_mutex_);
      absl::Status holds = CheckRequirements(batch);
      if (!holds.ok()) return holds;
      if (!failed_.ok()) return failed_;
      absl::Status room = CheckRoom(folder_, batch);
      if (!room.ok()) return room;
      absl::Status written = ToStatus(db_->Write(options, &out), "writing");
      if (!written.ok()) {
        hot_records_.Forget();
        failed_ = absl::Status(written.code(), std::string(written.message()) +
                                                   "; until it is started again, the store can "
                                                   "only be read from");
        return failed_;
      }
      hot_records_.Follow(batch);
    }
    watchers_.Notify(batch);
    return absl::OkStatus();
  }

  absl::StatusOr<std::optional<std::string>> Get(Space space, std::string_view key) const override {
    if (space == Space::kRecords) {
      std::optional<std::string> hot = hot_records_.Find(key);
      if (hot.has_value()) return hot;
    }
    std::string value;
    rocksdb::Status status = db_->Get(OptionsFor(space), Family(space), SliceOf(key), &value);
    if (status.IsNotFound()) return std::optional<std::string>();
    if (!status.ok()) return ToStatus(status, "reading");
    return std::optional<std::string>(std::move(value));
  }

  absl::StatusOr<std::optional<PinnedValue>> GetPinned(Space space,
                                                       std::string_view key) const override {
    auto owner = std::make_shared<PinnedSlice>(cache_);
    rocksdb::Status status =
        db_->Get(OptionsFor(space), Family(space), SliceOf(key), &owner->slice);
    if (status.IsNotFound()) return std::optional<PinnedValue>();
    if (!status.ok()) return ToStatus(status, "reading");
    const std::string_view bytes = owner->slice.ToStringView();
    return std::optional<PinnedValue>({std::move(owner), bytes});
  }

  absl::StatusOr<std::optional<std::string>> GetChecked(Space space,
                                                        std::string_view key) const override {
    rocksdb::ReadOptions options = OptionsFor(space);
    options.verify_checksums = true;
    options.fill_cache = false;
    std::string value;
    rocksdb::Status status = db_->Get(options, Family(space), SliceOf(key), &value);
    if (status.IsNotFound()) return std::optional<std::string>();
    if (!status.ok()) return ToStatus(status, "reading");
    return std::optional<std::string>(std::move(value));
  }

  absl::StatusOr<std::vector<std::string>> CheckFiles() const override {
    std::vector<rocksdb::LiveFileMetaData> files;
    db_->GetLiveFilesMetaData(&files);
    std::vector<std::string> damaged;
    for (const rocksdb::LiveFileMetaData& file : files) {
      const std::string path = file.db_path + file.name;
      rocksdb::Options options;
      options.max_open_files = 16;
      rocksdb::SstFileReader reader(options);
      rocksdb::Status status = reader.Open(path);
      if (status.ok()) status = reader.VerifyChecksum();
      if (!status.ok()) damaged.push_back("the file " + path + " is damaged: " + status.ToString());
    }
    return damaged;
  }

  absl::Status Scan(Space space, std::string_view begin, std::string_view end,
                    const Visitor& visitor) const override {
    const rocksdb::Slice upper = SliceOf(end);
    rocksdb::ReadOptions options = OptionsFor(space);
    options.iterate_upper_bound = &upper;
    std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options, Family(space)));
    for (it->Seek(SliceOf(begin)); it->Valid(); it->Next()) {
      if (!visitor(it->key().ToStringView(), it->value().ToStringView())) break;
    }
    return ToStatus(it->status(), "reading");
  }

  StoreSizes Sizes() const override {
    StoreSizes sizes;
    sizes.record_bytes = SizeOf(Space::kRecords) + SizeOf(Space::kEntries);
    sizes.chunk_bytes = SizeOf(Space::kChunks);
    struct statvfs disk {};
    if (statvfs(folder_.c_str(), &disk) == 0) {
      sizes.free_bytes = uint64_t{disk.f_bavail} * disk.f_frsize;
    }
    return sizes;
  }

  uint64_t Watch(Space space, std::string prefix, WatchCallback callback) override {
    return watchers_.Add(space, std::move(prefix), std::move(callback));
  }
  void Unwatch(uint64_t watch) override { watchers_.Remove(watch); }

 private:
  rocksdb::ColumnFamilyHandle* Family(Space space) const {
    return families_[static_cast<size_t>(space)];
  }

  uint64_t SizeOf(Space space) const {
    uint64_t sum = 0;
    for (const std::string& property :
         {rocksdb::DB::Properties::kTotalSstFilesSize, rocksdb::DB::Properties::kTotalBlobFileSize,
          rocksdb::DB::Properties::kCurSizeAllMemTables}) {
      uint64_t size = 0;
      if (db_->GetIntProperty(Family(space), property, &size)) sum += size;
    }
    return sum;
  }

  rocksdb::Status Add(const WriteBatch::Change& change, rocksdb::WriteBatch& out) const {
    rocksdb::ColumnFamilyHandle* family = Family(change.space);
    switch (change.kind) {
      case WriteBatch::Kind::kPut:
        return out.Put(family, change.key, change.value);
      case WriteBatch::Kind::kDelete:
        return out.Delete(family, change.key);
      case WriteBatch::Kind::kDeleteRange:
        return out.DeleteRange(family, change.key, change.value);
    }
    return rocksdb::Status::InvalidArgument("unknown kind of change");
  }

  static rocksdb::ReadOptions OptionsFor(Space space) {
    rocksdb::ReadOptions options;
    options.verify_checksums = space != Space::kChunks;
    options.fill_cache = space != Space::kChunks;
    return options;
  }

  absl::Status CheckRequirements(const WriteBatch& batch) const {
    for (const WriteBatch::Requirement& required : batch.requirements()) {
      absl::StatusOr<std::optional<std::string>> value = Get(required.space, required.key);
      if (!value.ok()) return value.status();
      if (*value != required.value) return absl::AbortedError("a precondition does not hold");
    }
    return absl::OkStatus();
  }

  const std::string folder_;
  const Access access_;
  const std::shared_ptr<rocksdb::Cache> cache_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
  std::mutex commit_mutex_;  // from the check of the requirements to the end of the write
  absl::Status failed_;      // of the write that failed: no other is tried
  HotRecords hot_records_;
  Watchers watchers_;
};

absl::StatusOr<std::unique_ptr<KeyValueStore>> Open(const std::string& folder, Access access) {
  PrepareRocksDbChecksum();
  std::shared_ptr<rocksdb::Cache> cache = rocksdb::NewLRUCache(32 * kMiB);
  // In the order of Space.
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors = {
      {rocksdb::kDefaultColumnFamilyName, SmallValues(cache)},
      {"chunks", LargeValues(cache)},
      {"entries", Entries(cache)}};
  std::vector<rocksdb::ColumnFamilyHandle*> families;
  rocksdb::DB* db = nullptr;
  rocksdb::Status status =
      access == Access::kFull
          ? rocksdb::DB::Open(DatabaseOptions(), folder, descriptors, &families, &db)
          : rocksdb::DB::OpenForReadOnly(DatabaseOptions(), folder, descriptors, &families, &db);
  if (!status.ok()) return ToStatus(status, ("opening " + folder).c_str());
  return std::make_unique<RocksDbStore>(folder, access, std::move(cache),
                                        std::unique_ptr<rocksdb::DB>(db), std::move(families));
}

}  // namespace

absl::StatusOr<std::unique_ptr<KeyValueStore>> OpenRocksDbStore(const std::string& folder) {
  return Open(folder, Access::kFull);
}

absl::StatusOr<std::unique_ptr<KeyValueStore>> OpenRocksDbStoreForReading(
    const std::string& folder) {
  // RocksDB would make the folder before it finds that nothing is in it.
  std::error_code error;
  if (!std::filesystem::exists(folder + "/CURRENT", error)) {
    return absl::UnavailableError("there is no store in " + folder);
  }
  return Open(folder, Access::kRead);
}

}  // namespace parley::storage
