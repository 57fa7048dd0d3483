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
#include <cstdint>
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
  // A key was shown on that connection: it doesn't count for its address's new ones any more.
  void MarkProven(const std::string& peer);
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
    bool is_ended = false;
    bool is_proven = false;
  };
  // New connections that an address may make: a bucket that is refilled steadily.
  struct Allowance {
    double connections = 0;
    std::chrono::steady_clock::time_point filled;
  };

  Acceptor(int listener, int port, const Limits& limits, Metrics* metrics);
  void Work();
  void Accept();
  bool HasRoomFor(const std::string& peer);
  bool IsBarred(const std::string& peer);
  void ForgetBarredLongAgo();
  void ForgetFullAllowances();
  bool ComesTooOften(const std::string& peer);
  // What one may have that was refilled so long ago.
  double Refilled(const Allowance& allowance, std::chrono::steady_clock::time_point now) const;
  void CountRefused() const;
  // Ends connections without a key until another one may come.
  void MakeRoomForUnproven();
  // Ends the first one without a key from that place on, which becomes its own. Whether there is
  // one, and it could be ended.
  bool EndOldestUnproven(size_t& at);
  // A descriptor of the connection, to be closed, of which nobody makes another one's while it is
  // shut down (whoever took it notices). -1, with errno: EBADF when it is closed already.
  static int Borrow(const Held& held);
  static bool IsUnproven(const Held& held) { return !held.is_ended && !held.is_proven; }
  void ForgetClosed();
  // Not with each connection, since it looks at all that are held.
  void ForgetClosedNowAndThen();
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
  std::vector<Held> held_;
  std::map<std::string, size_t> per_peer_;
  size_t unproven_ = 0;  // of those that are held, some of which may be closed by now
  std::chrono::steady_clock::time_point looked_;  // when closed ones were last looked for
  size_t since_looked_ = 0;                       // how often that was put off since
  std::chrono::steady_clock::time_point tidied_;
  std::map<std::string, Allowance> allowances_;                          // by address
  std::map<std::string, std::chrono::steady_clock::time_point> barred_;  // since when
  std::thread thread_;
  bool stopped_ = false;
};

}  // namespace parley::server

#endif  // PARLEY_SERVER_GRPC_ACCEPTOR_H_
