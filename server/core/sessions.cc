#include "server/core/sessions.h"

#include <algorithm>

#include "crypto/base/status_macros.h"
#include "server/core/request_fields.h"
#include "server/core/signed_acts.h"
#include "server/core/stored_records.h"

namespace parley::server {
namespace {

absl::Status NoSuchRight() {
  return absl::NotFoundError("no such object, or this key is not one of its");
}

}  // namespace

void Sessions::GetChallenge(v1::GetChallengeResponse& response) const {
  response.set_challenge(
      core_.credentials.IssueChallenge(core_.Now() + core_.limits.challenge_seconds));
}

absl::Status Sessions::OpenSession(const v1::OpenSessionRequest& request,
                                   v1::OpenSessionResponse& response) const {
  PARLEY_ASSIGN_OR_RETURN(storage::ObjectId object,
                          FixedField<32>(request.object_id(), "object_id"));
  PARLEY_ASSIGN_OR_RETURN(storage::PublicKey key,
                          FixedField<32>(request.public_key(), "public_key"));
  PARLEY_ASSIGN_OR_RETURN(storage::Signature signature,
                          FixedField<64>(request.signature(), "signature"));
  PARLEY_ASSIGN_OR_RETURN(AccessRight right, RightField(request.right()));
  const bool is_blob = request.generation() == 0;
  if (right == (is_blob ? AccessRight::kAppend : AccessRight::kWrite)) {
    return absl::InvalidArgumentError(
        is_blob ? "generation 0 means a blob: its rights are RIGHT_READ and RIGHT_WRITE"
                : "a mailbox's rights are RIGHT_READ and RIGHT_APPEND; generation 0 means a blob");
  }
  const uint64_t now = core_.Now();
  PARLEY_RETURN_IF_ERROR(core_.credentials.CheckChallenge(request.challenge(), now));
  // The signature is checked before anything is looked up: who has shown no key learns nothing.
  const crypto::Bytes message = SessionMessage(core_.identity.key.public_key(), request.challenge(),
                                               object, request.generation(), right);
  if (!crypto::VerifySignature(key, message, signature).ok()) {
    return absl::UnauthenticatedError("the session signature does not verify");
  }
  PARLEY_ASSIGN_OR_RETURN(uint64_t current, FindRight(object, request.generation(), right, key));
  const uint64_t expires_at = now + core_.limits.token_seconds;
  response.set_token(
      core_.credentials.IssueToken({object, request.generation(), right, expires_at}));
  response.set_expires_at(expires_at);
  response.set_current_generation(current);
  return absl::OkStatus();
}

bool Sessions::HasOpened(std::string_view token) const {
  return core_.credentials.CheckToken(token, core_.Now()).ok();
}

absl::StatusOr<uint64_t> Sessions::FindRight(const storage::ObjectId& object, uint64_t generation,
                                             AccessRight right,
                                             const storage::PublicKey& key) const {
  const uint64_t now = core_.Now();
  if (generation == 0) {
    PARLEY_ASSIGN_OR_RETURN(std::optional<storage::BlobRecord> blob,
                            GetRecord<storage::BlobRecord>(core_.store, storage::BlobKey(object)));
    if (!blob.has_value() || IsExpired(blob->expires_at, now)) return NoSuchRight();
    const storage::PublicKey& wanted =
        right == AccessRight::kRead ? blob->read_key : blob->write_key;
    if (wanted != key) return NoSuchRight();
    return 0;
  }
  PARLEY_ASSIGN_OR_RETURN(
      std::optional<storage::MailboxRecord> mailbox,
      GetRecord<storage::MailboxRecord>(core_.store, storage::MailboxKey(object)));
  if (!mailbox.has_value() || IsExpired(mailbox->expires_at, now)) return NoSuchRight();
  PARLEY_ASSIGN_OR_RETURN(std::optional<storage::GenerationRecord> keys,
                          GetRecord<storage::GenerationRecord>(
                              core_.store, storage::GenerationKey(object, generation)));
  // A generation that was trimmed away takes no entry, but who may append to the current one is
  // told which one that is, by the refusal.
  if (!keys.has_value() && right == AccessRight::kAppend && generation < mailbox->generation) {
    PARLEY_ASSIGN_OR_RETURN(keys,
                            GetRecord<storage::GenerationRecord>(
                                core_.store, storage::GenerationKey(object, mailbox->generation)));
  }
  if (!keys.has_value()) return NoSuchRight();
  const std::vector<storage::PublicKey>& append_keys = keys->keys.append_keys;
  const bool holds = right == AccessRight::kRead ? keys->keys.read_key == key
                                                 : std::find(append_keys.begin(), append_keys.end(),
                                                             key) != append_keys.end();
  if (!holds) return NoSuchRight();
  return mailbox->generation;
}

}  // namespace parley::server
