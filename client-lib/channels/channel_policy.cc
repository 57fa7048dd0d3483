#include "client-lib/channels/channel_policy.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "client-lib/channels/caucus_rule.h"
#include "client-lib/channels/credential.h"
#include "crypto/base/codec.h"
#include "crypto/base/status_macros.h"
#include "crypto/mls/tree_keys.h"

namespace parley::client {
namespace {

absl::Status Refused(const std::string& what) { return absl::PermissionDeniedError(what); }

bool SamePerson(const ParleyCredential& a, const ParleyCredential& b) {
  return a.participant_id == b.participant_id && a.device_id == b.device_id &&
         a.identity_key == b.identity_key;
}

// "Lee (counsel, Harbor)", by the roster or, for who is in none, a word that says so.
std::string DescribeCredential(const ChannelState& state, const mls::Credential& credential) {
  const absl::StatusOr<ParleyCredential> who = CredentialOf(credential);
  if (!who.ok()) return "a leaf without a valid credential";
  const RosterMember* member = state.FindMember(who->participant_id);
  if (member == nullptr) return "somebody who is not in the roster";
  return Describe(*member);
}

// "Lee (counsel, Harbor), who is no neutral,"
std::string DescribeOutsider(const ChannelState& state, const mls::Group& group,
                             mls::LeafIndex leaf) {
  const bool team = state.kind == ChannelKind::kTeam;
  return DescribeLeaf(state, group, leaf) + ", who is no " + (team ? "steward" : "neutral") + ",";
}

// What a commit does to the membership, for people. Uses the roster after it for who is added.
std::string DescribeChanges(const ChannelState& before, const mls::CommitChanges& changes) {
  ChannelState after = before;
  if (changes.extensions.has_value()) {
    absl::StatusOr<ChannelState> state = ChannelStateOf(changes.extensions->after);
    if (state.ok()) after = *std::move(state);
  }
  if (!changes.adds.empty()) {
    return "add " + DescribeCredential(after, changes.adds[0].key_package.leaf_node.credential);
  }
  if (!changes.removes.empty()) {
    return "remove " + DescribeCredential(before, changes.removes[0].leaf_node.credential);
  }
  if (changes.extensions.has_value()) return "change the channel's state";
  return "renew the group";
}

absl::Status CheckOtherExtensions(const std::string& committer,
                                  const mls::ExtensionsChange& change) {
  const auto others = [](mls::Extensions extensions) {
    std::erase_if(extensions,
                  [](const mls::Extension& e) { return e.type == kChannelStateExtension; });
    return extensions;
  };
  if (others(change.before) == others(change.after)) return absl::OkStatus();
  return Refused(committer + " tried to change what the group requires");
}

absl::Status CheckStayingMember(const RosterMember& old, const RosterMember& now) {
  if (old.role != now.role || old.side != now.side || old.name != now.name) {
    return Refused(Describe(old) + " would become " + Describe(now));
  }
  // A neutral may come back with another device; in the name of one of a side, that would be a way
  // for a neutral to speak for them.
  if (!IsNeutral(now.role) && old.devices != now.devices) {
    return Refused(Describe(old) + " would have another device");
  }
  for (const RosterDevice& device : now.devices) {
    for (const RosterDevice& before : old.devices) {
      if (before.device_id == device.device_id && before.identity_key != device.identity_key) {
        return Refused("the identity key of " + Describe(old) + " would change");
      }
    }
  }
  return absl::OkStatus();
}

// The state that a commit leads to.
absl::StatusOr<ChannelState> StateAfter(const ChannelState& before,
                                        const mls::CommitChanges& changes) {
  if (!changes.extensions.has_value()) return before;
  return ChannelStateOf(changes.extensions->after);
}

// Prefixes a breach with who is to answer for it.
absl::Status By(const std::string& committer, const absl::Status& status) {
  if (status.ok()) return status;
  return Refused("a commit by " + committer +
                 " breaks the rules: " + std::string(status.message()));
}

}  // namespace

const ChannelPolicy& StandardPolicy() {
  static const ChannelPolicy policy;
  return policy;
}

std::optional<ParticipantId> ParticipantAt(const mls::Group& group, mls::LeafIndex leaf) {
  const std::optional<mls::Member> member = group.FindMember(leaf);
  if (!member.has_value()) return std::nullopt;
  const absl::StatusOr<ParleyCredential> who = CredentialOf(member->credential);
  if (!who.ok()) return std::nullopt;
  return who->participant_id;
}

// ---- Credentials ----

absl::Status ChannelPolicy::Judge(const mls::Credential& credential, ByteView) const {
  if (CredentialOf(credential).ok()) return absl::OkStatus();
  return Refused("a leaf has no valid credential of a participant");
}

absl::Status ChannelPolicy::JudgeSuccessor(const mls::Credential& before,
                                           const mls::Credential& after) const {
  const absl::StatusOr<ParleyCredential> old = CredentialOf(before);
  const absl::StatusOr<ParleyCredential> renewed = CredentialOf(after);
  if (old.ok() && renewed.ok() && SamePerson(*old, *renewed)) return absl::OkStatus();
  return Refused("a leaf would become another participant or device");
}

Bytes ChannelPolicy::ClientOf(const mls::Credential& credential) const {
  const absl::StatusOr<ParleyCredential> parsed = CredentialOf(credential);
  if (!parsed.ok()) return CredentialJudge::ClientOf(credential);
  // Begins as no credential does that Judge lets pass, so that the two can't be confused.
  return crypto::Concat(
      {crypto::ViewOf("client"), parsed->participant_id.bytes(), parsed->device_id.bytes()});
}

// ---- Channels ----

bool ChannelPolicy::MayCommit(const ChannelState& state, const ParticipantId& who) const {
  return state.IsCommitter(who);
}

absl::Status ChannelPolicy::CheckFounding(const ChannelState& state,
                                          const ParticipantId& founder) const {
  PARLEY_RETURN_IF_ERROR(ValidateChannelState(state));
  PARLEY_RETURN_IF_ERROR(CheckCaucusRule(state));
  if (MayCommit(state, founder)) return absl::OkStatus();
  const RosterMember* who = state.FindMember(founder);
  return Refused((who == nullptr ? "somebody outside it" : Describe(*who)) +
                 " may not open the channel " + DescribeChannel(state.kind, state.side));
}

// ---- Messages ----

absl::Status ChannelPolicy::CheckWireForm(const mls::MessageHead& head) const {
  if (head.wire_format == mls::WireFormat::kPrivateMessage) return absl::OkStatus();
  return Refused("an entry that isn't encrypted for the group");
}

absl::StatusOr<const RosterMember*> ChannelPolicy::CheckMessage(
    const ChannelState& state, const mls::Group& group,
    const mls::ApplicationMessage& message) const {
  const std::optional<ParticipantId> who = ParticipantAt(group, message.sender);
  const RosterMember* author = who.has_value() ? state.FindMember(*who) : nullptr;
  if (author == nullptr) return Refused("a message by somebody who is not in the roster");
  if (!message.authenticated_data.empty()) {
    return Refused(Describe(*author) + " put authenticated data beside a message");
  }
  return author;
}

// ---- Commits ----

bool ChannelPolicy::IsCommitterLeaf(const ChannelState& state, const mls::Group& group,
                                    mls::LeafIndex leaf) const {
  const std::optional<ParticipantId> who = ParticipantAt(group, leaf);
  return who.has_value() && MayCommit(state, *who);
}

// Rule 1.
absl::Status ChannelPolicy::CheckSender(const ChannelState& before, const mls::Group& group,
                                        const mls::StagedCommit& commit) const {
  if (commit.changes().external) return Refused("somebody tried to join from outside");
  if (IsCommitterLeaf(before, group, commit.sender())) return absl::OkStatus();
  return Refused(DescribeOutsider(before, group, commit.sender()) + " tried to " +
                 DescribeChanges(before, commit.changes()));
}

// Rule 2, for what one proposal by reference adds or removes.
absl::Status ChannelPolicy::CheckProposer(const ChannelState& before, const mls::Group& group,
                                          const mls::StagedCommit& commit,
                                          const mls::Sender& proposer,
                                          std::optional<mls::LeafIndex> removed,
                                          const std::string& deed) const {
  const std::string committer = DescribeLeaf(before, group, commit.sender());
  if (!proposer.IsMember()) {
    return Refused(committer + " committed a proposal from outside to " + deed);
  }
  if (proposer.leaf() == commit.sender() || IsCommitterLeaf(before, group, proposer.leaf())) {
    return absl::OkStatus();
  }
  if (removed.has_value() && *removed == proposer.leaf()) return absl::OkStatus();
  return Refused(DescribeOutsider(before, group, proposer.leaf()) + " tried to " + deed + ", and " +
                 committer + " committed it");
}

// Rule 2.
absl::Status ChannelPolicy::CheckProposals(const ChannelState& before, const mls::Group& group,
                                           const mls::StagedCommit& commit) const {
  const mls::CommitChanges& changes = commit.changes();
  const std::string committer = DescribeLeaf(before, group, commit.sender());
  if (!changes.psks.empty()) return Refused(committer + " tried to mix in a pre-shared key");
  if (changes.reinit.has_value()) return Refused(committer + " tried to end the group");
  if (!commit.authenticated_data().empty()) {
    return Refused(committer + " put authenticated data beside the commit");
  }
  for (const mls::AddedMember& add : changes.adds) {
    PARLEY_RETURN_IF_ERROR(
        CheckProposer(before, group, commit, add.proposed_by, std::nullopt, "add somebody"));
  }
  for (const mls::RemovedMember& remove : changes.removes) {
    PARLEY_RETURN_IF_ERROR(
        CheckProposer(before, group, commit, remove.proposed_by, remove.leaf,
                      "remove " + DescribeCredential(before, remove.leaf_node.credential)));
  }
  for (const mls::UpdatedMember& update : changes.updates) {
    if (!JudgeSuccessor(update.before.credential, update.after.credential).ok()) {
      return Refused(DescribeCredential(before, update.before.credential) +
                     " tried to become another participant or device");
    }
  }
  if (changes.extensions.has_value()) {
    PARLEY_RETURN_IF_ERROR(CheckProposer(before, group, commit, changes.extensions->proposed_by,
                                         std::nullopt, "change the channel's state"));
    PARLEY_RETURN_IF_ERROR(CheckOtherExtensions(committer, *changes.extensions));
  }
  return absl::OkStatus();
}

std::string DescribeLeaf(const ChannelState& state, const mls::Group& group, mls::LeafIndex leaf) {
  const std::optional<mls::Member> member = group.FindMember(leaf);
  if (!member.has_value()) return "nobody's leaf";
  return DescribeCredential(state, member->credential);
}

absl::Status ChannelPolicy::CheckMembership(const ChannelState& state,
                                            const mls::Group& group) const {
  std::map<DeviceId, std::pair<ParticipantId, IdentityKey>> expected;
  for (const RosterMember& member : state.members) {
    if (member.devices.size() > 1) {
      return Refused(Describe(member) + " would have two devices, which nobody has");
    }
    for (const RosterDevice& device : member.devices) {
      expected[device.device_id] = {member.participant_id, device.identity_key};
    }
  }
  for (const mls::Member& leaf : group.members()) {
    const absl::StatusOr<ParleyCredential> who = CredentialOf(leaf.credential);
    if (!who.ok()) return Refused("a leaf of the group has no valid credential");
    const auto found = expected.find(who->device_id);
    if (found == expected.end() || found->second.first != who->participant_id ||
        found->second.second != who->identity_key) {
      return Refused("the group has a leaf (" + DescribeCredential(state, leaf.credential) +
                     ") that is not in the roster, or is in it twice");
    }
    expected.erase(found);
  }
  if (!expected.empty()) {
    const RosterMember* missing = state.FindMember(expected.begin()->second.first);
    return Refused("the roster names " + Describe(*missing) + ", whose leaf is not in the group");
  }
  return CheckCaucusRule(state);
}

absl::Status ChannelPolicy::CheckStateChange(const ChannelState& before, const ChannelState& after,
                                             bool membership_changed) const {
  if (before.case_id != after.case_id || before.channel_id != after.channel_id ||
      before.incarnation != after.incarnation || before.kind != after.kind ||
      before.side != after.side || before.mailbox_id != after.mailbox_id) {
    return Refused("the channel would become another one");
  }
  if (!membership_changed) {
    // A team names another steward when it likes.
    if (before.members != after.members) {
      return Refused("the roster would change without anybody coming or going");
    }
    return absl::OkStatus();
  }
  for (const RosterMember& member : after.members) {
    const RosterMember* old = before.FindMember(member.participant_id);
    if (old != nullptr) PARLEY_RETURN_IF_ERROR(CheckStayingMember(*old, member));
  }
  return absl::OkStatus();
}

absl::Status ChannelPolicy::CheckNextKeys(const mls::Group& next, const ChannelState& after,
                                          const Closing& closing) const {
  PARLEY_ASSIGN_OR_RETURN(const EpochKeys keys, DeriveEpochKeys(next, after.mailbox_id));
  PARLEY_ASSIGN_OR_RETURN(const GenerationKeys expected, PublicKeysOf(keys, after.control_key));
  if (closing.next_keys.control_key != expected.control_key) {
    return Refused("the mailbox's next control key is not the one in the channel's state");
  }
  if (closing.next_keys != expected) {
    return Refused("the mailbox's next keys are not those of the group");
  }
  return absl::OkStatus();
}

absl::StatusOr<ChannelState> ChannelPolicy::CheckCommit(const ChannelState& before,
                                                        const mls::Group& group,
                                                        const mls::StagedCommit& commit,
                                                        const Closing& closing) const {
  PARLEY_RETURN_IF_ERROR(CheckSender(before, group, commit));
  PARLEY_RETURN_IF_ERROR(CheckProposals(before, group, commit));
  const mls::CommitChanges& changes = commit.changes();
  const std::string committer = DescribeLeaf(before, group, commit.sender());
  absl::StatusOr<ChannelState> after = StateAfter(before, changes);
  if (!after.ok()) return By(committer, after.status());
  const bool membership_changed = !changes.adds.empty() || !changes.removes.empty();
  PARLEY_RETURN_IF_ERROR(By(committer, CheckStateChange(before, *after, membership_changed)));
  if (commit.next() == nullptr) {
    // The receiver is out and can't see the group after it: the others check the rest.
    if (closing.next_keys.control_key != after->control_key) {
      return By(committer, Refused("the next control key is not the one in the channel's state"));
    }
    PARLEY_RETURN_IF_ERROR(By(committer, CheckCaucusRule(*after)));
    return after;
  }
  PARLEY_RETURN_IF_ERROR(By(committer, CheckMembership(*after, *commit.next())));
  PARLEY_RETURN_IF_ERROR(By(committer, CheckNextKeys(*commit.next(), *after, closing)));
  return after;
}

absl::StatusOr<ChannelState> ChannelPolicy::CheckWelcome(const mls::Group& group,
                                                         const ChannelId& channel_id,
                                                         const CaseId& case_id,
                                                         const ParticipantId& adder,
                                                         const ParleyCredential& self) const {
  if (group.suite() != mls::CipherSuiteId::kParley) {
    return Refused("a Welcome leads to a group of another cipher suite");
  }
  const absl::StatusOr<ChannelState> state = ChannelStateOf(group.extensions());
  if (!state.ok()) {
    return Refused("a Welcome leads to a group without a valid channel: " +
                   std::string(state.status().message()));
  }
  if (state->case_id != case_id) return Refused("a Welcome leads to a channel of another case");
  if (state->channel_id != channel_id) return Refused("a Welcome leads to another channel");
  PARLEY_RETURN_IF_ERROR(CheckMembership(*state, group));
  if (!MayCommit(*state, adder)) {
    const RosterMember* who = state->FindMember(adder);
    return Refused("a Welcome to the channel " + DescribeChannel(state->kind, state->side) +
                   " came from " + (who == nullptr ? "somebody outside it" : Describe(*who)) +
                   ", who may not add anybody");
  }
  const std::optional<mls::Member> own = group.FindMember(group.own_leaf());
  if (!own.has_value()) return Refused("a Welcome leads to a group without the own leaf");
  PARLEY_ASSIGN_OR_RETURN(const ParleyCredential credential, CredentialOf(own->credential));
  if (!SamePerson(credential, self)) return Refused("a Welcome is for another device");
  return *state;
}

absl::Status ChannelPolicy::CheckProposal(const ChannelState& state, const mls::Group& group,
                                          const mls::PendingProposal& proposal) const {
  if (!proposal.sender.IsMember()) return Refused("somebody outside the group made a proposal");
  const mls::LeafIndex proposer = proposal.sender.leaf();
  const std::string name = DescribeLeaf(state, group, proposer);
  const auto only_committers = [&](const std::string& deed) {
    if (IsCommitterLeaf(state, group, proposer)) return absl::OkStatus();
    return Refused(DescribeOutsider(state, group, proposer) + " proposed to " + deed);
  };
  switch (proposal.proposal.type()) {
    case mls::ProposalType::kUpdate: {
      const std::optional<mls::Member> member = group.FindMember(proposer);
      if (!member.has_value()) return Refused("nobody's leaf made a proposal");
      const auto& update = std::get<mls::Update>(proposal.proposal.body);
      if (JudgeSuccessor(member->credential, update.leaf_node->credential).ok()) {
        return absl::OkStatus();
      }
      return Refused(name + " proposed to become another participant or device");
    }
    case mls::ProposalType::kRemove: {
      const mls::LeafIndex removed = std::get<mls::Remove>(proposal.proposal.body).removed;
      if (removed == proposer) return absl::OkStatus();
      return only_committers("remove " + DescribeLeaf(state, group, removed));
    }
    case mls::ProposalType::kAdd:
      return only_committers("add somebody");
    case mls::ProposalType::kGroupContextExtensions:
      return only_committers("change the channel's state");
    default:  // rule 2 lets nobody commit them
      return Refused(name +
                     " proposed what no commit may hold (a pre-shared key, the group's end, " +
                     "or joining from outside)");
  }
}

std::vector<mls::PendingProposal> ChannelPolicy::AcceptableProposals(
    const mls::Group& group, const std::set<mls::LeafIndex>& removed) const {
  const std::vector<mls::PendingProposal>& waiting = group.pending_proposals();
  std::map<mls::LeafIndex, size_t> chosen;  // places in `waiting`
  for (size_t i = 0; i < waiting.size(); ++i) {
    const mls::PendingProposal& pending = waiting[i];
    if (!pending.sender.IsMember()) continue;
    const mls::LeafIndex proposer = pending.sender.leaf();
    if (proposer == group.own_leaf() || removed.contains(proposer)) continue;
    const std::optional<mls::Member> member = group.FindMember(proposer);
    if (!member.has_value()) continue;
    const auto already = chosen.find(proposer);
    const bool leaves = already != chosen.end() &&
                        waiting[already->second].proposal.type() == mls::ProposalType::kRemove;
    if (const auto* remove = std::get_if<mls::Remove>(&pending.proposal.body)) {
      if (remove->removed == proposer && !leaves) chosen.insert_or_assign(proposer, i);
    } else if (const auto* update = std::get_if<mls::Update>(&pending.proposal.body)) {
      if (!leaves && JudgeSuccessor(member->credential, update->leaf_node->credential).ok()) {
        chosen.insert_or_assign(proposer, i);
      }
    }
  }
  if (chosen.empty()) return {};
  // Updates that bring one key, or one of the tree's, can't be committed together: who copies
  // another's must not keep everybody's from being taken.
  std::vector<size_t> in_order;
  for (const auto& [leaf, place] : chosen) in_order.push_back(place);
  std::sort(in_order.begin(), in_order.end());
  mls::TreeKeys keys = mls::TreeKeys::Of(group);
  std::vector<mls::PendingProposal> result;
  for (const size_t place : in_order) {
    const mls::PendingProposal& pending = waiting[place];
    const auto* update = std::get_if<mls::Update>(&pending.proposal.body);
    if (update == nullptr || keys.Take(pending.sender.leaf(), *update->leaf_node)) {
      result.push_back(pending);
    }
  }
  return result;
}

}  // namespace parley::client
