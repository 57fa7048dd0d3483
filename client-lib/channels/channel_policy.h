// Parley's policy: what a channel's rules allow (docs/protocol.md section 5, the numbered rules).
//
//   const ChannelPolicy& policy = StandardPolicy();
//   mls::Group::Join(welcome, std::move(bundle), {.checks = {.judge = &policy}});
//   policy.CheckWelcome(group, channel_id, case_id, adder, self);       // before it is taken over
//   policy.CheckWireForm(*mls::PeekMessage(entry));                     // before it is processed
//   policy.CheckCommit(before, group, staged_commit, closing);          // before it is merged
//
// MLS has verified signatures, tree and keys by then; whether the change may be is said here and
// nowhere else: who may commit (neutrals; a team's stewards), what a commit and a proposal may
// hold, who may be in (caucus_rule.h), that nothing but a PrivateMessage travels. It has no state:
// all that it judges by is given, so that every client decides the same from the same log.
//
// As a CredentialJudge it is handed to MLS where leaves come in by the caller's own doing: joining,
// own commits. Messages are processed without it, and judged afterwards by CheckCommit and
// CheckProposal, which ask the same functions: MLS would refuse before anybody knows whose message
// it was, and who did what is what people must be told.
//
// Threading: const, without state: any number of threads. Lifetime: outlives those it is handed to.
// Errors: PermissionDenied for every breach, naming who did what, for people to read.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_CHANNEL_POLICY_H_
#define PARLEY_CLIENT_LIB_CHANNELS_CHANNEL_POLICY_H_

#include <optional>
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
#include "crypto/mls/leaf_checks.h"

namespace parley::client {

class ChannelPolicy final : public mls::CredentialJudge {
 public:
  // ---- Credentials ----

  // A leaf's credential is a ParleyCredential. Whose it is the roster says, in CheckMembership;
  // that the signature key is its owner's, the committer's Add vouches for.
  absl::Status Judge(const mls::Credential& credential, ByteView signature_key) const override;
  // A renewed leaf is of the same participant, device and identity key.
  absl::Status JudgeSuccessor(const mls::Credential& before,
                              const mls::Credential& after) const override;
  // One leaf for each device of a participant.
  Bytes ClientOf(const mls::Credential& credential) const override;

  // ---- Channels ----

  // Whether they may commit, and so change the membership: rule 1.
  bool MayCommit(const ChannelState& state, const ParticipantId& who) const;

  // Whether `founder` may make a channel in this state. Errors: also InvalidArgument for a state
  // that isn't valid by itself.
  absl::Status CheckFounding(const ChannelState& state, const ParticipantId& founder) const;

  // Rules 4 and 5, which hold in every epoch: leaves match the roster one to one, and everybody may
  // be in such a channel.
  absl::Status CheckMembership(const ChannelState& state, const mls::Group& group) const;

  // A Welcome: rules 4 and 5, that the group is of the first suite and has the required extensions,
  // that the adder is a committer in it, and that case, channel and own leaf are those expected.
  // Gives the state.
  absl::StatusOr<ChannelState> CheckWelcome(const mls::Group& group, const ChannelId& channel_id,
                                            const CaseId& case_id, const ParticipantId& adder,
                                            const ParleyCredential& self) const;

  // ---- Messages ----

  // Nothing but a PrivateMessage travels in a channel.
  absl::Status CheckWireForm(const mls::MessageHead& head) const;

  // An application message: its author, who is in the roster and put nothing beside the ciphertext.
  // Valid while `state` is unchanged.
  absl::StatusOr<const RosterMember*> CheckMessage(const ChannelState& state,
                                                   const mls::Group& group,
                                                   const mls::ApplicationMessage& message) const;

  // Whether a proposal that has come may wait for a commit at all: rule 2, already on arrival, so
  // that what no commit may hold takes nobody's place and is never in the way of a commit. `group`
  // is the group that it was made in.
  absl::Status CheckProposal(const ChannelState& state, const mls::Group& group,
                             const mls::PendingProposal& proposal) const;

  // Of the proposals that wait: those that a committer takes in. Updates of the proposer's own leaf
  // that keep its identity (the latest of each, and of those that bring one key the first), and
  // Removes of the proposer itself; none of or about leaves in `removed`, which the commit removes.
  std::vector<mls::PendingProposal> AcceptableProposals(
      const mls::Group& group, const std::set<mls::LeafIndex>& removed) const;

  // ---- Commits ----

  // All six rules, for a commit in the closing entry of the group's generation. The control
  // signature has been verified (VerifyClosing) with before.control_key. Gives the state after it.
  absl::StatusOr<ChannelState> CheckCommit(const ChannelState& before, const mls::Group& group,
                                           const mls::StagedCommit& commit,
                                           const Closing& closing) const;

  // Rule 3: what may differ between two states. `membership_changed`: whether the commit added or
  // removed somebody.
  absl::Status CheckStateChange(const ChannelState& before, const ChannelState& after,
                                bool membership_changed) const;

  // Rule 6: the closing opens the generation of the next epoch.
  absl::Status CheckNextKeys(const mls::Group& next, const ChannelState& after,
                             const Closing& closing) const;

 private:
  absl::Status CheckSender(const ChannelState& before, const mls::Group& group,
                           const mls::StagedCommit& commit) const;
  absl::Status CheckProposals(const ChannelState& before, const mls::Group& group,
                              const mls::StagedCommit& commit) const;
  // Of one proposal that a commit holds: whose it may be.
  absl::Status CheckProposer(const ChannelState& before, const mls::Group& group,
                             const mls::StagedCommit& commit, const mls::Sender& proposer,
                             std::optional<mls::LeafIndex> removed, const std::string& deed) const;
  bool IsCommitterLeaf(const ChannelState& state, const mls::Group& group,
                       mls::LeafIndex leaf) const;
};

// The one policy that there is.
const ChannelPolicy& StandardPolicy();

// Who a leaf is, by its credential; nothing for none.
std::optional<ParticipantId> ParticipantAt(const mls::Group& group, mls::LeafIndex leaf);

// Whose leaf it is, for people: "Lee (counsel, Harbor)".
std::string DescribeLeaf(const ChannelState& state, const mls::Group& group, mls::LeafIndex leaf);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_CHANNEL_POLICY_H_
