// Reading and writing records in one view of a profile.
#include <utility>

#include "client-lib/store/profile_store.h"
#include "client-lib/store/store_core.h"
#include "crypto/base/check.h"
#include "crypto/base/status_macros.h"

namespace parley::client {

using crypto::Bytes;
using crypto::ByteView;
using crypto::Secret;
using internal::Connection;
using internal::DamagedProfile;
using Query = internal::Connection::Query;

ReadTransaction::ReadTransaction(internal::StoreCore* core, std::unique_ptr<Connection> connection)
    : core_(core), connection_(std::move(connection)) {}

ReadTransaction::ReadTransaction(ReadTransaction&&) noexcept = default;

ReadTransaction::~ReadTransaction() {
  if (connection_ != nullptr) core_->GiveBack(std::move(connection_));
}

absl::StatusOr<std::optional<Secret>> ReadTransaction::Get(RecordClass record_class,
                                                           std::string_view name) const {
  PARLEY_CHECK(connection_ != nullptr);
  const Bytes key = core_->keys().RecordKey(record_class, name);
  std::optional<Secret> value;
  PARLEY_RETURN_IF_ERROR(connection_->Fetch(Query::kGet, key, [&](ByteView sealed) {
    absl::StatusOr<Secret> opened = core_->keys().OpenValue(record_class, key, sealed);
    if (!opened.ok()) return DamagedProfile(core_->dir(), "a record can't be opened");
    value = std::move(*opened);
    return absl::OkStatus();
  }));
  return value;
}

absl::StatusOr<bool> ReadTransaction::Has(RecordClass record_class, std::string_view name) const {
  PARLEY_CHECK(connection_ != nullptr);
  bool found = false;
  PARLEY_RETURN_IF_ERROR(
      connection_->Fetch(Query::kHas, core_->keys().RecordKey(record_class, name), [&](ByteView) {
        found = true;
        return absl::OkStatus();
      }));
  return found;
}

absl::Status ReadTransaction::ForEachValue(
    const std::function<absl::Status(const Secret& value)>& visit) const {
  PARLEY_CHECK(connection_ != nullptr);
  return connection_->Each("SELECT name, value FROM record", [&](ByteView key, ByteView sealed) {
    absl::StatusOr<Secret> opened = core_->keys().OpenAnyValue(key, sealed);
    if (!opened.ok()) return DamagedProfile(core_->dir(), "a record can't be opened");
    return visit(*opened);
  });
}

Transaction::~Transaction() {
  if (connection_ == nullptr) return;
  core_->GiveBack(std::move(connection_));
  core_->UnlockForWriting();
}

absl::Status Transaction::Put(RecordClass record_class, std::string_view name, ByteView value) {
  PARLEY_CHECK(connection_ != nullptr);
  const Bytes key = core_->keys().RecordKey(record_class, name);
  core_->CountPut(value.size());
  return connection_->Run(Query::kPut, key, core_->keys().SealValue(record_class, key, value));
}

absl::Status Transaction::Put(RecordClass record_class, std::string_view name,
                              const Secret& value) {
  return Put(record_class, name, value.Reveal());
}

absl::Status Transaction::Delete(RecordClass record_class, std::string_view name) {
  PARLEY_CHECK(connection_ != nullptr);
  core_->CountDelete();
  return connection_->Run(Query::kDelete, core_->keys().RecordKey(record_class, name));
}

absl::Status Transaction::Commit() {
  PARLEY_CHECK(connection_ != nullptr);
  // After a failed statement SQLite may have rolled everything back by itself.
  absl::Status status = connection_->in_transaction()
                            ? connection_->Run(Query::kCommit)
                            : absl::AbortedError("the transaction had failed before");
  core_->GiveBack(std::move(connection_));
  core_->UnlockForWriting();
  return status;
}

}  // namespace parley::client
