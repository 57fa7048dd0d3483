// Removes what was deleted from the store's files, every so many hours.
//
// Threading: a thread of its own.
#ifndef PARLEY_SERVER_ADMIN_PURGES_H_
#define PARLEY_SERVER_ADMIN_PURGES_H_

#include <chrono>
#include <string>

#include "server/admin/data_folder.h"
#include "server/core/background.h"

namespace parley::server {

class Purges {
 public:
  // Looks every `look` whether `hours` have gone by since the last purge (DIR/purged's time, so
  // that starts don't count), or since now where there was none. 0 hours: does nothing. Lifetime:
  // `folder`, which is open on `path`, outlives it.
  Purges(OpenDataFolder& folder, std::string path, uint64_t hours,
         std::chrono::milliseconds look = std::chrono::minutes(10));
  // Cancels a purge that runs.
  ~Purges();
  Purges(const Purges&) = delete;
  Purges& operator=(const Purges&) = delete;

 private:
  void Look();

  OpenDataFolder& folder_;
  const std::string mark_;
  const std::chrono::hours interval_;
  Background thread_;
};

}  // namespace parley::server

#endif  // PARLEY_SERVER_ADMIN_PURGES_H_
