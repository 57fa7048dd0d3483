#include "storage/kv/rocksdb_deletions.h"

#include <rocksdb/metadata.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "storage/kv/rocksdb_options.h"

namespace parley::storage {
namespace {

constexpr char kProperty[] = "parley.deleted";

class Collector final : public rocksdb::TablePropertiesCollector {
 public:
  rocksdb::Status AddUserKey(const rocksdb::Slice& key, const rocksdb::Slice& value,
                             rocksdb::EntryType type, rocksdb::SequenceNumber /*sequence*/,
                             uint64_t /*file_size*/) override {
    if (type == rocksdb::kEntryRangeDeletion) {
      deleted_.Add(key.ToStringView(), value.ToStringView());
    } else if (type == rocksdb::kEntryDelete || type == rocksdb::kEntrySingleDelete) {
      deleted_.AddKey(key.ToStringView());
    }
    return rocksdb::Status::OK();
  }
  rocksdb::Status Finish(rocksdb::UserCollectedProperties* properties) override {
    const std::vector<KeyRange> ranges = std::move(deleted_).Take();
    if (!ranges.empty()) (*properties)[kProperty] = SerializeRanges(ranges);
    return rocksdb::Status::OK();
  }
  rocksdb::UserCollectedProperties GetReadableProperties() const override { return {}; }
  const char* Name() const override { return "ParleyDeletions"; }

 private:
  DeletedRanges deleted_;
};

class CollectorFactory final : public rocksdb::TablePropertiesCollectorFactory {
 public:
  rocksdb::TablePropertiesCollector* CreateTablePropertiesCollector(Context /*context*/) override {
    return new Collector();
  }
  const char* Name() const override { return "ParleyDeletions"; }
};

bool HasMarks(const rocksdb::TableProperties& table) {
  return table.num_deletions + table.num_range_deletions != 0;
}

std::optional<std::vector<KeyRange>> RangesOf(const rocksdb::TableProperties& table) {
  const auto found = table.user_collected_properties.find(kProperty);
  if (found == table.user_collected_properties.end()) return std::nullopt;
  return ParseRanges(found->second);
}

std::string NameOf(const std::string& path) { return std::filesystem::path(path).filename(); }

}  // namespace

std::shared_ptr<rocksdb::TablePropertiesCollectorFactory> NewDeletionsCollector() {
  return std::make_shared<CollectorFactory>();
}

absl::StatusOr<std::vector<KeyRange>> DeletedRangesOf(rocksdb::DB& db,
                                                      rocksdb::ColumnFamilyHandle* family) {
  rocksdb::TablePropertiesCollection tables;
  const rocksdb::Status status = db.GetPropertiesOfAllTables(family, &tables);
  if (!status.ok()) return FromRocksDb(status, "looking for what was deleted");
  rocksdb::ColumnFamilyMetaData files;
  db.GetColumnFamilyMetaData(family, &files);
  std::map<std::string, KeyRange> spans;  // by the file's name
  for (const rocksdb::LevelMetaData& level : files.levels) {
    for (const rocksdb::SstFileMetaData& file : level.files) {
      spans[NameOf(file.name)] = {file.smallestkey, file.largestkey + '\0'};
    }
  }
  std::vector<KeyRange> deleted;
  for (const auto& [path, table] : tables) {
    if (!HasMarks(*table)) continue;
    std::optional<std::vector<KeyRange>> ranges = RangesOf(*table);
    if (ranges.has_value()) {
      deleted.insert(deleted.end(), ranges->begin(), ranges->end());
    } else if (const auto span = spans.find(NameOf(path)); span != spans.end()) {
      deleted.push_back(span->second);
    }
  }
  return Merged(std::move(deleted));
}

}  // namespace parley::storage
