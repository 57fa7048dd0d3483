#include "storage/kv/rocksdb_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "crypto/base/status_macros.h"
#include "storage/kv/hot_records.h"
#include "storage/kv/rocksdb_check_files.h"
#include "storage/kv/rocksdb_checksum.h"
#include "storage/kv/rocksdb_layout.h"
#include "storage/kv/rocksdb_list_keeper.h"
#include "storage/kv/rocksdb_options.h"
#include "storage/kv/rocksdb_purge.h"
#include "storage/kv/synced_mark.h"
#include "storage/kv/watchers.h"

namespace parley::storage {
namespace {

rocksdb::Slice SliceOf(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

// What writes leave free on the disk, for RocksDB's own work behind them: it writes what memory
// holds to new files (up to three buffers of 32 MiB, three of 16 and four of 4) and merges old
// ones, and a disk that is full in the middle of that can't be gone on from.
constexpr uint64_t kMostReserve = 512 * kMiB;
constexpr uint64_t kReservePart = 4;  // of a small disk: a quarter

absl::Status NotAsRequired() { return absl::AbortedError("a precondition does not hold"); }

bool FreesRoom(const WriteBatch& batch) {
  return std::any_of(batch.changes().begin(), batch.changes().end(), [](const auto& change) {
    return change.kind == WriteBatch::Kind::kDeleteRange;
  });
}

bool Deletes(const WriteBatch& batch) {
  return std::any_of(batch.changes().begin(), batch.changes().end(),
                     [](const auto& change) { return change.kind != WriteBatch::Kind::kPut; });
}

bool Changes(const WriteBatch& batch, Space space, const std::string& key) {
  return std::any_of(batch.changes().begin(), batch.changes().end(), [&](const auto& change) {
    if (change.space != space) return false;
    if (change.kind != WriteBatch::Kind::kDeleteRange) return change.key == key;
    return change.key <= key && key < change.value;
  });
}

uint64_t ReserveOf(const DiskRoom& disk) {
  return std::min(kMostReserve, disk.size / kReservePart);
}

constexpr std::chrono::milliseconds kPauseForMemory{20};
constexpr int kMostPauses = 1500;  // half a minute, in which a slow disk has written 32 MiB

std::string MiBText(uint64_t bytes) { return std::to_string(bytes / kMiB) + " MiB"; }

// A value as RocksDB hands it out; a small one may be a block of the cache.
struct PinnedSlice {
  explicit PinnedSlice(std::shared_ptr<rocksdb::Cache> cache_in) : cache(std::move(cache_in)) {}

  const std::shared_ptr<rocksdb::Cache> cache;  // outlives the slice
  rocksdb::PinnableSlice slice;
};

enum class Access : uint8_t { kFull, kRead };

class RocksDbStore : public FolderStore {
 public:
  RocksDbStore(std::string folder, Access access, AskDisk ask,
               std::shared_ptr<rocksdb::Cache> cache, std::unique_ptr<rocksdb::DB> db,
               std::vector<rocksdb::ColumnFamilyHandle*> families, ListKeeper& keeper)
      : folder_(std::move(folder)),
        access_(access),
        ask_disk_(std::move(ask)),
        cache_(std::move(cache)),
        db_(std::move(db)),
        families_(std::move(families)) {
    if (access_ == Access::kRead) return;
    mark_ = std::make_shared<SyncedMark>(folder_);
    mark_->Set(db_->GetLatestSequenceNumber());  // opening has written all of it to tables
    keeper.Begin(mark_);
  }

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
      absl::Status added = FromRocksDb(Add(change, out), "preparing a write");
      if (!added.ok()) return added;
    }
    rocksdb::WriteOptions options;
    options.sync = durability == Durability::kSynced;
    {
      std::lock_guard lock(commit_mutex_);
      absl::Status holds = CheckRequirements(batch);
      if (!holds.ok()) return holds;
      if (!failed_.ok()) return failed_;
      absl::Status room = FreesRoom(batch) ? absl::OkStatus() : CheckRoom();
      if (!room.ok()) return room;
      absl::Status written = FromRocksDb(db_->Write(options, &out), "writing");
      if (!written.ok()) {
        hot_records_.Forget();
        failed_ = absl::Status(written.code(), std::string(written.message()) +
                                                   "; until it is started again, the store can "
                                                   "only be read from");
        return failed_;
      }
      // An empty one has no number of its own.
      if (options.sync && out.Count() != 0) mark_->Set(db_->GetLatestSequenceNumber());
      hot_records_.Follow(batch);
      if (rewritten_.has_value() && Changes(batch, rewritten_->space, rewritten_->key)) {
        rewritten_->is_changed = true;
      }
      if (Deletes(batch)) deleted_in_memory_ = true;
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
    if (!status.ok()) return FromRocksDb(status, "reading");
    return std::optional<std::string>(std::move(value));
  }

  absl::StatusOr<std::optional<PinnedValue>> GetPinned(Space space,
                                                       std::string_view key) const override {
    auto owner = std::make_shared<PinnedSlice>(cache_);
    rocksdb::Status status =
        db_->Get(OptionsFor(space), Family(space), SliceOf(key), &owner->slice);
    if (status.IsNotFound()) return std::optional<PinnedValue>();
    if (!status.ok()) return FromRocksDb(status, "reading");
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
    if (!status.ok()) return FromRocksDb(status, "reading");
    return std::optional<std::string>(std::move(value));
  }

  absl::StatusOr<DamagedFiles> CheckFiles() const override {
    return CheckRocksDbFiles(*db_, families_);
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
    return FromRocksDb(it->status(), "reading");
  }

  StoreSizes Sizes() const override {
    StoreSizes sizes;
    sizes.record_bytes = SizeOf(Space::kRecords) + SizeOf(Space::kEntries);
    sizes.chunk_bytes = SizeOf(Space::kChunks);
    const std::optional<DiskRoom> disk = ask_disk_(folder_);
    if (disk.has_value()) sizes.free_bytes = disk->free;
    return sizes;
  }

  absl::Status MakeCheckpoint(const std::string& folder) override {
    absl::Status ready = ReadyForLargeWork();
    if (!ready.ok()) return ready;
    rocksdb::Checkpoint* made = nullptr;
    rocksdb::Status status = rocksdb::Checkpoint::Create(db_.get(), &made);
    const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
    // What memory holds is written to tables first, so that the next checkpoint shares them.
    if (status.ok()) status = checkpoint->CreateCheckpoint(folder, 0);
    return FromRocksDb(status, ("copying to " + folder).c_str());
  }

  absl::Status Purge() override {
    std::lock_guard one_at_a_time(purge_mutex_);
    absl::Status ready = ReadyForLargeWork();
    if (!ready.ok()) return ready;
    ForgetUnwritten();
    // Tables first, after which RocksDB deletes the write-ahead log that what is in them came from.
    deleted_in_memory_ = false;
    ready =
        FromRocksDb(db_->Flush(rocksdb::FlushOptions(), families_), "removing what was deleted");
    if (!ready.ok()) deleted_in_memory_ = true;
    PARLEY_RETURN_IF_ERROR(ready);
    absl::Status damage;  // what keeps one part keeps none of the others
    for (const Space space : SmallestFirst()) {
      if (!HasDeletedIn(*db_, Family(space))) continue;
      const PurgeTools tools{
          .db = *db_,
          .cancelled = purge_cancelled_,
          .check_room = [this](uint64_t bytes) { return CheckRoomToRewrite(bytes); },
          .write_again = [this, space](const auto& key) { return WriteAgain(space, key); },
          .failure = [this] { return Failure(); }};
      absl::Status status = PurgeTables(tools, Family(space));
      if (status.ok()) status = PurgeBlobFiles(tools, Family(space));
      if (!status.ok() && EndsPurge(status)) return status;
      PARLEY_RETURN_IF_ERROR(Failure());
      damage.Update(status);
    }
    return damage;
  }

  bool HasDeleted() const override {
    return deleted_in_memory_ ||
           std::any_of(families_.begin(), families_.end(),
                       [this](auto* family) { return HasDeletedIn(*db_, family); });
  }

  void CancelPurge() override { purge_cancelled_ = true; }

  uint64_t Watch(Space space, std::string prefix, WatchCallback callback) override {
    return watchers_.Add(space, std::move(prefix), std::move(callback));
  }
  void Unwatch(uint64_t watch) override { watchers_.Remove(watch); }

 private:
  rocksdb::ColumnFamilyHandle* Family(Space space) const {
    return families_[static_cast<size_t>(space)];
  }

  // Errors: ResourceExhausted.
  absl::Status CheckRoom() const {
    const std::optional<DiskRoom> disk = ask_disk_(folder_);
    if (!disk.has_value()) return absl::OkStatus();  // the write will tell
    if (disk->free >= ReserveOf(*disk)) return absl::OkStatus();
    return absl::ResourceExhaustedError(
        "the relay's disk is full: its operator must free some room; try again later");
  }

  // Whether so much can be written before what it replaces is removed. Errors: ResourceExhausted.
  absl::Status CheckRoomToRewrite(uint64_t bytes) const {
    const std::optional<DiskRoom> disk = ask_disk_(folder_);
    if (!disk.has_value()) return absl::OkStatus();
    const uint64_t needed = bytes + ReserveOf(*disk);
    if (disk->free >= needed) return absl::OkStatus();
    return absl::ResourceExhaustedError("to write files of the store anew, " +
                                        MiBText(needed + kMiB) + " must be free on the disk of " +
                                        folder_ + ", and " + MiBText(disk->free) +
                                        " are: free some room, then run \"parley-relay purge\"");
  }

  // For the purge. The log needn't have it: after a crash the value is where it was before. It is
  // read without the lock, and so is the wait for memory when that is full: commits wait for no
  // more than the value's copy in memory. One that was changed meanwhile lies in a new place
  // anyway.
  absl::Status WriteAgain(Space space, const std::string& key) {
    WaitForTheWriting(space);
    PARLEY_RETURN_IF_ERROR(Failure());
    {
      std::lock_guard lock(commit_mutex_);
      rewritten_ = Rewritten{space, key};
    }
    const absl::StatusOr<std::optional<std::string>> value = GetChecked(space, key);
    absl::Status status = value.status();
    if (value.ok() && value->has_value()) status = PutUnlessChanged(space, key, **value);
    std::lock_guard lock(commit_mutex_);
    rewritten_.reset();
    return status;
  }

  absl::Status PutUnlessChanged(Space space, const std::string& key, const std::string& value) {
    rocksdb::WriteOptions options;
    options.disableWAL = true;
    options.no_slowdown = true;
    while (true) {
      {
        std::lock_guard lock(commit_mutex_);
        if (!failed_.ok()) return failed_;
        if (rewritten_->is_changed) return absl::OkStatus();
        const rocksdb::Status status = db_->Put(options, Family(space), key, value);
        if (status.ok()) return absl::OkStatus();
        if (!status.IsIncomplete()) {
          unwritten_ = FromRocksDb(status, "removing what was deleted");
          return unwritten_;
        }
      }
      if (purge_cancelled_) return absl::CancelledError("the relay is ending");
      std::this_thread::sleep_for(kPauseForMemory);
    }
  }

  // Until what memory holds of `space` goes to one buffer, the others being on disk: a purge that
  // filled all of them would have RocksDB stop every write until one is free. Not for longer than a
  // disk may need: when the writing has failed, the next write says so.
  void WaitForTheWriting(Space space) const {
    for (int pauses = 0; pauses < kMostPauses && !purge_cancelled_ && Failure().ok(); ++pauses) {
      uint64_t waiting = 0;
      const bool is_known = db_->GetIntProperty(
          Family(space), rocksdb::DB::Properties::kNumImmutableMemTable, &waiting);
      if (!is_known || waiting == 0) return;
      std::this_thread::sleep_for(kPauseForMemory);
    }
  }

  // Why nothing more can be written: of the commit that failed, or of the purge's own write.
  absl::Status Failure() const {
    std::lock_guard lock(commit_mutex_);
    return failed_.ok() ? unwritten_ : failed_;
  }

  void ForgetUnwritten() {
    std::lock_guard lock(commit_mutex_);
    unwritten_ = absl::OkStatus();
  }

  std::vector<Space> SmallestFirst() const {
    std::vector<Space> spaces = {Space::kRecords, Space::kChunks, Space::kEntries};
    std::sort(spaces.begin(), spaces.end(),
              [this](Space a, Space b) { return SizeOf(a) < SizeOf(b); });
    return spaces;
  }

  // Whether the engine can take work that writes much. Errors: ResourceExhausted, or of the commit
  // that failed.
  absl::Status ReadyForLargeWork() {
    if (access_ == Access::kRead) {
      return absl::UnavailableError("the store: it was opened to be read only");
    }
    std::lock_guard lock(commit_mutex_);
    if (!failed_.ok()) return failed_;
    return CheckRoom();
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
      const std::optional<bool> hot = required.space == Space::kRecords
                                          ? hot_records_.Is(required.key, required.value)
                                          : std::nullopt;
      if (hot == true) continue;
      if (hot == false) return NotAsRequired();
      absl::StatusOr<std::optional<std::string>> value = Get(required.space, required.key);
      if (!value.ok()) return value.status();
      if (*value != required.value) return NotAsRequired();
    }
    return absl::OkStatus();
  }

  // What a purge writes once more now.
  struct Rewritten {
    Space space;
    std::string key;
    bool is_changed = false;  // by a commit since
  };

  const std::string folder_;
  const Access access_;
  const AskDisk ask_disk_;
  const std::shared_ptr<rocksdb::Cache> cache_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
  mutable std::mutex commit_mutex_;   // from the check of the requirements to the end of the write
  std::shared_ptr<SyncedMark> mark_;  // of a store that is written to
  absl::Status failed_;               // of the write that failed: no other is tried
  absl::Status unwritten_;            // what the purge couldn't write; under commit_mutex_
  std::optional<Rewritten> rewritten_;  // under commit_mutex_
  std::mutex purge_mutex_;              // held by a purge
  std::atomic<bool> purge_cancelled_ = false;
  std::atomic<bool> deleted_in_memory_ = false;  // since the last purge; the tables say the rest
  HotRecords hot_records_;
  Watchers watchers_;
};

absl::StatusOr<std::unique_ptr<FolderStore>> Open(const std::string& folder, Access access,
                                                  AskDisk ask) {
  PrepareRocksDbChecksum();
  PARLEY_RETURN_IF_ERROR(CheckBeforeOpening(folder));
  std::shared_ptr<rocksdb::Cache> cache = NewStoreCache();
  std::vector<rocksdb::ColumnFamilyHandle*> families;
  rocksdb::DB* db = nullptr;
  const auto keeper = std::make_shared<ListKeeper>(folder);
  rocksdb::DBOptions options = StoreOptions();
  options.listeners.push_back(keeper);
  rocksdb::Status status =
      access == Access::kFull
          ? rocksdb::DB::Open(options, folder, StoreFamilies(cache), &families, &db)
          : rocksdb::DB::OpenForReadOnly(StoreOptions(), folder, StoreFamilies(cache), &families,
                                         &db);
  if (!status.ok()) return FromOpening(status, folder);
  return std::make_unique<RocksDbStore>(folder, access, std::move(ask), std::move(cache),
                                        std::unique_ptr<rocksdb::DB>(db), std::move(families),
                                        *keeper);
}

}  // namespace

std::optional<DiskRoom> AskSystemForRoom(const std::string& folder) {
  struct statvfs disk {};
  if (statvfs(folder.c_str(), &disk) != 0) return std::nullopt;
  return DiskRoom{uint64_t{disk.f_blocks} * disk.f_frsize, uint64_t{disk.f_bavail} * disk.f_frsize};
}

absl::StatusOr<std::unique_ptr<FolderStore>> OpenRocksDbStore(const std::string& folder,
                                                              AskDisk ask) {
  return Open(folder, Access::kFull, std::move(ask));
}

absl::StatusOr<std::unique_ptr<KeyValueStore>> OpenRocksDbStoreForReading(
    const std::string& folder) {
  // RocksDB would make the folder before it finds that nothing is in it.
  std::error_code error;
  if (!std::filesystem::exists(folder + "/CURRENT", error)) {
    return absl::UnavailableError("there is no store in " + folder);
  }
  return Open(folder, Access::kRead, AskSystemForRoom);
}

}  // namespace parley::storage
