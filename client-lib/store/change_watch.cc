// Noticing what others commit to a profile.
#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "client-lib/store/profile_store.h"
#include "client-lib/store/store_core.h"
#include "crypto/base/status_macros.h"

namespace parley::client {

using internal::Connection;

struct ChangeWatch::State {
  std::unique_ptr<Connection> connection;
  int64_t seen = 0;
  std::mutex mutex;
  std::condition_variable interrupt;
  bool interrupted = false;
};

ChangeWatch::ChangeWatch(std::unique_ptr<State> state) : state_(std::move(state)) {}
ChangeWatch::ChangeWatch(ChangeWatch&&) noexcept = default;
ChangeWatch::~ChangeWatch() = default;

absl::StatusOr<bool> ChangeWatch::Changed() {
  // SQLite changes this number for a connection when any other one has committed.
  PARLEY_ASSIGN_OR_RETURN(int64_t now, state_->connection->Number("PRAGMA data_version"));
  return std::exchange(state_->seen, now) != now;
}

absl::StatusOr<bool> ChangeWatch::WaitForChange(std::chrono::milliseconds timeout) {
  constexpr std::chrono::milliseconds kInterval{50};
  const auto end = std::chrono::steady_clock::now() + timeout;
  while (true) {
    PARLEY_ASSIGN_OR_RETURN(bool changed, Changed());
    if (changed) return true;
    const auto now = std::chrono::steady_clock::now();
    if (now >= end) return false;
    const auto pause = std::min<std::chrono::nanoseconds>(kInterval, end - now);
    std::unique_lock lock(state_->mutex);
    if (state_->interrupt.wait_for(lock, pause, [this] { return state_->interrupted; })) {
      state_->interrupted = false;
      return false;
    }
  }
}

void ChangeWatch::Interrupt() {
  {
    std::lock_guard lock(state_->mutex);
    state_->interrupted = true;
  }
  state_->interrupt.notify_all();
}
absl::StatusOr<ChangeWatch> ProfileStore::Watch() {
  auto state = std::make_unique<ChangeWatch::State>();
  PARLEY_ASSIGN_OR_RETURN(state->connection, Connection::Open(core_->dir(), core_->database()));
  PARLEY_ASSIGN_OR_RETURN(state->seen, state->connection->Number("PRAGMA data_version"));
  return ChangeWatch(std::move(state));
}

}  // namespace parley::client
