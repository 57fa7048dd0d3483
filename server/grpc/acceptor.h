// Accepts connections for a gRPC server, which has no bound for them and stops listening when the
// process has no more file descriptors.
//
//   absl::StatusOr<std::unique_ptr<Acceptor>> acceptor = Acceptor::Listen("127.0.0.1:0", limits);
//   (*acceptor)->Start([](int fd) { ... });   // takes the connection over
//   (*acceptor)->Stop();
#ifndef PARLEY_SERVER_GRPC_ACCEPTOR_H_
#define PARLEY_SERVER_GRPC_ACCEPTOR_H_

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "server/core/limits.h"
#include "server/core/metrics.h"

namespace parley::server {

// Threading: Start and Stop from one thread, End from any; `take` runs on the acceptor's own.
class Acceptor {
 public:
  // Listens on "host:port" ("[host]:port" for IPv6); the system chooses a port for port 0.
  // `metrics` may be null, else it outlives the acceptor.
  // Errors: Unavailable when the address can't be had; InvalidArgument when it isn't one.
  static absl::StatusOr<std::unique_ptr<Acceptor>> Listen(const std::string& address,
                                                          const Limits& limits,
                                                          Metrics* metrics = nullptr);
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  int port() const { return port_; }

  // Hands each connection over, non-blocking, to be closed by whoever took it. One beyond a bound
  // is closed at once.
  void Start(std::function<void(int fd)> take);
  // Ends the connection that gRPC calls `peer`, and takes no other from its address (or its IPv6
  // network) for limits.barred_seconds, which hits all who share it. Nothing when there is no such
  // connection, or it was ended already.
  void End(const std::string& peer);
  // Takes no more and frees the port. Calling it again does nothing.
  void Stop();

 private:
  // A connection that was handed over; another one may have its descriptor by now, but not its
  // inode.
  struct Held {
    int fd;
    ino_t inode;
    std::string peer;
    std::string name;  // as gRPC calls it
    bool is_ended;
  };

  Acceptor(int listener, int port, const Limits& limits, Metrics* metrics);
  void Work();
  void Accept();
  bool HasRoomFor(const std::string& peer);
  bool IsBarred(const std::string& peer);
  void CountRefused() const;
  void ForgetClosed();

  const int listener_;
  const int port_;
  const Limits limits_;
  Metrics* const metrics_;
  int stop_ = -1;  // an eventfd
  std::function<void(int)> take_;
  std::mutex mutex_;  // guards what follows
  std::vector<Held> held_;
  std::map<std::string, size_t> per_peer_;
  std::map<std::string, std::chrono::steady_clock::time_point> barred_;  // since when
  std::thread thread_;
  bool stopped_ = false;
};

}  // namespace parley::server

#endif  // PARLEY_SERVER_GRPC_ACCEPTOR_H_
