#include "server/main/ask.h"

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <thread>

#include "crypto/base/status_macros.h"
#include "server/admin/admin_socket.h"
#include "server/admin/data_folder.h"

namespace parley::server {

absl::Status CheckFolder(const std::string& data_folder) {
  std::error_code error;
  if (std::filesystem::is_directory(data_folder, error)) return absl::OkStatus();
  return absl::NotFoundError("there is no folder " + data_folder +
                             ": \"parley-relay serve\" makes it");
}

absl::StatusOr<AdminResponse> Ask(const std::string& data_folder, const AdminRequest& request) {
  // One that is just starting or ending has the folder locked and no socket: that passes.
  constexpr int kAttempts = 50;
  absl::Status locked;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    PARLEY_ASSIGN_OR_RETURN(std::optional<AdminResponse> response,
                            AskRunningRelay(data_folder, request));
    if (response.has_value()) {
      PARLEY_RETURN_IF_ERROR(response->status());
      return *std::move(response);
    }
    absl::StatusOr<std::unique_ptr<OpenDataFolder>> folder =
        OpenDataFolder::Open(data_folder, Limits());
    if (folder.ok()) {
      AdminResponse own = Administer(**folder, request);
      PARLEY_RETURN_IF_ERROR(own.status());
      return own;
    }
    locked = folder.status();
    if (locked.code() != absl::StatusCode::kFailedPrecondition) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return locked;
}

}  // namespace parley::server
