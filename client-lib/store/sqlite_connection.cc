#include "client-lib/store/sqlite_connection.h"

#include <sqlite3.h>

#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

#include "client-lib/store/profile_store.h"
#include "crypto/base/status_macros.h"

namespace parley::client::internal {
namespace {

using crypto::ByteView;

constexpr std::array<const char*, 8> kQueries = {
    "BEGIN",
    "BEGIN IMMEDIATE",
    "COMMIT",
    "ROLLBACK",
    "SELECT value FROM record WHERE name = ?1",
    "SELECT x'' FROM record WHERE name = ?1",
    "INSERT INTO record (name, value) VALUES (?1, ?2)"
    " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    "DELETE FROM record WHERE name = ?1",
};

int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// An empty blob needs a pointer, or SQLite stores NULL.
int BindBlob(sqlite3_stmt* statement, int index, ByteView bytes) {
  return sqlite3_bind_blob64(statement, index,
                             bytes.empty() ? static_cast<const void*>("") : bytes.data(),
                             bytes.size(), SQLITE_STATIC);
}

ByteView Column(sqlite3_stmt* statement, int index) {
  if (index >= sqlite3_column_count(statement)) return {};
  const void* data = sqlite3_column_blob(statement, index);
  const int size = sqlite3_column_bytes(statement, index);
  return ByteView(static_cast<const uint8_t*>(data), data == nullptr ? 0 : size);
}

bool IsDiskFull(int code, int system_errno) {
  if ((code & 0xff) == SQLITE_FULL || code == SQLITE_IOERR_SHMSIZE) return true;
  const bool written = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;
  return written && (system_errno == ENOSPC || system_errno == EDQUOT || system_errno == EFBIG);
}

}  // namespace

absl::Status DamagedProfile(const std::string& dir, const std::string& what) {
  return absl::DataLossError("the profile in " + dir + " is damaged (" + what +
                             "); restore the folder from a backup, or make a new profile and ask "
                             "the mediator for a new invitation");
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const std::string& dir,
                                                             const std::string& path) {
  sqlite3* db = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  if (db == nullptr) return absl::ResourceExhaustedError("out of memory");
  std::unique_ptr<Connection> connection(new Connection(dir, db));
  sqlite3_extended_result_codes(db, 1);
  if (code != SQLITE_OK) return connection->Error(sqlite3_extended_errcode(db));
  PARLEY_RETURN_IF_ERROR(connection->Configure());
  return connection;
}

absl::Status Connection::Configure() {
  sqlite3_busy_handler(db_, OnBusy, this);
  sqlite3_db_config(db_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  // A value that was replaced or removed is overwritten in the file; each commit is synced.
  return Execute(
      "PRAGMA trusted_schema = OFF;"
      "PRAGMA cell_size_check = ON;"
      "PRAGMA journal_mode = WAL;"
      "PRAGMA synchronous = FULL;"
      "PRAGMA secure_delete = ON;"
      "PRAGMA temp_store = MEMORY;"
      "PRAGMA journal_size_limit = 4194304;");
}

Connection::~Connection() {
  for (sqlite3_stmt* statement : statements_) sqlite3_finalize(statement);
  sqlite3_close_v2(db_);
}

// Short pauses of different lengths: SQLite's own handler sleeps up to 100 ms, and under contention
// between processes somebody then always comes too late.
int Connection::OnBusy(void* self, int attempt) {
  auto* connection = static_cast<Connection*>(self);
  const int64_t now = NowMs();
  if (attempt == 0) connection->waited_since_ = now;
  const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(kBusyTimeout).count();
  if (now - connection->waited_since_ >= limit) return 0;
  unsigned char random = 0;
  sqlite3_randomness(1, &random);
  const int bound = attempt < 10 ? 2 : 10;  // milliseconds
  std::this_thread::sleep_for(std::chrono::microseconds(200 + random * bound * 1000 / 256));
  return 1;
}

absl::Status Connection::Error(int code) const {
  const std::string profile = "the profile in " + dir_;
  if (IsDiskFull(code, sqlite3_system_errno(db_))) {
    return absl::ResourceExhaustedError("the disk of " + profile +
                                        " is full; nothing was lost: make room and try again");
  }
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::UnavailableError("another program has held " + profile +
                                    " for too long; end it, or try again later");
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
      return absl::PermissionDeniedError(profile +
                                         " can't be opened for writing; check who owns the folder "
                                         "and its files, and that the disk isn't read-only");
    case SQLITE_NOMEM:
      return absl::ResourceExhaustedError("out of memory");
    case SQLITE_TOOBIG:
      return absl::InvalidArgumentError("a record of more than 1 GB can't be stored");
    case SQLITE_IOERR:
      return DamagedProfile(dir_,
                            std::string("the disk reports an error: ") + sqlite3_errstr(code));
    default:
      // Also plain SQLITE_ERROR: our statements are right, so the schema isn't what it was.
      return DamagedProfile(dir_, sqlite3_errstr(code));
  }
}

absl::StatusOr<sqlite3_stmt*> Connection::Prepared(Query query) {
  sqlite3_stmt*& statement = statements_[static_cast<size_t>(query)];
  if (statement == nullptr) {
    const int code = sqlite3_prepare_v3(db_, kQueries[static_cast<size_t>(query)], -1,
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) return Error(code);
  }
  return statement;
}

absl::Status Connection::Run(Query query, ByteView key, ByteView value) {
  PARLEY_ASSIGN_OR_RETURN(sqlite3_stmt * statement, Prepared(query));
  if (!key.empty()) {
    BindBlob(statement, 1, key);
    if (sqlite3_bind_parameter_count(statement) > 1) {
      const int code = BindBlob(statement, 2, value);
      if (code != SQLITE_OK) return Error(code);
    }
  }
  const int code = sqlite3_step(statement);
  absl::Status status = code == SQLITE_DONE ? absl::OkStatus() : Error(code);
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  return status;
}

absl::Status Connection::Fetch(Query query, ByteView key,
                               const std::function<absl::Status(ByteView)>& found) {
  PARLEY_ASSIGN_OR_RETURN(sqlite3_stmt * statement, Prepared(query));
  BindBlob(statement, 1, key);
  const int code = sqlite3_step(statement);
  absl::Status status;
  if (code == SQLITE_ROW) {
    status = found(Column(statement, 0));
  } else if (code != SQLITE_DONE) {
    status = Error(code);
  }
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  return status;
}

absl::Status Connection::Execute(const char* sql) {
  const int code = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : Error(code);
}

absl::Status Connection::Each(const char* sql,
                              const std::function<absl::Status(ByteView, ByteView)>& row) {
  sqlite3_stmt* statement = nullptr;
  int code = sqlite3_prepare_v2(db_, sql, -1, &statement, nullptr);
  if (code != SQLITE_OK) return Error(code);
  absl::Status status;
  while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
    status = row(Column(statement, 0), Column(statement, 1));
    if (!status.ok()) break;
  }
  if (status.ok() && code != SQLITE_DONE) status = Error(code);
  sqlite3_finalize(statement);
  return status;
}

absl::StatusOr<int64_t> Connection::Number(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  int code = sqlite3_prepare_v2(db_, sql, -1, &statement, nullptr);
  if (code != SQLITE_OK) return Error(code);
  code = sqlite3_step(statement);
  const int64_t number = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
  sqlite3_finalize(statement);
  if (code != SQLITE_ROW) return Error(code == SQLITE_DONE ? SQLITE_CORRUPT : code);
  return number;
}

bool Connection::in_transaction() const { return sqlite3_get_autocommit(db_) == 0; }

}  // namespace parley::client::internal
