#include "crypto/mls/tree_math.h"

namespace parley::mls {

NodeIndex RootOf(LeafCount leaves) { return NodeIndex(leaves.value - 1); }

NodeIndex LeftOf(NodeIndex node) { return NodeIndex(node.value ^ (1u << (node.Level() - 1))); }

NodeIndex RightOf(NodeIndex node) { return NodeIndex(node.value ^ (3u << (node.Level() - 1))); }

std::optional<NodeIndex> ParentOf(NodeIndex node, LeafCount leaves) {
  if (node.value >= leaves.NodeCount() || node == RootOf(leaves)) return std::nullopt;
  const uint32_t level = node.Level();
  return NodeIndex((node.value | (1u << level)) & ~(1u << (level + 1)));
}

std::optional<NodeIndex> SiblingOf(NodeIndex node, LeafCount leaves) {
  const std::optional<NodeIndex> parent = ParentOf(node, leaves);
  if (!parent.has_value()) return std::nullopt;
  return node < *parent ? RightOf(*parent) : LeftOf(*parent);
}

std::vector<NodeIndex> DirectPathOf(LeafIndex leaf, LeafCount leaves) {
  std::vector<NodeIndex> path;
  for (auto node = ParentOf(NodeIndex(leaf), leaves); node.has_value();
       node = ParentOf(*node, leaves)) {
    path.push_back(*node);
  }
  return path;
}

std::vector<NodeIndex> CopathOf(LeafIndex leaf, LeafCount leaves) {
  std::vector<NodeIndex> copath;
  NodeIndex node(leaf);
  for (auto sibling = SiblingOf(node, leaves); sibling.has_value();
       sibling = SiblingOf(node, leaves)) {
    copath.push_back(*sibling);
    node = *ParentOf(node, leaves);
  }
  return copath;
}

bool IsInSubtree(NodeIndex node, NodeIndex ancestor) {
  const uint32_t shift = ancestor.Level() + 1;
  return node.Level() <= ancestor.Level() && (node.value >> shift) == (ancestor.value >> shift);
}

bool IsInLeftSubtree(LeafIndex leaf, NodeIndex node) { return NodeIndex(leaf) < node; }

}  // namespace parley::mls
