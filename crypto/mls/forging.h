// Deliberately broken messages for tests: what a hostile member with valid keys could send.
#ifndef PARLEY_CRYPTO_MLS_FORGING_H_
#define PARLEY_CRYPTO_MLS_FORGING_H_

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "crypto/base/check.h"
#include "crypto/mls/framing.h"
#include "crypto/mls/group_state.h"
#include "crypto/mls/message_protection.h"
#include "crypto/mls/next_epoch.h"
#include "crypto/primitives/random.h"

namespace parley::mls::testing {

// An honest commit of `group`, as a PublicMessage, with `tamper` applied to its Commit; signed and
// tagged anew, so that nothing but what was tampered with can be the reason to refuse it. The
// confirmation tag stays that of the honest commit.
inline Bytes ForgeCommit(Group& group, const CommitOptions& given,
                         const std::function<void(Commit&)>& tamper) {
  CommitOptions options{.adds = given.adds,
                        .removes = given.removes,
                        .extensions = given.extensions,
                        .include = given.include,
                        .listed = given.listed,
                        .force_path = given.force_path,
                        .public_message = true};
  PreparedCommit honest = group.PrepareCommit(options).value();
  MlsMessage message = crypto::Parse<MlsMessage>(honest.message).value();
  auto& in_public = std::get<PublicMessage>(message.body);
  tamper(std::get<Commit>(in_public.content.body));
  const GroupState& state = group.state();
  AuthenticatedContent content{.wire_format = WireFormat::kPublicMessage,
                               .content = std::move(in_public.content),
                               .auth = std::move(in_public.auth)};
  content.auth.signature =
      SignContent(state.signature_key, content.wire_format, content.content, state.context);
  return crypto::Serialize(MlsMessage{
      ProtectPublic(*state.suite, state.secrets.membership, state.context, std::move(content))});
}

// `proposal` of `group`'s member as a PublicMessage, without any of the checks of an honest sender.
inline Bytes ForgeProposal(const Group& group, const Proposal& proposal) {
  const GroupState& state = group.state();
  FramedContent content = NewContent(state, {});
  content.body = proposal;
  return crypto::Serialize(
      MlsMessage{ProtectPublic(*state.suite, state.secrets.membership, state.context,
                               SignAs(state, WireFormat::kPublicMessage, std::move(content)))});
}

// A proposal or commit from outside, signed by `key`, with `sender` as it claims, whatever it may
// send.
template <typename Body>
Bytes OutsideContent(const Group& group, const SignatureKey& key, const Sender& sender,
                     const Body& body) {
  const GroupState& state = group.state();
  FramedContent content = NewContent(state, {});
  content.sender = sender;
  content.body = body;
  AuthenticatedContent authenticated{.wire_format = WireFormat::kPublicMessage};
  authenticated.auth.signature =
      SignContent(key, WireFormat::kPublicMessage, content, state.context);
  authenticated.content = std::move(content);
  return crypto::Serialize(
      MlsMessage{ProtectPublic(*state.suite, {}, state.context, std::move(authenticated))});
}

inline Bytes OutsideProposal(const Group& group, const SignatureKey& key, const Sender& sender,
                             const Proposal& proposal) {
  return OutsideContent(group, key, sender, proposal);
}

// A commit of `chosen`, whatever an honest one could contain, with a path that is right for the
// tree that they make; its confirmation tag fits nothing. Requires: the proposals can be applied.
inline Bytes ForgeCommitOf(const Group& group, ChosenProposals chosen) {
  const GroupState& state = group.state();
  AppliedProposals applied = ApplyProposals(state, chosen.listed).value();
  NewPath path = CreatePath(*state.suite, applied.tree, state.own_leaf, state.own_leaf_node(),
                            state.signature_key, state.context.group_id);
  PARLEY_CHECK(EncryptPath(*state.suite, applied.tree, state.own_leaf, applied.added,
                           ProvisionalContext(state, applied), path)
                   .ok());
  FramedContent content = NewContent(state, {});
  content.body = Commit{.proposals = std::move(chosen.written), .path = std::move(path.path)};
  AuthenticatedContent authenticated =
      SignAs(state, WireFormat::kPublicMessage, std::move(content));
  authenticated.auth.confirmation_tag = Bytes(state.suite->hash_size(), 1);
  return crypto::Serialize(MlsMessage{ProtectPublic(*state.suite, state.secrets.membership,
                                                    state.context, std::move(authenticated))});
}

// The one thing that is wrong with a commit of nothing.
struct CommitFlaw {
  // Done to the path's leaf after it was signed.
  std::function<void(LeafNode&)> leaf = {};
  // The step of the filtered direct path below which the members get another path secret.
  std::optional<size_t> split_at = {};
  // In whose name, and by whose key, it is sent; as a rule the committer's.
  std::optional<Sender> sender = {};
  const SignatureKey* signer = nullptr;
};

// A commit of nothing that but for `flaw` is right in every way, confirmation tag included: whoever
// overlooks the flaw takes it.
// Requires: `flaw.split_at` is a step of the filtered direct path.
inline Bytes ForgeWholeCommit(const Group& group, const CommitFlaw& flaw) {
  const GroupState& state = group.state();
  const CipherSuite& suite = *state.suite;
  AppliedProposals applied = ApplyProposals(state, {}).value();
  NewPath path = CreatePath(suite, applied.tree, state.own_leaf, state.own_leaf_node(),
                            state.signature_key, state.context.group_id);
  if (flaw.leaf) {
    flaw.leaf(path.path.leaf_node);
    std::vector<std::pair<NodeIndex, ParentNode>> parents;
    for (const auto& step : applied.tree.FilteredDirectPath(state.own_leaf)) {
      parents.emplace_back(step.node, *applied.tree.parent(step.node));
    }
    applied.tree.MergePath(state.own_leaf, std::make_shared<LeafNode>(path.path.leaf_node),
                           parents);
  }
  Secret genuine;
  if (flaw.split_at.has_value()) {
    PARLEY_CHECK(path.path_secrets.size() > *flaw.split_at);
    genuine = std::exchange(path.path_secrets[*flaw.split_at].second,
                            Secret::CopyOf(Bytes(suite.hash_size(), 0x66)));
  }
  PARLEY_CHECK(
      EncryptPath(suite, applied.tree, state.own_leaf, {}, ProvisionalContext(state, applied), path)
          .ok());
  if (flaw.split_at.has_value()) path.path_secrets[*flaw.split_at].second = std::move(genuine);
  FramedContent content = NewContent(state, {});
  content.sender = flaw.sender.value_or(content.sender);
  content.body = Commit{.proposals = {}, .path = std::move(path.path)};
  SignedCommit made = SignCommit(state, flaw.signer == nullptr ? state.signature_key : *flaw.signer,
                                 std::move(content), WireFormat::kPublicMessage,
                                 NextEpochInput{.applied = std::move(applied),
                                                .own_leaf = state.own_leaf,
                                                .keys = std::move(path.keys),
                                                .signature_key = state.signature_key.Clone(),
                                                .commit_secret = std::move(path.commit_secret),
                                                .psk_secret = PskSecret(ZeroSecret(suite)),
                                                .init_secret = state.secrets.init});
  return crypto::Serialize(MlsMessage{
      ProtectPublic(suite, state.secrets.membership, state.context, std::move(made.content))});
}

// The same, where only the members below the path node at `step` can tell that it is wrong.
inline Bytes ForgeSplitCommit(const Group& group, size_t step) {
  return ForgeWholeCommit(group, {.split_at = step});
}

// What a Welcome says, before it is encrypted.
struct WelcomeContents {
  GroupSecrets secrets;
  GroupInfo info;
  std::vector<Psk> psks;  // with which it is encrypted

  // Another tree, with the hash that fits.
  void SetTree(const RatchetTree& tree) {
    SetTree(tree.Serialize());
    info.group_context.tree_hash = tree.TreeHash();
  }
  void SetTree(Bytes wire) {
    for (Extension& extension : info.extensions) {
      if (extension.type == ExtensionType::kRatchetTree) extension.data = std::move(wire);
    }
  }
};

// The Welcome for `bundle` with `tamper` applied to its contents, the GroupInfo signed anew by
// `signer` (its own member's key, as a rule) and all of it encrypted anew. The confirmation tag
// stays that of the honest Welcome.
inline Bytes ForgeWelcome(const Bytes& honest, const KeyPackageBundle& bundle,
                          const SignatureKey& signer,
                          const std::function<void(WelcomeContents&)>& tamper) {
  MlsMessage message = crypto::Parse<MlsMessage>(honest).value();
  Welcome& welcome = std::get<Welcome>(message.body);
  const CipherSuite& suite = **FindCipherSuite(welcome.suite);
  WelcomeContents contents;
  contents.secrets = OpenGroupSecrets(suite, welcome, bundle.Ref(), bundle.init_private()).value();
  const auto secret = [&] {
    return DeriveWelcomeSecret(suite, JoinerSecret(contents.secrets.joiner_secret.Clone()),
                               PskSecret(ComputePskSecret(suite, contents.psks)));
  };
  contents.info = OpenGroupInfo(suite, secret(), welcome).value();
  tamper(contents);
  SignGroupInfo(signer, contents.info);
  welcome.encrypted_group_info = SealGroupInfo(suite, secret(), contents.info);
  welcome.secrets = {SealGroupSecrets(WelcomeEncryption(suite, welcome.encrypted_group_info),
                                      bundle.Ref(), bundle.key_package().init_key, contents.secrets)
                         .value()};
  return crypto::Serialize(message);
}

// A PrivateMessage in the name of `claimed`, its sender data in order and its ciphertext nobody's:
// for generations that can't be reached step by step.
inline Bytes ForgeSenderData(const Group& group, LeafIndex claimed, uint32_t generation,
                             ContentType type = ContentType::kApplication) {
  const GroupState& state = group.state();
  PrivateMessage message{
      .group_id = state.context.group_id, .epoch = state.context.epoch, .content_type = type};
  message.ciphertext = Bytes(64, 0x5c);
  const MessageKey key = SenderDataKey(*state.suite, state.secrets.sender_data, message.ciphertext);
  crypto::Writer aad;
  Encode(aad, message.group_id);
  Encode(aad, message.epoch);
  Encode(aad, message.content_type);
  const SenderData sender{.leaf_index = claimed.value, .generation = generation};
  message.encrypted_sender_data =
      crypto::Seal(state.suite->aead, key.key.Reveal(), key.nonce.Reveal(), aad.view(),
                   crypto::Serialize(sender));
  return crypto::Serialize(MlsMessage{std::move(message)});
}

// Signs a path's leaf anew, its parent hash recomputed over the path's public keys.
inline void MendPath(const Group& group, UpdatePath& path, bool parent_hash = true) {
  const GroupState& state = group.state();
  if (parent_hash) {
    const auto steps = state.tree.FilteredDirectPath(state.own_leaf);
    Bytes above;
    for (size_t i = steps.size(); i-- > 0;) {
      const ParentNode parent{path.nodes[i].encryption_key, std::move(above), {}};
      above = state.tree.ParentHash(parent, steps[i].copath_child);
    }
    path.leaf_node.parent_hash = above;
  }
  SignLeafNode(state.signature_key, state.place(state.own_leaf), path.leaf_node);
}

// `plaintext`, whatever it is, as a PrivateMessage under `key`.
inline Bytes SealPlaintext(const Group& group, const FoundKey& key, ContentType type,
                           ByteView plaintext) {
  const GroupState& state = group.state();
  PrivateMessage message{
      .group_id = state.context.group_id, .epoch = state.context.epoch, .content_type = type};
  crypto::Writer sender_aad;
  Encode(sender_aad, message.group_id);
  Encode(sender_aad, message.epoch);
  Encode(sender_aad, message.content_type);
  crypto::Writer aad;
  aad.WriteRaw(sender_aad.view());
  Encode(aad, message.authenticated_data);
  const SenderData sender{.leaf_index = key.leaf.value,
                          .generation = key.generation,
                          .reuse_guard = crypto::RandomArray<4>()};
  Secret nonce = key.key.nonce.Clone();
  for (size_t i = 0; i < 4; ++i) nonce.RevealMutable()[i] ^= sender.reuse_guard[i];
  message.ciphertext =
      crypto::Seal(state.suite->aead, key.key.key.Reveal(), nonce.Reveal(), aad.view(), plaintext);
  const MessageKey sender_key =
      SenderDataKey(*state.suite, state.secrets.sender_data, message.ciphertext);
  message.encrypted_sender_data =
      crypto::Seal(state.suite->aead, sender_key.key.Reveal(), sender_key.nonce.Reveal(),
                   sender_aad.view(), crypto::Serialize(sender));
  return crypto::Serialize(MlsMessage{std::move(message)});
}

// A PrivateMessage as `claimed` would send it under the key of `generation`, written and signed by
// `group`, which like every member knows all message keys.
inline Bytes ForgeApplication(const Group& group, LeafIndex claimed, uint32_t generation,
                              std::string_view text, Bytes padding = {}) {
  const GroupState& state = group.state();
  FramedContent content = NewContent(state, {});
  content.sender = Sender::Member(claimed);
  content.body = Secret::CopyOf(crypto::ViewOf(text));
  const AuthenticatedContent authenticated =
      SignAs(state, WireFormat::kPrivateMessage, std::move(content));
  // Ratchets of one's own state, walked step by step past any bound.
  std::unique_ptr<GroupState> scratch = CloneState(state);
  FoundKey key;
  do {
    key = scratch->secret_tree.TakeNext(*state.suite, claimed, RatchetType::kApplication).value();
  } while (key.generation < generation);
  crypto::Writer plaintext;
  EncodeContentBody(plaintext, authenticated.content);
  EncodeAuthData(plaintext, ContentType::kApplication, authenticated.auth);
  plaintext.WriteRaw(padding);
  return SealPlaintext(group, key, ContentType::kApplication, plaintext.view());
}

// `plaintext` as the next handshake message of `group`'s own member.
inline Bytes ForgeHandshake(const Group& group, ContentType type, ByteView plaintext) {
  std::unique_ptr<GroupState> scratch = CloneState(group.state());
  const FoundKey key =
      scratch->secret_tree.TakeNext(*scratch->suite, scratch->own_leaf, RatchetType::kHandshake)
          .value();
  return SealPlaintext(group, key, type, plaintext);
}

}  // namespace parley::mls::testing

#endif  // PARLEY_CRYPTO_MLS_FORGING_H_
