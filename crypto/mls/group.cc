#include "crypto/mls/group.h"

#include "crypto/mls/group_state.h"
#include "crypto/mls/message_protection.h"
#include "crypto/mls/proposal_list.h"

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

const std::vector<PendingProposal>& Group::pending_proposals() const { return state_->pending; }

void Group::ClearPendingProposals() {
  state_->pending.clear();
  state_->pending_updates.clear();
}

absl::StatusOr<Bytes> Group::GroupInfoMessage(bool with_tree, bool with_external_pub) const {
  return crypto::Serialize(MlsMessage{MakeGroupInfo(*state_, with_tree, with_external_pub, {})});
}

// ---- Sending ----------------------------------------------------------------------------------

namespace {

// Section 12.4.2: after a ReInit "the client MUST NOT use the group to send messages anymore".
absl::Status CheckNotEnded(const GroupState& state) {
  if (!state.reinit.has_value()) return absl::OkStatus();
  return absl::FailedPreconditionError("this group has ended: another takes its place");
}

// Signs, encrypts and takes in an own proposal.
absl::StatusOr<Bytes> SendProposal(GroupState& state, Proposal proposal, size_t padding) {
  PARLEY_RETURN_IF_ERROR(CheckNotEnded(state));
  PARLEY_RETURN_IF_ERROR(ValidateProposal(state, proposal, Sender::Member(state.own_leaf)));
  FramedContent content = NewContent(state, {});
  content.body = proposal;
  const AuthenticatedContent authenticated =
      SignAs(state, WireFormat::kPrivateMessage, std::move(content));
  PARLEY_RETURN_IF_ERROR(AddPending(state, {MakeProposalRef(*state.suite, authenticated),
                                            Sender::Member(state.own_leaf), std::move(proposal)}));
  return SealPrivate(state, authenticated, padding);
}

}  // namespace

absl::StatusOr<Bytes> Group::Protect(ByteView application, ByteView authenticated_data,
                                     size_t padding) {
  PARLEY_RETURN_IF_ERROR(CheckNotEnded(*state_));
  FramedContent content = NewContent(*state_, authenticated_data);
  content.body = Secret::CopyOf(application);
  return SealPrivate(*state_, SignAs(*state_, WireFormat::kPrivateMessage, std::move(content)),
                     padding);
}

absl::StatusOr<Bytes> Group::ProposeAdd(ByteView key_package_message, size_t padding) {
  PARLEY_ASSIGN_OR_RETURN(KeyPackage key_package, ParseKeyPackageMessage(key_package_message));
  return SendProposal(*state_, Proposal{Add{std::move(key_package)}}, padding);
}

absl::StatusOr<Bytes> Group::ProposeUpdate(const LeafRenewal& renewal, size_t padding) {
  GroupState& state = *state_;
  crypto::KemKeyPair keys = state.suite->kem().GenerateKeyPair();
  LeafNode leaf = state.own_leaf_node();
  PendingUpdate pending{keys.public_key, std::move(keys.private_key), {}};
  std::optional<SignatureKey> signature_key;
  if (renewal.new_signature_key) {
    signature_key = SignatureKey::Generate();
    pending.signature_seed = signature_key->Seed();
    const auto& public_key = signature_key->public_key();
    leaf.signature_key.assign(public_key.begin(), public_key.end());
  }
  leaf.encryption_key = std::move(keys.public_key);
  leaf.source = LeafNodeSource::kUpdate;
  if (renewal.leaf_extensions.has_value()) leaf.extensions = *renewal.leaf_extensions;
  if (renewal.identity.has_value()) leaf.credential = Credential::Basic(*renewal.identity);
  SignLeafNode(signature_key.has_value() ? *signature_key : state.signature_key,
               state.place(state.own_leaf), leaf);
  PARLEY_ASSIGN_OR_RETURN(Bytes message,
                          SendProposal(state, Proposal{Update{std::move(leaf)}}, padding));
  state.pending_updates.push_back(std::move(pending));
  return message;
}

absl::StatusOr<Bytes> Group::ProposeRemove(LeafIndex leaf, size_t padding) {
  return SendProposal(*state_, Proposal{Remove{leaf}}, padding);
}

absl::StatusOr<Bytes> Group::ProposePsk(const PreSharedKeyId& id, size_t padding) {
  return SendProposal(*state_, Proposal{PreSharedKey{id}}, padding);
}

absl::StatusOr<Bytes> Group::ProposeExtensions(const Extensions& extensions, size_t padding) {
  PARLEY_RETURN_IF_ERROR(CheckGroupSupports(state_->tree, extensions));
  return SendProposal(*state_, Proposal{GroupContextExtensions{extensions}}, padding);
}

}  // namespace parley::mls
