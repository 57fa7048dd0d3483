// What people decide about who takes part: invite, approve, remove, leave, admit, reopen. Each call
// stores the decision in one transaction; the sync carries it out (case_sync.h), now or later.
//
// Threading: any number of threads and processes at once.
// Errors: PermissionDenied when the own role doesn't allow it, or the owner doesn't take part (any
// more); NotFound for unknown ids; the store's; others are named.
#ifndef PARLEY_CLIENT_LIB_CASES_MEMBERSHIP_H_
#define PARLEY_CLIENT_LIB_CASES_MEMBERSHIP_H_

#include <string>

#include "client-lib/cases/case_context.h"
#include "parley/types.h"

namespace parley::client {

// Makes an invitation and its rendezvous at the relay: uses the network, and stores nothing when
// that fails. Errors: as Profile::Invite; Aborted when the inbox is first to be given more append
// keys: sync, and repeat it.
absl::StatusOr<Invitation> Invite(const CaseContext& context, const InvitationRequest& request);

// Errors: as Profile::Approve.
absl::Status Approve(const CaseContext& context, const ParticipantId& id);

// Errors: as Profile::Remove. `id` may be an invitation's (InvitationEntryId).
absl::Status RemoveParticipant(const CaseContext& context, const ParticipantId& id);

// Errors: as Profile::Leave.
absl::Status LeaveCase(const CaseContext& context);

// `mailbox_lost`: the relay doesn't have the channel's mailbox any more, so it counts as halted.
// Errors: as Profile::Reopen.
absl::Status ReopenChannel(const CaseContext& context, const ChannelId& channel, bool mailbox_lost);

// Errors: as Profile::MarkCompared.
absl::Status MarkCompared(const CaseContext& context, const ParticipantId& id);

// How many of the invitation's alarms were settled: the first ones.
absl::StatusOr<size_t> SettledAlarms(const ReadTransaction& step, const CaseContext& context,
                                     const MadeInvitation& invitation);
// Settles all alarms up to now that are about invitations, or about messages that are never sent.
// Errors: NotFound for an unknown case.
absl::Status SettleAlarms(const CaseContext& context);
// How many of a channel's messages that are never sent were settled.
absl::StatusOr<uint64_t> SeenNeverSent(const ReadTransaction& step, const CaseContext& context,
                                       const ChannelId& channel);

// PermissionDenied, saying who can do `what` and why this device's owner can't, unless they are a
// neutral who takes part.
absl::Status RequireNeutral(const CaseRecord& record, const char* what);

// The neutrals' channel. Errors: FailedPrecondition when this device isn't in it yet.
absl::StatusOr<ChannelId> NeutralsChannel(const ReadTransaction& step, const CaseContext& context);

// By which an invitation that nobody has used is listed among participants.
ParticipantId InvitationEntryId(const MadeInvitation& invitation);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CASES_MEMBERSHIP_H_
