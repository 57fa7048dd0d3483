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
// is active here, by the sync that has read the logs before it to their ends. Where it isn't active
// and others wait, the one of all of them whose turn it is. Errors: AlreadyExists for a Welcome to
// where the profile has been already; PermissionDenied for one that would turn the channel into
// another, for more than may wait (successors.h), or (of a restored profile, or a halted team) by
// who is no committer.
absl::Status FollowOn(ChannelStep old, const ChannelState& state, IncarnationRecord log,
                      mls::Group group, const ParticipantId& adder);

// After reading the log as far as it goes, which ended with `reading`: takes over what waits and
// leads least far, if it is its turn. Whether it did; there is a new log to read then. Of several
// into one incarnation a committer's comes first. A successor by who is no committer at the end of
// the log is dropped, with an alarm. One that replaces an active incarnation, or a stay whose log
// can't be read, is taken with an alarm, as is one, after this device was put out, by who was no
// committer then. In a stay of which nothing can be read, those are committers, too, who were
// before it.
absl::StatusOr<bool> TakeSuccessor(Transaction& tx, const ChannelId& id, uint64_t now,
                                   const ChannelPolicy& policy, const absl::Status& reading,
                                   ExchangeResult& result);

// Whether a Welcome waits: the channel is to be exchanged with then, however it stands.
absl::StatusOr<bool> HasSuccessor(const ReadTransaction& tx, const ChannelId& id);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_SUCCESSION_H_
