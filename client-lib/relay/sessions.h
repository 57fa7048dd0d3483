// Session tokens: got by proving a key, kept, and got anew when they have run out.
//
// Threading: safe from any thread.
#ifndef PARLEY_CLIENT_LIB_RELAY_SESSIONS_H_
#define PARLEY_CLIENT_LIB_RELAY_SESSIONS_H_

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-lib/relay/relay_connection.h"
#include "client-lib/relay/relay_types.h"
#include "crypto/primitives/signature.h"

namespace parley::client::internal {

// What a session is for. Generation 0 is a blob.
struct SessionTarget {
  ObjectId object_id{};
  uint64_t generation = 0;
  v1::Right right = v1::RIGHT_UNSPECIFIED;
};

struct Session {
  std::string token;
  uint64_t current_generation = 0;  // as of the opening
};

class Sessions {
 public:
  explicit Sessions(RelayConnection& connection) : connection_(connection) {}

  // A kept session or a new one. Errors: NotFound when the key isn't one of the object's.
  absl::StatusOr<Session> Get(const SessionTarget& target, const crypto::SignatureKey& key);
  absl::StatusOr<Session> GetNew(const SessionTarget& target, const crypto::SignatureKey& key);
  // The token isn't taken any more.
  void Forget(const SessionTarget& target, const crypto::SignatureKey& key);

  // Calls `use` with a token, and once more with a new one if the relay says Unauthenticated.
  absl::Status With(const SessionTarget& target, const crypto::SignatureKey& key,
                    const std::function<absl::Status(const Session&)>& use);

  // A challenge that nobody else was given.
  absl::StatusOr<std::string> NewChallenge();

 private:
  static std::string Name(const SessionTarget& target, const crypto::SignatureKey& key);
  absl::StatusOr<Session> Open(const SessionTarget& target, const crypto::SignatureKey& key,
                               const std::string& challenge);

  RelayConnection& connection_;
  std::mutex mutex_;
  std::map<std::string, Session> sessions_;
  // The latest challenge serves several openings; the relay takes it for a minute.
  std::string challenge_;
  std::chrono::steady_clock::time_point challenge_until_;
};

}  // namespace parley::client::internal

#endif  // PARLEY_CLIENT_LIB_RELAY_SESSIONS_H_
