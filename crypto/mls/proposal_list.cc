#include "crypto/mls/proposal_list.h"

#include <algorithm>
#include <set>

namespace parley::mls {
namespace {

absl::Status Invalid(const char* why) { return absl::InvalidArgumentError(why); }

template <typename Body>
const Body* As(const ListedProposal& listed) {
  return std::get_if<Body>(&listed.proposal.body);
}

template <typename Body>
size_t Count(const std::vector<ListedProposal>& list) {
  return static_cast<size_t>(std::count_if(
      list.begin(), list.end(), [](const auto& listed) { return As<Body>(listed) != nullptr; }));
}

absl::Status ValidateAdd(const GroupState& state, const Add& add) {
  // Section 10.1: "Verify that the cipher suite and protocol version of the KeyPackage match those
  // in the GroupContext."
  if (add.key_package->suite != state.suite->id) {
    return Invalid("an Add with a key package of another cipher suite");
  }
  return ValidateKeyPackage(*add.key_package);
}

absl::Status ValidateUpdate(const GroupState& state, const Update& update, LeafIndex sender) {
  const LeafNode* old = state.tree.leaf(sender);
  if (old == nullptr) return Invalid("an Update of a leaf that is not there");
  // Section 7.3: "verify that leaf_node_source is set to update and that encryption_key represents
  // a different public key than the encryption_key in the leaf node being replaced".
  if (update.leaf_node->source != LeafNodeSource::kUpdate) {
    return Invalid("an Update with a leaf that wasn't made for an update");
  }
  if (update.leaf_node->encryption_key == old->encryption_key) {
    return Invalid("an Update that keeps its encryption key");
  }
  return ValidateLeafNode(*state.suite, state.place(sender), *update.leaf_node);
}

// Section 12.1.4.
absl::Status ValidatePsk(const GroupState& state, const PreSharedKeyId& id) {
  if (id.psk_nonce.size() != state.suite->hash_size()) {
    return Invalid("a PSK proposal with a nonce of the wrong length");
  }
  // The usages reinit and branch belong to a new group's very first commit (sections 11.2
  // and 11.3), which nobody processes: its committer is alone.
  if (id.type == PskType::kResumption && id.usage != ResumptionPskUsage::kApplication &&
      !state.starts_continuation) {
    return Invalid("a PSK proposal with a resumption secret for another use");
  }
  return absl::OkStatus();
}

// Once it is committed the group has ended, whether or not another can take its place.
absl::Status ValidateReInit(const ReInit& reinit) {
  // Section 12.1.5: "invalid if the version field is less than the version for the current group".
  if (reinit.version < ProtocolVersion::kMls10) return Invalid("a ReInit to an older version");
  // Section 13.4 is about "any field containing a list of extensions".
  PARLEY_RETURN_IF_ERROR(CheckExtensionsUnique(reinit.extensions));
  PARLEY_RETURN_IF_ERROR(CheckExternalSenders({}, reinit.extensions));
  return FindRequiredCapabilities(reinit.extensions).status();
}

absl::Status ValidateBody(const GroupState& state, const Proposal& proposal, const Sender& sender) {
  switch (proposal.type()) {
    case ProposalType::kAdd:
      return ValidateAdd(state, std::get<Add>(proposal.body));
    case ProposalType::kUpdate:
      return ValidateUpdate(state, std::get<Update>(proposal.body), sender.leaf());
    case ProposalType::kRemove:
      // Section 12.1.3: "invalid if the removed field does not identify a non-blank leaf node".
      if (state.tree.leaf(std::get<Remove>(proposal.body).removed) == nullptr) {
        return Invalid("a Remove of a leaf that is not there");
      }
      return absl::OkStatus();
    case ProposalType::kPreSharedKey:
      return ValidatePsk(state, std::get<PreSharedKey>(proposal.body).psk);
    case ProposalType::kReInit:
      return ValidateReInit(std::get<ReInit>(proposal.body));
    case ProposalType::kExternalInit:
      return absl::OkStatus();
    case ProposalType::kGroupContextExtensions:
      return CheckExtensionsUnique(std::get<GroupContextExtensions>(proposal.body).extensions);
  }
  return Invalid("a proposal of an unknown type");
}

// Section 12.2, external commits: "Exactly one ExternalInit, at most one Remove proposal, zero or
// more PreSharedKey proposals, no other proposals".
absl::Status ValidateExternalList(const std::vector<ListedProposal>& list) {
  const size_t inits = Count<ExternalInit>(list);
  const size_t removes = Count<Remove>(list);
  if (inits != 1 || removes > 1 || inits + removes + Count<PreSharedKey>(list) != list.size()) {
    return Invalid("an external commit with proposals it can't have");
  }
  return absl::OkStatus();
}

// Section 12.2: no "Update and/or Remove proposals that apply to the same leaf", none by or of the
// committer.
absl::Status CheckLeavesOnce(const std::vector<ListedProposal>& list, const Sender& committer) {
  std::set<LeafIndex> touched;
  for (const ListedProposal& listed : list) {
    LeafIndex leaf;
    if (As<Update>(listed) != nullptr) {
      leaf = listed.sender.leaf();
    } else if (const Remove* remove = As<Remove>(listed)) {
      leaf = remove->removed;
    } else {
      continue;
    }
    if (committer.IsMember() && leaf == committer.leaf()) {
      return Invalid("a commit that updates or removes its own committer");
    }
    if (!touched.insert(leaf).second) return Invalid("a commit that changes one leaf twice");
  }
  return absl::OkStatus();
}

absl::Status CheckPsksOnce(const std::vector<ListedProposal>& list) {
  // PSKLabel counts them in 16 bits (section 8.4).
  if (Count<PreSharedKey>(list) > kMaxPsks) return Invalid("a commit with too many PSKs");
  std::set<Bytes> ids;
  for (const ListedProposal& listed : list) {
    const PreSharedKey* psk = As<PreSharedKey>(listed);
    if (psk != nullptr && !ids.insert(crypto::Serialize(psk->psk)).second) {
      return Invalid("a commit with one PSK twice");
    }
  }
  return absl::OkStatus();
}

}  // namespace

bool SenderMayPropose(const Sender& sender, ProposalType type) {
  switch (sender.type) {
    case SenderType::kMember:
      return type != ProposalType::kExternalInit;
    case SenderType::kExternal:
      return type != ProposalType::kUpdate && type != ProposalType::kExternalInit;
    case SenderType::kNewMemberProposal:
      return type == ProposalType::kAdd;
    case SenderType::kNewMemberCommit:
      return type == ProposalType::kExternalInit || type == ProposalType::kRemove ||
             type == ProposalType::kPreSharedKey;
  }
  return false;
}

absl::Status ValidateProposal(const GroupState& state, const Proposal& proposal,
                              const Sender& sender) {
  if (!SenderMayPropose(sender, proposal.type())) {
    return Invalid("a proposal that its sender can't make");
  }
  return ValidateBody(state, proposal, sender);
}

absl::Status ValidateProposalList(const GroupState& state, const std::vector<ListedProposal>& list,
                                  const Sender& committer) {
  if (state.context.epoch == UINT64_MAX) {
    return absl::FailedPreconditionError("this group is in its last epoch: no commit can follow");
  }
  PARLEY_RETURN_IF_ERROR(CheckLeavesOnce(list, committer));
  PARLEY_RETURN_IF_ERROR(CheckPsksOnce(list));
  if (committer.type == SenderType::kNewMemberCommit) {
    PARLEY_RETURN_IF_ERROR(ValidateExternalList(list));
  } else {
    if (Count<ExternalInit>(list) > 0) return Invalid("an ExternalInit in a member's commit");
    if (Count<GroupContextExtensions>(list) > 1) {
      return Invalid("a commit that sets the extensions twice");
    }
    if (Count<ReInit>(list) > 0 && list.size() > 1) {
      return Invalid("a commit with a ReInit and other proposals");
    }
  }
  for (const ListedProposal& listed : list) {
    if (listed.validated) continue;
    PARLEY_RETURN_IF_ERROR(ValidateProposal(state, listed.proposal, listed.sender));
  }
  return absl::OkStatus();
}

absl::Status CheckCanFollow(const ReInit& reinit, const LeafChecks& checks) {
  if (reinit.version != ProtocolVersion::kMls10) {
    return Invalid("a ReInit to a protocol version that can't be followed");
  }
  PARLEY_RETURN_IF_ERROR(FindCipherSuite(reinit.suite).status());
  return CheckExternalSenders(checks, reinit.extensions);
}

bool PathRequired(const std::vector<ListedProposal>& list) {
  return list.empty() || std::any_of(list.begin(), list.end(), [](const ListedProposal& listed) {
           switch (listed.proposal.type()) {
             case ProposalType::kAdd:
             case ProposalType::kPreSharedKey:
             case ProposalType::kReInit:
               return false;
             default:
               return true;
           }
         });
}

absl::StatusOr<AppliedProposals> ApplyProposals(const GroupState& state,
                                                const std::vector<ListedProposal>& list) {
  AppliedProposals applied{state.tree, state.context.extensions, {}, {}, {}, {}};
  CommitChanges& changes = applied.changes;
  for (const ListedProposal& listed : list) {
    if (const auto* extensions = As<GroupContextExtensions>(listed)) {
      changes.extensions = {applied.extensions, extensions->extensions, listed.sender};
      applied.extensions = extensions->extensions;
    } else if (const auto* psk = As<PreSharedKey>(listed)) {
      changes.psks.push_back(psk->psk);
    } else if (const auto* init = As<ExternalInit>(listed)) {
      applied.external_kem_output = init->kem_output;
    } else if (const auto* reinit = As<ReInit>(listed)) {
      changes.reinit = *reinit;
    }
  }
  const auto note_keys = [&](const LeafNode& leaf) {
    applied.new_keys.encryption_keys.push_back(leaf.encryption_key);
    applied.new_keys.signature_keys.push_back(leaf.signature_key);
  };
  for (const ListedProposal& listed : list) {
    const auto* update = As<Update>(listed);
    if (update == nullptr) continue;
    const LeafIndex leaf = listed.sender.leaf();
    changes.updates.push_back({leaf, *state.tree.leaf(leaf), *update->leaf_node});
    auto node = std::make_shared<LeafNode>(*update->leaf_node);
    note_keys(*node);
    applied.tree.UpdateLeaf(leaf, std::move(node));
  }
  for (const ListedProposal& listed : list) {
    const auto* remove = As<Remove>(listed);
    if (remove == nullptr) continue;
    changes.removes.push_back({remove->removed, *state.tree.leaf(remove->removed), listed.sender});
    applied.tree.RemoveLeaf(remove->removed);
    if (remove->removed == state.own_leaf) changes.removes_self = true;
  }
  std::vector<std::shared_ptr<const LeafNode>> arrivals;
  for (const ListedProposal& listed : list) {
    const auto* add = As<Add>(listed);
    if (add == nullptr) continue;
    auto node = std::make_shared<LeafNode>(add->key_package->leaf_node);
    note_keys(*node);
    arrivals.push_back(std::move(node));
    changes.adds.push_back({LeafIndex(), *add->key_package, listed.sender});
  }
  PARLEY_ASSIGN_OR_RETURN(applied.added, applied.tree.AddLeaves(std::move(arrivals)));
  for (size_t i = 0; i < applied.added.size(); ++i) changes.adds[i].leaf = applied.added[i];
  return applied;
}

}  // namespace parley::mls
