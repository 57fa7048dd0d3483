#include "crypto/mls/treekem.h"

#include <algorithm>

namespace parley::mls {
namespace {

constexpr std::string_view kPathLabel = "UpdatePathNode";
using PathStep = RatchetTree::PathStep;

// path_secret[n] = DeriveSecret(path_secret[n-1], "path")
Secret NextPathSecret(const CipherSuite& suite, const Secret& path_secret) {
  return DeriveSecret(suite, path_secret, "path");
}

// node_secret[n] = DeriveSecret(path_secret[n], "node")
// node_priv[n], node_pub[n] = KEM.DeriveKeyPair(node_secret[n])
crypto::KemKeyPair NodeKeyPair(const CipherSuite& suite, const Secret& path_secret) {
  return suite.kem().DeriveKeyPair(DeriveSecret(suite, path_secret, "node").Reveal());
}

// The resolution of `node` without the leaves that the same commit adds, which are in ascending
// order: each new leaf takes the leftmost place.
std::vector<NodeIndex> ResolutionWithout(const RatchetTree& tree, NodeIndex node,
                                         std::span<const LeafIndex> added) {
  std::vector<NodeIndex> resolution = tree.Resolution(node);
  if (!added.empty()) {
    std::erase_if(resolution, [&](NodeIndex index) {
      return index.IsLeaf() && std::binary_search(added.begin(), added.end(), index.ToLeaf());
    });
  }
  return resolution;
}

// Section 7.9: computes the parent hashes from the root down, "so that each hash incorporates all
// the non-blank nodes above it", into `parents`. Returns that of the leaf.
Bytes ChainParentHashes(const RatchetTree& tree, const std::vector<PathStep>& steps,
                        std::vector<std::pair<NodeIndex, ParentNode>>& parents) {
  Bytes above;  // the root's parent_hash is empty
  for (size_t i = steps.size(); i-- > 0;) {
    parents[i].second.parent_hash = std::move(above);
    above = tree.ParentHash(parents[i].second, steps[i].copath_child);
  }
  return above;
}

// Derives the key pairs of `steps` and what follows, from the path secret of the first one, and
// compares them with the tree. Returns the secret after the last.
absl::StatusOr<Secret> DeriveUpwards(const CipherSuite& suite, const RatchetTree& tree,
                                     std::span<const PathStep> steps, Secret path_secret,
                                     PrivateKeys& keys) {
  for (const PathStep& step : steps) {
    crypto::KemKeyPair pair = NodeKeyPair(suite, path_secret);
    const ParentNode* parent = tree.parent(step.node);
    // "Verify that the derived public keys are the same as the corresponding public keys sent in
    // the UpdatePath."
    if (parent == nullptr || parent->encryption_key != pair.public_key) {
      return absl::InvalidArgumentError("a path secret doesn't fit the tree's public keys");
    }
    keys.insert_or_assign(step.node, std::move(pair.private_key));
    path_secret = NextPathSecret(suite, path_secret);
  }
  return path_secret;
}

}  // namespace

PrivateKeys ClonePrivateKeys(const PrivateKeys& keys) {
  PrivateKeys copy;
  for (const auto& [node, secret] : keys) copy.emplace(node, secret.Clone());
  return copy;
}

void PrunePrivateKeys(const RatchetTree& tree, PrivateKeys& keys) {
  std::erase_if(keys, [&](const auto& key) { return tree.EncryptionKey(key.first) == nullptr; });
}

NewPath CreatePath(const CipherSuite& suite, RatchetTree& tree, LeafIndex own, LeafNode leaf,
                   const SignatureKey& signature_key, ByteView group_id) {
  NewPath made;
  const std::vector<PathStep> steps = tree.FilteredDirectPath(own);
  std::vector<std::pair<NodeIndex, ParentNode>> parents;
  Secret path_secret = Secret::Random(suite.hash_size());
  for (const PathStep& step : steps) {
    crypto::KemKeyPair pair = NodeKeyPair(suite, path_secret);
    Secret next = NextPathSecret(suite, path_secret);
    made.path.nodes.push_back({pair.public_key, {}});
    parents.emplace_back(step.node, ParentNode{std::move(pair.public_key), {}, {}});
    made.keys.emplace(step.node, std::move(pair.private_key));
    made.path_secrets.emplace_back(step.node, std::move(path_secret));
    path_secret = std::move(next);
  }
  // Section 12.4.1: commit_secret is "the value path_secret[n+1]".
  made.commit_secret = CommitSecret(std::move(path_secret));

  crypto::KemKeyPair leaf_keys = suite.kem().GenerateKeyPair();
  leaf.encryption_key = std::move(leaf_keys.public_key);
  leaf.source = LeafNodeSource::kCommit;
  leaf.parent_hash = ChainParentHashes(tree, steps, parents);
  SignLeafNode(signature_key, {group_id, own}, leaf);
  made.keys.emplace(NodeIndex(own), std::move(leaf_keys.private_key));
  made.path.leaf_node = leaf;
  tree.MergePath(own, std::make_shared<LeafNode>(std::move(leaf)), parents);
  return made;
}

absl::Status EncryptPath(const CipherSuite& suite, const RatchetTree& tree, LeafIndex own,
                         std::span<const LeafIndex> added, const GroupContext& context,
                         NewPath& path) {
  const LabelledEncryption encryption(suite, kPathLabel, crypto::Serialize(context));
  const std::vector<PathStep> steps = tree.FilteredDirectPath(own);
  for (size_t i = 0; i < steps.size(); ++i) {
    for (NodeIndex node : ResolutionWithout(tree, steps[i].copath_child, added)) {
      PARLEY_ASSIGN_OR_RETURN(
          HpkeCiphertext sealed,
          encryption.Encrypt(*tree.EncryptionKey(node), path.path_secrets[i].second.Reveal()));
      path.path.nodes[i].encrypted_path_secret.push_back(std::move(sealed));
    }
  }
  return absl::OkStatus();
}

absl::Status MergeUpdatePath(const CipherSuite& suite, const UpdatePath& path, LeafIndex sender,
                             std::span<const LeafIndex> added, RatchetTree& tree) {
  const std::vector<PathStep> steps = tree.FilteredDirectPath(sender);
  if (path.nodes.size() != steps.size()) {
    return absl::InvalidArgumentError("an update path of the wrong length");
  }
  std::vector<std::pair<NodeIndex, ParentNode>> parents;
  for (size_t i = 0; i < steps.size(); ++i) {
    // Section 7.6: "The length of the encrypted_path_secret vector MUST be equal to the length of
    // the resolution of the copath node (excluding new leaf nodes)".
    if (path.nodes[i].encrypted_path_secret.size() !=
        ResolutionWithout(tree, steps[i].copath_child, added).size()) {
      return absl::InvalidArgumentError("an update path with the wrong number of ciphertexts");
    }
    PARLEY_RETURN_IF_ERROR(suite.kem().CheckPublicKey(path.nodes[i].encryption_key));
    parents.emplace_back(steps[i].node, ParentNode{path.nodes[i].encryption_key, {}, {}});
  }
  // Section 7.5: "verify that the parent_hash field of the leaf node matches the parent hash for
  // the first node in its filtered direct path".
  if (ChainParentHashes(tree, steps, parents) != path.leaf_node.parent_hash) {
    return absl::InvalidArgumentError("an update path with a wrong parent hash");
  }
  tree.MergePath(sender, std::make_shared<LeafNode>(path.leaf_node), parents);
  return absl::OkStatus();
}

absl::StatusOr<OpenedPath> OpenPath(const CipherSuite& suite, const RatchetTree& tree,
                                    const UpdatePath& path, LeafIndex sender, LeafIndex own,
                                    const PrivateKeys& keys, std::span<const LeafIndex> added,
                                    const GroupContext& context) {
  const std::vector<PathStep> steps = tree.FilteredDirectPath(sender);
  // The one step whose copath child is above this member.
  auto step = std::find_if(steps.begin(), steps.end(), [&](const PathStep& s) {
    return IsInSubtree(NodeIndex(own), s.copath_child);
  });
  if (step == steps.end()) return absl::InvalidArgumentError("an update path of one's own");
  const size_t index = static_cast<size_t>(step - steps.begin());

  const std::vector<NodeIndex> resolution = ResolutionWithout(tree, step->copath_child, added);
  const std::vector<HpkeCiphertext>& sealed = path.nodes[index].encrypted_path_secret;
  for (size_t i = 0; i < resolution.size() && i < sealed.size(); ++i) {
    auto key = keys.find(resolution[i]);
    if (key == keys.end()) continue;
    PARLEY_ASSIGN_OR_RETURN(
        Secret path_secret,
        DecryptWithLabel(suite, key->second, kPathLabel, crypto::Serialize(context), sealed[i]));
    if (path_secret.size() != suite.hash_size()) {
      return absl::InvalidArgumentError("a path secret of the wrong size");
    }
    OpenedPath opened{.path_secret = path_secret.Clone(), .commit_secret = {}, .keys = {}};
    PARLEY_ASSIGN_OR_RETURN(Secret after,
                            DeriveUpwards(suite, tree, std::span(steps).subspan(index),
                                          std::move(path_secret), opened.keys));
    opened.commit_secret = CommitSecret(std::move(after));
    return opened;
  }
  return absl::InvalidArgumentError("an update path that isn't encrypted to this member");
}

absl::StatusOr<PrivateKeys> KeysFromPathSecret(const CipherSuite& suite, const RatchetTree& tree,
                                               LeafIndex own, LeafIndex signer,
                                               Secret path_secret) {
  const std::vector<PathStep> steps = tree.FilteredDirectPath(signer);
  auto first = std::find_if(steps.begin(), steps.end(), [&](const PathStep& step) {
    return IsInSubtree(NodeIndex(own), step.node);
  });
  if (first == steps.end()) return absl::InvalidArgumentError("a path secret that fits no node");
  PrivateKeys keys;
  PARLEY_RETURN_IF_ERROR(
      DeriveUpwards(suite, tree, std::span(first, steps.end()), std::move(path_secret), keys)
          .status());
  return keys;
}

}  // namespace parley::mls
