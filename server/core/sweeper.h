// Forgetting what has expired: mailboxes, blobs, and used vouchers.
//
// Threading: one sweep at a time.
#ifndef PARLEY_SERVER_CORE_SWEEPER_H_
#define PARLEY_SERVER_CORE_SWEEPER_H_

#include <cstddef>

#include "absl/status/statusor.h"
#include "server/core/core.h"

namespace parley::server {

// Deletes up to `most` of the objects whose expiry has come, and returns how many it looked at;
// call again while that is `most`. Not to be called from the queue's thread. Errors: the store's.
absl::StatusOr<size_t> SweepExpired(Core& core, size_t most);

}  // namespace parley::server

#endif  // PARLEY_SERVER_CORE_SWEEPER_H_
