// A group of steps that becomes one batch: each step sees what those before it wrote, and one that
// fails leaves nothing behind.
//
// Load() guards what it reads: the commit happens only if it is unchanged by then. Peek() doesn't,
// for records that can't change without a guarded one changing too (an entry or a generation never
// changes without its mailbox).
//
// Threading: belongs to one thread.
#ifndef PARLEY_SERVER_CORE_TRANSACTION_H_
#define PARLEY_SERVER_CORE_TRANSACTION_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/kv/key_value_store.h"
#include "storage/records/records.h"

namespace parley::server {

class Transaction {
 public:
  explicit Transaction(const storage::KeyValueStore& store) : store_(store) {}
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // The value of a record, or nullopt. Errors: those of KeyValueStore::Get.
  absl::StatusOr<std::optional<std::string>> Load(const std::string& key);
  absl::StatusOr<std::optional<std::string>> Peek(const std::string& key);

  // The same, parsed. Errors: DataLoss too.
  template <typename T>
  absl::StatusOr<std::optional<T>> LoadRecord(const std::string& key) {
    absl::StatusOr<const std::optional<std::string>*> value = Guarded(key);
    if (!value.ok()) return value.status();
    return Parsed<T>(**value);
  }
  template <typename T>
  absl::StatusOr<std::optional<T>> PeekRecord(const std::string& key) {
    absl::StatusOr<std::optional<std::string>> value = Peek(key);
    if (!value.ok()) return value.status();
    return Parsed<T>(*value);
  }

  void Put(std::string key, std::string value);
  void Delete(std::string key);
  void DeletePrefix(const std::string& prefix);

  // Ends a step: what it wrote becomes part of the group, or is forgotten.
  void KeepStep();
  void DiscardStep();

  bool has_changes() const { return !group_.values.empty() || !group_.ranges.empty(); }
  // The group as one batch, with a requirement for each guarded record.
  storage::WriteBatch TakeBatch();

 private:
  struct Range {
    std::string begin;
    std::string end;
  };
  // Ranges are deleted first; then the values are written (nullopt: deleted).
  struct Writes {
    std::unordered_map<std::string, std::optional<std::string>> values;
    std::vector<Range> ranges;
    // Whether `key` is decided here, and how.
    const std::optional<std::string>* Find(const std::string& key) const;
  };

  // What Load() returns, where this has it: valid until the next change.
  absl::StatusOr<const std::optional<std::string>*> Guarded(const std::string& key);

  template <typename T>
  static absl::StatusOr<std::optional<T>> Parsed(const std::optional<std::string>& value) {
    if (!value.has_value()) return std::optional<T>();
    absl::StatusOr<T> record = storage::ParseRecord<T>(*value);
    if (!record.ok()) return record.status();
    return std::optional<T>(std::move(record).value());
  }

  const storage::KeyValueStore& store_;
  Writes group_;
  Writes step_;
  std::unordered_map<std::string, std::optional<std::string>> guarded_;
};

}  // namespace parley::server

#endif  // PARLEY_SERVER_CORE_TRANSACTION_H_
