// Many clients that follow mailboxes, and as many streams to a bare server: what memory each costs.
//
// Threading: from one thread.
#ifndef PARLEY_TOOLS_PARLEY_BENCH_SUBSCRIBERS_H_
#define PARLEY_TOOLS_PARLEY_BENCH_SUBSCRIBERS_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "client-lib/relay/relay_types.h"

namespace parley::bench {

inline constexpr size_t kStreamsOnConnection = 100;

struct Followed {
  client::ObjectId mailbox{};
  std::string token;  // to read it
  uint64_t from = 1;  // the next position
};

// So many streams at a relay, each of which follows `each` of the mailboxes, in turns, and has been
// told that it has caught up with all; they stay open as long as this lives. Throws Failure.
class Subscribers {
 public:
  Subscribers(const std::string& address, size_t count, const std::vector<Followed>& mailboxes,
              size_t each);
  ~Subscribers();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// So many streams at a bare server (bare_server.h), on each of which `each` messages of about the
// size of a request for a mailbox were sent.
class BareStreams {
 public:
  BareStreams(const std::string& address, size_t count, size_t each);
  ~BareStreams();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace parley::bench

#endif  // PARLEY_TOOLS_PARLEY_BENCH_SUBSCRIBERS_H_
