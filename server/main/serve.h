// `parley-relay serve`: a relay that runs until SIGTERM or SIGINT.
#ifndef PARLEY_SERVER_MAIN_SERVE_H_
#define PARLEY_SERVER_MAIN_SERVE_H_

#include <string>

#include "absl/status/status.h"
#include "server/core/limits.h"

namespace parley::server {

struct ServeOptions {
  std::string data_folder;
  std::string listen;            // "host:port"; port 0: the system chooses
  std::string certificate_file;  // with key_file; empty: the relay's own
  std::string key_file;
  size_t max_connections = Limits().max_connections;
  size_t max_connections_per_address = Limits().max_connections_per_address;
};

// Prints "listening on ADDRESS" and "fingerprint ..." to standard output, logs to standard error,
// and returns after the relay has drained. Errors: whatever kept it from starting.
absl::Status Serve(const ServeOptions& options);

}  // namespace parley::server

#endif  // PARLEY_SERVER_MAIN_SERVE_H_
