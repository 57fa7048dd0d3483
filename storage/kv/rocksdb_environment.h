// What RocksDB may know and say of its surroundings: it would write the time of its work in seconds
// and the machine's name into each of its files, and keep a log of its own beside them. What the
// relay stores is not to tell more than it must (docs/security.md, "What the relay keeps"), so:
// minutes, no name, no log. What goes wrong comes back as the status of a call.
//
// Threading: safe from any thread.
#ifndef PARLEY_STORAGE_KV_ROCKSDB_ENVIRONMENT_H_
#define PARLEY_STORAGE_KV_ROCKSDB_ENVIRONMENT_H_

#include <rocksdb/options.h>

namespace parley::storage {

// Sets `options` up so. What it refers to stays until the process ends.
void KeepToItself(rocksdb::DBOptions& options);

}  // namespace parley::storage

#endif  // PARLEY_STORAGE_KV_ROCKSDB_ENVIRONMENT_H_
