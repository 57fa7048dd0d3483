// What every client checks of a commit before it merges, and of a Welcome before it joins
// (docs/protocol.md section 5, the numbered rules). MLS has verified signatures, tree and keys by
// then; here it is decided whether the channel's rules allow the change.
//
// Threading: free functions without state.
// Errors: PermissionDenied for every breach, naming who did what, for people to read.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_COMMIT_POLICY_H_
#define PARLEY_CLIENT_LIB_CHANNELS_COMMIT_POLICY_H_

#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-lib/channels/channel_state.h"
#include "client-lib/channels/channel_types.h"
#include "client-lib/channels/epoch_keys.h"
#include "client-lib/relay/relay_types.h"
#include "crypto/mls/group.h"

namespace parley::client {

// All six rules, for a commit in the closing entry of the group's generation. The control signature
// has been verified (VerifyClosing) with before.control_key. Gives the state after the commit.
absl::StatusOr<ChannelState> CheckCommit(const ChannelState& before, const mls::Group& group,
                                         const mls::StagedCommit& commit, const Closing& closing);

// Rules 4 and 5, which hold in every epoch: leaves match the roster one to one, and everybody may
// be in such a channel.
absl::Status CheckMembership(const ChannelState& state, const mls::Group& group);

// Rule 3: what may differ between two states. `membership_changed`: whether the commit added or
// removed somebody.
absl::Status CheckStateChange(const ChannelState& before, const ChannelState& after,
                              bool membership_changed);

// Rule 6: the closing opens the generation of the next epoch.
absl::Status CheckNextKeys(const mls::Group& next, const ChannelState& after,
                           const Closing& closing);

// The checks of a Welcome: rules 4 and 5, that the group is of the first suite and has the required
// extensions, that the adder is a committer in it, and that case, channel and own leaf are those
// expected. Gives the state.
absl::StatusOr<ChannelState> CheckWelcome(const mls::Group& group, const ChannelId& channel_id,
                                          const CaseId& case_id, const ParticipantId& adder,
                                          const ParleyCredential& self);

// Of the proposals that wait: those that a committer takes in. Updates of the proposer's own leaf
// that keep its identity (the latest of each), and Removes of the proposer itself; none of or about
// leaves in `removed`, which the commit removes by itself.
std::vector<mls::PendingProposal> AcceptableProposals(const mls::Group& group,
                                                      const std::set<mls::LeafIndex>& removed);

// Whether a proposal that has come may wait for a commit at all: rule 2, already on arrival, so
// that what no commit may hold takes nobody's place and is never in the way of a commit. Everybody
// decides the same from the same state. `group` is the group that it was made in.
absl::Status CheckProposal(const ChannelState& state, const mls::Group& group,
                           const mls::PendingProposal& proposal);

// Whose leaf it is, for people: "Lee (counsel, Harbor)".
std::string DescribeLeaf(const ChannelState& state, const mls::Group& group, mls::LeafIndex leaf);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_COMMIT_POLICY_H_
