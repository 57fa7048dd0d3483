// What a mailbox's records cost its sponsor.
//
// Threading: free functions without shared state.
#ifndef PARLEY_SERVER_CORE_STORED_SIZE_H_
#define PARLEY_SERVER_CORE_STORED_SIZE_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "server/core/limits.h"
#include "storage/records/records.h"

namespace parley::server {

// The record of one generation.
inline uint64_t StoredSize(const storage::GenerationKeySet& keys, const Limits& limits) {
  return limits.generation_overhead_bytes + keys.append_keys.size() * sizeof(storage::PublicKey);
}

// The records of one entry.
inline uint64_t StoredSize(const std::optional<storage::ClosingRecord>& closing,
                           size_t payload_bytes, const Limits& limits) {
  return payload_bytes + limits.entry_overhead_bytes +
         (closing.has_value() ? StoredSize(closing->next_keys, limits) : 0);
}

}  // namespace parley::server

#endif  // PARLEY_SERVER_CORE_STORED_SIZE_H_
