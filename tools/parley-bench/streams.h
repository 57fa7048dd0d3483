// Loads that go through one stream: bare echoes, appends, and appends until they reach a
// subscriber.
#ifndef PARLEY_TOOLS_PARLEY_BENCH_STREAMS_H_
#define PARLEY_TOOLS_PARLEY_BENCH_STREAMS_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "tools/parley-bench/load.h"
#include "tools/parley-bench/relay_under_test.h"

namespace parley::bench {

// Echoes over one bidirectional stream, so many of them under way.
class StreamEchoes {
 public:
  StreamEchoes(const std::string& address, size_t in_flight);
  ~StreamEchoes();
  // Echoes per second.
  double Run(double seconds);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Appends over one stream, so many of them under way, to as many mailboxes in turns. Each is a
// message of its own, as an echo is.
class StreamAppends {
 public:
  StreamAppends(const RelayUnderTest& relay, size_t in_flight);
  ~StreamAppends();
  // Acknowledged appends per second.
  double Run(double seconds);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A mailbox, a connection that appends to it, and another one that is subscribed to it.
class Delivery {
 public:
  explicit Delivery(const RelayUnderTest& relay);
  ~Delivery();
  // One caller: a call begins with an append, and ends when it was acknowledged and its entry has
  // come to the subscriber. Valid while this lives.
  std::vector<std::unique_ptr<Caller>> Make();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace parley::bench

#endif  // PARLEY_TOOLS_PARLEY_BENCH_STREAMS_H_
