// How often a client may call: a bucket of calls for each connection, for each session on a
// connection, for the calls without a session that come from an address, and for what each sponsor
// makes. A bucket is refilled steadily and holds what comes in ten seconds, so that who has been
// away can catch up. Those of connections and addresses begin with one second's worth: else who
// makes new connections had ten times the calls. Each connection has another bucket, four times as
// large, for the calls that arrive, refused or not, those included that are given up before their
// request has come in full.
//
//   const milliseconds wait = rates.OfConnection(peer);
//   if (wait.count() > 0) return TooOften(wait, "this connection");
//
// In a bucket of a connection's own, who is refused gets a turn: the next one's is behind it. So
// who makes many calls at once is told different times, and who makes them again and again without
// waiting waits ever longer, and is named by a callback in the end: it doesn't keep to what it is
// told.
//
// An address and a sponsor are many clients' at once, and there turns would be kept only by those
// who keep to them, behind those who don't. So each is told a time soon, by chance, and whoever
// comes first when there is a call has it, whatever it counts: the bucket owes the rest. A call
// that counts ten so isn't shut out by those who take each single one. And an address has a bucket
// of its own for connections that have shown a key: neighbours without one can't use that up.
//
// A session's bucket belongs to its connection too: the members of a channel share its keys, and
// none of them can use up another's calls. Time is the steady clock's: the system's may be set.
//
// That a key was shown belongs to a connection, not to its name: address and port are another's
// afterwards. So whoever knows when connections come and go says so (MarkUnproven).
//
// Threading: any thread. Limits: remembers 65,536 buckets of each kind; beyond, those that are full
// are forgotten, then any, which gives its owner calls and takes nobody's. Connections that have
// shown a key go last, and only when there are some 49,152 of them, those first that have called
// nothing for longest (where connections have no bound: those marked first, which their next token
// marks again): however many strangers come, it stays known who is a member. What nobody has called
// by for some minutes is forgotten when ForgetOld is called, but for connections with the mark.
#ifndef PARLEY_SERVER_CORE_RATE_LIMITS_H_
#define PARLEY_SERVER_CORE_RATE_LIMITS_H_

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "absl/status/status.h"
#include "server/core/limits.h"

namespace parley::server {

// ResourceExhausted, with a relay.v1.Exhausted that says when to come again. `whose`: what was too
// busy, like "this connection".
absl::Status TooOften(std::chrono::milliseconds wait, std::string_view whose);

class RateLimits {
 public:
  using Time = std::chrono::steady_clock::time_point;
  // What a call counts that has a signature checked, which costs about as much more.
  static constexpr uint64_t kSignatureCalls = 10;

  // So many refused calls whose turn hasn't come have only those who don't wait for it: twice what
  // a connection has under way as the relay is installed, each with a signature.
  static constexpr double kMostWaiting = 4096;

  // The limits are followed when they change. `now`: for tests.
  explicit RateLimits(const Limits& limits, std::function<Time()> now = {});

  // What is told of connections, from any thread that calls. Not to be set while one may.
  struct Told {
    // It calls on without waiting. `is_proven`: it has shown a key, or a token that was had for
    // one.
    std::function<void(const std::string& connection, bool is_proven)> not_waiting;
    // It has shown one, the first time since its name was marked unproven, or a later one. Returns
    // whether it is there: a call may end after its connection was found to be gone.
    std::function<bool(const std::string& connection)> proven;
  };
  void Tell(Told told) { told_ = std::move(told); }

  // Beyond the time when there is a call in a bucket of many clients, they are told up to so much
  // more, by chance.
  static constexpr std::chrono::milliseconds kMostJitter{250};

  // Each takes `calls` from its bucket, or nothing: then it returns how long to wait until its turn
  // comes, at least a millisecond. 0: taken, or there is no such limit.
  std::chrono::milliseconds OfConnection(std::string_view connection, uint64_t calls = 1);
  // A call has arrived, whatever becomes of it. Can't be refused yet: who has too many is named.
  void Arrived(std::string_view connection);
  // Of calls on `connection` that show no session's token.
  std::chrono::milliseconds OfAddress(std::string_view address, std::string_view connection,
                                      uint64_t calls = 1);
  // Somebody on this connection has proved to have a key. Of one that isn't there any more (Told)
  // nothing stays marked.
  void MarkProven(std::string_view connection);
  // The name is a new connection's, or nobody's any more. What was called by it counts on, so that
  // nobody has more calls by coming again.
  void MarkUnproven(std::string_view connection) { connections_.MarkUnproven(connection); }
  bool IsProven(std::string_view connection) { return connections_.IsProven(connection); }
  // `token`: a session's, whatever it is.
  std::chrono::milliseconds OfSession(std::string_view connection, std::string_view token);
  // `sponsor`: an id that exists, since whoever makes up ids must not have buckets for them.
  std::chrono::milliseconds OfSponsor(std::string_view sponsor);

  // So long without a call, a bucket is full, and may be a client's who is gone.
  static constexpr std::chrono::minutes kRemembered{10};
  // Forgets such buckets, so that addresses of those who are gone don't stay in memory.
  void ForgetOld();

  // How many are remembered, of all kinds.
  size_t buckets() {
    return connections_.size() + arrivals_.size() + addresses_.size() + sessions_.size() +
           sponsors_.size();
  }

 private:
  struct Bucket {
    double calls = 0;
    double waiting = 0;  // calls that were refused and whose turn hasn't come
    Time filled;
    bool is_proven = false;
  };
  enum class Whose { kOneClient, kMany };
  class Buckets {
   public:
    explicit Buckets(Whose whose) : whose_(whose) {}
    // One that isn't known begins with what comes in so many seconds. `waiting`, when not null:
    // gets how many calls wait now.
    std::chrono::milliseconds Take(std::string_view key, uint64_t calls, uint64_t per_second,
                                   double begins_with, Time now, double* waiting = nullptr);
    // One that isn't known begins as for Take. Returns whether it was marked already.
    bool MarkProven(std::string_view key, uint64_t per_second, double begins_with, Time now);
    void MarkUnproven(std::string_view key);
    bool IsProven(std::string_view key);
    // Those that nobody has taken from since, but for proven ones.
    void ForgetBefore(Time since);
    size_t size();

   private:
    // Secret of each process: nobody can choose keys that lie in one place.
    struct Hash {
      size_t operator()(const std::string& key) const;
    };
    struct Shard {
      std::mutex mutex;
      std::unordered_map<std::string, Bucket, Hash> buckets;
    };
    // By other bits than those that a map uses.
    Shard& ShardOf(const std::string& key) { return shards_[(Hash()(key) >> 32) % shards_.size()]; }
    // The one that is known, or a new one with so many calls.
    static Bucket& FindOrMake(Shard& shard, const std::string& key, uint64_t per_second,
                              double begins_with, Time now);
    static void MakeRoom(Shard& shard, uint64_t per_second, Time now);
    // Keeps the proven ones that have called last, and none else.
    static void KeepLatestProven(Shard& shard);
    const Whose whose_;
    std::array<Shard, 16> shards_;
  };

  void TellOfNotWaiting(std::string_view connection, double waiting);

  const Limits limits_;
  const std::function<Time()> now_;
  Told told_;
  Buckets connections_{Whose::kOneClient};
  Buckets arrivals_{Whose::kOneClient};
  Buckets addresses_{Whose::kMany};
  Buckets sessions_{Whose::kOneClient};
  Buckets sponsors_{Whose::kMany};
};

}  // namespace parley::server

#endif  // PARLEY_SERVER_CORE_RATE_LIMITS_H_
