// The shape of a left-balanced, full binary tree in an array (RFC 9420 appendix C).
//
// Leaves are the even nodes 0, 2, 4 …; a tree of 2^k leaves has 2^(k+1) - 1 nodes. Leaf and node
// numbers are types of their own, so that they can't be mixed up.
#ifndef PARLEY_CRYPTO_MLS_TREE_MATH_H_
#define PARLEY_CRYPTO_MLS_TREE_MATH_H_

#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace parley::mls {

// A member's place in the tree.
struct LeafIndex {
  uint32_t value = 0;
  constexpr LeafIndex() = default;
  constexpr explicit LeafIndex(uint32_t v) : value(v) {}
  friend constexpr auto operator<=>(const LeafIndex&, const LeafIndex&) = default;
};

// A node's place in the array.
struct NodeIndex {
  uint32_t value = 0;
  constexpr NodeIndex() = default;
  constexpr explicit NodeIndex(uint32_t v) : value(v) {}
  constexpr explicit NodeIndex(LeafIndex leaf) : value(2 * leaf.value) {}
  friend constexpr auto operator<=>(const NodeIndex&, const NodeIndex&) = default;

  constexpr bool IsLeaf() const { return (value & 1) == 0; }
  // Requires: IsLeaf().
  constexpr LeafIndex ToLeaf() const { return LeafIndex(value / 2); }
  // 0 for leaves, k for a node above 2^k of them.
  constexpr uint32_t Level() const { return static_cast<uint32_t>(std::countr_one(value)); }
};

// How many leaves a full tree has: a power of two, at most 2^30.
struct LeafCount {
  uint32_t value = 1;
  constexpr LeafCount() = default;
  constexpr explicit LeafCount(uint32_t v) : value(v) {}
  friend constexpr auto operator<=>(const LeafCount&, const LeafCount&) = default;

  // The smallest full tree with at least `leaves` leaves.
  static constexpr LeafCount AtLeast(uint32_t leaves) {
    return LeafCount(std::bit_ceil(leaves == 0 ? 1u : leaves));
  }
  constexpr bool Contains(LeafIndex leaf) const { return leaf.value < value; }
  constexpr uint32_t NodeCount() const { return 2 * value - 1; }
};

// The largest tree that is accepted: far above any group, far below what could overflow.
inline constexpr uint32_t kMaxLeaves = 1u << 16;

NodeIndex RootOf(LeafCount leaves);
// Requires: not a leaf.
NodeIndex LeftOf(NodeIndex node);
NodeIndex RightOf(NodeIndex node);
// None for the root and for what is outside the tree.
std::optional<NodeIndex> ParentOf(NodeIndex node, LeafCount leaves);
std::optional<NodeIndex> SiblingOf(NodeIndex node, LeafCount leaves);

// The nodes above `leaf`, from its parent to the root (section 4.1.2).
std::vector<NodeIndex> DirectPathOf(LeafIndex leaf, LeafCount leaves);
// The siblings of `leaf` and of its direct path without the root; as long as the direct path.
std::vector<NodeIndex> CopathOf(LeafIndex leaf, LeafCount leaves);

// Whether `node` is `ancestor` or below it.
bool IsInSubtree(NodeIndex node, NodeIndex ancestor);
// Whether `leaf` is below the left child of `node`. Requires: `leaf` below `node`, no leaf itself.
bool IsInLeftSubtree(LeafIndex leaf, NodeIndex node);

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_TREE_MATH_H_
