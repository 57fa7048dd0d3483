#include "storage/kv/rocksdb_check_files.h"

#include <rocksdb/metadata.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_reader.h>

#include <string>

#include "absl/status/status.h"
#include "storage/kv/rocksdb_blob_file.h"

namespace parley::storage {
namespace {

void CheckTables(rocksdb::DB& db, DamagedFiles& found) {
  std::vector<rocksdb::LiveFileMetaData> files;
  db.GetLiveFilesMetaData(&files);
  for (const rocksdb::LiveFileMetaData& file : files) {
    const std::string path = file.db_path + file.name;
    rocksdb::Options options;
    options.max_open_files = 16;
    rocksdb::SstFileReader reader(options);
    rocksdb::Status status = reader.Open(path);
    if (status.ok()) status = reader.VerifyChecksum();
    if (!status.ok()) {
      found.damaged.push_back("the file " + path + " is damaged: " + status.ToString());
    }
  }
}

void CheckBlobFiles(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family, DamagedFiles& found) {
  rocksdb::ColumnFamilyMetaData files;
  db.GetColumnFamilyMetaData(family, &files);
  for (const rocksdb::BlobMetaData& file : files.blob_files) {
    const std::string path = PathOf(file);
    const absl::Status status = KeysInBlobFile(path, file.total_blob_count).status();
    if (absl::IsDataLoss(status)) {
      found.unpurgeable.push_back("the file " + path +
                                  " is damaged where it says which chunks it has: what was "
                                  "deleted stays in it");
    } else if (!status.ok()) {
      found.damaged.emplace_back(status.message());
    }
  }
}

}  // namespace

DamagedFiles CheckRocksDbFiles(rocksdb::DB& db,
                               const std::vector<rocksdb::ColumnFamilyHandle*>& families) {
  DamagedFiles found;
  CheckTables(db, found);
  for (rocksdb::ColumnFamilyHandle* family : families) CheckBlobFiles(db, family, found);
  return found;
}

}  // namespace parley::storage
