// SQLite as the profile store uses it: one connection with its settings and prepared statements,
// and SQLite's result codes as Status with advice.
//
// Threading: a connection is used by one thread at a time.
#ifndef PARLEY_CLIENT_LIB_STORE_SQLITE_CONNECTION_H_
#define PARLEY_CLIENT_LIB_STORE_SQLITE_CONNECTION_H_

#include <array>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/base/bytes.h"

struct sqlite3;
struct sqlite3_stmt;

namespace parley::client::internal {

// DataLoss: `what` in the profile `dir` is damaged, and what to do about it.
absl::Status DamagedProfile(const std::string& dir, const std::string& what);

class Connection {
 public:
  // Opens the existing file `path` of the profile `dir` (for messages), in WAL mode, with
  // secure_delete and a sync at each commit.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const std::string& dir,
                                                          const std::string& path);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  enum class Query { kBegin, kBeginImmediate, kCommit, kRollback, kGet, kHas, kPut, kDelete };

  // Runs a query without results, with the record key and value that it takes.
  absl::Status Run(Query query, crypto::ByteView key = {}, crypto::ByteView value = {});
  // kGet and kHas: hands the value, which is valid during the call, to `found`; doesn't call it
  // when there is none.
  absl::Status Fetch(Query query, crypto::ByteView key,
                     const std::function<absl::Status(crypto::ByteView value)>& found);

  // For set-up, checks and everything rare. `row` is called for each row with its first two
  // columns.
  absl::Status Execute(const char* sql);
  absl::Status Each(const char* sql,
                    const std::function<absl::Status(crypto::ByteView, crypto::ByteView)>& row);
  // The one number that `sql` gives.
  absl::StatusOr<int64_t> Number(const char* sql);

  // Whether a transaction is open.
  bool in_transaction() const;
  const std::string& dir() const { return dir_; }

 private:
  Connection(std::string dir, sqlite3* db) : dir_(std::move(dir)), db_(db) {}
  absl::Status Configure();
  absl::StatusOr<sqlite3_stmt*> Prepared(Query query);
  absl::Status Error(int code) const;

  std::string dir_;
  sqlite3* db_;
  int64_t waited_since_ = 0;  // for the busy handler
  std::array<sqlite3_stmt*, 8> statements_{};

  static int OnBusy(void* self, int attempt);
};

}  // namespace parley::client::internal

#endif  // PARLEY_CLIENT_LIB_STORE_SQLITE_CONNECTION_H_
