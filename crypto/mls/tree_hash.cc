// Tree hashes and parent hashes (RFC 9420 sections 7.8 and 7.9).
#include <algorithm>

#include "crypto/mls/ratchet_tree.h"

namespace parley::mls {
namespace {

// enum { reserved(0), leaf(1), parent(2), (255) } NodeType;
constexpr uint8_t kLeafType = 1;
constexpr uint8_t kParentType = 2;

template <typename T>
void EncodeOptional(crypto::Writer& w, const T* value) {
  w.WriteUint8(value != nullptr ? 1 : 0);
  if (value != nullptr) Encode(w, *value);
}

// Whether a leaf of `leaves` (in increasing order) is below `index`.
bool AnyBelow(const std::vector<uint32_t>& leaves, NodeIndex index) {
  const uint32_t half = (1u << index.Level()) - 1;
  const uint32_t first = (index.value - half) / 2;
  const uint32_t last = (index.value + half) / 2;
  auto found = std::lower_bound(leaves.begin(), leaves.end(), first);
  return found != leaves.end() && *found <= last;
}

}  // namespace

// struct {
//     NodeType node_type;
//     select (TreeHashInput.node_type) {
//         case leaf:   uint32 leaf_index; optional<LeafNode> leaf_node;
//         case parent: optional<ParentNode> parent_node; opaque left_hash<V>; opaque right_hash<V>;
//     };
// } TreeHashInput;
Bytes RatchetTree::HashNode(const Node& node, NodeIndex index, const LeafNode* leaf,
                            const ParentNode* parent, ByteView left_hash,
                            ByteView right_hash) const {
  crypto::Writer w;
  if (node.left == nullptr) {
    w.WriteUint8(kLeafType);
    w.WriteUint32(index.ToLeaf().value);
    EncodeOptional(w, leaf);
  } else {
    w.WriteUint8(kParentType);
    EncodeOptional(w, parent);
    w.WriteOpaque(left_hash);
    w.WriteOpaque(right_hash);
  }
  return SuiteHash(*suite_, {w.view()});
}

const Bytes& RatchetTree::HashOf(const Node& node, NodeIndex index) const {
  if (!node.hash.empty()) return node.hash;
  ByteView left, right;
  if (!index.IsLeaf()) {
    left = HashOf(*node.left, LeftOf(index));
    right = HashOf(*node.right, RightOf(index));
  }
  node.hash = HashNode(node, index, node.leaf.get(), node.parent.get(), left, right);
  return node.hash;
}

const Bytes& RatchetTree::NodeHash(NodeIndex index) const { return HashOf(*Find(index), index); }

Bytes RatchetTree::HashWithout(const Node& node, NodeIndex index,
                               const std::vector<uint32_t>& without) const {
  if (!AnyBelow(without, index)) return HashOf(node, index);
  if (index.IsLeaf()) return HashNode(node, index, nullptr, nullptr, {}, {});
  const Bytes left = HashWithout(*node.left, LeftOf(index), without);
  const Bytes right = HashWithout(*node.right, RightOf(index), without);
  if (node.parent == nullptr) return HashNode(node, index, nullptr, nullptr, left, right);
  ParentNode parent = *node.parent;
  std::erase_if(parent.unmerged_leaves, [&](uint32_t leaf) {
    return std::binary_search(without.begin(), without.end(), leaf);
  });
  return HashNode(node, index, nullptr, &parent, left, right);
}

Bytes RatchetTree::NodeHashWithout(NodeIndex index, const std::vector<uint32_t>& without) const {
  return HashWithout(*Find(index), index, without);
}

Bytes RatchetTree::ParentHash(const ParentNode& parent, NodeIndex sibling) const {
  crypto::Writer w;
  Encode(w, parent.encryption_key);
  Encode(w, parent.parent_hash);
  w.WriteOpaque(NodeHashWithout(sibling, parent.unmerged_leaves));
  return SuiteHash(*suite_, {w.view()});
}

// ---- The ratchet_tree extension ---------------------------------------------------------------

// struct {
//     NodeType node_type;
//     select (Node.node_type) {
//         case leaf:   LeafNode leaf_node;
//         case parent: ParentNode parent_node;
//     };
// } Node;
//
// optional<Node> ratchet_tree<V>;
Bytes RatchetTree::Serialize() const {
  // Section 12.4.3.3: "the sender MUST NOT include blank nodes after the last non-blank node".
  crypto::Writer body;
  uint32_t blanks = 0;  // since the last node that wasn't
  const auto write = [&](uint8_t type, const auto& content) {
    for (; blanks > 0; --blanks) body.WriteUint8(0);
    body.WriteUint8(1);
    body.WriteUint8(type);
    Encode(body, content);
  };
  const std::function<void(const Node&, NodeIndex)> walk = [&](const Node& node, NodeIndex index) {
    if (node.filled == 0) {
      blanks += (2u << index.Level()) - 1;
      return;
    }
    if (index.IsLeaf()) {
      write(kLeafType, *node.leaf);
      return;
    }
    walk(*node.left, LeftOf(index));
    if (node.parent != nullptr) {
      write(kParentType, *node.parent);
    } else {
      ++blanks;
    }
    walk(*node.right, RightOf(index));
  };
  walk(*root_, RootOf(leaves_));
  crypto::Writer w;
  w.WriteOpaque(body.view());
  return std::move(w).Take();
}

namespace {

struct WireNode {
  std::shared_ptr<const LeafNode> leaf;
  std::shared_ptr<const ParentNode> parent;
  bool blank() const { return leaf == nullptr && parent == nullptr; }
};

absl::Status DecodeWireNode(crypto::Reader& r, bool expect_leaf, WireNode& node) {
  uint8_t present = 0;
  PARLEY_RETURN_IF_ERROR(r.ReadUint8(present));
  if (present > 1) return absl::InvalidArgumentError("a presence byte other than 0 and 1");
  if (present == 0) return absl::OkStatus();
  uint8_t type = 0;
  PARLEY_RETURN_IF_ERROR(r.ReadUint8(type));
  if (type != (expect_leaf ? kLeafType : kParentType)) {
    return absl::InvalidArgumentError("a ratchet tree with a node of the wrong kind");
  }
  if (expect_leaf) {
    auto leaf = std::make_shared<LeafNode>();
    PARLEY_RETURN_IF_ERROR(Decode(r, *leaf));
    node.leaf = std::move(leaf);
    return absl::OkStatus();
  }
  auto parent = std::make_shared<ParentNode>();
  PARLEY_RETURN_IF_ERROR(Decode(r, *parent));
  // Section 7.1: "The entries in the unmerged_leaves vector MUST be sorted in increasing order."
  const std::vector<uint32_t>& unmerged = parent->unmerged_leaves;
  if (std::adjacent_find(unmerged.begin(), unmerged.end(), std::greater_equal<>()) !=
      unmerged.end()) {
    return absl::InvalidArgumentError("a ratchet tree with unmerged leaves out of order");
  }
  node.parent = std::move(parent);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RatchetTree> RatchetTree::Parse(const CipherSuite& suite, ByteView wire) {
  crypto::Reader outer(wire);
  ByteView body;
  PARLEY_RETURN_IF_ERROR(outer.ReadOpaque(body));
  PARLEY_RETURN_IF_ERROR(outer.ExpectEnd());
  crypto::Reader r(body);
  std::vector<WireNode> nodes;
  while (!r.empty()) {
    if (nodes.size() >= LeafCount(kMaxLeaves).NodeCount()) {
      return absl::InvalidArgumentError("a ratchet tree that is too large");
    }
    WireNode node;
    PARLEY_RETURN_IF_ERROR(DecodeWireNode(r, nodes.size() % 2 == 0, node));
    nodes.push_back(std::move(node));
  }
  // Section 12.4.3.3: "The receiver MUST check that the last node in ratchet_tree is non-blank". In
  // every tree that has been truncated it is a leaf, so that their number is odd.
  if (nodes.empty() || nodes.back().blank()) {
    return absl::InvalidArgumentError("a ratchet tree that ends with a blank node");
  }
  if (nodes.size() % 2 == 0) {
    return absl::InvalidArgumentError("a ratchet tree that ends with a parent node");
  }

  RatchetTree tree(suite);
  tree.leaves_ = LeafCount::AtLeast(static_cast<uint32_t>(nodes.size() / 2 + 1));
  const std::function<NodePtr(NodeIndex)> build = [&](NodeIndex index) -> NodePtr {
    if (index.value >= (1u << index.Level()) - 1 + nodes.size()) {
      return BlankSubtree(index.Level());
    }
    auto node = std::make_shared<Node>();
    if (index.value < nodes.size()) {
      node->leaf = std::move(nodes[index.value].leaf);
      node->parent = std::move(nodes[index.value].parent);
    }
    if (!index.IsLeaf()) {
      node->left = build(LeftOf(index));
      node->right = build(RightOf(index));
    }
    Recount(*node);
    return node;
  };
  tree.root_ = build(RootOf(tree.leaves_));
  return tree;
}

}  // namespace parley::mls
