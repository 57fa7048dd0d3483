#include "storage/kv/rocksdb_purge.h"

#include <rocksdb/metadata.h>
#include <rocksdb/options.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "crypto/base/status_macros.h"
#include "storage/kv/deleted_ranges.h"
#include "storage/kv/rocksdb_blob_file.h"
#include "storage/kv/rocksdb_deletions.h"
#include "storage/kv/rocksdb_options.h"

namespace parley::storage {
namespace {

// So much is written anew before the files that it came from are removed: what a purge needs free.
constexpr uint64_t kBatchBytes = uint64_t{256} << 20;

absl::Status TheRelayEnds() { return absl::CancelledError("the relay is ending"); }

absl::Status MayGoOn(const PurgeTools& tools) {
  return tools.cancelled ? TheRelayEnds() : tools.failure();
}

bool Overlaps(const rocksdb::SstFileMetaData& file, const KeyRange& range) {
  return file.smallestkey < range.end && file.largestkey >= range.begin;
}

// What one step of RocksDB writes at most while it compacts `range`: the files of a level there,
// with those of the next level that these reach over.
uint64_t MostWrittenAtOnce(const rocksdb::ColumnFamilyMetaData& files, const KeyRange& range) {
  uint64_t most = 0;
  for (size_t i = 0; i < files.levels.size(); ++i) {
    KeyRange reached = range;
    uint64_t bytes = 0;
    for (const rocksdb::SstFileMetaData& file : files.levels[i].files) {
      if (!Overlaps(file, range)) continue;
      bytes += file.size;
      reached.begin = std::min(reached.begin, file.smallestkey);
      reached.end = std::max(reached.end, file.largestkey + '\0');
    }
    if (bytes == 0 || i + 1 == files.levels.size()) {
      most = std::max(most, bytes);
      continue;
    }
    for (const rocksdb::SstFileMetaData& file : files.levels[i + 1].files) {
      if (Overlaps(file, reached)) bytes += file.size;
    }
    most = std::max(most, bytes);
  }
  return most;
}

// Ranges that lie in one file of the last level belong together, so that it is written anew once.
std::vector<KeyRange> GroupedByFile(const std::vector<KeyRange>& ranges,
                                    const rocksdb::ColumnFamilyMetaData& files) {
  const rocksdb::LevelMetaData* last = nullptr;
  for (const rocksdb::LevelMetaData& level : files.levels) {
    if (!level.files.empty()) last = &level;
  }
  std::vector<KeyRange> groups;
  // Of level 0, where each file may hold anything, all are taken together anyway.
  const bool are_together = last == nullptr || last->level == 0;
  const auto share_a_file = [&](const KeyRange& a, const KeyRange& b) {
    return are_together ||
           std::any_of(last->files.begin(), last->files.end(),
                       [&](const auto& file) { return Overlaps(file, a) && Overlaps(file, b); });
  };
  for (const KeyRange& range : ranges) {
    if (!groups.empty() && share_a_file(groups.back(), range)) {
      groups.back().end = range.end;
    } else {
      groups.push_back(range);
    }
  }
  return groups;
}

absl::Status Compact(const PurgeTools& tools, rocksdb::ColumnFamilyHandle* family,
                     const KeyRange& range) {
  rocksdb::CompactRangeOptions options;
  options.exclusive_manual_compaction = false;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  options.blob_garbage_collection_policy = rocksdb::BlobGarbageCollectionPolicy::kDisable;
  options.canceled = &tools.cancelled;
  const rocksdb::Slice begin(range.begin);
  const rocksdb::Slice end(range.end);
  const rocksdb::Status status = tools.db.CompactRange(options, family, &begin, &end);
  if (status.IsManualCompactionPaused()) return TheRelayEnds();
  return FromRocksDb(status, "removing what was deleted");
}

// Some of the blob files with values that nothing leads to: as many as may be emptied at once.
std::vector<rocksdb::BlobMetaData> NextFiles(const rocksdb::ColumnFamilyMetaData& files,
                                             uint64_t newest, const std::set<uint64_t>& done,
                                             uint64_t& live_bytes) {
  std::vector<rocksdb::BlobMetaData> next;
  live_bytes = 0;
  for (const rocksdb::BlobMetaData& file : files.blob_files) {
    if (file.garbage_blob_count == 0 || file.blob_file_number > newest) continue;
    if (done.contains(file.blob_file_number)) continue;
    const uint64_t live = file.total_blob_bytes - file.garbage_blob_bytes;
    if (!next.empty() && live_bytes + live > kBatchBytes) break;
    live_bytes += live;
    next.push_back(file);
  }
  return next;
}

bool IsListed(const PurgeTools& tools, rocksdb::ColumnFamilyHandle* family,
              const rocksdb::BlobMetaData& file) {
  rocksdb::ColumnFamilyMetaData files;
  tools.db.GetColumnFamilyMetaData(family, &files);
  return std::any_of(files.blob_files.begin(), files.blob_files.end(), [&](const auto& listed) {
    return listed.blob_file_number == file.blob_file_number;
  });
}

// Writes what is left in the file once more, and extends `span` to where it lies among the keys.
absl::Status WriteAgain(const PurgeTools& tools, const rocksdb::BlobMetaData& file,
                        std::optional<KeyRange>& span) {
  PARLEY_ASSIGN_OR_RETURN(const std::vector<std::string> keys,
                          KeysInBlobFile(PathOf(file), file.total_blob_count));
  for (const std::string& key : keys) {
    PARLEY_RETURN_IF_ERROR(MayGoOn(tools));
    PARLEY_RETURN_IF_ERROR(tools.write_again(key));
    if (!span.has_value()) span = KeyRange{key, key + '\0'};
    span->begin = std::min(span->begin, key);
    span->end = std::max(span->end, key + '\0');
  }
  return absl::OkStatus();
}

// Has RocksDB remove the files that nothing in `span` leads to any more.
absl::Status RemoveEmptied(const PurgeTools& tools, rocksdb::ColumnFamilyHandle* family,
                           const std::optional<KeyRange>& span) {
  PARLEY_RETURN_IF_ERROR(MayGoOn(tools));
  if (!span.has_value()) return absl::OkStatus();
  PARLEY_RETURN_IF_ERROR(
      FromRocksDb(tools.db.Flush(rocksdb::FlushOptions(), family), "removing what was deleted"));
  return Compact(tools, family, *span);
}

// What is left in a file once all its keys were written once more, something leads to by a key that
// the file doesn't have: its own was damaged. Where none is, the file is left to the next purge.
// (What is damaged and was deleted goes with its file.)
absl::Status CheckIfLeft(const PurgeTools& tools, rocksdb::ColumnFamilyHandle* family,
                         const rocksdb::BlobMetaData& file, const std::optional<KeyRange>& span) {
  PARLEY_RETURN_IF_ERROR(MayGoOn(tools));
  if (!IsListed(tools, family, file)) return absl::OkStatus();
  absl::Status status = CheckBlobFile(PathOf(file), file.total_blob_count);
  if (status.ok()) return status;
  // It may be left only for what was deleted meanwhile, and damaged in what nobody needs.
  PARLEY_RETURN_IF_ERROR(RemoveEmptied(tools, family, span));
  PARLEY_RETURN_IF_ERROR(PurgeTables(tools, family));
  return status;
}

}  // namespace

bool EndsPurge(const absl::Status& status) {
  return !absl::IsDataLoss(status) && !absl::IsUnavailable(status);
}

bool HasDeletedIn(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family) {
  uint64_t unused = 0;
  if (db.GetIntProperty(family, rocksdb::DB::Properties::kLiveBlobFileGarbageSize, &unused) &&
      unused != 0) {
    return true;
  }
  const absl::StatusOr<std::vector<KeyRange>> deleted = DeletedRangesOf(db, family);
  return !deleted.ok() || !deleted->empty();
}

absl::Status PurgeTables(const PurgeTools& tools, rocksdb::ColumnFamilyHandle* family) {
  PARLEY_ASSIGN_OR_RETURN(const std::vector<KeyRange> deleted, DeletedRangesOf(tools.db, family));
  rocksdb::ColumnFamilyMetaData files;
  tools.db.GetColumnFamilyMetaData(family, &files);
  for (const KeyRange& range : GroupedByFile(deleted, files)) {
    PARLEY_RETURN_IF_ERROR(MayGoOn(tools));
    tools.db.GetColumnFamilyMetaData(family, &files);
    PARLEY_RETURN_IF_ERROR(tools.check_room(MostWrittenAtOnce(files, range)));
    PARLEY_RETURN_IF_ERROR(Compact(tools, family, range));
  }
  return absl::OkStatus();
}

absl::Status PurgeBlobFiles(const PurgeTools& tools, rocksdb::ColumnFamilyHandle* family) {
  rocksdb::ColumnFamilyMetaData files;
  tools.db.GetColumnFamilyMetaData(family, &files);
  if (files.blob_files.empty()) return absl::OkStatus();
  uint64_t newest = 0;  // what is deleted meanwhile is the next purge's
  for (const rocksdb::BlobMetaData& file : files.blob_files) {
    newest = std::max(newest, file.blob_file_number);
  }
  std::set<uint64_t> done;
  absl::Status damage;
  while (true) {
    uint64_t live_bytes = 0;
    const auto next = NextFiles(files, newest, done, live_bytes);
    if (next.empty()) return damage;
    for (const rocksdb::BlobMetaData& file : next) done.insert(file.blob_file_number);
    PARLEY_RETURN_IF_ERROR(tools.check_room(live_bytes));
    // One that can't be emptied keeps none of the others, as long as these can be written.
    const auto note = [&](const rocksdb::BlobMetaData& file,
                          const absl::Status& status) -> absl::Status {
      if (status.ok() || EndsPurge(status)) return status;
      PARLEY_RETURN_IF_ERROR(MayGoOn(tools));
      if (IsListed(tools, family, file)) damage.Update(status);  // else it is no loss
      return absl::OkStatus();
    };
    std::optional<KeyRange> span;
    std::vector<rocksdb::BlobMetaData> emptied;
    for (const rocksdb::BlobMetaData& file : next) {
      const absl::Status status = WriteAgain(tools, file, span);
      PARLEY_RETURN_IF_ERROR(note(file, status));
      if (status.ok()) emptied.push_back(file);
    }
    PARLEY_RETURN_IF_ERROR(RemoveEmptied(tools, family, span));
    for (const rocksdb::BlobMetaData& file : emptied) {
      PARLEY_RETURN_IF_ERROR(note(file, CheckIfLeft(tools, family, file, span)));
    }
    tools.db.GetColumnFamilyMetaData(family, &files);
  }
}

}  // namespace parley::storage
