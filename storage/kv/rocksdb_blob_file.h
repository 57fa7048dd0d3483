// Which keys have a value in one of RocksDB's blob files (db/blob/blob_log_format.h there): RocksDB
// knows where the value of a key lies, but not the other way round.
//
// Threading: free functions.
#ifndef PARLEY_STORAGE_KV_ROCKSDB_BLOB_FILE_H_
#define PARLEY_STORAGE_KV_ROCKSDB_BLOB_FILE_H_

#include <rocksdb/metadata.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace parley::storage {

// Where RocksDB keeps it.
std::string PathOf(const rocksdb::BlobMetaData& file);

// The keys of all values in the file, in its order, those included that nothing leads to any more.
// Reads the records' heads, not their values: a key that is damaged is returned as it stands there.
// `expected`: how many RocksDB's list of files says.
// Errors: DataLoss when the file isn't one, has another number of values, or a head of one that is
// damaged; Unavailable.
absl::StatusOr<std::vector<std::string>> KeysInBlobFile(const std::string& path, uint64_t expected);

// Reads all of the file, and compares each key and value with their checksum. Errors: as above.
absl::Status CheckBlobFile(const std::string& path, uint64_t expected);

}  // namespace parley::storage

#endif  // PARLEY_STORAGE_KV_ROCKSDB_BLOB_FILE_H_
