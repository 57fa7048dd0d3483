#include "client-lib/relay/sessions.h"

#include <utility>

#include "crypto/base/status_macros.h"
#include "crypto/primitives/hash.h"

namespace parley::client::internal {
namespace {

// With its terminating zero byte.
constexpr std::string_view kSessionLabel{"parley relay session v1\0", 24};
constexpr size_t kMaxSessions = 8192;
constexpr std::chrono::seconds kChallengeUse{20};

}  // namespace

std::string Sessions::Name(const SessionTarget& target, const crypto::SignatureKey& key) {
  const uint8_t right = static_cast<uint8_t>(target.right);
  return crypto::ToString(crypto::Concat({target.object_id, crypto::BigEndian64(target.generation),
                                          crypto::ByteView(&right, 1), key.public_key()}));
}

absl::StatusOr<std::string> Sessions::NewChallenge() {
  v1::GetChallengeResponse response;
  PARLEY_RETURN_IF_ERROR(
      connection_.Call(&v1::Relay::Stub::GetChallenge, v1::GetChallengeRequest(), response));
  return std::move(*response.mutable_challenge());
}

absl::StatusOr<Session> Sessions::Open(const SessionTarget& target, const crypto::SignatureKey& key,
                                       const std::string& challenge) {
  const uint8_t right = static_cast<uint8_t>(target.right);
  const crypto::Bytes proof =
      crypto::Concat({crypto::ViewOf(kSessionLabel), connection_.relay().identity_key,
                      crypto::Sha256({crypto::ViewOf(challenge)}), target.object_id,
                      crypto::BigEndian64(target.generation), crypto::ByteView(&right, 1)});
  v1::OpenSessionRequest request;
  request.set_challenge(challenge);
  request.set_object_id(crypto::ToString(target.object_id));
  request.set_generation(target.generation);
  request.set_right(target.right);
  request.set_public_key(crypto::ToString(key.public_key()));
  request.set_signature(crypto::ToString(key.Sign(proof)));
  v1::OpenSessionResponse response;
  PARLEY_RETURN_IF_ERROR(connection_.Call(&v1::Relay::Stub::OpenSession, request, response));
  Session session{std::move(*response.mutable_token()), response.current_generation()};
  std::lock_guard lock(mutex_);
  if (sessions_.size() >= kMaxSessions) sessions_.clear();
  sessions_.insert_or_assign(Name(target, key), session);
  return session;
}

absl::StatusOr<Session> Sessions::GetNew(const SessionTarget& target,
                                         const crypto::SignatureKey& key) {
  std::string challenge;
  {
    std::lock_guard lock(mutex_);
    if (std::chrono::steady_clock::now() < challenge_until_) challenge = challenge_;
  }
  if (!challenge.empty()) {
    absl::StatusOr<Session> session = Open(target, key, challenge);
    // The relay may have been started anew with another idea of its challenges.
    if (!absl::IsUnauthenticated(session.status())) return session;
  }
  PARLEY_ASSIGN_OR_RETURN(challenge, NewChallenge());
  {
    std::lock_guard lock(mutex_);
    challenge_ = challenge;
    challenge_until_ = std::chrono::steady_clock::now() + kChallengeUse;
  }
  return Open(target, key, challenge);
}

absl::StatusOr<Session> Sessions::Get(const SessionTarget& target,
                                      const crypto::SignatureKey& key) {
  {
    std::lock_guard lock(mutex_);
    const auto found = sessions_.find(Name(target, key));
    if (found != sessions_.end()) return found->second;
  }
  return GetNew(target, key);
}

void Sessions::Forget(const SessionTarget& target, const crypto::SignatureKey& key) {
  std::lock_guard lock(mutex_);
  sessions_.erase(Name(target, key));
}

absl::Status Sessions::With(const SessionTarget& target, const crypto::SignatureKey& key,
                            const std::function<absl::Status(const Session&)>& use) {
  PARLEY_ASSIGN_OR_RETURN(Session session, Get(target, key));
  absl::Status status = use(session);
  if (!absl::IsUnauthenticated(status)) return status;
  Forget(target, key);
  PARLEY_ASSIGN_OR_RETURN(session, GetNew(target, key));
  return use(session);
}

}  // namespace parley::client::internal
