// Removes what was deleted from the store's files, every so many hours.
//
// Threading: a thread of its own.
#ifndef PARLEY_SERVER_ADMIN_PURGES_H_
#define PARLEY_SERVER_ADMIN_PURGES_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "server/admin/data_folder.h"
#include "server/core/background.h"

namespace parley::server {

// What is purged. Each may be called while another one runs.
struct PurgeWork {
  std::function<bool()> has_deleted;
  std::function<absl::Status()> purge;
  std::function<void()> cancel;  // ends a purge that runs
};

class Purges {
 public:
  // Looks every `look` whether `hours` have gone by since the last purge (DIR/purged's time, so
  // that starts don't count, nor a clock that is set back: twice as long at most), or since now
  // where there was none. After a purge that failed it waits
  // for `retry`: each try writes much. 0 hours: does nothing. Lifetime: `folder`, which is open on
  // `path`, outlives it.
  Purges(OpenDataFolder& folder, std::string path, uint64_t hours,
         std::chrono::milliseconds look = std::chrono::minutes(10));
  Purges(PurgeWork work, std::string path, uint64_t hours, std::chrono::milliseconds look,
         std::chrono::milliseconds retry = std::chrono::hours(6));
  // Cancels a purge that runs.
  ~Purges();
  Purges(const Purges&) = delete;
  Purges& operator=(const Purges&) = delete;

 private:
  void Look();

  const PurgeWork work_;
  const std::string mark_;
  const std::chrono::hours interval_;
  const std::chrono::milliseconds retry_;
  std::chrono::steady_clock::time_point not_before_{};  // of the thread alone
  Background thread_;
};

}  // namespace parley::server

#endif  // PARLEY_SERVER_ADMIN_PURGES_H_
