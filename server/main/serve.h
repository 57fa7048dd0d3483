// `parley-relay serve`: a relay that runs until SIGTERM or SIGINT.
#ifndef PARLEY_SERVER_MAIN_SERVE_H_
#define PARLEY_SERVER_MAIN_SERVE_H_

#include "absl/status/status.h"
#include "server/main/configuration.h"

namespace parley::server {

// Prints "listening on ADDRESS" and "fingerprint ..." to standard output, logs to standard error,
// and returns after the relay has drained. With check_only it is CheckConfiguration.
// Errors: whatever kept it from starting.
absl::Status Serve(const ServeOptions& options);

}  // namespace parley::server

#endif  // PARLEY_SERVER_MAIN_SERVE_H_
