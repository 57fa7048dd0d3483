// Serves the relay's numbers to Prometheus: GET /metrics, in its text format, over plain HTTP.
//
//   absl::StatusOr<std::unique_ptr<MetricsExporter>> exporter =
//       MetricsExporter::Start("127.0.0.1:9743", relay);
//
// What is served names no mailbox, blob, key or address; sponsors stand there by the names that the
// operator gave them.
//
// Threading: Start and destruction from one thread; it serves on threads of its own.
// Lifetime: `relay` outlives it.
#ifndef PARLEY_SERVER_METRICS_EXPORTER_H_
#define PARLEY_SERVER_METRICS_EXPORTER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/core/relay.h"

namespace parley::server {

class MetricsExporter {
 public:
  // `address`: "127.0.0.1:9743" or "[::1]:9743"; port 0: the system chooses.
  // Errors: Unavailable when the address can't be had.
  static absl::StatusOr<std::unique_ptr<MetricsExporter>> Start(const std::string& address,
                                                                Relay& relay);
  ~MetricsExporter();
  MetricsExporter(const MetricsExporter&) = delete;
  MetricsExporter& operator=(const MetricsExporter&) = delete;

  int port() const;

 private:
  struct State;
  explicit MetricsExporter(std::unique_ptr<State> state);
  const std::unique_ptr<State> state_;
};

// What /metrics answers, for tests.
std::string MetricsText(Relay& relay);

}  // namespace parley::server

#endif  // PARLEY_SERVER_METRICS_EXPORTER_H_
