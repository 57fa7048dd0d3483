// Takes what was deleted out of a store's files, writing anew no more than lies beside it: of the
// tables those that have a mark of deletion or what it is for, of the blob files those in which a
// value is that nothing leads to any more.
//
// RocksDB's own collection of garbage goes by the age of a blob file alone: to empty one file it
// would write all older ones anew, and for the youngest the whole store. So the values that are
// left in a file are written once more, which leaves that file without any, and RocksDB removes it.
//
// Threading: one purge at a time; commits go on meanwhile.
#ifndef PARLEY_STORAGE_KV_ROCKSDB_PURGE_H_
#define PARLEY_STORAGE_KV_ROCKSDB_PURGE_H_

#include <rocksdb/db.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"

namespace parley::storage {

struct PurgeTools {
  rocksdb::DB& db;
  std::atomic<bool>& cancelled;
  // ResourceExhausted when so much can't be written beside what there is.
  std::function<absl::Status(uint64_t bytes)> check_room;
  // Writes the value at a key once more, as it is, by a change that needn't survive a crash;
  // nothing when there is none.
  std::function<absl::Status(const std::string& key)> write_again;
  // Why nothing more can be written: nothing is read for that either.
  std::function<absl::Status()> failure;
};

// Whether that is about more than what couldn't be read, so that no other file can be purged
// either: the relay is ending, or the disk is full. (Of what can't be written `failure` says so.)
bool EndsPurge(const absl::Status& status);

// Whether the files have marks of deletion, or values that nothing leads to any more.
bool HasDeletedIn(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family);

// Of the tables, once memory is written to them. Errors: Cancelled; ResourceExhausted, DataLoss,
// Unavailable; what `failure` says, at once.
absl::Status PurgeTables(const PurgeTools& tools, rocksdb::ColumnFamilyHandle* family);

// Of the blob files, once the tables are purged. Errors: as above; DataLoss also when a key in one
// of them is damaged that something leads to. What is wrong with one file keeps none of the others:
// they are purged before the first such error is returned.
absl::Status PurgeBlobFiles(const PurgeTools& tools, rocksdb::ColumnFamilyHandle* family);

}  // namespace parley::storage

#endif  // PARLEY_STORAGE_KV_ROCKSDB_PURGE_H_
