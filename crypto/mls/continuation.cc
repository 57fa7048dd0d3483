#include "crypto/mls/continuation.h"

#include <set>

#include "crypto/primitives/random.h"

namespace parley::mls {
namespace {

bool Continues(const PreSharedKeyId& id) {
  return id.type == PskType::kResumption && id.usage != ResumptionPskUsage::kApplication;
}

// Whether every leaf of `some` is a client of `all`.
bool AllAmong(const RatchetTree& some, const RatchetTree& all, const LeafChecks& checks) {
  std::set<Bytes> clients;
  all.ForEachLeaf([&](LeafIndex, const LeafNode& leaf) { clients.insert(ClientOf(checks, leaf)); });
  bool among = true;
  some.ForEachLeaf([&](LeafIndex, const LeafNode& leaf) {
    among = among && clients.contains(ClientOf(checks, leaf));
  });
  return among;
}

// Section 11.2.
absl::Status CheckReinitialized(const GroupState& continued, const GroupContext& context,
                                const RatchetTree& tree, const LeafChecks& checks) {
  const ReInit& agreed = *continued.reinit;
  if (context.group_id != agreed.group_id || context.version != agreed.version ||
      context.suite != agreed.suite || context.extensions != agreed.extensions) {
    return absl::InvalidArgumentError("a group that isn't what the ReInit said");
  }
  if (AllAmong(continued.tree, tree, checks)) return absl::OkStatus();
  return absl::PermissionDeniedError("a reinitialised group without all the members");
}

// Section 11.3.
absl::Status CheckBranch(const GroupState& continued, const GroupContext& context,
                         const RatchetTree& tree, const LeafChecks& checks) {
  if (context.version != continued.context.version || context.suite != continued.context.suite) {
    return absl::InvalidArgumentError("a branch of another version or cipher suite");
  }
  if (AllAmong(tree, continued.tree, checks)) return absl::OkStatus();
  return absl::PermissionDeniedError("a branch with somebody who isn't in the group it comes from");
}

// The first commit of a new group that continues `old`.
absl::StatusOr<PreparedCommit> StartContinuation(const GroupState& old, GroupOptions own,
                                                 const ContinuationOptions& options,
                                                 ResumptionPskUsage usage) {
  PARLEY_ASSIGN_OR_RETURN(Group group, Group::Create(own));
  PreSharedKeyId link{.type = PskType::kResumption,
                      .usage = usage,
                      .psk_group_id = old.context.group_id,
                      .psk_epoch = old.context.epoch};
  link.psk_nonce = crypto::RandomBytes(group.state().suite->hash_size());
  CommitOptions commit{.adds = options.adds,
                       .force_path = options.force_path,
                       .tree_in_welcome = options.tree_in_welcome,
                       .checks = options.checks,
                       .grease = own.grease};
  commit.psks.push_back({link, old.secrets.resumption.value.Clone()});
  group.mutable_state().starts_continuation = true;
  PARLEY_ASSIGN_OR_RETURN(PreparedCommit first, group.PrepareCommit(commit));
  const GroupState& next = first.next.state();
  PARLEY_RETURN_IF_ERROR(CheckContinuation(old, link, next.context, next.tree, options.checks));
  return first;
}

}  // namespace

absl::StatusOr<const PreSharedKeyId*> FindContinuation(const std::vector<PreSharedKeyId>& psks,
                                                       const GroupState* continued) {
  const PreSharedKeyId* link = nullptr;
  for (const PreSharedKeyId& id : psks) {
    if (!Continues(id)) continue;
    if (link != nullptr) return absl::InvalidArgumentError("a Welcome that continues two groups");
    link = &id;
  }
  // Section 11.2: "The Welcome message MUST specify a PreSharedKeyID of type resumption with usage
  // reinit"; section 11.3 has the same for branches. Anybody can send a Welcome without one.
  if (link == nullptr && continued != nullptr) {
    return absl::InvalidArgumentError("a Welcome that doesn't continue the group that it should");
  }
  if (link == nullptr) return link;
  if (continued == nullptr || link->psk_group_id != continued->context.group_id) {
    return absl::FailedPreconditionError("a Welcome that continues a group which isn't at hand");
  }
  // Section 11.2: "the epoch field indicates the epoch after the Commit covering the ReInit".
  if (link->usage == ResumptionPskUsage::kReinit &&
      (!continued->reinit.has_value() || link->psk_epoch != continued->context.epoch)) {
    return absl::FailedPreconditionError("a Welcome that reinitialises a group which hasn't ended");
  }
  return link;
}

absl::Status CheckContinuation(const GroupState& continued, const PreSharedKeyId& link,
                               const GroupContext& context, const RatchetTree& tree,
                               const LeafChecks& checks) {
  if (context.epoch != 1) {
    return absl::InvalidArgumentError("a group that continues another and isn't new");
  }
  // What was agreed to take a group's place comes of a ReInit, with all its members.
  if (link.usage == ResumptionPskUsage::kBranch && continued.reinit.has_value() &&
      context.group_id == continued.reinit->group_id) {
    return absl::InvalidArgumentError("a branch in place of the group that the ReInit said");
  }
  return link.usage == ResumptionPskUsage::kReinit
             ? CheckReinitialized(continued, context, tree, checks)
             : CheckBranch(continued, context, tree, checks);
}

absl::StatusOr<PreparedCommit> Group::Branch(const ContinuationOptions& options) const {
  if (options.group.group_id == state_->context.group_id) {
    return absl::InvalidArgumentError("a branch needs a group id of its own");
  }
  GroupOptions own = options.group;
  own.suite = state_->suite->id;
  return StartContinuation(*state_, std::move(own), options, ResumptionPskUsage::kBranch);
}

absl::StatusOr<PreparedCommit> Group::Reinitialize(const ContinuationOptions& options) const {
  if (!state_->reinit.has_value()) {
    return absl::FailedPreconditionError("no ReInit of this group has been committed");
  }
  GroupOptions own = options.group;
  own.suite = state_->reinit->suite;
  own.group_id = state_->reinit->group_id;
  own.extensions = state_->reinit->extensions;
  return StartContinuation(*state_, std::move(own), options, ResumptionPskUsage::kReinit);
}

}  // namespace parley::mls
