// Reading a mailbox: what a generation's read key lets one see.
//
// Threading: free functions; any thread, while others append.
#ifndef PARLEY_SERVER_CORE_MAILBOX_LOG_H_
#define PARLEY_SERVER_CORE_MAILBOX_LOG_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "parley/relay/v1/relay.pb.h"
#include "storage/kv/key_value_store.h"
#include "storage/records/records.h"

namespace parley::server {

// The entries of one generation that are there now.
struct LogWindow {
  uint64_t first = 1;       // the first kept position of the generation
  uint64_t last = 0;        // its last so far; first - 1 when it has none
  bool closed = false;      // `last` is the closing entry
  uint64_t first_kept = 1;  // the first position that the mailbox keeps
};

// Errors: NotFound when the mailbox or generation is gone.
absl::StatusOr<LogWindow> LoadWindow(const storage::KeyValueStore& store,
                                     const storage::ObjectId& mailbox, uint64_t generation,
                                     uint64_t now);

struct ReadBounds {
  uint32_t entries;
  uint32_t bytes;  // of payloads and closings; one entry comes in any case
};

// Reads positions `from` to `last` in order, as far as the bounds let it. The caller has checked
// that they are the generation's.
// Errors: NotFound when they were trimmed meanwhile; DataLoss when one is damaged or missing.
absl::Status ReadEntries(const storage::KeyValueStore& store, const storage::ObjectId& mailbox,
                         uint64_t from, uint64_t last, const ReadBounds& bounds,
                         google::protobuf::RepeatedPtrField<relay::v1::Entry>& out);

}  // namespace parley::server

#endif  // PARLEY_SERVER_CORE_MAILBOX_LOG_H_
