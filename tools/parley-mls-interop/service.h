// The MLSClient interface over gRPC.
#ifndef PARLEY_TOOLS_PARLEY_MLS_INTEROP_SERVICE_H_
#define PARLEY_TOOLS_PARLEY_MLS_INTEROP_SERVICE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace grpc {
class Server;
}

namespace parley::interop {

// A server without TLS: the test runner speaks no other. Stops when destroyed.
// Threading: Wait() may be called by one thread.
class InteropServer {
 public:
  // `port` 0 takes a free one. Errors: Unavailable when the address can't be had.
  static absl::StatusOr<InteropServer> Start(const std::string& host, int port);

  int port() const { return port_; }
  // Returns when the process ends only.
  void Wait();

  InteropServer(InteropServer&&) noexcept;
  InteropServer& operator=(InteropServer&&) noexcept;
  ~InteropServer();

 private:
  class Service;
  InteropServer(std::unique_ptr<Service> service, std::unique_ptr<grpc::Server> server, int port);

  std::unique_ptr<Service> service_;  // outlives the server
  std::unique_ptr<grpc::Server> server_;
  int port_;
};

}  // namespace parley::interop

#endif  // PARLEY_TOOLS_PARLEY_MLS_INTEROP_SERVICE_H_
