// Mailboxes: append-only logs in generations (docs/protocol.md section 2).
//
// The relay checks who may append, that the generation is the current one, and that a closing is
// signed by the control key; what an entry says it can't know.
//
// Requests and `done`: the caller keeps the request until `done` was called, once, on any thread.
// Threading: any thread.
#ifndef PARLEY_SERVER_CORE_MAILBOXES_H_
#define PARLEY_SERVER_CORE_MAILBOXES_H_

#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "parley/relay/v1/relay.pb.h"
#include "server/core/background.h"
#include "server/core/core.h"

namespace parley::server {

// An Aborted status carries a serialised relay.v1.StaleGeneration under this name.
inline constexpr char kStaleGenerationPayload[] =
    "type.googleapis.com/parley.relay.v1.StaleGeneration";

class Mailboxes {
 public:
  using Done = std::function<void(absl::Status)>;
  using AppendDone = std::function<void(absl::StatusOr<uint64_t> position)>;
  // Whether an append may be committed alone, on the calling thread, when nothing else is under way
  // (CommitQueue::SubmitEagerly); or others of the same caller are about to follow.
  enum class Haste : uint8_t { kAlone, kTogether };

  Mailboxes(Core& core, Background& background) : core_(core), background_(background) {}

  // Errors: InvalidArgument; Unauthenticated (payment); AlreadyExists; ResourceExhausted (quota).
  void Create(const relay::v1::CreateMailboxRequest& request, Done done);

  // Errors: InvalidArgument; Unauthenticated (token, closing signature); PermissionDenied (token);
  // NotFound; AlreadyExists (append id with other content); Aborted (stale generation);
  // ResourceExhausted (allowance, quota, or the relay is busy).
  void Append(const relay::v1::AppendRequest& request, AppendDone done,
              Haste haste = Haste::kAlone);

  // Errors: InvalidArgument; Unauthenticated, PermissionDenied (token); NotFound; OutOfRange when
  // `from` lies beyond the generation's next position.
  absl::Status Read(const relay::v1::ReadRequest& request, relay::v1::ReadResponse& response) const;

  // Errors: InvalidArgument; Unauthenticated (challenge); NotFound when there is no such mailbox or
  // the signature is not of its control key (the same answer); FailedPrecondition when the
  // generation is closed; OutOfRange for a trim beyond the head.
  void Control(const relay::v1::ControlMailboxRequest& request, Done done);

 private:
  struct PendingAppend;
  struct PendingControl;

  absl::Status CheckClosing(const PendingAppend& pending) const;
  // Charges `mailbox` and its sponsor for an append, unless a bound forbids it.
  absl::Status Pay(Transaction& transaction, const PendingAppend& pending,
                   storage::MailboxRecord& mailbox) const;
  absl::Status AppendStep(Transaction& transaction, PendingAppend& pending) const;
  absl::StatusOr<uint64_t> RepeatedAppend(Transaction& transaction, const PendingAppend& pending,
                                          uint64_t position) const;
  absl::Status CloseGeneration(Transaction& transaction, const PendingAppend& pending,
                               storage::MailboxRecord& mailbox) const;

  absl::StatusOr<PendingControl> CheckControl(
      const relay::v1::ControlMailboxRequest& request) const;
  absl::Status Trim(const storage::ObjectId& mailbox, uint64_t generation,
                    uint64_t first_position) const;

  Core& core_;
  Background& background_;
};

// Takes part in a step: forgets a mailbox and all that belongs to it.
absl::Status DeleteMailbox(Transaction& transaction, const storage::ObjectId& mailbox,
                           const storage::MailboxRecord& record);

}  // namespace parley::server

#endif  // PARLEY_SERVER_CORE_MAILBOXES_H_
