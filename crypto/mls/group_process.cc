// Processing messages (RFC 9420 sections 6, 12.1 and 12.4.2).
//
// Nothing of the group changes before a message has been verified in full.
#include <algorithm>
#include <set>

#include "crypto/mls/group_state.h"
#include "crypto/mls/message_protection.h"
#include "crypto/mls/next_epoch.h"

namespace parley::mls {

// Verifies a commit and computes the state after it.
class CommitProcessor {
 public:
  CommitProcessor(const GroupState& before, const AuthenticatedContent& content,
                  const SignedBytes& covered, const ProcessOptions& options)
      : before_(before),
        suite_(*before.suite),
        content_(content),
        covered_(covered),
        commit_(std::get<Commit>(content.content.body)),
        options_(options),
        external_(content.content.sender.type == SenderType::kNewMemberCommit) {}

  absl::StatusOr<StagedCommit> Process() && {
    PARLEY_ASSIGN_OR_RETURN(const std::vector<ListedProposal> list, ResolveProposals());
    PARLEY_RETURN_IF_ERROR(ValidateProposalList(before_, list, content_.content.sender));
    // Section 12.4.2: "Verify that the path value is populated if the proposals vector contains
    // any Update or Remove proposals, or if it's empty."
    if (!commit_.path.has_value() && PathRequired(list)) {
      return absl::InvalidArgumentError("a commit without the path that it needs");
    }
    PARLEY_ASSIGN_OR_RETURN(AppliedProposals applied, ApplyProposals(before_, list));
    sender_ = content_.content.sender.leaf();
    if (external_) PARLEY_RETURN_IF_ERROR(PlaceExternalJoiner(applied));
    if (commit_.path.has_value()) PARLEY_RETURN_IF_ERROR(MergePath(applied));
    PARLEY_RETURN_IF_ERROR(CheckNewTree(applied));
    PARLEY_RETURN_IF_ERROR(
        CheckArrivals(options_.checks, applied, external_ ? &commit_.path->leaf_node : nullptr));

    StagedCommit staged;
    staged.sender_ = sender_;
    staged.epoch_ = before_.context.epoch;
    staged.authenticated_data_ = content_.content.authenticated_data;
    staged.changes_ = applied.changes;
    // Who is removed can't compute the next epoch, and with it not the confirmation tag.
    if (applied.changes.removes_self) return staged;
    PARLEY_ASSIGN_OR_RETURN(staged.next_, Advance(std::move(applied)));
    return staged;
  }

  // With the generation of the key that opened it.
  static StagedCommit OpenedBy(uint32_t generation, StagedCommit staged) {
    staged.generation_ = generation;
    return staged;
  }

 private:
  absl::StatusOr<std::vector<ListedProposal>> ResolveProposals() const {
    std::vector<ListedProposal> list;
    std::set<ProposalRef> named;
    for (const ProposalOrRef& item : commit_.proposals) {
      if (const auto* value = std::get_if<Proposal>(&item.body)) {
        list.push_back({*value, content_.content.sender, false});
        continue;
      }
      // Section 12.4.3.2: an external commit "MUST NOT include any proposals by reference".
      if (external_) return absl::InvalidArgumentError("an external commit with a reference");
      const auto& ref = std::get<ProposalRef>(item.body);
      // No list may hold one proposal twice (section 12.2). Said before any is copied: a short
      // commit could name a long proposal thousands of times.
      if (!named.insert(ref).second) {
        return absl::InvalidArgumentError("a commit that names one proposal twice");
      }
      const PendingProposal* found = before_.pending.Find(ref);
      if (found == nullptr) {
        return absl::FailedPreconditionError("a commit of a proposal that was not received");
      }
      list.push_back({found->proposal, found->sender, true});
    }
    return list;
  }

  // Section 12.4.2: "If this is an external Commit, assign the sender the leftmost blank leaf node
  // in the new ratchet tree." Requires: the commit has a path, without which neither could its
  // signature have been verified, nor its ExternalInit been let through.
  absl::Status PlaceExternalJoiner(AppliedProposals& applied) {
    applied.changes.external = true;
    PARLEY_ASSIGN_OR_RETURN(
        sender_, applied.tree.AddLeaf(std::make_shared<LeafNode>(commit_.path->leaf_node)));
    return absl::OkStatus();
  }

  absl::Status MergePath(AppliedProposals& applied) {
    const UpdatePath& path = *commit_.path;
    applied.changes.has_path = true;
    // Section 7.3: "If the LeafNode appears in the leaf_node value of the UpdatePath in a Commit,
    // verify that leaf_node_source is set to commit."
    if (path.leaf_node.source != LeafNodeSource::kCommit) {
      return absl::InvalidArgumentError("an update path with a leaf that wasn't made for a commit");
    }
    PARLEY_RETURN_IF_ERROR(ValidateLeafNode(suite_, before_.place(sender_), path.leaf_node));
    if (!external_) {
      const LeafNode& old = *before_.tree.leaf(sender_);
      // Section 12.4.2: "Verify that the encryption_key value in the LeafNode is different from
      // the committer's current leaf node."
      if (path.leaf_node.encryption_key == old.encryption_key) {
        return absl::InvalidArgumentError("an update path that keeps its leaf's encryption key");
      }
      applied.changes.updates.push_back({sender_, old, path.leaf_node});
    }
    PARLEY_RETURN_IF_ERROR(MergeUpdatePath(suite_, path, sender_, applied.added, applied.tree));
    // Section 12.4.2: "Verify that none of the public keys in the UpdatePath appear in any node of
    // the new ratchet tree": each of them must be there once only, now that they are merged.
    for (const UpdatePathNode& node : path.nodes) {
      applied.new_keys.encryption_keys.push_back(node.encryption_key);
    }
    applied.new_keys.encryption_keys.push_back(path.leaf_node.encryption_key);
    applied.new_keys.signature_keys.push_back(path.leaf_node.signature_key);
    return absl::OkStatus();
  }

  absl::StatusOr<std::unique_ptr<Group>> Advance(AppliedProposals applied) const {
    PARLEY_ASSIGN_OR_RETURN(KeptKeys kept, KeepKeys(before_, applied));
    CommitSecret commit_secret(ZeroSecret(suite_));
    if (commit_.path.has_value()) {
      PARLEY_ASSIGN_OR_RETURN(
          OpenedPath opened,
          OpenPath(suite_, applied.tree, *commit_.path, sender_, before_.own_leaf, kept.keys,
                   applied.added, ProvisionalContext(before_, applied)));
      commit_secret = std::move(opened.commit_secret);
      for (auto& [node, key] : opened.keys) kept.keys.insert_or_assign(node, std::move(key));
    }
    PARLEY_ASSIGN_OR_RETURN(const std::vector<Psk> psks,
                            FindPsks(&before_, applied.changes.psks, options_.psks));
    InitSecret external_init;
    if (external_) {
      const crypto::KemKeyPair external = DeriveExternalKeyPair(suite_, before_.secrets.external);
      PARLEY_ASSIGN_OR_RETURN(
          external_init.value,
          ReceiveExternalInit(suite_, external.private_key, *applied.external_kem_output));
    }
    NextEpoch next = MakeNextEpoch(
        before_,
        NextEpochInput{.applied = std::move(applied),
                       .own_leaf = before_.own_leaf,
                       .keys = std::move(kept.keys),
                       .signature_key = std::move(kept.signature_key),
                       .commit_secret = std::move(commit_secret),
                       .psk_secret = PskSecret(ComputePskSecret(suite_, psks)),
                       .init_secret = external_ ? external_init : before_.secrets.init},
        covered_.framed(), content_.auth.signature);
    // Section 12.4.2: "verify that it is the same as the confirmation_tag field in the
    // FramedContentAuthData object".
    PARLEY_RETURN_IF_ERROR(VerifyConfirmationTag(suite_, next.state->secrets.confirmation,
                                                 next.state->context.confirmed_transcript_hash,
                                                 content_.auth.confirmation_tag));
    return std::make_unique<Group>(std::move(next.state));
  }

  const GroupState& before_;
  const CipherSuite& suite_;
  const AuthenticatedContent& content_;
  const SignedBytes& covered_;
  const Commit& commit_;
  const ProcessOptions& options_;
  const bool external_;
  LeafIndex sender_;
};

namespace {

// Section 6.1: the key that must have signed a message, by the kind of its sender.
absl::StatusOr<ByteView> SignerOf(const GroupState& state, const FramedContent& content) {
  const ContentType type = content.content_type();
  switch (content.sender.type) {
    case SenderType::kMember: {
      const LeafNode* leaf = state.tree.leaf(content.sender.leaf());
      if (leaf != nullptr) return ByteView(leaf->signature_key);
      return absl::InvalidArgumentError("a message from a leaf that is not there");
    }
    case SenderType::kNewMemberCommit: {
      const Commit* commit = std::get_if<Commit>(&content.body);
      if (commit != nullptr && commit->path.has_value()) {
        return ByteView(commit->path->leaf_node.signature_key);
      }
      return absl::InvalidArgumentError("a message from a joiner that isn't an external commit");
    }
    case SenderType::kNewMemberProposal: {
      const Proposal* proposal = std::get_if<Proposal>(&content.body);
      const Add* add = proposal == nullptr ? nullptr : std::get_if<Add>(&proposal->body);
      if (add != nullptr) return ByteView(add->key_package->leaf_node.signature_key);
      return absl::InvalidArgumentError("a message from a newcomer that isn't an Add");
    }
    case SenderType::kExternal:
      break;
  }
  return absl::InvalidArgumentError(type == ContentType::kProposal
                                        ? "a proposal from an unknown external sender"
                                        : "an external sender can make proposals only");
}

// The same for external senders, whose keys are in the GroupContext (section 12.1.8.1).
absl::StatusOr<Bytes> ExternalSignerOf(const GroupState& state, const FramedContent& content) {
  const Extension* extension =
      FindExtension(state.context.extensions, ExtensionType::kExternalSenders);
  if (extension != nullptr && content.content_type() == ContentType::kProposal) {
    PARLEY_ASSIGN_OR_RETURN(std::vector<ExternalSender> senders,
                            crypto::Parse<std::vector<ExternalSender>>(extension->data));
    if (content.sender.index < senders.size()) return senders[content.sender.index].signature_key;
  }
  return SignerOf(state, content).status();
}

absl::Status VerifySender(const GroupState& state, const AuthenticatedContent& content,
                          const SignedBytes& covered) {
  if (content.content.sender.type == SenderType::kExternal) {
    PARLEY_ASSIGN_OR_RETURN(const Bytes key, ExternalSignerOf(state, content.content));
    return covered.Verify(key, content.auth.signature);
  }
  PARLEY_ASSIGN_OR_RETURN(const ByteView key, SignerOf(state, content.content));
  return covered.Verify(key, content.auth.signature);
}

SignedBytes CoveredBySignature(const GroupState& state, const AuthenticatedContent& content) {
  return SignedBytes(content.wire_format, content.content, state.context);
}

absl::Status CheckGroupAndEpoch(const GroupState& state, const Bytes& group_id, uint64_t epoch) {
  if (group_id != state.context.group_id) {
    return absl::FailedPreconditionError("a message of another group");
  }
  if (epoch != state.context.epoch) {
    return absl::FailedPreconditionError("a message of epoch " + std::to_string(epoch) +
                                         " in epoch " + std::to_string(state.context.epoch));
  }
  return absl::OkStatus();
}

// What the application says of what a proposal brings; of all together it is asked again when they
// are committed.
absl::Status CheckProposed(const GroupState& state, const Proposal& proposal, const Sender& sender,
                           const LeafChecks& checks) {
  if (const auto* add = std::get_if<Add>(&proposal.body)) {
    return CheckLeaf(checks, add->key_package->leaf_node);
  }
  if (const auto* update = std::get_if<Update>(&proposal.body)) {
    return CheckReplacement(checks, *state.tree.leaf(sender.leaf()), *update->leaf_node);
  }
  if (const auto* wanted = std::get_if<GroupContextExtensions>(&proposal.body)) {
    return CheckExternalSenders(checks, wanted->extensions);
  }
  return absl::OkStatus();
}

absl::StatusOr<ReceivedProposal> TakeProposal(GroupState& state,
                                              const AuthenticatedContent& content,
                                              const LeafChecks& checks) {
  const auto& proposal = std::get<Proposal>(content.content.body);
  PARLEY_RETURN_IF_ERROR(ValidateProposal(state, proposal, content.content.sender));
  PARLEY_RETURN_IF_ERROR(CheckProposed(state, proposal, content.content.sender, checks));
  PendingProposal pending{MakeProposalRef(*state.suite, content), content.content.sender, proposal};
  PARLEY_RETURN_IF_ERROR(state.pending.Add(pending));
  return ReceivedProposal{std::move(pending), content.content.authenticated_data};
}

absl::StatusOr<Received> TakeHandshake(GroupState& state, const AuthenticatedContent& content,
                                       const SignedBytes& covered, const ProcessOptions& options) {
  if (content.content.content_type() == ContentType::kCommit) {
    return CommitProcessor(state, content, covered, options).Process();
  }
  return TakeProposal(state, content, options.checks);
}

// Of this group and epoch, as is what follows.
absl::StatusOr<Received> ProcessPublic(GroupState& state, PublicMessage&& message,
                                       const ProcessOptions& options) {
  PARLEY_ASSIGN_OR_RETURN(
      const AuthenticatedContent content,
      UnprotectPublic(*state.suite, state.secrets.membership, state.context, std::move(message)));
  const SignedBytes covered = CoveredBySignature(state, content);
  PARLEY_RETURN_IF_ERROR(VerifySender(state, content, covered));
  if (content.content.sender == Sender::Member(state.own_leaf)) {
    return OwnMessage{.content_type = content.content.content_type()};
  }
  return TakeHandshake(state, content, covered, options);
}

absl::StatusOr<Received> ProcessPrivate(GroupState& state, const PrivateMessage& message,
                                        const ProcessOptions& options) {
  PARLEY_ASSIGN_OR_RETURN(const SenderData sender,
                          OpenSenderData(*state.suite, state.secrets.sender_data, message));
  const RatchetType ratchet = RatchetFor(message.content_type);
  const bool own = sender.leaf() == state.own_leaf;
  OwnMessage own_message{.content_type = message.content_type, .generation = sender.generation};
  if (own && sender.generation < state.secret_tree.NextGeneration(state.own_leaf, ratchet)) {
    return own_message;
  }
  // Section 6.3.2: "the recipient MUST verify that the leaf index indicated in the leaf_index field
  // identifies a non-blank node".
  if (state.tree.leaf(sender.leaf()) == nullptr) {
    return absl::InvalidArgumentError("a message from a leaf that is not there");
  }
  PARLEY_ASSIGN_OR_RETURN(FoundKey key, state.secret_tree.Find(*state.suite, sender.leaf(), ratchet,
                                                               sender.generation));
  PARLEY_ASSIGN_OR_RETURN(AuthenticatedContent content,
                          UnprotectPrivate(*state.suite, sender, key.key, message));
  const SignedBytes covered = CoveredBySignature(state, content);
  PARLEY_RETURN_IF_ERROR(VerifySender(state, content, covered));
  if (own) {
    own_message.unknown_to_this_state = true;
    return own_message;
  }
  switch (message.content_type) {
    case ContentType::kApplication:
      state.secret_tree.Consume(std::move(key));
      return ApplicationMessage{.sender = sender.leaf(),
                                .generation = sender.generation,
                                .plaintext = std::get<Secret>(std::move(content.content.body)),
                                .authenticated_data = message.authenticated_data};
    case ContentType::kProposal: {
      PARLEY_ASSIGN_OR_RETURN(ReceivedProposal received,
                              TakeProposal(state, content, options.checks));
      state.secret_tree.Consume(std::move(key));
      return received;
    }
    case ContentType::kCommit: {
      // Its key stays until the caller has decided: the epoch goes with it, or Refuse deletes it.
      PARLEY_ASSIGN_OR_RETURN(StagedCommit staged,
                              CommitProcessor(state, content, covered, options).Process());
      return CommitProcessor::OpenedBy(sender.generation, std::move(staged));
    }
  }
  return absl::InvalidArgumentError("a message of an unknown content type");
}

absl::Status NotForGroups() {
  return absl::InvalidArgumentError("this message is not one that a group processes");
}

}  // namespace

absl::StatusOr<Received> Group::Process(ByteView message, const ProcessOptions& options) {
  PARLEY_RETURN_IF_ERROR(CheckMessageSize(message));
  PARLEY_ASSIGN_OR_RETURN(const MessageHead head, PeekMessage(message));
  // What no group takes in, or is for another group or epoch, isn't read in full: anybody can have
  // made it.
  if (head.wire_format > WireFormat::kPrivateMessage) return NotForGroups();
  PARLEY_RETURN_IF_ERROR(CheckGroupAndEpoch(*state_, head.group_id, head.epoch));
  if (head.wire_format == WireFormat::kPublicMessage) {
    PARLEY_RETURN_IF_ERROR(CheckMayBePublic(head.content_type));
  }
  PARLEY_ASSIGN_OR_RETURN(MlsMessage parsed, ParseMessage(message));
  if (auto* in_public = std::get_if<PublicMessage>(&parsed.body)) {
    return ProcessPublic(*state_, std::move(*in_public), options);
  }
  if (const auto* in_private = std::get_if<PrivateMessage>(&parsed.body)) {
    return ProcessPrivate(*state_, *in_private, options);
  }
  return NotForGroups();
}

}  // namespace parley::mls
