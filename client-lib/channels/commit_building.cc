#include "client-lib/channels/commit_building.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "client-lib/channels/credential.h"
#include "crypto/base/status_macros.h"
#include "crypto/primitives/signature.h"

namespace parley::client {
namespace {

RosterMember* FindMutable(ChannelState& state, const ParticipantId& id) {
  for (RosterMember& member : state.members) {
    if (member.participant_id == id) return &member;
  }
  return nullptr;
}

absl::StatusOr<std::set<mls::LeafIndex>> LeavesOf(const mls::Group& group,
                                                  const std::vector<ParticipantId>& participants) {
  std::set<mls::LeafIndex> leaves;
  for (const mls::Member& member : group.members()) {
    PARLEY_ASSIGN_OR_RETURN(const ParleyCredential who, CredentialOf(member.credential));
    if (std::find(participants.begin(), participants.end(), who.participant_id) !=
        participants.end()) {
      leaves.insert(member.leaf);
    }
  }
  return leaves;
}

void Erase(ChannelState& state, const ParticipantId& id) {
  std::erase_if(state.members,
                [&](const RosterMember& member) { return member.participant_id == id; });
  std::erase(state.stewards, id);
}

// A leaf that goes by its own proposal takes its device along and, with the last, the member.
absl::Status EraseLeaf(const mls::Group& group, mls::LeafIndex leaf, ChannelState& state) {
  const std::optional<mls::Member> member = group.FindMember(leaf);
  if (!member.has_value()) return absl::OkStatus();
  PARLEY_ASSIGN_OR_RETURN(const ParleyCredential who, CredentialOf(member->credential));
  RosterMember* entry = FindMutable(state, who.participant_id);
  if (entry == nullptr) return absl::OkStatus();
  std::erase_if(entry->devices,
                [&](const RosterDevice& device) { return device.device_id == who.device_id; });
  if (entry->devices.empty()) Erase(state, who.participant_id);
  return absl::OkStatus();
}

absl::Status AddMember(const NewMemberRecord& added, ChannelState& state,
                       std::vector<Addressee>& addressees) {
  if (added.key_packages.empty()) {
    return absl::InvalidArgumentError("there is no key package to add " + added.name + " with");
  }
  RosterMember* member = FindMutable(state, added.participant_id);
  if (member == nullptr) {
    member = &state.members.emplace_back();
    member->participant_id = added.participant_id;
    member->name = added.name;
    member->role = static_cast<Role>(added.role);
    member->side = added.side;
  }
  for (const Bytes& key_package : added.key_packages) {
    PARLEY_ASSIGN_OR_RETURN(const ParleyCredential who, CheckKeyPackage(key_package));
    if (who.participant_id != added.participant_id) {
      return absl::InvalidArgumentError("a key package for " + added.name +
                                        " is another participant's");
    }
    member->devices.push_back({who.device_id, who.identity_key});
    addressees.push_back({who.participant_id, who.device_id});
  }
  return absl::OkStatus();
}

// The roster after the change and the proposals.
absl::StatusOr<ChannelState> StateAfter(const mls::Group& group, const ChannelState& before,
                                        const ChangeRecord& change,
                                        const std::vector<mls::PendingProposal>& proposals,
                                        std::vector<Addressee>& addressees) {
  ChannelState after = before;
  bool committer_goes = false;
  for (const ParticipantId& removed : change.removes) {
    const RosterMember* member = before.FindMember(removed);
    if (member == nullptr) {
      return absl::NotFoundError("who is to be removed is not in the channel " +
                                 DescribeChannel(before.kind, before.side));
    }
    const bool comes_back =
        std::any_of(change.adds.begin(), change.adds.end(),
                    [&](const NewMemberRecord& added) { return added.participant_id == removed; });
    if (before.IsCommitter(removed) && !comes_back) committer_goes = true;
    Erase(after, removed);
  }
  for (const mls::PendingProposal& pending : proposals) {
    if (pending.proposal.type() == mls::ProposalType::kRemove) {
      PARLEY_RETURN_IF_ERROR(EraseLeaf(group, pending.sender.leaf(), after));
    }
  }
  for (const NewMemberRecord& added : change.adds) {
    PARLEY_RETURN_IF_ERROR(AddMember(added, after, addressees));
  }
  for (const ParticipantId& steward : change.new_stewards) {
    if (std::find(after.stewards.begin(), after.stewards.end(), steward) == after.stewards.end()) {
      after.stewards.push_back(steward);
    }
  }
  if (!change.new_control_seed.empty()) {
    PARLEY_ASSIGN_OR_RETURN(const crypto::SignatureKey key,
                            crypto::SignatureKey::FromSeed(change.new_control_seed.Reveal()));
    after.control_key = key.public_key();
  } else if (committer_goes) {
    return absl::InvalidArgumentError(
        "removing somebody who has the channel's control key needs a new control key");
  }
  PARLEY_RETURN_IF_ERROR(ValidateChannelState(after));
  return after;
}

absl::StatusOr<BuiltCommit> BuildWith(mls::Group& group, const ChannelPolicy& policy,
                                      const ChannelState& before, const ChangeRecord& change,
                                      const std::set<mls::LeafIndex>& removed,
                                      const std::vector<mls::PendingProposal>& proposals,
                                      uint64_t now) {
  std::vector<Addressee> addressees;
  PARLEY_ASSIGN_OR_RETURN(ChannelState after,
                          StateAfter(group, before, change, proposals, addressees));
  mls::CommitOptions options;
  for (const NewMemberRecord& added : change.adds) {
    options.adds.insert(options.adds.end(), added.key_packages.begin(), added.key_packages.end());
  }
  options.removes.assign(removed.begin(), removed.end());
  if (after != before) options.extensions = WithChannelState(group.extensions(), after);
  options.include = mls::ProposalsToInclude::kListed;
  for (const mls::PendingProposal& pending : proposals) options.listed.push_back(pending.ref);
  options.force_path = true;  // every commit renews the committer's keys
  options.checks = {.judge = &policy, .now_seconds = now};
  PARLEY_ASSIGN_OR_RETURN(mls::PreparedCommit prepared, group.PrepareCommit(options));
  const bool membership_changed =
      after.members != before.members || !options.adds.empty() || !options.removes.empty();
  PARLEY_RETURN_IF_ERROR(policy.CheckStateChange(before, after, membership_changed));
  PARLEY_RETURN_IF_ERROR(policy.CheckMembership(after, prepared.next));
  return BuiltCommit{std::move(prepared), std::move(after), std::move(addressees),
                     proposals.size()};
}

}  // namespace

std::vector<mls::PendingProposal> ProposalsToTake(const mls::Group& group,
                                                  const ChannelPolicy& policy,
                                                  const ChannelState& before,
                                                  const ChangeRecord& change) {
  const absl::StatusOr<std::set<mls::LeafIndex>> removed = LeavesOf(group, change.removes);
  if (!removed.ok()) return {};
  std::vector<mls::PendingProposal> taken = policy.AcceptableProposals(group, *removed);
  std::erase_if(taken, [&](const mls::PendingProposal& pending) {
    if (pending.proposal.type() != mls::ProposalType::kRemove) return false;
    const std::optional<mls::Member> member = group.FindMember(pending.sender.leaf());
    const absl::StatusOr<ParleyCredential> who = CredentialOf(member->credential);
    return before.IsCommitter(who->participant_id) && change.new_control_seed.empty();
  });
  return taken;
}

absl::StatusOr<BuiltCommit> BuildCommit(mls::Group& group, const ChannelPolicy& policy,
                                        const ChannelState& before, const ChangeRecord& change,
                                        uint64_t now) {
  PARLEY_ASSIGN_OR_RETURN(const std::set<mls::LeafIndex> removed, LeavesOf(group, change.removes));
  if (removed.contains(group.own_leaf())) {
    return absl::InvalidArgumentError("nobody removes themselves by their own commit");
  }
  std::vector<mls::PendingProposal> proposals = ProposalsToTake(group, policy, before, change);
  absl::StatusOr<BuiltCommit> built =
      BuildWith(group, policy, before, change, removed, proposals, now);
  if (built.ok() || proposals.empty()) return built;
  // Somebody's proposal can't be committed: that must not keep the change from being made. First
  // without renewals, then without any.
  std::erase_if(proposals, [](const mls::PendingProposal& pending) {
    return pending.proposal.type() != mls::ProposalType::kRemove;
  });
  if (!proposals.empty()) {
    built = BuildWith(group, policy, before, change, removed, proposals, now);
    if (built.ok()) return built;
  }
  return BuildWith(group, policy, before, change, removed, {}, now);
}

}  // namespace parley::client
