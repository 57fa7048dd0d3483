// How often new connections are taken, before anything costs more than taking them: of one address,
// and of all together, since each begins with a TLS handshake, which costs the relay about as much
// as fifty calls. Both are buckets that are refilled steadily and hold what comes in ten seconds.
// A connection on which a key is shown gets back what it took: so who has one isn't bounded, and
// many that come at once, as after a restart, come as fast as their handshakes are done.
//
//   if (rates.Take(address) != ConnectionRates::Verdict::kTaken) return Refuse();
//   rates.Proved(address);    // a key was shown on it
//
// Of what all have together the second half is for addresses from which somebody has shown a key on
// a connection that is there, or was there some minutes ago. So strangers, from however many
// addresses they come, don't keep out those who come back. Of that half one such address has a
// twentieth for connections without a key, so that few of them don't use it up.
//
// Threading: guarded by its owner. Limits: remembers 65,536 addresses of each kind, and those with
// a proven connection besides.
#ifndef PARLEY_SERVER_GRPC_CONNECTION_RATES_H_
#define PARLEY_SERVER_GRPC_CONNECTION_RATES_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "server/core/limits.h"

namespace parley::server {

class ConnectionRates {
 public:
  using Time = std::chrono::steady_clock::time_point;
  // So long after its last connection with a key an address is still known for it.
  static constexpr std::chrono::minutes kRemembered{10};

  // The limits are followed when they change. `now`: for tests.
  explicit ConnectionRates(const Limits& limits, std::function<Time()> now = {});

  enum class Verdict : uint8_t { kTaken, kBarred, kAddressTooOften, kAllTooOften };
  // Whether a new connection from there may be taken; who is refused has used up nothing.
  Verdict Take(const std::string& address);
  // A key was shown on one of its connections, the first time; and it is closed.
  void Proved(const std::string& address);
  void ProvenOneClosed(const std::string& address);
  // None is taken from there for limits.barred_seconds.
  void Bar(const std::string& address);

  // Forgets what is kept for nobody any more.
  void ForgetOld();
  // How many addresses are remembered, of all kinds.
  size_t addresses() const { return of_address_.size() + known_.size() + barred_.size(); }

 private:
  struct Bucket {
    double connections = 0;
    Time filled;
  };
  struct Known {
    size_t connections = 0;  // with a key, that are there
    Time last;               // when one was there
    Bucket share;            // of what is left to all that are known
  };

  std::chrono::seconds BarredFor() const;
  // What one has by now, of which what comes in ten seconds is the most.
  static double Refilled(const Bucket& bucket, double per_second, Time now);
  static void Refill(Bucket& bucket, double per_second, Time now);
  // What comes of that in a second.
  double ShareOfKnown() const;
  Bucket& BucketOf(const std::string& address, double per_second, Time now);
  void ForgetFullBuckets(Time now);
  bool IsKnown(const std::string& address, Time now) const;
  void ForgetKnownBefore(Time since);

  const Limits limits_;
  const std::function<Time()> now_;
  Bucket all_;
  std::map<std::string, Bucket> of_address_;
  std::map<std::string, Known> known_;
  size_t idle_ = 0;                     // of these, without a connection
  std::map<std::string, Time> barred_;  // since when
};

}  // namespace parley::server

#endif  // PARLEY_SERVER_GRPC_CONNECTION_RATES_H_
