// Whether a store's files are as they were written.
//
// Threading: a free function.
#ifndef PARLEY_STORAGE_KV_ROCKSDB_CHECK_FILES_H_
#define PARLEY_STORAGE_KV_ROCKSDB_CHECK_FILES_H_

#include <rocksdb/db.h>

#include <vector>

#include "storage/kv/key_value_store.h"

namespace parley::storage {

// Reads all tables, and the heads of all values in the blob files of `families`: what a purge would
// come upon (rocksdb_purge.h), but for values and keys, which KeyValueStore::GetChecked compares.
DamagedFiles CheckRocksDbFiles(rocksdb::DB& db,
                               const std::vector<rocksdb::ColumnFamilyHandle*>& families);

}  // namespace parley::storage

#endif  // PARLEY_STORAGE_KV_ROCKSDB_CHECK_FILES_H_
