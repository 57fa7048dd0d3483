// Joining from outside by an external commit (RFC 9420 section 12.4.3.2).
#include "crypto/mls/group_join.h"
#include "crypto/mls/group_state.h"
#include "crypto/mls/message_protection.h"
#include "crypto/mls/next_epoch.h"
#include "crypto/mls/transcript.h"

namespace parley::mls {
namespace {

// What an outsider knows of the epoch that it joins from: its public half.
absl::StatusOr<std::unique_ptr<GroupState>> OutsideView(const CipherSuite& suite,
                                                        const GroupInfo& info,
                                                        const JoinOptions& options,
                                                        const SignatureKey& key) {
  PARLEY_ASSIGN_OR_RETURN(RatchetTree public_tree, TreeOfGroupInfo(suite, info, options));
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

// Section 12.2: an ExternalInit, at most one Remove, and PreSharedKeys.
ChosenProposals ProposalsFromOutside(const Sender& sender, Bytes kem_output,
                                     const ExternalJoinOptions& options) {
  ChosenProposals chosen;
  chosen.AddByValue(sender, Proposal{ExternalInit{std::move(kem_output)}});
  if (options.replaces.has_value()) chosen.AddByValue(sender, Proposal{Remove{*options.replaces}});
  for (const PreSharedKeyId& id : options.psks) {
    chosen.AddByValue(sender, Proposal{PreSharedKey{id}});
  }
  return chosen;
}

// The external commit by which the owner of `leaf` and `key` joins.
absl::StatusOr<PreparedCommit> CommitFromOutside(const GroupState& before, LeafNode leaf,
                                                 SignatureKey key, ExternalInitSecret init,
                                                 const ExternalJoinOptions& options) {
  const CipherSuite& suite = *before.suite;
  const Sender sender{.type = SenderType::kNewMemberCommit, .index = 0};
  ChosenProposals chosen = ProposalsFromOutside(sender, std::move(init.kem_output), options);
  PARLEY_RETURN_IF_ERROR(ValidateProposalList(before, chosen.listed, sender));
  PARLEY_ASSIGN_OR_RETURN(AppliedProposals applied, ApplyProposals(before, chosen.listed));
  PARLEY_ASSIGN_OR_RETURN(const std::vector<Psk> psks,
                          FindPsks(nullptr, applied.changes.psks, options.join.psks));
  // "Assign the sender the leftmost blank leaf node in the new ratchet tree."
  PARLEY_ASSIGN_OR_RETURN(const LeafIndex own,
                          applied.tree.AddLeaf(std::make_shared<LeafNode>(leaf)));
  NewPath path =
      CreatePath(suite, applied.tree, own, std::move(leaf), key, before.context.group_id);
  // The caller may have brought its own signature key.
  applied.new_keys.signature_keys.push_back(path.path.leaf_node.signature_key);
  PARLEY_RETURN_IF_ERROR(CheckNewTree(applied));
  PARLEY_RETURN_IF_ERROR(CheckArrivals(options.join.checks, applied, &path.path.leaf_node));
  PARLEY_RETURN_IF_ERROR(
      EncryptPath(suite, applied.tree, own, {}, ProvisionalContext(before, applied), path));

  FramedContent content = NewContent(before, options.authenticated_data);
  content.sender = sender;
  content.body = Commit{.proposals = std::move(chosen.written), .path = std::move(path.path)};
  const InitSecret init_secret(std::move(init.init_secret));
  const SignatureKey signer = key.Clone();
  SignedCommit made =
      SignCommit(before, signer, std::move(content), WireFormat::kPublicMessage,
                 NextEpochInput{.applied = std::move(applied),
                                .own_leaf = own,
                                .keys = std::move(path.keys),
                                .signature_key = std::move(key),
                                .commit_secret = std::move(path.commit_secret),
                                .psk_secret = PskSecret(ComputePskSecret(suite, psks)),
                                .init_secret = init_secret});
  Bytes wire = crypto::Serialize(
      MlsMessage{ProtectPublic(suite, {}, before.context, std::move(made.content))});
  return PreparedCommit{std::move(wire), std::nullopt, {}, Group(std::move(made.next.state))};
}

}  // namespace

absl::StatusOr<PreparedCommit> Group::JoinExternally(ByteView group_info,
                                                     const GroupOptions& own_leaf,
                                                     const ExternalJoinOptions& options) {
  PARLEY_ASSIGN_OR_RETURN(MlsMessage message, ParseMessage(group_info));
  const auto* info = std::get_if<GroupInfo>(&message.body);
  if (info == nullptr) return absl::InvalidArgumentError("this message is not a GroupInfo");
  PARLEY_ASSIGN_OR_RETURN(const CipherSuite* suite, FindCipherSuite(info->group_context.suite));
  PARLEY_ASSIGN_OR_RETURN(const KeyPackageBundle bundle,
                          KeyPackageBundle::Create(LeafOptions(own_leaf, suite->id)));
  PARLEY_ASSIGN_OR_RETURN(SignatureKey key,
                          SignatureKey::FromSeed(bundle.signature_private().Reveal()));
  PARLEY_ASSIGN_OR_RETURN(const std::unique_ptr<GroupState> before,
                          OutsideView(*suite, *info, options.join, key));
  PARLEY_ASSIGN_OR_RETURN(ExternalInitSecret init, StartExternalInit(*suite, *info));
  return CommitFromOutside(*before, bundle.key_package().leaf_node, std::move(key), std::move(init),
                           options);
}

absl::StatusOr<PreparedCommit> Group::JoinExternally(ByteView group_info,
                                                     const GroupOptions& own_leaf,
                                                     const JoinOptions& options) {
  return JoinExternally(group_info, own_leaf, ExternalJoinOptions{.join = options});
}

}  // namespace parley::mls
