// Reading typed records straight from the store, outside of a transaction.
//
// Threading: free functions without shared state.
#ifndef PARLEY_SERVER_CORE_STORED_RECORDS_H_
#define PARLEY_SERVER_CORE_STORED_RECORDS_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "storage/kv/key_value_store.h"
#include "storage/records/records.h"

namespace parley::server {

// The record at `key`, or nullopt. Errors: DataLoss, Unavailable.
template <typename T>
absl::StatusOr<std::optional<T>> GetRecord(const storage::KeyValueStore& store,
                                           const std::string& key) {
  absl::StatusOr<std::optional<std::string>> value = store.Get(storage::Space::kRecords, key);
  if (!value.ok()) return value.status();
  if (!value->has_value()) return std::optional<T>();
  absl::StatusOr<T> record = storage::ParseRecord<T>(**value);
  if (!record.ok()) return record.status();
  return std::optional<T>(std::move(record).value());
}

// Whether an object with this expiry (0: never) is to be treated as gone.
inline bool IsExpired(uint64_t expires_at, uint64_t now) {
  return expires_at != 0 && expires_at <= now;
}

}  // namespace parley::server

#endif  // PARLEY_SERVER_CORE_STORED_RECORDS_H_
