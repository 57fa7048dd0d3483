#include "crypto/mls/tree_validation.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string_view>

namespace parley::mls {
namespace {

std::string_view AsText(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The parent_hash that a node claims; null for a node that never was in a path.
const Bytes* ParentHashField(const RatchetTree& tree, NodeIndex node) {
  if (!node.IsLeaf()) {
    const ParentNode* parent = tree.parent(node);
    return parent == nullptr ? nullptr : &parent->parent_hash;
  }
  const LeafNode* leaf = tree.leaf(node.ToLeaf());
  return leaf != nullptr && leaf->source == LeafNodeSource::kCommit ? &leaf->parent_hash : nullptr;
}

// How many nodes below `child` chain to `parent`: "D is in the resolution of C, and the
// intersection of P's unmerged_leaves with the subtree under C is equal to the resolution of C with
// D removed", and D's parent_hash is that of P with copath child S.
int CountLinks(const RatchetTree& tree, const ParentNode& parent, NodeIndex child,
               NodeIndex sibling) {
  std::vector<NodeIndex> unmerged;
  for (uint32_t leaf : parent.unmerged_leaves) {
    if (IsInSubtree(NodeIndex(LeafIndex(leaf)), child)) unmerged.emplace_back(LeafIndex(leaf));
  }
  std::vector<NodeIndex> resolution = tree.Resolution(child);
  if (resolution.size() != unmerged.size() + 1) return 0;
  // So D is the one node of the resolution that isn't unmerged.
  std::sort(resolution.begin(), resolution.end());
  std::vector<NodeIndex> merged;
  std::set_difference(resolution.begin(), resolution.end(), unmerged.begin(), unmerged.end(),
                      std::back_inserter(merged));
  if (merged.size() != 1) return 0;
  const Bytes* field = ParentHashField(tree, merged[0]);
  return field != nullptr && *field == tree.ParentHash(parent, sibling) ? 1 : 0;
}

// Section 12.4.3.1: each unmerged leaf "represents a non-blank leaf node that is a descendant of
// the parent node", and "every non-blank intermediate node between the leaf node and the parent
// node also has an entry for the leaf node in its unmerged_leaves".
absl::Status ValidateUnmerged(const RatchetTree& tree, NodeIndex index, const ParentNode& parent) {
  for (uint32_t value : parent.unmerged_leaves) {
    const LeafIndex leaf(value);
    if (!tree.leaf_count().Contains(leaf) || !IsInSubtree(NodeIndex(leaf), index) ||
        tree.leaf(leaf) == nullptr) {
      return absl::InvalidArgumentError("a tree with an unmerged leaf in the wrong place");
    }
    for (auto between = ParentOf(NodeIndex(leaf), tree.leaf_count());
         between.has_value() && *between != index;
         between = ParentOf(*between, tree.leaf_count())) {
      const ParentNode* node = tree.parent(*between);
      if (node != nullptr &&
          !std::binary_search(node->unmerged_leaves.begin(), node->unmerged_leaves.end(), value)) {
        return absl::InvalidArgumentError("a tree with a leaf that is unmerged only in part");
      }
    }
  }
  return absl::OkStatus();
}

absl::Status Duplicate() { return absl::InvalidArgumentError("a key appears twice in the tree"); }

absl::Status CheckAllKeysUnique(const RatchetTree& tree) {
  std::set<std::string_view> encryption_keys;
  std::set<std::string_view> signature_keys;
  bool unique = true;
  tree.ForEachLeaf([&](LeafIndex, const LeafNode& leaf) {
    unique &= encryption_keys.insert(AsText(leaf.encryption_key)).second;
    unique &= signature_keys.insert(AsText(leaf.signature_key)).second;
  });
  tree.ForEachParent([&](NodeIndex, const ParentNode& parent) {
    unique &= encryption_keys.insert(AsText(parent.encryption_key)).second;
  });
  return unique ? absl::OkStatus() : Duplicate();
}

// Counts, for each of a few sorted keys, that it is seen once only.
class OnceCounter {
 public:
  explicit OnceCounter(const std::vector<ByteView>& keys) : seen_(keys.size(), 0) {
    for (ByteView key : keys) keys_.push_back(AsText(key));
    std::sort(keys_.begin(), keys_.end());
    unique_ = std::adjacent_find(keys_.begin(), keys_.end()) == keys_.end();
  }
  void See(const Bytes& key) {
    auto found = std::lower_bound(keys_.begin(), keys_.end(), AsText(key));
    if (found == keys_.end() || *found != AsText(key)) return;
    if (++seen_[static_cast<size_t>(found - keys_.begin())] > 1) unique_ = false;
  }
  bool unique() const { return unique_; }

 private:
  std::vector<std::string_view> keys_;
  std::vector<int> seen_;
  bool unique_ = true;
};

absl::Status CheckSupports(const LeafNode& leaf, const Extensions& extensions,
                           const RequiredCapabilities& required) {
  const auto supports = [&](auto type) { return leaf.capabilities.Supports(type); };
  const bool all_supported =
      // Section 13.4: "The capabilities field MUST indicate support for each extension in the
      // GroupContext."
      std::all_of(extensions.begin(), extensions.end(),
                  [&](const Extension& extension) { return supports(extension.type); }) &&
      // Section 7.3: "the required extensions, proposals, and credential types MUST be listed in
      // the LeafNode's capabilities field".
      std::all_of(required.extensions.begin(), required.extensions.end(), supports) &&
      std::all_of(required.proposals.begin(), required.proposals.end(), supports) &&
      std::all_of(required.credentials.begin(), required.credentials.end(), supports);
  if (all_supported) return absl::OkStatus();
  return absl::InvalidArgumentError("a member doesn't support what the group requires");
}

}  // namespace

absl::StatusOr<RequiredCapabilities> FindRequiredCapabilities(const Extensions& extensions) {
  const Extension* found = FindExtension(extensions, ExtensionType::kRequiredCapabilities);
  if (found == nullptr) return RequiredCapabilities{};
  PARLEY_ASSIGN_OR_RETURN(RequiredCapabilities required,
                          crypto::Parse<RequiredCapabilities>(found->data));
  for (size_t size :
       {required.extensions.size(), required.proposals.size(), required.credentials.size()}) {
    if (size > kMaxExtensions) {
      return absl::InvalidArgumentError("required_capabilities that names too many types");
    }
  }
  return required;
}

absl::Status ValidateParentHashes(const RatchetTree& tree) {
  bool valid = true;
  tree.ForEachParent([&](NodeIndex index, const ParentNode& parent) {
    if (!valid) return;
    const NodeIndex left = LeftOf(index);
    const NodeIndex right = RightOf(index);
    // Section 7.9.2, top down: "there is exactly one descendant of each non-blank parent node for
    // which the parent node is parent-hash valid".
    valid = CountLinks(tree, parent, left, right) + CountLinks(tree, parent, right, left) == 1;
  });
  if (valid) return absl::OkStatus();
  return absl::InvalidArgumentError("a tree with a parent node whose origin isn't proved");
}

absl::Status ValidateTree(const CipherSuite& suite, const RatchetTree& tree, ByteView group_id) {
  // First what is cheap, and what later steps rely on: unmerged leaves that exist.
  absl::Status status;
  tree.ForEachParent([&](NodeIndex index, const ParentNode& parent) {
    if (status.ok()) status = ValidateUnmerged(tree, index, parent);
  });
  PARLEY_RETURN_IF_ERROR(status);
  PARLEY_RETURN_IF_ERROR(CheckAllKeysUnique(tree));
  PARLEY_RETURN_IF_ERROR(ValidateParentHashes(tree));
  tree.ForEachParent([&](NodeIndex, const ParentNode& parent) {
    if (status.ok()) status = suite.kem().CheckPublicKey(parent.encryption_key);
  });
  tree.ForEachLeaf([&](LeafIndex index, const LeafNode& leaf) {
    if (status.ok()) status = ValidateLeafNode(suite, {group_id, index}, leaf);
  });
  return status;
}

absl::Status CheckKeysUnique(const RatchetTree& tree, NewKeys keys) {
  OnceCounter encryption_keys(keys.encryption_keys);
  OnceCounter signature_keys(keys.signature_keys);
  tree.ForEachLeaf([&](LeafIndex, const LeafNode& leaf) {
    encryption_keys.See(leaf.encryption_key);
    signature_keys.See(leaf.signature_key);
  });
  tree.ForEachParent(
      [&](NodeIndex, const ParentNode& parent) { encryption_keys.See(parent.encryption_key); });
  return encryption_keys.unique() && signature_keys.unique() ? absl::OkStatus() : Duplicate();
}

absl::Status CheckMemberSupports(const LeafNode& leaf, const Extensions& group_extensions) {
  PARLEY_ASSIGN_OR_RETURN(const RequiredCapabilities required,
                          FindRequiredCapabilities(group_extensions));
  return CheckSupports(leaf, group_extensions, required);
}

absl::Status CheckGroupSupports(const RatchetTree& tree, const Extensions& group_extensions) {
  PARLEY_ASSIGN_OR_RETURN(const RequiredCapabilities required,
                          FindRequiredCapabilities(group_extensions));
  std::set<CredentialType> in_use;
  absl::Status status;
  tree.ForEachLeaf([&](LeafIndex, const LeafNode& leaf) {
    in_use.insert(leaf.credential.type);
    if (status.ok()) status = CheckSupports(leaf, group_extensions, required);
  });
  PARLEY_RETURN_IF_ERROR(status);
  // Section 7.3: "Verify that the credential type is supported by all members of the group".
  bool credentials_supported = true;
  tree.ForEachLeaf([&](LeafIndex, const LeafNode& leaf) {
    for (CredentialType type : in_use) credentials_supported &= leaf.capabilities.Supports(type);
  });
  if (credentials_supported) return absl::OkStatus();
  return absl::InvalidArgumentError("a credential in use isn't supported by all members");
}

}  // namespace parley::mls
