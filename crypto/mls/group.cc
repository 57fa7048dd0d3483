#include "crypto/mls/group.h"

#include <algorithm>

#include "crypto/mls/group_state.h"
#include "crypto/mls/message_protection.h"

namespace parley::mls {

Group::Group(std::unique_ptr<GroupState> state) : state_(std::move(state)) {
  // From here on the tree may be shared between threads: its hashes must be there.
  state_->tree.TreeHash();
}
Group::Group(Group&&) noexcept = default;
Group& Group::operator=(Group&&) noexcept = default;
Group::~Group() = default;

StagedCommit::StagedCommit() = default;
StagedCommit::StagedCommit(StagedCommit&&) noexcept = default;
StagedCommit& StagedCommit::operator=(StagedCommit&&) noexcept = default;
StagedCommit::~StagedCommit() = default;

absl::StatusOr<Group> StagedCommit::Next() && {
  if (next_ == nullptr) {
    return absl::FailedPreconditionError("this commit removes its receiver from the group");
  }
  return std::move(*next_);
}

absl::Status Group::Refuse(StagedCommit&& commit) {
  const StagedCommit refused = std::move(commit);
  if (refused.epoch_ != state_->context.epoch) {
    return absl::FailedPreconditionError("a commit of another epoch can't be refused any more");
  }
  if (!refused.generation_.has_value()) return absl::OkStatus();
  SecretTree& tree = state_->secret_tree;
  // Looked up anew: since it was processed, others of its sender's may have been read.
  absl::StatusOr<FoundKey> key =
      tree.Find(*state_->suite, refused.sender_, RatchetType::kHandshake, *refused.generation_);
  if (absl::IsFailedPrecondition(key.status())) return absl::OkStatus();  // it is gone
  PARLEY_RETURN_IF_ERROR(key.status());
  tree.Consume(*std::move(key));
  return absl::OkStatus();
}

// ---- What the group knows ---------------------------------------------------------------------

namespace {

Member MakeMember(LeafIndex index, const LeafNode& leaf) {
  return {index, leaf.credential, leaf.signature_key, leaf.encryption_key};
}

}  // namespace

CipherSuiteId Group::suite() const { return state_->suite->id; }
uint64_t Group::epoch() const { return state_->context.epoch; }
const Bytes& Group::group_id() const { return state_->context.group_id; }
LeafIndex Group::own_leaf() const { return state_->own_leaf; }

std::vector<Member> Group::members() const {
  std::vector<Member> members;
  members.reserve(state_->tree.member_count());
  state_->tree.ForEachLeaf(
      [&](LeafIndex index, const LeafNode& leaf) { members.push_back(MakeMember(index, leaf)); });
  return members;
}

std::optional<Member> Group::FindMember(LeafIndex leaf) const {
  const LeafNode* node = state_->tree.leaf(leaf);
  if (node == nullptr) return std::nullopt;
  return MakeMember(leaf, *node);
}

const LeafNode* Group::FindLeafNode(LeafIndex leaf) const { return state_->tree.leaf(leaf); }
const Extensions& Group::extensions() const { return state_->context.extensions; }
const Extension* Group::FindExtension(ExtensionType type) const {
  return mls::FindExtension(state_->context.extensions, type);
}
const Bytes& Group::confirmed_transcript_hash() const {
  return state_->context.confirmed_transcript_hash;
}
const Bytes& Group::tree_hash() const { return state_->context.tree_hash; }
const ReInit* Group::ended_by() const {
  return state_->reinit.has_value() ? &*state_->reinit : nullptr;
}
Bytes Group::RatchetTreeExtension() const { return state_->tree.Serialize(); }

Bytes Group::EpochAuthenticator() const {
  const ByteView value = state_->secrets.authenticator.value.Reveal();
  return Bytes(value.begin(), value.end());
}

absl::StatusOr<Secret> Group::Export(std::string_view label, ByteView context,
                                     size_t length) const {
  if (length == 0 || length > 255 * state_->suite->hash_size()) {
    return absl::InvalidArgumentError("an exported secret can't have this length");
  }
  return ExportSecret(*state_->suite, state_->secrets.exporter, label, context, length);
}

Secret Group::ResumptionPsk() const { return state_->secrets.resumption.value.Clone(); }

const std::vector<PendingProposal>& Group::pending_proposals() const {
  return state_->pending.all();
}

void Group::ClearPendingProposals() {
  state_->pending.Clear();
  state_->pending_updates.clear();
  state_->unchanged_pending = 0;
}

size_t Group::DropPendingProposals(const std::vector<ProposalRef>& refs) {
  GroupState& state = *state_;
  const size_t before = state.pending.all().size();
  for (const ProposalRef& ref : refs) {
    const PendingProposal* pending = state.pending.Find(ref);
    const Update* update = pending == nullptr ? nullptr : OwnUpdate(state, *pending);
    if (update == nullptr) continue;
    std::erase_if(state.pending_updates, [&](const PendingUpdate& own) {
      return own.encryption_key == update->leaf_node->encryption_key;
    });
  }
  const auto first = state.pending.Drop({refs.begin(), refs.end()});
  if (first.has_value()) state.unchanged_pending = std::min(state.unchanged_pending, *first);
  return before - state.pending.all().size();
}

absl::StatusOr<Bytes> Group::GroupInfoMessage(bool with_tree, bool with_external_pub) const {
  return crypto::Serialize(MlsMessage{MakeGroupInfo(*state_, with_tree, with_external_pub, {})});
}

// ---- Sending ----------------------------------------------------------------------------------

absl::StatusOr<Bytes> Group::Protect(ByteView application, ByteView authenticated_data,
                                     size_t padding) {
  PARLEY_RETURN_IF_ERROR(CheckNotEnded(*state_));
  FramedContent content = NewContent(*state_, authenticated_data);
  content.body = Secret::CopyOf(application);
  return SealPrivate(*state_, SignAs(*state_, WireFormat::kPrivateMessage, std::move(content)),
                     padding);
}

}  // namespace parley::mls
