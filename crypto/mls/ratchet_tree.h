// The public ratchet tree (RFC 9420 sections 4 and 7): who is in the group, under which keys.
//
// The tree is persistent: nodes never change once they are shared, a change copies the nodes on the
// way to it, and a copy of a tree costs one pointer. So the next epoch's tree shares all that the
// commit left alone, tree hashes included.
//
//   RatchetTree next = tree;                 // cheap
//   next.RemoveLeaf(leaf);
//   Bytes hash = next.TreeHash();            // hashes what changed
//
// Threading: a tree and its copies may be read from several threads once TreeHash() has been called
// on it (the hashes of shared nodes are then there). Group does so for every tree that it holds.
#ifndef PARLEY_CRYPTO_MLS_RATCHET_TREE_H_
#define PARLEY_CRYPTO_MLS_RATCHET_TREE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <tuple>
#include <vector>

#include "crypto/mls/leaf_node.h"
#include "crypto/mls/suite_crypto.h"
#include "crypto/mls/tree_math.h"

namespace parley::mls {

// struct {
//     HPKEPublicKey encryption_key;
//     opaque parent_hash<V>;
//     uint32 unmerged_leaves<V>;
// } ParentNode;
struct ParentNode {
  Bytes encryption_key;
  Bytes parent_hash;
  std::vector<uint32_t> unmerged_leaves;  // in increasing order
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.encryption_key, self.parent_hash, self.unmerged_leaves);
  }
  friend bool operator==(const ParentNode&, const ParentNode&) = default;
};

class RatchetTree {
 public:
  // A tree of one blank leaf.
  explicit RatchetTree(const CipherSuite& suite);

  // Reads the ratchet_tree extension (section 12.4.3.3): form only, see tree_validation.h.
  // Errors: InvalidArgument for a node of the wrong kind in its place, a last node that is blank,
  // unmerged leaves out of order, more than kMaxLeaves leaves, or trailing bytes.
  static absl::StatusOr<RatchetTree> Parse(const CipherSuite& suite, ByteView wire);
  // optional<Node> ratchet_tree<V>, without the blank nodes at its end.
  Bytes Serialize() const;

  LeafCount leaf_count() const { return leaves_; }
  uint32_t member_count() const;

  // The contents of a node; null where it is blank or outside the tree.
  const LeafNode* leaf(LeafIndex index) const;
  const ParentNode* parent(NodeIndex index) const;
  // The encryption key of either kind; null where blank.
  const Bytes* EncryptionKey(NodeIndex index) const;

  // Calls `visit` for every member, from left to right.
  void ForEachLeaf(const std::function<void(LeafIndex, const LeafNode&)>& visit) const;
  // Calls `visit` for every parent node that isn't blank, from left to right.
  void ForEachParent(const std::function<void(NodeIndex, const ParentNode&)>& visit) const;

  // Section 4.1.1: the nodes that together cover the members below `index`.
  std::vector<NodeIndex> Resolution(NodeIndex index) const;

  // Section 4.1.2: the direct path without the nodes whose child on the copath has an empty
  // resolution.
  struct PathStep {
    NodeIndex node;
    NodeIndex copath_child;
  };
  std::vector<PathStep> FilteredDirectPath(LeafIndex leaf) const;

  // The leftmost blank leaf, where AddLeaf would put the next member; outside the tree when full.
  LeafIndex NextFreeLeaf() const;

  // Section 12.1.1. Errors: ResourceExhausted over kMaxLeaves.
  absl::StatusOr<LeafIndex> AddLeaf(std::shared_ptr<const LeafNode> leaf_node);
  // The same for many, one after the other: the lists of unmerged leaves above them, which may be
  // as long as the tree is wide, are copied once and not once a leaf.
  absl::StatusOr<std::vector<LeafIndex>> AddLeaves(
      std::vector<std::shared_ptr<const LeafNode>> leaf_nodes);
  // Section 12.1.2. Requires: the leaf is in the tree.
  void UpdateLeaf(LeafIndex index, std::shared_ptr<const LeafNode> leaf_node);
  // Section 12.1.3, with truncation. Requires: the leaf is in the tree and not the only one.
  void RemoveLeaf(LeafIndex index);
  // Section 7.5: blanks the direct path, then sets `parents` (steps of the filtered direct path)
  // and the leaf.
  void MergePath(LeafIndex index, std::shared_ptr<const LeafNode> leaf_node,
                 const std::vector<std::pair<NodeIndex, ParentNode>>& parents);

  // Section 7.8, of the whole tree and of the subtree below a node.
  const Bytes& TreeHash() const { return HashOf(*root_, RootOf(leaves_)); }
  const Bytes& NodeHash(NodeIndex index) const;
  // The same, as if the leaves in `without` (in increasing order) were blank and unmerged nowhere:
  // section 7.9's original_sibling_tree_hash.
  Bytes NodeHashWithout(NodeIndex index, const std::vector<uint32_t>& without) const;

  // Section 7.9: Hash(ParentHashInput { encryption_key, parent_hash, original_sibling_tree_hash }).
  Bytes ParentHash(const ParentNode& parent, NodeIndex sibling) const;

 private:
  struct Node {
    std::shared_ptr<const Node> left;  // null at leaves, like `right`
    std::shared_ptr<const Node> right;
    std::shared_ptr<const LeafNode> leaf;
    std::shared_ptr<const ParentNode> parent;
    uint32_t members = 0;  // leaves that aren't blank, here and below
    uint32_t filled = 0;   // nodes that aren't blank, here and below
    mutable Bytes hash;    // empty until asked for
  };
  using NodePtr = std::shared_ptr<const Node>;
  using Edit = std::function<void(NodeIndex, Node&)>;

  static NodePtr BlankSubtree(uint32_t level);
  static void Recount(Node& node);

  const Node* Find(NodeIndex index) const;
  // Copies the nodes from the root to `leaf`, and calls `edit` for each from the leaf upwards.
  void EditPath(LeafIndex leaf, const Edit& edit);
  static NodePtr EditedCopy(const Node& node, NodeIndex index, LeafIndex leaf, const Edit& edit);
  // `node` with the leaves `added` below it, in increasing order, unmerged at every parent.
  static NodePtr WithUnmerged(const NodePtr& node, NodeIndex index,
                              std::span<const LeafIndex> added);
  void Extend();
  void Truncate();
  const Bytes& HashOf(const Node& node, NodeIndex index) const;
  Bytes HashWithout(const Node& node, NodeIndex index, const std::vector<uint32_t>& without) const;
  Bytes HashNode(const Node& node, NodeIndex index, const LeafNode* leaf, const ParentNode* parent,
                 ByteView left_hash, ByteView right_hash) const;
  static void Resolve(const Node& node, NodeIndex index, std::vector<NodeIndex>& out);

  const CipherSuite* suite_;
  LeafCount leaves_;
  NodePtr root_;
};

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_RATCHET_TREE_H_
