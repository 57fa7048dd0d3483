#include "crypto/mls/ratchet_tree.h"

#include <algorithm>

namespace parley::mls {

RatchetTree::RatchetTree(const CipherSuite& suite) : suite_(&suite), root_(BlankSubtree(0)) {}

// ---- Nodes ------------------------------------------------------------------------------------

RatchetTree::NodePtr RatchetTree::BlankSubtree(uint32_t level) {
  auto node = std::make_shared<Node>();
  if (level > 0) {
    node->left = BlankSubtree(level - 1);
    node->right = BlankSubtree(level - 1);
  }
  return node;
}

void RatchetTree::Recount(Node& node) {
  node.hash.clear();
  node.members = node.leaf != nullptr ? 1 : 0;
  node.filled = node.leaf != nullptr || node.parent != nullptr ? 1 : 0;
  for (const Node* child : {node.left.get(), node.right.get()}) {
    if (child == nullptr) continue;
    node.members += child->members;
    node.filled += child->filled;
  }
}

const RatchetTree::Node* RatchetTree::Find(NodeIndex index) const {
  if (index.value >= leaves_.NodeCount()) return nullptr;
  const Node* node = root_.get();
  for (NodeIndex at = RootOf(leaves_); at != index;) {
    const bool go_left = index < at;
    node = go_left ? node->left.get() : node->right.get();
    at = go_left ? LeftOf(at) : RightOf(at);
  }
  return node;
}

RatchetTree::NodePtr RatchetTree::EditedCopy(const Node& node, NodeIndex index, LeafIndex leaf,
                                             const Edit& edit) {
  auto copy = std::make_shared<Node>(node);
  if (!index.IsLeaf()) {
    if (IsInLeftSubtree(leaf, index)) {
      copy->left = EditedCopy(*node.left, LeftOf(index), leaf, edit);
    } else {
      copy->right = EditedCopy(*node.right, RightOf(index), leaf, edit);
    }
  }
  edit(index, *copy);
  Recount(*copy);
  return copy;
}

void RatchetTree::EditPath(LeafIndex leaf, const Edit& edit) {
  root_ = EditedCopy(*root_, RootOf(leaves_), leaf, edit);
}

// ---- Reading ----------------------------------------------------------------------------------

uint32_t RatchetTree::member_count() const { return root_->members; }

const LeafNode* RatchetTree::leaf(LeafIndex index) const {
  if (!leaves_.Contains(index)) return nullptr;
  return Find(NodeIndex(index))->leaf.get();
}

const ParentNode* RatchetTree::parent(NodeIndex index) const {
  const Node* node = Find(index);
  return node == nullptr ? nullptr : node->parent.get();
}

const Bytes* RatchetTree::EncryptionKey(NodeIndex index) const {
  const Node* node = Find(index);
  if (node == nullptr) return nullptr;
  if (node->leaf != nullptr) return &node->leaf->encryption_key;
  return node->parent == nullptr ? nullptr : &node->parent->encryption_key;
}

void RatchetTree::ForEachLeaf(const std::function<void(LeafIndex, const LeafNode&)>& visit) const {
  const std::function<void(const Node&, NodeIndex)> walk = [&](const Node& node, NodeIndex index) {
    if (node.members == 0) return;
    if (index.IsLeaf()) {
      visit(index.ToLeaf(), *node.leaf);
      return;
    }
    walk(*node.left, LeftOf(index));
    walk(*node.right, RightOf(index));
  };
  walk(*root_, RootOf(leaves_));
}

void RatchetTree::ForEachParent(
    const std::function<void(NodeIndex, const ParentNode&)>& visit) const {
  const std::function<void(const Node&, NodeIndex)> walk = [&](const Node& node, NodeIndex index) {
    if (node.filled == 0 || index.IsLeaf()) return;
    walk(*node.left, LeftOf(index));
    if (node.parent != nullptr) visit(index, *node.parent);
    walk(*node.right, RightOf(index));
  };
  walk(*root_, RootOf(leaves_));
}

// Section 4.1.1: "The resolution of a non-blank node comprises the node itself, followed by its
// list of unmerged leaves, if any. The resolution of a blank leaf node is the empty list. The
// resolution of a blank intermediate node is the result of concatenating the resolution of its left
// child with the resolution of its right child, in that order."
void RatchetTree::Resolve(const Node& node, NodeIndex index, std::vector<NodeIndex>& out) {
  if (node.filled == 0) return;
  if (node.leaf != nullptr) {
    out.push_back(index);
  } else if (node.parent != nullptr) {
    out.push_back(index);
    for (uint32_t leaf : node.parent->unmerged_leaves) out.emplace_back(LeafIndex(leaf));
  } else {
    Resolve(*node.left, LeftOf(index), out);
    Resolve(*node.right, RightOf(index), out);
  }
}

std::vector<NodeIndex> RatchetTree::Resolution(NodeIndex index) const {
  std::vector<NodeIndex> out;
  if (const Node* node = Find(index)) Resolve(*node, index, out);
  return out;
}

std::vector<RatchetTree::PathStep> RatchetTree::FilteredDirectPath(LeafIndex leaf) const {
  std::vector<PathStep> path;
  const Node* node = root_.get();
  for (NodeIndex at = RootOf(leaves_); !at.IsLeaf();) {
    const bool go_left = IsInLeftSubtree(leaf, at);
    const Node* aside = go_left ? node->right.get() : node->left.get();
    // A subtree has an empty resolution just when all of its nodes are blank.
    if (aside->filled > 0) path.push_back({at, go_left ? RightOf(at) : LeftOf(at)});
    node = go_left ? node->left.get() : node->right.get();
    at = go_left ? LeftOf(at) : RightOf(at);
  }
  std::reverse(path.begin(), path.end());
  return path;
}

LeafIndex RatchetTree::NextFreeLeaf() const {
  if (root_->members == leaves_.value) return LeafIndex(leaves_.value);
  const Node* node = root_.get();
  NodeIndex at = RootOf(leaves_);
  while (!at.IsLeaf()) {
    const uint32_t capacity = 1u << (at.Level() - 1);
    const bool go_left = node->left->members < capacity;
    node = go_left ? node->left.get() : node->right.get();
    at = go_left ? LeftOf(at) : RightOf(at);
  }
  return at.ToLeaf();
}

// ---- Changing ---------------------------------------------------------------------------------

// Section 7.7: "a new blank root node is added, whose left subtree is the existing tree and right
// subtree is a new all-blank subtree".
void RatchetTree::Extend() {
  auto root = std::make_shared<Node>();
  root->left = root_;
  root->right = BlankSubtree(RootOf(leaves_).Level());
  Recount(*root);
  root_ = std::move(root);
  leaves_ = LeafCount(leaves_.value * 2);
}

// Section 7.7: the tree is halved "until there is at least one non-blank leaf node in the right
// subtree".
void RatchetTree::Truncate() {
  while (leaves_.value > 1 && root_->right->members == 0) {
    root_ = root_->left;
    leaves_ = LeafCount(leaves_.value / 2);
  }
}

absl::StatusOr<LeafIndex> RatchetTree::AddLeaf(std::shared_ptr<const LeafNode> leaf_node) {
  PARLEY_ASSIGN_OR_RETURN(const std::vector<LeafIndex> added, AddLeaves({std::move(leaf_node)}));
  return added.front();
}

absl::StatusOr<std::vector<LeafIndex>> RatchetTree::AddLeaves(
    std::vector<std::shared_ptr<const LeafNode>> leaf_nodes) {
  std::vector<LeafIndex> added;
  added.reserve(leaf_nodes.size());
  for (std::shared_ptr<const LeafNode>& leaf_node : leaf_nodes) {
    const LeafIndex index = NextFreeLeaf();
    if (!leaves_.Contains(index)) {
      if (leaves_.value >= kMaxLeaves) {
        return absl::ResourceExhaustedError("the group has no room for another member");
      }
      Extend();
    }
    EditPath(index, [&](NodeIndex at, Node& node) {
      if (at.IsLeaf()) node.leaf = std::move(leaf_node);
    });
    added.push_back(index);  // each is to the right of those before
  }
  root_ = WithUnmerged(root_, RootOf(leaves_), added);
  return added;
}

RatchetTree::NodePtr RatchetTree::WithUnmerged(const NodePtr& node, NodeIndex index,
                                               std::span<const LeafIndex> added) {
  // Without a parent that isn't blank there is nothing to note.
  if (added.empty() || index.IsLeaf() || node->filled == node->members) return node;
  auto copy = std::make_shared<Node>(*node);
  const auto middle = std::partition_point(
      added.begin(), added.end(), [&](LeafIndex leaf) { return IsInLeftSubtree(leaf, index); });
  copy->left = WithUnmerged(node->left, LeftOf(index), {added.begin(), middle});
  copy->right = WithUnmerged(node->right, RightOf(index), {middle, added.end()});
  if (node->parent != nullptr) {
    auto parent = std::make_shared<ParentNode>(*node->parent);
    std::vector<uint32_t>& unmerged = parent->unmerged_leaves;
    const auto before = static_cast<std::ptrdiff_t>(unmerged.size());
    for (LeafIndex leaf : added) unmerged.push_back(leaf.value);
    std::inplace_merge(unmerged.begin(), unmerged.begin() + before, unmerged.end());
    copy->parent = std::move(parent);
  }
  Recount(*copy);
  return copy;
}

void RatchetTree::UpdateLeaf(LeafIndex index, std::shared_ptr<const LeafNode> leaf_node) {
  EditPath(index, [&](NodeIndex at, Node& node) {
    node.parent = nullptr;
    if (at.IsLeaf()) node.leaf = leaf_node;
  });
}

void RatchetTree::RemoveLeaf(LeafIndex index) {
  UpdateLeaf(index, nullptr);
  Truncate();
}

void RatchetTree::MergePath(LeafIndex index, std::shared_ptr<const LeafNode> leaf_node,
                            const std::vector<std::pair<NodeIndex, ParentNode>>& parents) {
  auto next = parents.begin();
  EditPath(index, [&](NodeIndex at, Node& node) {
    node.parent = nullptr;
    if (at.IsLeaf()) {
      node.leaf = std::move(leaf_node);
    } else if (next != parents.end() && next->first == at) {
      node.parent = std::make_shared<ParentNode>(next->second);
      ++next;
    }
  });
}

}  // namespace parley::mls
