#include "storage/kv/rocksdb_options.h"

#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

#include <optional>
#include <string>

#include "storage/kv/rocksdb_deletions.h"
#include "storage/kv/rocksdb_environment.h"

namespace parley::storage {
namespace {

rocksdb::ColumnFamilyOptions SmallValues(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions options;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  // In pieces, of which a read needs one: as a whole, a large table's filter has more than a
  // megabyte, which the cache has no room for, so that each append to a large store would read it.
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.partition_filters = true;
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
  options.table_properties_collector_factories.push_back(NewDeletionsCollector());
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
  // RocksDB's own goes by the age of a file alone: with every few documents that come it would
  // write a quarter of all that there are anew, though nothing was deleted. rocksdb_purge.h does
  // it.
  options.enable_blob_garbage_collection = false;
  options.write_buffer_size = 32 * kMiB;
  options.max_write_buffer_number = 3;
  return options;
}

// The file that a status says isn't there. RocksDB looks for a table under an older name last.
std::optional<std::string> MissingFile(const rocksdb::Status& status) {
  const std::string text = status.ToString();
  const size_t end = text.rfind(": No such file or directory");  // also said at the beginning
  if (end == std::string::npos) return std::nullopt;
  const size_t slash = text.rfind('/', end);
  if (slash == std::string::npos) return std::nullopt;
  std::string name = text.substr(slash + 1, end - slash - 1);
  constexpr char kOlder[] = ".ldb";
  if (name.ends_with(kOlder)) name.replace(name.size() - (sizeof(kOlder) - 1), name.npos, ".sst");
  return name;
}

}  // namespace

absl::Status FromRocksDb(const rocksdb::Status& status, const char* what) {
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

absl::Status FromOpening(const rocksdb::Status& status, const std::string& folder) {
  const std::string what = "opening " + folder;
  const bool is_missing = status.IsPathNotFound() || status.IsNotFound();
  if (!is_missing && !status.IsCorruption()) return FromRocksDb(status, what.c_str());
  const std::optional<std::string> name = MissingFile(status);
  if (!name.has_value() && !is_missing) return FromRocksDb(status, what.c_str());
  const std::string lost = name.has_value() ? "the file " + *name + " is missing"
                                            : "a file is missing: " + status.ToString();
  return absl::DataLossError("the store: " + what + ": " + lost +
                             "; restore the folder from a backup");
}

rocksdb::DBOptions StoreOptions() {
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.paranoid_checks = true;
  // A record cut short at the log's end was never acknowledged; anything else that is damaged must
  // not shorten the log silently.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  // That a log is there and as long as it was, RocksDB's list of files says of all but the last;
  // of that one synced_mark.h.
  options.track_and_verify_wals_in_manifest = true;
  options.max_total_wal_size = 128 * kMiB;
  // Write-back starts early, so that a sync after a long upload doesn't wait for all of it.
  options.wal_bytes_per_sync = kMiB;
  options.bytes_per_sync = kMiB;
  options.max_open_files = 512;
  // Of four, three may merge: a purge has one of them for as long as it takes, and appends must not
  // wait for it when they need another.
  options.max_background_jobs = 4;
  options.stats_dump_period_sec = 0;
  KeepToItself(options);
  return options;
}

std::vector<rocksdb::ColumnFamilyDescriptor> StoreFamilies(
    const std::shared_ptr<rocksdb::Cache>& cache) {
  return {{rocksdb::kDefaultColumnFamilyName, SmallValues(cache)},
          {"chunks", LargeValues(cache)},
          {"entries", Entries(cache)}};
}

// Each part of the cache has room for some hundred blocks.
std::shared_ptr<rocksdb::Cache> NewStoreCache() {
  constexpr int kPartBits = 4;
  return rocksdb::NewLRUCache(32 * kMiB, kPartBits);
}

}  // namespace parley::storage
