// A side's team channel: what its participants decide. Each call stores the decision in one
// transaction; the sync carries it out (team_work.h), now or later.
//
// A team is of one side, without the neutrals: its stewards are its committers. Who comes in is a
// steward's decision, never the neutrals': they could make somebody a participant of the side, and
// read along. Who goes out follows the case: whom the neutrals put out of it, a steward's client
// puts out of the team when it learns of it.
//
// Threading: any number of threads and processes at once.
// Errors: PermissionDenied when the owner takes no part (any more), is a neutral or has no side, or
// is no steward where one is needed; InvalidArgument for somebody whom the caucus rule forbids to
// be in the team, naming them and the rule; NotFound for unknown ids; the store's; others are
// named.
#ifndef PARLEY_CLIENT_LIB_CASES_TEAM_H_
#define PARLEY_CLIENT_LIB_CASES_TEAM_H_

#include <vector>

#include "client-lib/cases/case_context.h"
#include "parley/content/v1/control.pb.h"

namespace parley::client {

struct NewTeam {
  // Beside the owner; empty: everybody of the side who is in its caucus now.
  std::vector<ParticipantId> members;
  // Beside the owner; empty: one of them, a counsel if there is one.
  std::vector<ParticipantId> stewards;
};

// Errors: AlreadyExists when the side has a team; FailedPrecondition when the caucus isn't there or
// halted, or this device has nothing to pay for the channel with.
absl::StatusOr<ChannelId> CreateTeam(const CaseContext& context, const NewTeam& team);

absl::Status AdmitToTeam(const CaseContext& context, const ChannelId& channel,
                         const ParticipantId& id);
// Errors: also InvalidArgument for oneself.
absl::Status DismissFromTeam(const CaseContext& context, const ChannelId& channel,
                             const ParticipantId& id);
absl::Status NameSteward(const CaseContext& context, const ChannelId& channel,
                         const ParticipantId& id);

// Asks to be put out of the team, and forgets what was decided here about it. Errors: Profile's.
absl::Status LeaveTeam(const CaseContext& context, const ChannelId& channel);

// Opens a halted team anew, with those of its members who are on the side still. Errors: also
// FailedPrecondition when it isn't halted.
absl::Status ReopenTeam(const CaseContext& context, const ChannelId& channel, bool mailbox_lost);

// After the relay has refused a voucher (its sponsor may have been renewed): another one pays for
// the team's mailbox. Whether there was one, and the channel is such a team.
absl::StatusOr<bool> PayAnew(Transaction& step, const CaseContext& context,
                             const ChannelId& channel);

// Whether a channel of this device is a team. Errors: NotFound.
absl::StatusOr<bool> IsTeam(const CaseContext& context, const ChannelId& channel);

// Whether this device's owner is a team's only steward while others are in it: who would leave them
// without anybody who could let people in or put them out.
bool IsLastSteward(const ChannelInfo& team);

// The inbox message of another steward: keeps the key until it is the one in force.
absl::Status TakeControlKey(Transaction& step, const CaseContext& context, const Pairing& pairing,
                            const content::v1::ControlKey& key);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CASES_TEAM_H_
