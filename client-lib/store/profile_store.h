// A profile's records: sealed values in one SQLite file, under names that mean nothing without the
// key (docs/protocol.md section 8).
//
//   PARLEY_ASSIGN_OR_RETURN(std::unique_ptr<ProfileStore> store, ProfileStore::Open(dir));
//   PARLEY_ASSIGN_OR_RETURN(Transaction step, store->Begin());
//   PARLEY_ASSIGN_OR_RETURN(std::optional<crypto::Secret> group,
//                           step.Get(RecordClass::kRatchet, "channel/…/group"));
//   PARLEY_RETURN_IF_ERROR(step.Put(RecordClass::kRatchet, "channel/…/group", advanced));
//   PARLEY_RETURN_IF_ERROR(step.Commit());      // all of it or, without this line, nothing
//
// Several processes may use one profile at once. A write transaction has the profile to itself from
// Begin() on; it is held shortly and never across a network call. Readers are never blocked.
//
// Threading: a ProfileStore is safe from any thread. A transaction belongs to one thread, and must
// end before its store. One thread holds at most one write transaction; a second one waits for the
// first in vain and fails with Unavailable after kBusyTimeout.
// fork(): a store isn't carried into a child; the child opens its own.
//
// Errors, all with what to do in the message:
//   NotFound            no profile in this folder
//   PermissionDenied    a locked profile was opened without a passphrase, or the files aren't
//   readable Unauthenticated     the passphrase is wrong DataLoss            the files are damaged
//   ResourceExhausted   the disk is full; nothing of the transaction was stored, nothing was lost
//   FailedPrecondition  the profile was made by a newer version
//   Unavailable         another process held the profile for longer than kBusyTimeout
#ifndef PARLEY_CLIENT_LIB_STORE_PROFILE_STORE_H_
#define PARLEY_CLIENT_LIB_STORE_PROFILE_STORE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/base/bytes.h"
#include "crypto/base/secret.h"
#include "crypto/primitives/password_hash.h"

namespace parley::client {

// What a value is sealed under. Each class has a key of its own, so that the ratchet's can be
// renewed and the old one destroyed.
enum class RecordClass : uint8_t {
  kRatchet = 1,  // group state, skipped keys, own pending leaves
  kContent = 2,  // messages, documents, case data
  kKeys = 3,     // pairings, seeds, control keys
  kIndex = 4,    // lists and cursors by which the others are found
};

// How long a transaction waits for the profile while another one writes.
inline constexpr std::chrono::seconds kBusyTimeout{30};

namespace internal {
class Connection;
class StoreCore;
}  // namespace internal

// How much was written, since the store was opened, by transactions that were committed or not.
struct WriteTotals {
  uint64_t puts = 0;
  uint64_t deletes = 0;  // also of what wasn't there
  uint64_t bytes = 0;    // of the values that were put, before they were sealed
};

// A consistent view of all records as they were when it was made. Doesn't block anybody.
class ReadTransaction {
 public:
  ReadTransaction(ReadTransaction&&) noexcept;
  ReadTransaction& operator=(ReadTransaction&&) = delete;
  ~ReadTransaction();

  // The value last put under `name` in `record_class`; nullopt when there is none.
  absl::StatusOr<std::optional<crypto::Secret>> Get(RecordClass record_class,
                                                    std::string_view name) const;
  // Whether there is one, without opening it.
  absl::StatusOr<bool> Has(RecordClass record_class, std::string_view name) const;
  // Opens every value of every class, in no order, until `visit` gives an error. For looking
  // whether something is in the profile at all.
  absl::Status ForEachValue(
      const std::function<absl::Status(const crypto::Secret& value)>& visit) const;

 protected:
  friend class ProfileStore;
  ReadTransaction(internal::StoreCore* core, std::unique_ptr<internal::Connection> connection);

  internal::StoreCore* core_;
  std::unique_ptr<internal::Connection> connection_;
};

// A write transaction: sees its own changes, and has the profile to itself until it is committed or
// destroyed. Destroyed without Commit(), it leaves no trace.
class Transaction : public ReadTransaction {
 public:
  Transaction(Transaction&&) noexcept = default;
  ~Transaction();

  // Stores `value` (of any size below 1 GB, also empty) in place of what was there.
  absl::Status Put(RecordClass record_class, std::string_view name, crypto::ByteView value);
  absl::Status Put(RecordClass record_class, std::string_view name, const crypto::Secret& value);
  // Removes the record, if there is one.
  absl::Status Delete(RecordClass record_class, std::string_view name);

  // On disk when it returns OK. After an error nothing of the transaction has been stored. The
  // transaction can't be used afterwards, in either case.
  absl::Status Commit();

 private:
  friend class ProfileStore;
  using ReadTransaction::ReadTransaction;
};

// Tells that somebody, in this process or another, has changed the profile.
// Threading: one thread; Interrupt() from any.
class ChangeWatch {
 public:
  ChangeWatch(ChangeWatch&&) noexcept;
  ~ChangeWatch();

  // Whether anything was committed since the last call that said so (or since the watch was made).
  absl::StatusOr<bool> Changed();
  // Waits until there is a change (true), or `timeout` has passed or Interrupt() was called
  // (false). Looks every 50 ms.
  absl::StatusOr<bool> WaitForChange(std::chrono::milliseconds timeout);
  // Ends a WaitForChange(), or the next one.
  void Interrupt();

 private:
  friend class ProfileStore;
  struct State;
  explicit ChangeWatch(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class ProfileStore {
 public:
  // Makes a profile in `dir`, which may exist if it is empty of a profile; parents are not made.
  // With a passphrase the store key is wrapped by it; without, it lies in the file store.key.
  // `hardness` is what guessing a passphrase costs.
  // Errors: AlreadyExists; InvalidArgument for an empty passphrase; NotFound without the parent.
  static absl::StatusOr<std::unique_ptr<ProfileStore>> Create(
      const std::string& dir, const std::optional<crypto::Secret>& passphrase = std::nullopt,
      const crypto::PasswordHashParameters& hardness = crypto::PasswordHashParameters::Moderate());

  // Opens a profile. A passphrase given for a profile that has none is not an error.
  static absl::StatusOr<std::unique_ptr<ProfileStore>> Open(
      const std::string& dir, const std::optional<crypto::Secret>& passphrase = std::nullopt);

  // Whether `dir` holds a profile at all.
  static bool Exists(const std::string& dir);
  // Whether opening it takes a passphrase. Errors: NotFound, DataLoss, FailedPrecondition.
  static absl::StatusOr<bool> IsLocked(const std::string& dir);

  ~ProfileStore();
  ProfileStore(const ProfileStore&) = delete;
  ProfileStore& operator=(const ProfileStore&) = delete;

  absl::StatusOr<Transaction> Begin();
  absl::StatusOr<ReadTransaction> Read();
  absl::StatusOr<ChangeWatch> Watch();

  // Sets, changes or (with nullopt as `next`) takes away the passphrase. `current` is the one that
  // opens the profile now; nullopt, or any, where there is none. The store key is a new one
  // afterwards, so that an old copy of store.key or an old passphrase opens no later state. Stores
  // that are open, also in other processes, go on.
  // Errors: InvalidArgument for an empty passphrase; Unauthenticated and PermissionDenied as Open;
  // Aborted when another process changes it at the same time. After an error the old one counts;
  // after a crash the old one or the new one.
  absl::Status ChangePassphrase(
      const std::optional<crypto::Secret>& current, const std::optional<crypto::Secret>& next,
      const crypto::PasswordHashParameters& hardness = crypto::PasswordHashParameters::Moderate());

  // Sees to it that what was deleted or replaced stands in no file of the profile any more: the
  // database is written anew, without what was freed, and the write-ahead log emptied. Takes memory
  // and, for a moment, disk space as the records take. Errors: Unavailable while somebody writes,
  // or reads an old view, for longer than kBusyTimeout, ResourceExhausted: call again.
  absl::Status WipeFreed();

  // Reads and opens every record. Errors: DataLoss naming how many are damaged.
  absl::Status CheckIntegrity();

  // For measuring what a step costs.
  WriteTotals write_totals() const;

  const std::string& dir() const;

 private:
  explicit ProfileStore(std::unique_ptr<internal::StoreCore> core);
  std::unique_ptr<internal::StoreCore> core_;
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_STORE_PROFILE_STORE_H_
