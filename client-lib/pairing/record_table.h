// Typed records of the profile: a value by itself, or a table of them with a list of its keys.
//
// Values are structures with Fields() (crypto/base/codec.h), stored behind a version byte, sealed
// by the store.
//
//   const RecordTable<Pairing> table(RecordClass::kKeys, "case/…/pairing");
//   PARLEY_RETURN_IF_ERROR(table.Put(step, key, pairing));
//   PARLEY_ASSIGN_OR_RETURN(std::vector<std::string> keys, table.Keys(step));
//
// Errors: the store's; DataLoss for a record that doesn't parse, FailedPrecondition for one of a
// newer version.
// Threading: as the transactions.
#ifndef PARLEY_CLIENT_LIB_PAIRING_RECORD_TABLE_H_
#define PARLEY_CLIENT_LIB_PAIRING_RECORD_TABLE_H_

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "absl/status/statusor.h"
#include "client-lib/store/id_codec.h"
#include "client-lib/store/profile_store.h"
#include "crypto/base/codec.h"
#include "parley/ids.h"

namespace parley::client {

inline constexpr uint8_t kRecordVersion = 1;

template <typename T>
absl::Status PutRecord(Transaction& step, RecordClass record_class, std::string_view name,
                       const T& value) {
  crypto::Writer writer;
  writer.WriteUint8(kRecordVersion);
  crypto::Encode(writer, value);
  return step.Put(record_class, name, writer.view());
}

template <typename T>
absl::StatusOr<std::optional<T>> GetRecord(const ReadTransaction& step, RecordClass record_class,
                                           std::string_view name) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<crypto::Secret> bytes, step.Get(record_class, name));
  if (!bytes.has_value()) return std::optional<T>();
  crypto::Reader reader(bytes->Reveal());
  uint8_t version = 0;
  std::optional<T> value(std::in_place);
  if (reader.ReadUint8(version).ok() && version > kRecordVersion) {
    return absl::FailedPreconditionError(
        "the profile was used by a newer version of Parley; bring this program up to date");
  }
  if (version != kRecordVersion || !crypto::Decode(reader, *value).ok() ||
      !reader.ExpectEnd().ok()) {
    return absl::DataLossError("a record of the profile is damaged");
  }
  return value;
}

// A list of texts under one name.
struct NameList {
  std::vector<std::string> names;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.names);
  }
};

template <typename T>
class RecordTable {
 public:
  // Records are named "<prefix>/<key>", their list "<prefix>".
  RecordTable(RecordClass record_class, std::string prefix)
      : class_(record_class), prefix_(std::move(prefix)) {}

  absl::StatusOr<std::optional<T>> Get(const ReadTransaction& step, std::string_view key) const {
    return GetRecord<T>(step, class_, NameOf(key));
  }

  absl::Status Put(Transaction& step, std::string_view key, const T& value) const {
    PARLEY_ASSIGN_OR_RETURN(std::vector<std::string> keys, Keys(step));
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
      keys.emplace_back(key);
      PARLEY_RETURN_IF_ERROR(PutRecord(step, RecordClass::kIndex, prefix_, NameList{keys}));
    }
    return PutRecord(step, class_, NameOf(key), value);
  }

  absl::Status Delete(Transaction& step, std::string_view key) const {
    PARLEY_ASSIGN_OR_RETURN(std::vector<std::string> keys, Keys(step));
    const auto found = std::find(keys.begin(), keys.end(), key);
    if (found == keys.end()) return absl::OkStatus();
    keys.erase(found);
    PARLEY_RETURN_IF_ERROR(PutRecord(step, RecordClass::kIndex, prefix_, NameList{keys}));
    return step.Delete(class_, NameOf(key));
  }

  // In the order in which they were first put.
  absl::StatusOr<std::vector<std::string>> Keys(const ReadTransaction& step) const {
    PARLEY_ASSIGN_OR_RETURN(std::optional<NameList> list,
                            GetRecord<NameList>(step, RecordClass::kIndex, prefix_));
    return list.has_value() ? std::move(list->names) : std::vector<std::string>();
  }

  absl::StatusOr<std::vector<T>> All(const ReadTransaction& step) const {
    PARLEY_ASSIGN_OR_RETURN(std::vector<std::string> keys, Keys(step));
    std::vector<T> values;
    for (const std::string& key : keys) {
      PARLEY_ASSIGN_OR_RETURN(std::optional<T> value, Get(step, key));
      if (!value.has_value()) return absl::DataLossError("a record of the profile is missing");
      values.push_back(std::move(*value));
    }
    return values;
  }

 private:
  std::string NameOf(std::string_view key) const { return prefix_ + "/" + std::string(key); }

  RecordClass class_;
  std::string prefix_;
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_PAIRING_RECORD_TABLE_H_
