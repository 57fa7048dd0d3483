// What is looked at before a store is opened to be written: opening changes a store, adds what it
// lacks and removes the files that its list doesn't name, which must happen to none that another
// version made, or that has lost something.
//
// Threading: a free function.
#ifndef PARLEY_STORAGE_KV_ROCKSDB_LAYOUT_H_
#define PARLEY_STORAGE_KV_ROCKSDB_LAYOUT_H_

#include <string>

#include "absl/status/status.h"

namespace parley::storage {

// Changes nothing. A folder without a store, or with one that was only begun, is fine.
// Errors: FailedPrecondition when another version made it that keeps things elsewhere; DataLoss
// when something is damaged or missing; Unavailable.
absl::Status CheckBeforeOpening(const std::string& folder);

}  // namespace parley::storage

#endif  // PARLEY_STORAGE_KV_ROCKSDB_LAYOUT_H_
