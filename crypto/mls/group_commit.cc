// Making commits (RFC 9420 section 12.4.1); those from outside: group_external_join.cc.
#include <algorithm>

#include "crypto/mls/grease.h"
#include "crypto/mls/group_state.h"
#include "crypto/mls/leaf_renewal.h"
#include "crypto/mls/message_protection.h"
#include "crypto/mls/next_epoch.h"

namespace parley::mls {
namespace {

absl::Status ChooseByReference(const GroupState& state, const CommitOptions& options,
                               ChosenProposals& chosen) {
  switch (options.include) {
    case ProposalsToInclude::kNone:
      return absl::OkStatus();
    case ProposalsToInclude::kAll:
      for (size_t index : SelectProposals(state, options)) {
        chosen.AddByReference(state.pending.all()[index]);
      }
      return absl::OkStatus();
    case ProposalsToInclude::kListed:
      break;
  }
  for (const ProposalRef& ref : options.listed) {
    const PendingProposal* found = state.pending.Find(ref);
    if (found == nullptr) {
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
    chosen.AddByValue(self, Proposal{Add{std::move(key_package)}});
  }
  for (const Psk& psk : options.psks) chosen.AddByValue(self, Proposal{PreSharedKey{psk.id}});
  if (options.reinit.has_value()) chosen.AddByValue(self, Proposal{*options.reinit});
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

absl::StatusOr<Bytes> MakeWelcome(const GroupState& next, const CommitOptions& options,
                                  const CommitChanges& changes, const NewPath* path,
                                  const NextEpoch& epoch) {
  const CipherSuite& suite = *next.suite;
  Welcome welcome;
  welcome.suite = suite.id;
  Extensions more = options.group_info_extensions;
  if (options.grease) GreaseExtensions(more);
  welcome.encrypted_group_info = SealGroupInfo(
      suite, epoch.welcome,
      MakeGroupInfo(next, options.tree_in_welcome, options.external_pub_in_group_info, more));
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
  RenewedLeaf renewed =
      RenewLeaf(before.own_leaf_node(), draft.kept.signature_key, options.renewal);
  draft.kept.signature_key = std::move(renewed.signature_key);
  NewPath path = CreatePath(suite, draft.applied.tree, own, std::move(renewed.leaf),
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
  if (applied.changes.reinit.has_value()) {
    PARLEY_RETURN_IF_ERROR(CheckCanFollow(*applied.changes.reinit, options.checks));
  }
  PARLEY_ASSIGN_OR_RETURN(std::vector<Psk> psks, GatherPsks(before, options, applied.changes.psks));
  PARLEY_ASSIGN_OR_RETURN(KeptKeys kept, KeepKeys(before, applied));
  const bool with_path = options.force_path || PathRequired(chosen.listed);
  Draft draft{std::move(chosen), std::move(applied), std::move(psks), std::move(kept), {}};
  if (with_path) PARLEY_RETURN_IF_ERROR(DraftPath(before, options, draft));
  PARLEY_RETURN_IF_ERROR(CheckNewTree(draft.applied));
  PARLEY_RETURN_IF_ERROR(CheckArrivals(options.checks, draft.applied, nullptr));
  return draft;
}

}  // namespace

absl::StatusOr<PreparedCommit> Group::PrepareCommit(const CommitOptions& options) {
  GroupState& before = *state_;
  const CipherSuite& suite = *before.suite;
  PARLEY_RETURN_IF_ERROR(CheckNotEnded(before));
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

}  // namespace parley::mls
