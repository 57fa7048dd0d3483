// Vectors of tree math, ratchet trees and TreeKEM.
#include <map>

#include "crypto/mls/tree_validation.h"
#include "crypto/mls/treekem.h"
#include "tests/vectors/mls_vectors.h"

namespace parley::mls::vectors {
namespace {

Json OrNull(std::optional<NodeIndex> node) {
  return node.has_value() ? Json(node->value) : Json(nullptr);
}

void RunTreeMath(const Json& t, Verdict& v) {
  const LeafCount leaves(t.at("n_leaves").get<uint32_t>());
  v.True(leaves.NodeCount() == t.at("n_nodes"), "n_nodes");
  v.True(RootOf(leaves).value == t.at("root"), "root");
  for (uint32_t i = 0; i < leaves.NodeCount(); ++i) {
    const NodeIndex node(i);
    const auto child = [&](NodeIndex (*of)(NodeIndex)) {
      return node.IsLeaf() ? std::nullopt : std::optional<NodeIndex>(of(node));
    };
    v.True(OrNull(child(LeftOf)) == t.at("left")[i], "left of " + std::to_string(i));
    v.True(OrNull(child(RightOf)) == t.at("right")[i], "right of " + std::to_string(i));
    v.True(OrNull(ParentOf(node, leaves)) == t.at("parent")[i], "parent of " + std::to_string(i));
    v.True(OrNull(SiblingOf(node, leaves)) == t.at("sibling")[i],
           "sibling of " + std::to_string(i));
  }
}

void RunTreeOperations(const Json& t, Verdict& v) {
  // Trees need a suite's hash and no more: suite 1's is that of suite 3.
  Json shared = t;
  if (shared.at("cipher_suite") == 1) shared["cipher_suite"] = 3;
  const CipherSuite* suite = SuiteOf(shared, v);
  if (suite == nullptr) return;
  RatchetTree tree = Need(RatchetTree::Parse(*suite, Hex(t.at("tree_before"))), "tree_before");
  v.Equal(tree.TreeHash(), t.at("tree_hash_before"), "tree_hash_before");
  v.Equal(tree.Serialize(), t.at("tree_before"), "tree_before written again");
  const RatchetTree before = tree;
  const Proposal proposal = Need(crypto::Parse<Proposal>(Hex(t.at("proposal"))), "proposal");
  if (const auto* add = std::get_if<Add>(&proposal.body)) {
    Need(tree.AddLeaf(std::make_shared<LeafNode>(add->key_package->leaf_node)), "add");
  } else if (const auto* update = std::get_if<Update>(&proposal.body)) {
    tree.UpdateLeaf(LeafIndex(t.at("proposal_sender").get<uint32_t>()),
                    std::make_shared<LeafNode>(*update->leaf_node));
  } else if (const auto* remove = std::get_if<Remove>(&proposal.body)) {
    tree.RemoveLeaf(remove->removed);
  } else {
    v.Fail("a proposal of another type");
  }
  v.Equal(tree.Serialize(), t.at("tree_after"), "tree_after");
  v.Equal(tree.TreeHash(), t.at("tree_hash_after"), "tree_hash_after");
  v.Equal(before.TreeHash(), t.at("tree_hash_before"), "the copy of before");
}

void RunTreeValidation(const Json& t, Verdict& v) {
  const CipherSuite* suite = SuiteOf(t, v);
  if (suite == nullptr) return;
  const RatchetTree tree = Need(RatchetTree::Parse(*suite, Hex(t.at("tree"))), "tree");
  v.Equal(tree.Serialize(), t.at("tree"), "tree written again");
  const Json& resolutions = t.at("resolutions");
  v.True(tree.leaf_count().NodeCount() == resolutions.size(), "the tree has another size");
  for (uint32_t i = 0; i < resolutions.size(); ++i) {
    Json resolution = Json::array();
    for (NodeIndex node : tree.Resolution(NodeIndex(i))) resolution.push_back(node.value);
    v.True(resolution == resolutions[i], "resolution of " + std::to_string(i));
    v.Equal(tree.NodeHash(NodeIndex(i)), t.at("tree_hashes")[i], "hash of " + std::to_string(i));
  }
  v.Ok(ValidateParentHashes(tree), "parent hashes");
  v.Ok(ValidateTree(*suite, tree, Hex(t.at("group_id"))), "tree");
  if (tree.leaf_count().value == 1) return;
  v.True(!ValidateTree(*suite, tree, crypto::ToBytes("another group")).ok(),
         "leaves of another group were accepted");
}

// What one member knows of the tree.
struct MemberKeys {
  PrivateKeys keys;
  Bytes signature_private;
};

std::map<uint32_t, MemberKeys> ReadMembers(const CipherSuite& suite, const RatchetTree& tree,
                                           const Json& t, Verdict& v) {
  std::map<uint32_t, MemberKeys> members;
  for (const Json& member : t.at("leaves_private")) {
    const LeafIndex index(member.at("index").get<uint32_t>());
    MemberKeys& known = members[index.value];
    known.signature_private = Hex(member.at("signature_priv"));
    known.keys.emplace(NodeIndex(index), HexSecret(member.at("encryption_priv")));
    for (const Json& secret : member.at("path_secrets")) {
      const Secret node_secret = DeriveSecret(suite, HexSecret(secret.at("path_secret")), "node");
      known.keys.emplace(NodeIndex(secret.at("node").get<uint32_t>()),
                         suite.kem().DeriveKeyPair(node_secret.Reveal()).private_key);
    }
    for (const auto& [node, key] : known.keys) {
      const Bytes* public_key = tree.EncryptionKey(node);
      v.True(public_key != nullptr &&
                 *public_key == Need(suite.kem().PublicKeyOf(key.Reveal()), "public key"),
             "a private key doesn't fit the tree");
    }
  }
  return members;
}

GroupContext ContextOf(const CipherSuite& suite, const Json& t, const RatchetTree& tree) {
  GroupContext context{.suite = suite.id};
  context.group_id = Hex(t.at("group_id"));
  context.epoch = t.at("epoch");
  context.confirmed_transcript_hash = Hex(t.at("confirmed_transcript_hash"));
  context.tree_hash = tree.TreeHash();
  return context;
}

void RunTreeKem(const Json& t, Verdict& v) {
  const CipherSuite* suite = SuiteOf(t, v);
  if (suite == nullptr) return;
  const RatchetTree tree = Need(RatchetTree::Parse(*suite, Hex(t.at("ratchet_tree"))), "tree");
  const std::map<uint32_t, MemberKeys> members = ReadMembers(*suite, tree, t, v);
  const Bytes group_id = Hex(t.at("group_id"));
  for (const Json& u : t.at("update_paths")) {
    const LeafIndex sender(u.at("sender").get<uint32_t>());
    const UpdatePath path =
        Need(crypto::Parse<UpdatePath>(Hex(u.at("update_path"))), "update_path");
    RatchetTree after = tree;
    v.Ok(MergeUpdatePath(*suite, path, sender, {}, after), "merge");
    v.Ok(ValidateParentHashes(after), "parent hashes after");
    v.Equal(after.TreeHash(), u.at("tree_hash_after"), "tree_hash_after");

    RatchetTree own_after = tree;
    const SignatureKey key =
        Need(SignatureKey::FromSeed(members.at(sender.value).signature_private), "signature key");
    NewPath own = CreatePath(*suite, own_after, sender, *tree.leaf(sender), key, group_id);
    const GroupContext own_context = ContextOf(*suite, t, own_after);
    v.Ok(EncryptPath(*suite, own_after, sender, {}, own_context, own), "encrypt");
    v.Ok(ValidateParentHashes(own_after), "parent hashes of our own path");
    for (const auto& [index, member] : members) {
      if (index == sender.value) continue;
      OpenedPath opened = Need(OpenPath(*suite, after, path, sender, LeafIndex(index), member.keys,
                                        {}, ContextOf(*suite, t, after)),
                               "open by " + std::to_string(index));
      v.Equal(opened.path_secret, u.at("path_secrets")[index], "path secret");
      v.Equal(opened.commit_secret.value, u.at("commit_secret"), "commit secret");
      RatchetTree merged = tree;
      v.Ok(MergeUpdatePath(*suite, own.path, sender, {}, merged), "merge our own");
      OpenedPath own_opened = Need(OpenPath(*suite, merged, own.path, sender, LeafIndex(index),
                                            member.keys, {}, own_context),
                                   "open our own");
      v.True(crypto::ConstantTimeEquals(own_opened.commit_secret.value.Reveal(),
                                        own.commit_secret.value.Reveal()),
             "commit secret of our own path");
    }
  }
}

}  // namespace

std::vector<Kind> TreeKinds() {
  return {{"tree-math", RunTreeMath},
          {"tree-operations", RunTreeOperations},
          {"tree-validation", RunTreeValidation},
          {"treekem", RunTreeKem}};
}

}  // namespace parley::mls::vectors
