// Channels that the neutrals open beside those that each case has: the counsel channel, and groups;
// and whom they let into a channel, or put out of it, one by one. Each call stores the decision in
// one transaction; the sync carries it out (reconcile.h).
//
// Threading: any number of threads and processes at once.
// Errors: PermissionDenied for others than neutrals who take part; InvalidArgument for whom the
// caucus rule forbids to be in such a channel, naming them and the rule; NotFound for unknown ids;
// the store's; others are named.
#ifndef PARLEY_CLIENT_LIB_CASES_FURTHER_CHANNELS_H_
#define PARLEY_CLIENT_LIB_CASES_FURTHER_CHANNELS_H_

#include "client-lib/cases/case_context.h"
#include "parley/types.h"

namespace parley::client {

// Names the channel in the neutrals' channel, from where the sync opens it. Errors: AlreadyExists
// when there is one; FailedPrecondition when this device isn't in the neutrals' channel, or hasn't
// the case's connection yet; InvalidArgument for another kind, a group without a name or members,
// and members that are in it anyway.
absl::StatusOr<ChannelId> CreateFurtherChannel(const CaseContext& context,
                                               const ChannelRequest& request);

// Errors: as Profile::Admit.
absl::Status Admit(const CaseContext& context, const ChannelId& channel, const ParticipantId& id);
// Errors: as Profile::Dismiss.
absl::Status Dismiss(const CaseContext& context, const ChannelId& channel, const ParticipantId& id);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CASES_FURTHER_CHANNELS_H_
