// How one stay in a channel follows on another: the next incarnation, or a new leaf in the same
// one. What can still be read of the one before is read first.
//
// Threading: as channel_step.h.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_SUCCESSION_H_
#define PARLEY_CLIENT_LIB_CHANNELS_SUCCESSION_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-lib/channels/channel_step.h"
#include "crypto/mls/group.h"

namespace parley::client {

// Ends an incarnation that another one follows: what waits to be sent goes there, Welcomes that
// wait are dropped, and its keys are destroyed. Saves `old`.
absl::Status Retire(ChannelStep& old);

// Takes over the state that a checked Welcome by `adder` leads to: at once, or, where the channel
// is active here or another Welcome that leads less far waits, by the sync that has read the logs
// before it to their ends. Errors: AlreadyExists for a Welcome to where the profile has been
// already; PermissionDenied for one that would turn the channel into another, or (of a restored
// profile, or a halted team) by who is no committer.
absl::Status FollowOn(ChannelStep old, const ChannelState& state, IncarnationRecord log,
                      mls::Group group, const ParticipantId& adder);

// After reading the log as far as it goes, which ended with `reading`: takes over what waits and
// leads least far, if it is its turn. Whether it did; there is a new log to read then. A successor
// by who is no committer at the end of the log is dropped, with an alarm; one that replaces an
// active incarnation is taken with an alarm.
absl::StatusOr<bool> TakeSuccessor(Transaction& tx, const ChannelId& id, uint64_t now,
                                   const ChannelPolicy& policy, const absl::Status& reading,
                                   ExchangeResult& result);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_SUCCESSION_H_
