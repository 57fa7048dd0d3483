// How a group starts: creation (RFC 9420 section 11) and joining by Welcome (section 12.4.3.1).
#include "crypto/mls/group_join.h"

#include "crypto/mls/continuation.h"
#include "crypto/mls/framing.h"
#include "crypto/mls/group_state.h"
#include "crypto/mls/transcript.h"
#include "crypto/mls/tree_validation.h"

namespace parley::mls {

KeyPackageOptions LeafOptions(const GroupOptions& group, CipherSuiteId suite) {
  return {.suite = suite,
          .identity = group.identity,
          .lifetime = group.lifetime,
          .capabilities = group.capabilities,
          .leaf_extensions = group.leaf_extensions,
          .credential = group.credential,
          .signature_key = group.signature_key,
          .grease = group.grease};
}

absl::StatusOr<Group> Group::Create(const GroupOptions& options) {
  PARLEY_ASSIGN_OR_RETURN(const CipherSuite* suite, FindCipherSuite(options.suite));
  PARLEY_ASSIGN_OR_RETURN(KeyPackageBundle bundle,
                          KeyPackageBundle::Create(LeafOptions(options, options.suite)));
  PARLEY_RETURN_IF_ERROR(CheckExtensionsUnique(options.extensions));
  PARLEY_RETURN_IF_ERROR(CheckExternalSenders({}, options.extensions));
  RatchetTree tree(*suite);
  PARLEY_RETURN_IF_ERROR(
      tree.AddLeaf(std::make_shared<LeafNode>(bundle.key_package().leaf_node)).status());
  PARLEY_RETURN_IF_ERROR(CheckGroupSupports(tree, options.extensions));
  PARLEY_ASSIGN_OR_RETURN(SignatureKey signature_key,
                          SignatureKey::FromSeed(bundle.signature_private().Reveal()));

  auto state = std::make_unique<GroupState>(*suite, std::move(tree), std::move(signature_key));
  state->context = {.version = ProtocolVersion::kMls10,
                    .suite = suite->id,
                    .group_id = options.group_id,
                    .epoch = 0,
                    .tree_hash = state->tree.TreeHash(),
                    .confirmed_transcript_hash = {},
                    .extensions = options.extensions};
  state->keys.emplace(NodeIndex(LeafIndex(0)), bundle.leaf_private().Clone());
  // Section 11: "Epoch secret: A fresh random value of size KDF.Nh".
  const EpochSecret epoch(Secret::Random(suite->hash_size()));
  state->secrets = DeriveEpochSecrets(*suite, epoch);
  state->secret_tree = SecretTree(state->tree.leaf_count(), DeriveEncryptionSecret(*suite, epoch));
  state->confirmation_tag = ConfirmationTag(*suite, state->secrets.confirmation, {});
  state->interim_transcript_hash = InterimTranscriptHash(*suite, {}, state->confirmation_tag);
  return Group(std::move(state));
}

absl::StatusOr<RatchetTree> TreeOfGroupInfo(const CipherSuite& suite, const GroupInfo& info,
                                            const JoinOptions& options) {
  PARLEY_RETURN_IF_ERROR(CheckExtensionsUnique(info.extensions));
  PARLEY_RETURN_IF_ERROR(CheckExtensionsUnique(info.group_context.extensions));
  if (info.group_context.version != ProtocolVersion::kMls10 ||
      info.group_context.suite != suite.id) {
    return absl::InvalidArgumentError("a GroupInfo of another version or cipher suite");
  }
  // Section 12.4.3: "New members MUST verify that group_id is unique among the groups they are
  // currently participating in."
  if (options.in_use && options.in_use(info.group_context.group_id)) {
    return absl::AlreadyExistsError("a group of this id has been joined already");
  }
  const std::optional<Bytes>& given_tree = options.ratchet_tree;
  const Extension* extension = FindExtension(info.extensions, ExtensionType::kRatchetTree);
  if (extension == nullptr && !given_tree.has_value()) {
    return absl::InvalidArgumentError("a group without its ratchet tree can't be joined");
  }
  if (given_tree.has_value()) PARLEY_RETURN_IF_ERROR(CheckMessageSize(*given_tree));
  PARLEY_ASSIGN_OR_RETURN(
      RatchetTree tree,
      RatchetTree::Parse(suite, given_tree.has_value() ? *given_tree : extension->data));
  // "Verify that the tree hash of the ratchet tree matches the tree_hash field in GroupInfo."
  if (tree.TreeHash() != info.group_context.tree_hash) {
    return absl::InvalidArgumentError("a ratchet tree that isn't that of the group");
  }
  // "The public key is taken from the LeafNode of the ratchet tree with leaf index signer. If the
  // node is blank or if signature verification fails, return an error."
  const LeafNode* signer = tree.leaf(LeafIndex(info.signer));
  if (signer == nullptr) return absl::InvalidArgumentError("a GroupInfo signed by nobody");
  PARLEY_RETURN_IF_ERROR(VerifyGroupInfo(signer->signature_key, info));
  PARLEY_RETURN_IF_ERROR(ValidateTree(suite, tree, info.group_context.group_id));
  PARLEY_RETURN_IF_ERROR(CheckGroupSupports(tree, info.group_context.extensions));
  PARLEY_RETURN_IF_ERROR(CheckExternalSenders(options.checks, info.group_context.extensions));
  absl::Status status;
  tree.ForEachLeaf([&](LeafIndex, const LeafNode& leaf) {
    if (status.ok()) status = CheckLeaf(options.checks, leaf);
  });
  PARLEY_RETURN_IF_ERROR(status);
  return tree;
}

namespace {

// "Identify a leaf whose LeafNode is identical to the one in the KeyPackage."
std::optional<LeafIndex> FindLeaf(const RatchetTree& tree, const LeafNode& own) {
  std::optional<LeafIndex> found;
  tree.ForEachLeaf([&](LeafIndex index, const LeafNode& leaf) {
    if (leaf == own) found = index;
  });
  return found;
}

}  // namespace

absl::StatusOr<Group> Group::Join(ByteView welcome_message, KeyPackageBundle&& bundle,
                                  const JoinOptions& options) {
  PARLEY_ASSIGN_OR_RETURN(MlsMessage message, ParseMessage(welcome_message));
  const auto* welcome = std::get_if<Welcome>(&message.body);
  if (welcome == nullptr) return absl::InvalidArgumentError("this message is not a Welcome");
  if (welcome->suite != bundle.key_package().suite) {
    return absl::InvalidArgumentError("a Welcome of another cipher suite than the key package");
  }
  PARLEY_ASSIGN_OR_RETURN(const CipherSuite* suite, FindCipherSuite(welcome->suite));
  PARLEY_ASSIGN_OR_RETURN(GroupSecrets group_secrets,
                          OpenGroupSecrets(*suite, *welcome, bundle.Ref(), bundle.init_private()));
  PARLEY_RETURN_IF_ERROR(CheckPskIds(*suite, group_secrets.psks));
  const GroupState* continued =
      options.continues == nullptr ? nullptr : &options.continues->state();
  PARLEY_ASSIGN_OR_RETURN(const PreSharedKeyId* link,
                          FindContinuation(group_secrets.psks, continued));
  PARLEY_ASSIGN_OR_RETURN(const std::vector<Psk> psks,
                          FindPsks(continued, group_secrets.psks, options.psks));
  const PskSecret psk_secret(ComputePskSecret(*suite, psks));
  JoinerSecret joiner(std::move(group_secrets.joiner_secret));
  PARLEY_ASSIGN_OR_RETURN(
      GroupInfo info,
      OpenGroupInfo(*suite, DeriveWelcomeSecret(*suite, joiner, psk_secret), *welcome));
  PARLEY_ASSIGN_OR_RETURN(RatchetTree tree, TreeOfGroupInfo(*suite, info, options));
  if (link != nullptr) {
    PARLEY_RETURN_IF_ERROR(
        CheckContinuation(*continued, *link, info.group_context, tree, options.checks));
  }
  const std::optional<LeafIndex> own = FindLeaf(tree, bundle.key_package().leaf_node);
  if (!own.has_value()) return absl::InvalidArgumentError("a Welcome to a group without oneself");

  PrivateKeys keys;
  if (group_secrets.path_secret.has_value()) {
    PARLEY_ASSIGN_OR_RETURN(keys,
                            KeysFromPathSecret(*suite, tree, *own, LeafIndex(info.signer),
                                               std::move(group_secrets.path_secret->path_secret)));
  }
  keys.emplace(NodeIndex(*own), bundle.leaf_private().Clone());
  PARLEY_ASSIGN_OR_RETURN(SignatureKey signature_key,
                          SignatureKey::FromSeed(bundle.signature_private().Reveal()));
  EpochKeys epoch = EnterEpoch(*suite, std::move(joiner), psk_secret, info.group_context);
  PARLEY_RETURN_IF_ERROR(VerifyConfirmationTag(*suite, epoch.secrets.confirmation,
                                               info.group_context.confirmed_transcript_hash,
                                               info.confirmation_tag));

  auto state = std::make_unique<GroupState>(*suite, std::move(tree), std::move(signature_key));
  state->interim_transcript_hash = InterimTranscriptHash(
      *suite, info.group_context.confirmed_transcript_hash, info.confirmation_tag);
  state->context = std::move(info.group_context);
  state->confirmation_tag = std::move(info.confirmation_tag);
  state->own_leaf = *own;
  state->keys = std::move(keys);
  state->secrets = std::move(epoch.secrets);
  state->secret_tree = SecretTree(state->tree.leaf_count(), std::move(epoch.encryption));
  // Only now, that nothing can refuse it any more, the private keys have served.
  const KeyPackageBundle used = std::move(bundle);
  return Group(std::move(state));
}

}  // namespace parley::mls
