#include "server/admin/purges.h"

#include <filesystem>
#include <utility>

#include "server/keys/private_files.h"
#include "server/log/log.h"

namespace parley::server {
namespace {

namespace fs = std::filesystem;

}  // namespace

Purges::Purges(OpenDataFolder& folder, std::string path, uint64_t hours,
               std::chrono::milliseconds look)
    : Purges(PurgeWork{.has_deleted = [&folder] { return folder.HasDeleted(); },
                       .purge = [&folder] { return folder.Purge(); },
                       .cancel = [&folder] { folder.CancelPurge(); }},
             std::move(path), hours, look) {}

Purges::Purges(PurgeWork work, std::string path, uint64_t hours, std::chrono::milliseconds look,
               std::chrono::milliseconds retry)
    : work_(std::move(work)),
      mark_(std::move(path) + "/purged"),
      interval_(hours),
      retry_(retry),
      thread_(look, [this] { Look(); }) {}

Purges::~Purges() {
  work_.cancel();
  thread_.Stop();
}

void Purges::Look() {
  if (interval_ == std::chrono::hours(0)) return;
  if (std::chrono::steady_clock::now() < not_before_) return;
  std::error_code error;
  const fs::file_time_type last = fs::last_write_time(mark_, error);
  const auto ago = fs::file_time_type::clock::now() - last;
  // Where the clock was set back since, nobody knows how long ago that was: twice as long at most.
  const bool is_due = !error && (ago >= interval_ || ago <= -interval_);
  if (!error && !is_due) return;
  if (is_due && work_.has_deleted()) {
    const absl::Status status = work_.purge();
    if (absl::IsCancelled(status)) return;
    if (!status.ok()) {
      Log(LogLevel::kError, "purge_failed",
          "what was deleted can't be removed from the files: " + std::string(status.message()));
      not_before_ = std::chrono::steady_clock::now() + retry_;
      return;
    }
    Log(LogLevel::kInfo, "purged", "what was deleted is removed from the files");
  }
  const absl::Status written = WritePrivateFile(mark_, {});
  if (!written.ok()) Log(LogLevel::kError, "purge_failed", std::string(written.message()));
}

}  // namespace parley::server
