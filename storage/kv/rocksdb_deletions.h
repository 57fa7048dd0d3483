// Each of our tables says in its properties for which keys it has marks of deletion, so that a
// purge needs to write anew only what lies there. The marks stand in the table anyway: they go
// together.
//
// Threading: safe from any thread.
#ifndef PARLEY_STORAGE_KV_ROCKSDB_DELETIONS_H_
#define PARLEY_STORAGE_KV_ROCKSDB_DELETIONS_H_

#include <rocksdb/db.h>
#include <rocksdb/table_properties.h>

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/kv/deleted_ranges.h"

namespace parley::storage {

// Writes the property into each table that has marks.
std::shared_ptr<rocksdb::TablePropertiesCollectorFactory> NewDeletionsCollector();

// For which keys the tables of `family` have marks, as far as they are written; in order, none
// touching another. Of a table that an earlier version wrote: all that it has. Errors: Unavailable,
// DataLoss.
absl::StatusOr<std::vector<KeyRange>> DeletedRangesOf(rocksdb::DB& db,
                                                      rocksdb::ColumnFamilyHandle* family);

}  // namespace parley::storage

#endif  // PARLEY_STORAGE_KV_ROCKSDB_DELETIONS_H_
