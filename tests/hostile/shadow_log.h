// A second version of a mailbox's log, which the hostile relay keeps for the clients behind it: up
// to a position it is the true one, from there on it is made of what these clients append. So two
// groups of clients see different logs, each of them sound by itself.
//
// Threading: safe from any thread.
#ifndef PARLEY_TESTS_HOSTILE_SHADOW_LOG_H_
#define PARLEY_TESTS_HOSTILE_SHADOW_LOG_H_

#include <cstdint>
#include <mutex>
#include <optional>
#include <variant>
#include <vector>

#include "parley/relay/v1/relay.pb.h"

namespace parley::hostile {

class ShadowLog {
 public:
  // The first position that isn't the true log's, and the generation that it falls in.
  ShadowLog(uint64_t from, uint64_t generation)
      : from_(from), fork_generation_(generation), generation_(generation) {}

  uint64_t from() const { return from_; }
  // The true log's last generation that is shown.
  uint64_t fork_generation() const { return fork_generation_; }
  uint64_t generation() const;

  struct Stale {
    uint64_t current_generation;
  };
  // As the relay would: the position, or that the generation isn't the current one.
  std::variant<uint64_t, Stale> Append(const relay::v1::AppendRequest& request);

  // Adds this log's entries of the generation to what the true relay has answered (nothing for
  // generations that it doesn't know), in place of the true ones.
  void Complete(uint64_t generation, uint64_t from, relay::v1::ReadResponse& response) const;

 private:
  const uint64_t from_;
  const uint64_t fork_generation_;
  mutable std::mutex mutex_;
  uint64_t generation_;
  std::vector<relay::v1::Entry> entries_;  // positions from_, from_ + 1, …
};

}  // namespace parley::hostile

#endif  // PARLEY_TESTS_HOSTILE_SHADOW_LOG_H_
