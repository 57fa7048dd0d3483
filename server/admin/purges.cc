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
    : folder_(folder),
      mark_(std::move(path) + "/purged"),
      interval_(hours),
      thread_(look, [this] { Look(); }) {}

Purges::~Purges() {
  folder_.CancelPurge();
  thread_.Stop();
}

void Purges::Look() {
  if (interval_ == std::chrono::hours(0)) return;
  std::error_code error;
  const fs::file_time_type last = fs::last_write_time(mark_, error);
  const bool is_due = !error && fs::file_time_type::clock::now() - last >= interval_;
  if (!error && !is_due) return;
  if (is_due && folder_.HasDeleted()) {
    const absl::Status status = folder_.Purge();
    if (absl::IsCancelled(status)) return;
    if (!status.ok()) {
      Log(LogLevel::kError, "purge_failed",
          "what was deleted can't be removed from the files: " + std::string(status.message()));
      return;  // the next look tries again
    }
    Log(LogLevel::kInfo, "purged", "what was deleted is removed from the files");
  }
  const absl::Status written = WritePrivateFile(mark_, {});
  if (!written.ok()) Log(LogLevel::kError, "purge_failed", std::string(written.message()));
}

}  // namespace parley::server
