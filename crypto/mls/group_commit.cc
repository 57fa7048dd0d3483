// Making commits (RFC 9420 sections 12.4.1 and 12.4.3.2).
#include <algorithm>

#include "crypto/mls/group_join.h"
#include "crypto/mls/group_state.h"
#include "crypto/mls/message_protection.h"
#include "crypto/mls/next_epoch.h"
#include "crypto/mls/transcript.h"

namespace parley::mls {
namespace {

// The proposals of a commit, as they are written in it and as they are applied.
struct ChosenProposals {
  std::vector<ProposalOrRef> written;
  std::vector<ListedProposal> listed;

  void AddByValue(const Sender& committer, Proposal proposal) {
    listed.push_back({proposal, committer, false});
    written.push_back({std::move(proposal)});
  }
  void AddByReference(const PendingProposal& pending) {
    listed.push_back({pending.proposal, pending.sender, true});
    written.push_back({pending.ref});
  }
};

absl::Status ChooseByReference(const GroupState& state, const CommitOptions& options,
                               ChosenProposals& chosen) {
  switch (options.include) {
    case ProposalsToInclude::kNone:
      return absl::OkStatus();
    case ProposalsToInclude::kAll:
      for (size_t index : SelectProposals(state, options)) {
        chosen.AddByReference(state.pending[index]);
      }
      return absl::OkStatus();
    case ProposalsToInclude::kListed:
      break;
  }
  for (const ProposalRef& ref : options.listed) {
    auto found = std::find_if(state.pending.begin(), state.pending.end(),
                              [&](const PendingProposal& pending) { return pending.ref == ref; });
    if (found == state.pending.end()) {
      return absl::InvalidArgumentError("a proposal to commit is not among the pending ones");
    }
    chosen.AddByReference(*found);
  }
  return absl::OkStatus();
}

absl::StatusOr<ChosenProposals> ChooseProposals(const GroupState& state,
                                                const CommitOptions& options) {
  ChosenProposals chosen;
  const Sender self = Sender::Member(state.own_leaf);
  PARLEY_RETURN_IF_ERROR(ChooseByReference(state, options, chosen));
  if (options.extensions.has_value()) {
    chosen.AddByValue(self, Proposal{GroupContextExtensions{*options.extensions}});
  }
  for (LeafIndex leaf : options.removes) chosen.AddByValue(self, Proposal{Remove{leaf}});
  for (const Bytes& message : options.adds) {
    PARLEY_ASSIGN_OR_RETURN(KeyPackage key_package, ParseKeyPackageMessage(message));
    // Section 7.3: the sender "MUST verify that the current time is within the range of the
    // lifetime field".
    if (options.now_seconds.has_value() &&
        !key_package.leaf_node.lifetime.Contains(*options.now_seconds)) {
      return absl::InvalidArgumentError("a key package has expired or isn't valid yet");
    }
    chosen.AddByValue(self, Proposal{Add{std::move(key_package)}});
  }
  for (const Psk& psk : options.psks) chosen.AddByValue(self, Proposal{PreSharedKey{psk.id}});
  return chosen;
}

// All PSKs of the commit in its order: those given by value, else looked up.
absl::StatusOr<std::vector<Psk>> GatherPsks(const GroupState& state, const CommitOptions& options,
                                            const std::vector<PreSharedKeyId>& ids) {
  return FindPsks(&state, ids, [&](const PreSharedKeyId& id) -> std::optional<Secret> {
    for (const Psk& psk : options.psks) {
      if (psk.id == id) return psk.secret.Clone();
    }
    return options.psk_lookup ? options.psk_lookup(id) : std::nullopt;
  });
}

// A leaf for the committer's path: the old one with what is to be renewed.
LeafNode RenewedLeaf(const LeafNode& old, const LeafRenewal& renewal, const SignatureKey& key) {
  LeafNode leaf = old;
  leaf.signature_key.assign(key.public_key().begin(), key.public_key().end());
  if (renewal.leaf_extensions.has_value()) leaf.extensions = *renewal.leaf_extensions;
  if (renewal.identity.has_value()) leaf.credential = Credential::Basic(*renewal.identity);
  return leaf;
}

absl::StatusOr<Bytes> MakeWelcome(const GroupState& next, const CommitOptions& options,
                                  const CommitChanges& changes, const NewPath* path,
                                  const NextEpoch& epoch) {
  const CipherSuite& suite = *next.suite;
  Welcome welcome;
  welcome.suite = suite.id;
  welcome.encrypted_group_info =
      SealGroupInfo(suite, epoch.welcome,
                    MakeGroupInfo(next, options.tree_in_welcome, options.external_pub_in_group_info,
                                  options.group_info_extensions));
  const LabelledEncryption encryption = WelcomeEncryption(suite, welcome.encrypted_group_info);
  for (const AddedMember& member : changes.adds) {
    GroupSecrets secrets{.joiner_secret = epoch.joiner.value.Clone(),
                         .path_secret = std::nullopt,
                         .psks = changes.psks};
    if (path != nullptr) {
      // "Identify the lowest common ancestor in the tree of the new member's leaf node and the
      // member sending the Commit … Compute the path secret corresponding to the common ancestor."
      auto ancestor = std::find_if(
          path->path_secrets.begin(), path->path_secrets.end(),
          [&](const auto& step) { return IsInSubtree(NodeIndex(member.leaf), step.first); });
      secrets.path_secret.emplace(PathSecret{ancestor->second.Clone()});
    }
    PARLEY_ASSIGN_OR_RETURN(Bytes ref, KeyPackageRef(member.key_package));
    PARLEY_ASSIGN_OR_RETURN(
        EncryptedGroupSecrets sealed,
        SealGroupSecrets(encryption, ref, member.key_package.init_key, secrets));
    welcome.secrets.push_back(std::move(sealed));
  }
  return crypto::Serialize(MlsMessage{std::move(welcome)});
}

// Signs the commit as its sender does in the epoch before, and makes the epoch after.
struct SignedCommit {
  AuthenticatedContent content;
  NextEpoch next;
};
SignedCommit SignCommit(const GroupState& before, const SignatureKey& signer, FramedContent content,
                        WireFormat wire_format, NextEpochInput input) {
  AuthenticatedContent authenticated{.wire_format = wire_format};
  authenticated.auth.signature = SignContent(signer, wire_format, content, before.context);
  authenticated.content = std::move(content);
  NextEpoch next = MakeNextEpoch(before, std::move(input), authenticated);
  authenticated.auth.confirmation_tag = next.state->confirmation_tag;
  return {std::move(authenticated), std::move(next)};
}

// A commit in the making.
struct Draft {
  ChosenProposals chosen;
  AppliedProposals applied;
  std::vector<Psk> psks;
  KeptKeys kept;
  std::optional<NewPath> path;
};

// New keys along the committer's path, encrypted to the others.
absl::Status DraftPath(const GroupState& before, const CommitOptions& options, Draft& draft) {
  const CipherSuite& suite = *before.suite;
  const LeafIndex own = before.own_leaf;
  if (options.renewal.new_signature_key) draft.kept.signature_key = SignatureKey::Generate();
  NewPath path =
      CreatePath(suite, draft.applied.tree, own,
                 RenewedLeaf(before.own_leaf_node(), options.renewal, draft.kept.signature_key),
                 draft.kept.signature_key, before.context.group_id);
  const LeafNode& leaf = path.path.leaf_node;
  PARLEY_RETURN_IF_ERROR(CheckLeafNodeForm(suite, leaf));
  PARLEY_RETURN_IF_ERROR(EncryptPath(suite, draft.applied.tree, own, draft.applied.added,
                                     ProvisionalContext(before, draft.applied), path));
  draft.applied.changes.has_path = true;
  draft.applied.changes.updates.push_back({own, before.own_leaf_node(), leaf});
  for (auto& [node, key] : path.keys) draft.kept.keys.insert_or_assign(node, std::move(key));
  draft.path = std::move(path);
  return absl::OkStatus();
}

absl::StatusOr<Draft> DraftCommit(const GroupState& before, const CommitOptions& options) {
  PARLEY_ASSIGN_OR_RETURN(ChosenProposals chosen, ChooseProposals(before, options));
  PARLEY_RETURN_IF_ERROR(
      ValidateProposalList(before, chosen.listed, Sender::Member(before.own_leaf)));
  PARLEY_ASSIGN_OR_RETURN(AppliedProposals applied, ApplyProposals(before, chosen.listed));
  PARLEY_ASSIGN_OR_RETURN(std::vector<Psk> psks, GatherPsks(before, options, applied.changes.psks));
  PARLEY_ASSIGN_OR_RETURN(KeptKeys kept, KeepKeys(before, applied));
  const bool with_path = options.force_path || PathRequired(chosen.listed);
  Draft draft{std::move(chosen), std::move(applied), std::move(psks), std::move(kept), {}};
  if (with_path) PARLEY_RETURN_IF_ERROR(DraftPath(before, options, draft));
  PARLEY_RETURN_IF_ERROR(CheckNewTree(draft.applied));
  return draft;
}

}  // namespace

absl::StatusOr<PreparedCommit> Group::PrepareCommit(const CommitOptions& options) {
  GroupState& before = *state_;
  const CipherSuite& suite = *before.suite;
  if (before.reinit.has_value()) {
    return absl::FailedPreconditionError("this group has ended: another takes its place");
  }
  PARLEY_ASSIGN_OR_RETURN(Draft draft, DraftCommit(before, options));
  std::optional<NewPath>& path = draft.path;
  Commit commit{.proposals = std::move(draft.chosen.written), .path = std::nullopt};
  if (path.has_value()) commit.path = std::move(path->path);
  FramedContent content = NewContent(before, options.authenticated_data);
  content.body = std::move(commit);
  const CommitChanges changes = draft.applied.changes;  // the Welcome needs them too
  SignedCommit made =
      SignCommit(before, before.signature_key, std::move(content),
                 options.public_message ? WireFormat::kPublicMessage : WireFormat::kPrivateMessage,
                 NextEpochInput{.applied = std::move(draft.applied),
                                .own_leaf = before.own_leaf,
                                .keys = std::move(draft.kept.keys),
                                .signature_key = std::move(draft.kept.signature_key),
                                .commit_secret = path.has_value() ? std::move(path->commit_secret)
                                                                  : CommitSecret(ZeroSecret(suite)),
                                .psk_secret = PskSecret(ComputePskSecret(suite, draft.psks)),
                                .init_secret = before.secrets.init});

  std::optional<Bytes> welcome;
  if (!changes.adds.empty()) {
    PARLEY_ASSIGN_OR_RETURN(welcome, MakeWelcome(*made.next.state, options, changes,
                                                 path.has_value() ? &*path : nullptr, made.next));
  }
  // Last, so that a commit that can't be made uses no key.
  Bytes message;
  if (options.public_message) {
    message = crypto::Serialize(MlsMessage{
        ProtectPublic(suite, before.secrets.membership, before.context, std::move(made.content))});
  } else {
    PARLEY_ASSIGN_OR_RETURN(message, SealPrivate(before, made.content, options.padding));
  }
  return PreparedCommit{std::move(message), std::move(welcome), changes.adds,
                        Group(std::move(made.next.state))};
}

namespace {

// What an outsider knows of the epoch that it joins from: its public half.
absl::StatusOr<std::unique_ptr<GroupState>> OutsideView(const CipherSuite& suite,
                                                        const GroupInfo& info,
                                                        const std::optional<Bytes>& tree,
                                                        const SignatureKey& key) {
  PARLEY_ASSIGN_OR_RETURN(RatchetTree public_tree, TreeOfGroupInfo(suite, info, tree));
  auto state = std::make_unique<GroupState>(suite, std::move(public_tree), key.Clone());
  state->context = info.group_context;
  state->interim_transcript_hash = InterimTranscriptHash(
      suite, info.group_context.confirmed_transcript_hash, info.confirmation_tag);
  // No member: no Remove in the commit is of oneself.
  state->own_leaf = LeafIndex(UINT32_MAX);
  return state;
}

// The HPKE key that a GroupInfo offers to joiners from outside.
absl::StatusOr<ExternalInitSecret> StartExternalInit(const CipherSuite& suite,
                                                     const GroupInfo& info) {
  const Extension* extension = FindExtension(info.extensions, ExtensionType::kExternalPub);
  if (extension == nullptr) {
    return absl::InvalidArgumentError("a GroupInfo without a key for joining from outside");
  }
  PARLEY_ASSIGN_OR_RETURN(const Bytes external_pub, crypto::Parse<Bytes>(extension->data));
  return SendExternalInit(suite, external_pub);
}

// The external commit by which the owner of `leaf` and `key` joins.
absl::StatusOr<PreparedCommit> CommitFromOutside(const GroupState& before, LeafNode leaf,
                                                 SignatureKey key, ExternalInitSecret init) {
  const CipherSuite& suite = *before.suite;
  const Sender sender{.type = SenderType::kNewMemberCommit, .index = 0};
  ChosenProposals chosen;
  chosen.AddByValue(sender, Proposal{ExternalInit{std::move(init.kem_output)}});
  PARLEY_RETURN_IF_ERROR(ValidateProposalList(before, chosen.listed, sender));
  PARLEY_ASSIGN_OR_RETURN(AppliedProposals applied, ApplyProposals(before, chosen.listed));
  // "Assign the sender the leftmost blank leaf node in the new ratchet tree."
  PARLEY_ASSIGN_OR_RETURN(const LeafIndex own,
                          applied.tree.AddLeaf(std::make_shared<LeafNode>(leaf)));
  NewPath path =
      CreatePath(suite, applied.tree, own, std::move(leaf), key, before.context.group_id);
  PARLEY_RETURN_IF_ERROR(CheckNewTree(applied));
  PARLEY_RETURN_IF_ERROR(
      EncryptPath(suite, applied.tree, own, {}, ProvisionalContext(before, applied), path));

  FramedContent content = NewContent(before, {});
  content.sender = sender;
  content.body = Commit{.proposals = std::move(chosen.written), .path = std::move(path.path)};
  const InitSecret init_secret(std::move(init.init_secret));
  const SignatureKey signer = key.Clone();
  SignedCommit made = SignCommit(before, signer, std::move(content), WireFormat::kPublicMessage,
                                 NextEpochInput{.applied = std::move(applied),
                                                .own_leaf = own,
                                                .keys = std::move(path.keys),
                                                .signature_key = std::move(key),
                                                .commit_secret = std::move(path.commit_secret),
                                                .psk_secret = PskSecret(ZeroSecret(suite)),
                                                .init_secret = init_secret});
  Bytes wire = crypto::Serialize(
      MlsMessage{ProtectPublic(suite, {}, before.context, std::move(made.content))});
  return PreparedCommit{std::move(wire), std::nullopt, {}, Group(std::move(made.next.state))};
}

}  // namespace

absl::StatusOr<PreparedCommit> Group::JoinExternally(ByteView group_info,
                                                     const GroupOptions& own_leaf,
                                                     const JoinOptions& options) {
  PARLEY_ASSIGN_OR_RETURN(MlsMessage message, crypto::Parse<MlsMessage>(group_info));
  const auto* info = std::get_if<GroupInfo>(&message.body);
  if (info == nullptr) return absl::InvalidArgumentError("this message is not a GroupInfo");
  PARLEY_ASSIGN_OR_RETURN(const CipherSuite* suite, FindCipherSuite(info->group_context.suite));
  PARLEY_ASSIGN_OR_RETURN(const KeyPackageBundle bundle,
                          KeyPackageBundle::Create({.suite = suite->id,
                                                    .identity = own_leaf.identity,
                                                    .capabilities = own_leaf.capabilities,
                                                    .leaf_extensions = own_leaf.leaf_extensions}));
  PARLEY_ASSIGN_OR_RETURN(SignatureKey key,
                          SignatureKey::FromSeed(bundle.signature_private().Reveal()));
  PARLEY_ASSIGN_OR_RETURN(const std::unique_ptr<GroupState> before,
                          OutsideView(*suite, *info, options.ratchet_tree, key));
  PARLEY_ASSIGN_OR_RETURN(ExternalInitSecret init, StartExternalInit(*suite, *info));
  return CommitFromOutside(*before, bundle.key_package().leaf_node, std::move(key),
                           std::move(init));
}

}  // namespace parley::mls
