// Sessions: a key proven once, by signing the relay's challenge, for a short-lived token.
//
// Threading: any thread.
#ifndef PARLEY_SERVER_CORE_SESSIONS_H_
#define PARLEY_SERVER_CORE_SESSIONS_H_

#include <string_view>

#include "absl/status/status.h"
#include "parley/relay/v1/relay.pb.h"
#include "server/core/core.h"

namespace parley::server {

class Sessions {
 public:
  explicit Sessions(const Core& core) : core_(core) {}

  void GetChallenge(relay::v1::GetChallengeResponse& response) const;

  // Errors: InvalidArgument; Unauthenticated for the challenge or the signature; NotFound when
  // there is no such object or generation, or the key is none of its (the same answer for each).
  absl::Status OpenSession(const relay::v1::OpenSessionRequest& request,
                           relay::v1::OpenSessionResponse& response) const;

  // Whether this is a session's token that hasn't expired, whatever it gives a right to.
  bool HasOpened(std::string_view token) const;

 private:
  // The current generation of a mailbox (0 for a blob) if `key` gives `right` on the object.
  absl::StatusOr<uint64_t> FindRight(const storage::ObjectId& object, uint64_t generation,
                                     AccessRight right, const storage::PublicKey& key) const;

  const Core& core_;
};

}  // namespace parley::server

#endif  // PARLEY_SERVER_CORE_SESSIONS_H_
