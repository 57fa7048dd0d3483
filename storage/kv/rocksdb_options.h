// How our stores on RocksDB are set up; for the files here that include RocksDB.
//
// Threading: free functions.
#ifndef PARLEY_STORAGE_KV_ROCKSDB_OPTIONS_H_
#define PARLEY_STORAGE_KV_ROCKSDB_OPTIONS_H_

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace parley::storage {

inline constexpr size_t kMiB = size_t{1} << 20;

// `what`: what was being done, like "reading". ResourceExhausted for a full disk, DataLoss for
// damage, else Unavailable.
absl::Status FromRocksDb(const rocksdb::Status& status, const char* what);
// Of opening the store in `folder`, where a file that is missing is damage, too.
absl::Status FromOpening(const rocksdb::Status& status, const std::string& folder);

rocksdb::DBOptions StoreOptions();

// In the order of Space.
std::vector<rocksdb::ColumnFamilyDescriptor> StoreFamilies(
    const std::shared_ptr<rocksdb::Cache>& cache);

std::shared_ptr<rocksdb::Cache> NewStoreCache();

}  // namespace parley::storage

#endif  // PARLEY_STORAGE_KV_ROCKSDB_OPTIONS_H_
