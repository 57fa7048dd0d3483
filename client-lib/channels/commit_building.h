// Making a commit of a membership change: the roster after it, the MLS commit, the checks.
//
// Threading: free functions.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_COMMIT_BUILDING_H_
#define PARLEY_CLIENT_LIB_CHANNELS_COMMIT_BUILDING_H_

#include <vector>

#include "absl/status/statusor.h"
#include "client-lib/channels/channel_policy.h"
#include "client-lib/channels/channel_records.h"
#include "client-lib/channels/channel_state.h"
#include "crypto/mls/group.h"

namespace parley::client {

struct BuiltCommit {
  mls::PreparedCommit prepared;
  ChannelState after;
  std::vector<Addressee> addressees;
  size_t proposals = 0;  // taken in by reference
};

// Uses a key of the group's own handshake ratchet, also when it fails: store the group, or call it
// on a copy. `after` has the new control key's public half where the change has a seed.
// Errors: InvalidArgument, NotFound, PermissionDenied as Channel::PrepareCommit.
absl::StatusOr<BuiltCommit> BuildCommit(mls::Group& group, const ChannelPolicy& policy,
                                        const ChannelState& before, const ChangeRecord& change,
                                        uint64_t now);

// The proposals that wait and that a commit takes in; a committer's own removal only together with
// a new control key.
std::vector<mls::PendingProposal> ProposalsToTake(const mls::Group& group,
                                                  const ChannelPolicy& policy,
                                                  const ChannelState& before,
                                                  const ChangeRecord& change);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_COMMIT_BUILDING_H_
