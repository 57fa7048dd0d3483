#include "crypto/mls/tree_math.h"

#include <gtest/gtest.h>

namespace parley::mls {
namespace {

// The tree by its definition: a node at level k above leaf i * 2^k has children at level k - 1.
class EverySize : public ::testing::TestWithParam<uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Sizes, EverySize, ::testing::Values(1, 2, 4, 8, 64, 512));

TEST_P(EverySize, ParentsAndChildrenAgree) {
  const LeafCount leaves(GetParam());
  uint32_t roots = 0;
  for (uint32_t i = 0; i < leaves.NodeCount(); ++i) {
    const NodeIndex node(i);
    const auto parent = ParentOf(node, leaves);
    if (!parent.has_value()) {
      EXPECT_EQ(node, RootOf(leaves));
      ++roots;
      continue;
    }
    EXPECT_EQ(parent->Level(), node.Level() + 1);
    EXPECT_TRUE(LeftOf(*parent) == node || RightOf(*parent) == node);
    EXPECT_EQ(*SiblingOf(node, leaves),
              LeftOf(*parent) == node ? RightOf(*parent) : LeftOf(*parent));
    EXPECT_TRUE(IsInSubtree(node, *parent));
    EXPECT_FALSE(IsInSubtree(*parent, node));
    EXPECT_FALSE(IsInSubtree(*SiblingOf(node, leaves), node));
  }
  EXPECT_EQ(roots, 1u);
}

TEST_P(EverySize, PathsEndAtTheRoot) {
  const LeafCount leaves(GetParam());
  for (uint32_t i = 0; i < leaves.value; ++i) {
    const auto path = DirectPathOf(LeafIndex(i), leaves);
    const auto copath = CopathOf(LeafIndex(i), leaves);
    EXPECT_EQ(path.size(), static_cast<size_t>(std::countr_zero(leaves.value)));
    ASSERT_EQ(copath.size(), path.size());
    for (size_t k = 0; k < path.size(); ++k) {
      EXPECT_TRUE(IsInSubtree(NodeIndex(LeafIndex(i)), path[k]));
      EXPECT_FALSE(IsInSubtree(NodeIndex(LeafIndex(i)), copath[k]));
      EXPECT_EQ(*ParentOf(copath[k], leaves), path[k]);
      EXPECT_EQ(IsInLeftSubtree(LeafIndex(i), path[k]), RightOf(path[k]) == copath[k]);
    }
    if (!path.empty()) {
      EXPECT_EQ(path.back(), RootOf(leaves));
    }
  }
}

TEST(TreeMath, OutsideTheTreeThereIsNothing) {
  EXPECT_FALSE(ParentOf(NodeIndex(7), LeafCount(4)).has_value());
  EXPECT_FALSE(SiblingOf(NodeIndex(UINT32_MAX), LeafCount(4)).has_value());
  EXPECT_FALSE(LeafCount(4).Contains(LeafIndex(4)));
  EXPECT_FALSE(LeafCount(4).Contains(LeafIndex(UINT32_MAX)));
}

TEST(TreeMath, SizesArePowersOfTwo) {
  EXPECT_EQ(LeafCount::AtLeast(0).value, 1u);
  EXPECT_EQ(LeafCount::AtLeast(1).value, 1u);
  EXPECT_EQ(LeafCount::AtLeast(5).value, 8u);
  EXPECT_EQ(LeafCount::AtLeast(8).value, 8u);
}

}  // namespace
}  // namespace parley::mls
