// What the transactions of one open profile share. Only the store itself includes it.
//
// Threading: any thread. Errors: Unavailable when another thread or process holds the profile for
// too long; FailedPrecondition in a forked process; those of opening the database.
#ifndef PARLEY_CLIENT_LIB_STORE_STORE_CORE_H_
#define PARLEY_CLIENT_LIB_STORE_STORE_CORE_H_

#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "client-lib/store/key_ring.h"
#include "client-lib/store/profile_store.h"
#include "client-lib/store/sqlite_connection.h"

namespace parley::client::internal {

// What a profile's transactions share: keys, idle connections, and the right to write.
class StoreCore {
 public:
  StoreCore(std::string dir, KeyRing keys) : dir_(std::move(dir)), keys_(std::move(keys)) {}

  const std::string& dir() const { return dir_; }
  const KeyRing& keys() const { return keys_; }

  void CountPut(size_t bytes) {
    ++puts_;
    bytes_ += bytes;
  }
  void CountDelete() { ++deletes_; }
  WriteTotals write_totals() const { return {puts_, deletes_, bytes_}; }

  std::string database() const { return dir_ + "/profile.db"; }

  absl::StatusOr<std::unique_ptr<Connection>> TakeConnection() {
    if (getpid() != pid_) {
      return absl::FailedPreconditionError(
          "a profile can't be used in a forked process: open it there");
    }
    {
      std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        std::unique_ptr<Connection> connection = std::move(idle_.back());
        idle_.pop_back();
        return connection;
      }
    }
    return Connection::Open(dir_, database());
  }

  // Ends the connection's transaction, if one is open, and keeps it for the next.
  void GiveBack(std::unique_ptr<Connection> connection) {
    if (connection->in_transaction() && !connection->Run(Connection::Query::kRollback).ok()) return;
    std::lock_guard lock(mutex_);
    if (idle_.size() < kMaxIdle) idle_.push_back(std::move(connection));
  }

  // Writers of this process queue here, since SQLite's own waiting is by polling.
  absl::Status LockForWriting() {
    std::unique_lock lock(mutex_);
    if (!writable_.wait_for(lock, kBusyTimeout, [this] { return !writing_; })) {
      return absl::UnavailableError("another thread has held the profile in " + dir_ +
                                    " for too long");
    }
    writing_ = true;
    return absl::OkStatus();
  }
  void UnlockForWriting() {
    {
      std::lock_guard lock(mutex_);
      writing_ = false;
    }
    writable_.notify_one();
  }

 private:
  static constexpr size_t kMaxIdle = 4;

  const std::string dir_;
  const KeyRing keys_;
  const pid_t pid_ = getpid();
  std::atomic<uint64_t> puts_ = 0;
  std::atomic<uint64_t> deletes_ = 0;
  std::atomic<uint64_t> bytes_ = 0;
  std::mutex mutex_;
  std::condition_variable writable_;
  bool writing_ = false;
  std::vector<std::unique_ptr<Connection>> idle_;
};
}  // namespace parley::client::internal

#endif  // PARLEY_CLIENT_LIB_STORE_STORE_CORE_H_
