#include "client-lib/store/profile_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

#include "client-lib/store/key_ring.h"
#include "client-lib/store/sqlite_connection.h"
#include "client-lib/store/store_core.h"
#include "client-lib/store/store_key_file.h"
#include "crypto/base/status_macros.h"

namespace parley::client {

using crypto::Bytes;
using crypto::ByteView;
using crypto::Secret;
using internal::Connection;
using internal::DamagedProfile;
using internal::KeyRing;
using internal::StoreHeader;
using internal::StoreKeyPlace;
using Query = internal::Connection::Query;

namespace internal {

namespace {

// "PRLY", in SQLite's header: what kind of file this is.
constexpr int64_t kApplicationId = 0x50524c59;
constexpr int64_t kFormatVersion = 1;

absl::Status NewerProfile(const std::string& dir) {
  return absl::FailedPreconditionError("the profile in " + dir +
                                       " was made by a newer version of Parley; update this one");
}

absl::StatusOr<StoreHeader> LoadHeader(Connection& connection) {
  const std::string& dir = connection.dir();
  PARLEY_ASSIGN_OR_RETURN(int64_t application, connection.Number("PRAGMA application_id"));
  if (application != kApplicationId) return DamagedProfile(dir, "profile.db is not a profile");
  PARLEY_ASSIGN_OR_RETURN(int64_t version, connection.Number("PRAGMA user_version"));
  if (version > kFormatVersion) return NewerProfile(dir);
  Bytes bytes;
  PARLEY_RETURN_IF_ERROR(connection.Each("SELECT value FROM header WHERE name = 'keys'",
                                         [&](ByteView value, ByteView) {
                                           bytes.assign(value.begin(), value.end());
                                           return absl::OkStatus();
                                         }));
  absl::StatusOr<StoreHeader> header = ParseHeader(bytes);
  if (header.status().code() == absl::StatusCode::kFailedPrecondition) return NewerProfile(dir);
  if (!header.ok()) return DamagedProfile(dir, std::string(header.status().message()));
  return header;
}

absl::Status SaveHeader(Connection& connection, const StoreHeader& header) {
  // Hexadecimal keeps this rare statement out of the prepared ones.
  const std::string sql = "INSERT OR REPLACE INTO header (name, value) VALUES ('keys', x'" +
                          crypto::ToHex(SerializeHeader(header)) + "')";
  return connection.Execute(sql.c_str());
}

absl::Status CheckPassphrase(const std::optional<Secret>& passphrase) {
  if (passphrase.has_value() && passphrase->empty()) {
    return absl::InvalidArgumentError(
        "an empty passphrase protects nothing; give a longer one or none");
  }
  return absl::OkStatus();
}

// The database with its tables and header, complete under `path` or not there.
absl::Status MakeDatabase(const std::string& dir, const std::string& path,
                          const StoreHeader& header) {
  const std::string fresh = path + ".new";
  for (const char* ending : {"", "-wal", "-shm"}) unlink((fresh + ending).c_str());
  const int fd = open(fresh.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return absl::PermissionDeniedError("no file can be made in the folder " + dir);
  close(fd);
  {
    PARLEY_ASSIGN_OR_RETURN(std::unique_ptr<Connection> connection, Connection::Open(dir, fresh));
    PARLEY_RETURN_IF_ERROR(
        connection->Execute("BEGIN IMMEDIATE;"
                            "CREATE TABLE header (name TEXT PRIMARY KEY, value BLOB NOT NULL);"
                            "CREATE TABLE record (name BLOB PRIMARY KEY, value BLOB NOT NULL);"
                            "PRAGMA application_id = 0x50524c59;"
                            "PRAGMA user_version = 1;"));
    PARLEY_RETURN_IF_ERROR(SaveHeader(*connection, header));
    PARLEY_RETURN_IF_ERROR(connection->Run(Query::kCommit));
    // Closing then leaves everything in the one file, which can be renamed.
    PARLEY_RETURN_IF_ERROR(connection->Execute("PRAGMA wal_checkpoint(TRUNCATE)"));
  }
  if (rename(fresh.c_str(), path.c_str()) != 0) {
    return absl::PermissionDeniedError("no file can be made in the folder " + dir);
  }
  return SyncFolder(dir);
}

absl::StatusOr<std::unique_ptr<Connection>> OpenExisting(const std::string& dir) {
  if (!ProfileStore::Exists(dir)) {
    std::error_code error;
    const std::string here = std::filesystem::current_path(error).string();
    return absl::NotFoundError(
        "there is no profile in " + dir +
        (dir.starts_with('/') || error ? "" : ", which was looked for in the folder " + here) +
        "; make one first");
  }
  return Connection::Open(dir, dir + "/profile.db");
}

absl::StatusOr<KeyRing> OpenKeys(const std::string& dir, const StoreHeader& header,
                                 const std::optional<Secret>& passphrase) {
  if (header.place == StoreKeyPlace::kPassphrase) {
    if (!passphrase.has_value()) {
      return absl::PermissionDeniedError("the profile in " + dir +
                                         " is locked: its passphrase is needed");
    }
    absl::StatusOr<Secret> store_key = UnwrapStoreKey(header, *passphrase);
    if (store_key.status().code() == absl::StatusCode::kResourceExhausted) {
      return store_key.status();
    }
    if (store_key.status().code() == absl::StatusCode::kInvalidArgument) {
      return DamagedProfile(dir, "its passphrase's parameters make no sense");
    }
    if (!store_key.ok()) {
      return absl::UnauthenticatedError("the passphrase of the profile in " + dir + " is wrong");
    }
    absl::StatusOr<KeyRing> keys = KeyRing::Unwrap(header, *store_key);
    if (!keys.ok()) return DamagedProfile(dir, "its keys can't be opened");
    return keys;
  }
  PARLEY_ASSIGN_OR_RETURN(Secret store_key, ReadStoreKeyFile(dir));
  absl::StatusOr<KeyRing> keys = KeyRing::Unwrap(header, store_key);
  if (!keys.ok()) return DamagedProfile(dir, "its store.key is of another profile");
  return keys;
}

bool IsSame(const StoreHeader& a, const StoreHeader& b) {
  return crypto::PublicEquals(SerializeHeader(a), SerializeHeader(b));
}

struct OpenedKeys {
  StoreHeader header;
  KeyRing keys;
};

// The header, and the keys that it wraps.
absl::StatusOr<OpenedKeys> OpenProfileKeys(const std::string& dir,
                                           const std::optional<Secret>& passphrase) {
  PARLEY_ASSIGN_OR_RETURN(std::unique_ptr<Connection> connection, OpenExisting(dir));
  PARLEY_ASSIGN_OR_RETURN(StoreHeader header, LoadHeader(*connection));
  while (true) {
    absl::StatusOr<KeyRing> keys = OpenKeys(dir, header, passphrase);
    if (keys.ok()) return OpenedKeys{std::move(header), std::move(*keys)};
    // A passphrase that another process was just setting or taking away: header and store.key are
    // two files, and may have been read of two times.
    PARLEY_ASSIGN_OR_RETURN(StoreHeader now, LoadHeader(*connection));
    if (IsSame(now, header)) return keys.status();
    header = std::move(now);
  }
}

}  // namespace
}  // namespace internal

ProfileStore::ProfileStore(std::unique_ptr<internal::StoreCore> core) : core_(std::move(core)) {}
ProfileStore::~ProfileStore() = default;

bool ProfileStore::Exists(const std::string& dir) {
  return access((dir + "/profile.db").c_str(), F_OK) == 0;
}

absl::StatusOr<std::unique_ptr<ProfileStore>> ProfileStore::Create(
    const std::string& dir, const std::optional<Secret>& passphrase,
    const crypto::PasswordHashParameters& hardness) {
  PARLEY_RETURN_IF_ERROR(internal::CheckPassphrase(passphrase));
  PARLEY_RETURN_IF_ERROR(internal::MakePrivateFolder(dir));
  PARLEY_ASSIGN_OR_RETURN(internal::FolderLock lock, internal::FolderLock::Take(dir));
  if (Exists(dir)) return absl::AlreadyExistsError("there is a profile in " + dir + " already");
  KeyRing keys = KeyRing::Generate();
  const Secret store_key = Secret::Random(internal::kStoreKeySize);
  PARLEY_ASSIGN_OR_RETURN(
      StoreHeader header,
      keys.Wrap(store_key, passphrase.has_value() ? &*passphrase : nullptr, hardness));
  if (header.place == StoreKeyPlace::kFile) {
    PARLEY_RETURN_IF_ERROR(internal::WriteStoreKeyFile(dir, store_key));
  } else {
    PARLEY_RETURN_IF_ERROR(internal::DestroyStoreKeyFile(dir));
  }
  PARLEY_RETURN_IF_ERROR(internal::MakeDatabase(dir, dir + "/profile.db", header));
  return std::unique_ptr<ProfileStore>(
      new ProfileStore(std::make_unique<internal::StoreCore>(dir, std::move(keys))));
}

absl::StatusOr<std::unique_ptr<ProfileStore>> ProfileStore::Open(
    const std::string& dir, const std::optional<Secret>& passphrase) {
  PARLEY_ASSIGN_OR_RETURN(internal::OpenedKeys opened, internal::OpenProfileKeys(dir, passphrase));
  std::unique_ptr<ProfileStore> store(
      new ProfileStore(std::make_unique<internal::StoreCore>(dir, std::move(opened.keys))));
  if (opened.header.place == StoreKeyPlace::kPassphrase && internal::StoreKeyFileExists(dir)) {
    // Left by a crash between setting a passphrase and removing the file. Looked at again under the
    // lock: another process may just be taking the passphrase away.
    PARLEY_ASSIGN_OR_RETURN(Transaction step, store->Begin());
    PARLEY_ASSIGN_OR_RETURN(StoreHeader now, internal::LoadHeader(*step.connection_));
    if (now.place == StoreKeyPlace::kPassphrase) {
      PARLEY_RETURN_IF_ERROR(internal::DestroyStoreKeyFile(dir));
    }
  }
  return store;
}

absl::StatusOr<bool> ProfileStore::IsLocked(const std::string& dir) {
  PARLEY_ASSIGN_OR_RETURN(std::unique_ptr<Connection> connection, internal::OpenExisting(dir));
  PARLEY_ASSIGN_OR_RETURN(StoreHeader header, internal::LoadHeader(*connection));
  return header.place == StoreKeyPlace::kPassphrase;
}

absl::StatusOr<Transaction> ProfileStore::Begin() {
  PARLEY_RETURN_IF_ERROR(core_->LockForWriting());
  absl::StatusOr<std::unique_ptr<Connection>> connection = core_->TakeConnection();
  absl::Status status =
      connection.ok() ? (*connection)->Run(Query::kBeginImmediate) : connection.status();
  if (!status.ok()) {
    core_->UnlockForWriting();
    return status;
  }
  return Transaction(core_.get(), std::move(*connection));
}

absl::StatusOr<ReadTransaction> ProfileStore::Read() {
  PARLEY_ASSIGN_OR_RETURN(std::unique_ptr<Connection> connection, core_->TakeConnection());
  PARLEY_RETURN_IF_ERROR(connection->Run(Query::kBegin));
  // The view is fixed by the first read, so that is made here.
  ReadTransaction transaction(core_.get(), std::move(connection));
  PARLEY_RETURN_IF_ERROR(transaction.Has(RecordClass::kIndex, "").status());
  return transaction;
}

absl::Status ProfileStore::ChangePassphrase(const std::optional<Secret>& current,
                                            const std::optional<Secret>& next,
                                            const crypto::PasswordHashParameters& hardness) {
  PARLEY_RETURN_IF_ERROR(internal::CheckPassphrase(next));
  // Both hashes take long and are made before the profile is held.
  PARLEY_ASSIGN_OR_RETURN(internal::OpenedKeys opened, internal::OpenProfileKeys(dir(), current));
  const Secret store_key = Secret::Random(internal::kStoreKeySize);
  PARLEY_ASSIGN_OR_RETURN(
      StoreHeader header,
      core_->keys().Wrap(store_key, next.has_value() ? &*next : nullptr, hardness));
  {
    PARLEY_ASSIGN_OR_RETURN(Transaction step, Begin());
    PARLEY_ASSIGN_OR_RETURN(StoreHeader old, internal::LoadHeader(*step.connection_));
    if (!internal::IsSame(old, opened.header)) {
      return absl::AbortedError("the passphrase of the profile in " + dir() +
                                " was just changed by another program: nothing was done");
    }
    if (header.place == StoreKeyPlace::kFile) {
      // A file that the stored header needs is never overwritten: a crash must leave a pair that
      // fits.
      if (old.place == StoreKeyPlace::kFile) return absl::OkStatus();
      PARLEY_RETURN_IF_ERROR(internal::WriteStoreKeyFile(dir(), store_key));
    }
    PARLEY_RETURN_IF_ERROR(internal::SaveHeader(*step.connection_, header));
    PARLEY_RETURN_IF_ERROR(step.Commit());
  }
  PARLEY_ASSIGN_OR_RETURN(Transaction step, Begin());
  PARLEY_ASSIGN_OR_RETURN(header, internal::LoadHeader(*step.connection_));
  if (header.place == StoreKeyPlace::kPassphrase) {
    PARLEY_RETURN_IF_ERROR(internal::DestroyStoreKeyFile(dir()));
  }
  PARLEY_RETURN_IF_ERROR(step.Commit());
  // The old wrapped keys are then in no file any more, unless a reader still holds an old view.
  PARLEY_ASSIGN_OR_RETURN(std::unique_ptr<Connection> connection, core_->TakeConnection());
  absl::Status status = connection->Execute("PRAGMA wal_checkpoint(TRUNCATE)");
  core_->GiveBack(std::move(connection));
  return status;
}

absl::Status ProfileStore::WipeFreed() {
  PARLEY_ASSIGN_OR_RETURN(std::unique_ptr<Connection> connection, core_->TakeConnection());
  // secure_delete alone leaves pieces: where SQLite moves records to other pages, what they were
  // moved from isn't overwritten.
  const absl::Status rewritten = connection->Execute("VACUUM");
  const absl::StatusOr<int64_t> busy = rewritten.ok()
                                           ? connection->Number("PRAGMA wal_checkpoint(TRUNCATE)")
                                           : absl::StatusOr<int64_t>(rewritten);
  core_->GiveBack(std::move(connection));
  PARLEY_RETURN_IF_ERROR(busy.status());
  if (*busy == 0) return absl::OkStatus();
  return absl::UnavailableError("another program reads the profile in " + dir() +
                                " for long; end it, or try again later");
}

absl::Status ProfileStore::CheckIntegrity() {
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction view, Read());
  std::string problem;
  PARLEY_RETURN_IF_ERROR(
      view.connection_->Each("PRAGMA integrity_check(1)", [&](ByteView text, ByteView) {
        problem = crypto::ToString(text);
        return absl::OkStatus();
      }));
  if (problem != "ok") return DamagedProfile(dir(), problem);
  uint64_t damaged = 0;
  PARLEY_RETURN_IF_ERROR(
      view.connection_->Each("SELECT name, value FROM record", [&](ByteView key, ByteView sealed) {
        if (!core_->keys().OpenAnyValue(key, sealed).ok()) ++damaged;
        return absl::OkStatus();
      }));
  if (damaged != 0) {
    return DamagedProfile(dir(), std::to_string(damaged) + " of its records can't be opened");
  }
  return absl::OkStatus();
}

WriteTotals ProfileStore::write_totals() const { return core_->write_totals(); }

const std::string& ProfileStore::dir() const { return core_->dir(); }

}  // namespace parley::client
