// Accepts connections for a gRPC server, which has no bound for them and stops listening when the
// process has no more file descriptors.
//
//   absl::StatusOr<std::unique_ptr<Acceptor>> acceptor = Acceptor::Listen("127.0.0.1:0", limits);
//   (*acceptor)->Start([](int fd) { ... });   // takes the connection over
//   (*acceptor)->Stop();
#ifndef PARLEY_SERVER_GRPC_ACCEPTOR_H_
#define PARLEY_SERVER_GRPC_ACCEPTOR_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "server/core/limits.h"
#include "server/core/metrics.h"
#include "server/grpc/connection_rates.h"
#include "server/grpc/held_connections.h"

namespace parley::server {

// Threading: Start and Stop from one thread, End and MarkProven from any; `take` and what is told
// of names run on the acceptor's own.
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
  // is closed at once; but beyond that of connections without a key, or of all, the one of those
  // without a key is ended that came first, since it has had the most time to show one. (What is
  // ended has its descriptor until it is closed: 64 of these may be there beyond the bound of all.)
  // `new_name`, when not null, gets what gRPC calls a connection, before it is handed over, and
  // within minutes of its end, unless another one is called so by then: nothing that was known by
  // that name is true of a connection any more. It mustn't call the acceptor.
  void Start(std::function<void(int fd)> take,
             std::function<void(const std::string& peer)> new_name = nullptr);
  // Whom the end of a connection hits.
  enum class Hits : uint8_t {
    kConnection,
    kAddress,  // for limits.barred_seconds no other is taken from it (or its IPv6 network)
  };
  // Ends the connection that gRPC calls `peer`. Nothing when there is no such connection, or it was
  // ended already.
  void End(const std::string& peer, Hits hits);
  // A key was shown on that connection: it doesn't count for the new ones of its address, and of
  // all, any more. Whether it is held; if not, what is marked elsewhere by its name is nobody's,
  // and no `new_name` will say so.
  bool MarkProven(const std::string& peer);
  // Takes no more and frees the port. Calling it again does nothing.
  void Stop();

 private:
  Acceptor(int listener, int port, const Limits& limits, Metrics* metrics);
  void Work();
  void Accept();
  // Whether one from there isn't too often; else that is counted.
  bool MayCome(const std::string& address);
  bool HasRoomFor(const std::string& address);
  void CountRefused() const;
  // Ends connections without a key until another one may come.
  void MakeRoomForUnproven();
  // Whether there is one less of those.
  bool EndOldestUnproven();
  void TellGone(const HeldConnections::Gone& gone);
  // Forgets what is kept for nobody any more, of connections and addresses.
  void Tidy();

  const int listener_;
  const int port_;
  const Limits limits_;
  Metrics* const metrics_;
  int stop_ = -1;  // an eventfd
  std::function<void(int)> take_;
  std::function<void(const std::string&)> new_name_;
  std::mutex mutex_;  // guards what follows
  HeldConnections held_;
  ConnectionRates rates_;
  std::chrono::steady_clock::time_point tidied_;
  std::thread thread_;
  bool stopped_ = false;
};

}  // namespace parley::server

#endif  // PARLEY_SERVER_GRPC_ACCEPTOR_H_
