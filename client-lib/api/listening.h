// Where a case's news come in: its inbox, its channels, its invitations' rendezvous; and whether an
// event of a subscription is news.
//
// Threading: one thread.
#ifndef PARLEY_CLIENT_LIB_API_LISTENING_H_
#define PARLEY_CLIENT_LIB_API_LISTENING_H_

#include <map>
#include <memory>

#include "absl/status/statusor.h"
#include "client-lib/cases/case_context.h"
#include "client-lib/relay/subscription.h"

namespace parley::client {

// Keeps a subscription at the places where a case, or several of one relay, are to be listened to.
class Listening {
 public:
  explicit Listening(std::unique_ptr<Subscription> stream) : stream_(std::move(stream)) {}

  // Adds what isn't listened to yet, or was ended; call it after each sync.
  absl::Status Follow(const CaseContext& context);

  // Waits for an event. `kNews`: something that no sync has taken in yet.
  enum class Heard { kNothing, kNews, kConnected, kDisconnected };
  Heard Listen(std::chrono::milliseconds timeout);
  // Why the connection broke, after kDisconnected.
  const absl::Status& trouble() const { return trouble_; }

 private:
  struct Place {
    uint64_t generation = 0;
    uint64_t from = 1;
  };
  absl::Status FollowOne(const ObjectId& mailbox, uint64_t generation, const Secret& read_seed,
                         uint64_t from);

  std::unique_ptr<Subscription> stream_;
  std::map<ObjectId, Place> places_;
  absl::Status trouble_;
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_API_LISTENING_H_
