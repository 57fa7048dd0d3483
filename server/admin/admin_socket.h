// The unix socket DIR/admin.sock through which commands reach a running relay.
#ifndef PARLEY_SERVER_ADMIN_ADMIN_SOCKET_H_
#define PARLEY_SERVER_ADMIN_ADMIN_SOCKET_H_

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "server/admin/admin_protocol.h"

namespace parley::server {

// Serves the socket on a thread of its own, one connection after the other; one that is silent for
// five seconds is dropped. What takes long has a second thread, and is refused while another such
// command runs; the destructor cancels a purge and waits. Lifetime: `folder` outlives it.
class AdminSocket {
 public:
  // Errors: Unavailable, naming the folder.
  static absl::StatusOr<std::unique_ptr<AdminSocket>> Open(const std::string& data_folder,
                                                           OpenDataFolder& folder);
  ~AdminSocket();
  AdminSocket(const AdminSocket&) = delete;
  AdminSocket& operator=(const AdminSocket&) = delete;

 private:
  AdminSocket(std::string path, OpenDataFolder& folder, int listener, int stop_read,
              int stop_write);
  void Work();
  // Takes over the descriptor.
  void Serve(int connection);
  void ServeLong(int connection, const AdminRequest& request);

  const std::string path_;
  OpenDataFolder& folder_;
  const int listener_;
  const int stop_read_;
  const int stop_write_;
  std::atomic<bool> long_one_runs_ = false;
  std::thread long_one_;
  std::thread thread_;
};

// Asks the relay that runs on `data_folder`; nullopt when none does. Errors: Unavailable when it
// doesn't answer.
absl::StatusOr<std::optional<AdminResponse>> AskRunningRelay(const std::string& data_folder,
                                                             const AdminRequest& request);

}  // namespace parley::server

#endif  // PARLEY_SERVER_ADMIN_ADMIN_SOCKET_H_
