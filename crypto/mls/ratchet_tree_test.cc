#include "crypto/mls/ratchet_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "crypto/mls/group_state.h"
#include "crypto/mls/testing.h"
#include "crypto/mls/tree_validation.h"

namespace parley::mls {
namespace {

using namespace testing;  // NOLINT
using ::testing::HasSubstr;

std::shared_ptr<const LeafNode> Leaf(uint8_t name) {
  auto leaf = std::make_shared<LeafNode>();
  leaf->encryption_key = Bytes(32, name);
  leaf->signature_key = Bytes(32, static_cast<uint8_t>(~name));
  return leaf;
}

const CipherSuite& Suite() { return *Must(FindCipherSuite(CipherSuiteId::k0x0003)); }

TEST(RatchetTree, GrowsShrinksAndFillsGaps) {
  RatchetTree tree(Suite());
  for (uint8_t i = 0; i < 5; ++i) EXPECT_EQ(Must(tree.AddLeaf(Leaf(i))), LeafIndex(i));
  EXPECT_EQ(tree.leaf_count().value, 8u);
  tree.RemoveLeaf(LeafIndex(1));
  EXPECT_EQ(tree.NextFreeLeaf(), LeafIndex(1));
  tree.RemoveLeaf(LeafIndex(4));
  EXPECT_EQ(tree.leaf_count().value, 4u);
  EXPECT_EQ(Must(tree.AddLeaf(Leaf(9))), LeafIndex(1));
  EXPECT_EQ(tree.member_count(), 4u);
  EXPECT_EQ(tree.NextFreeLeaf(), LeafIndex(4));
  EXPECT_EQ(tree.leaf(LeafIndex(4)), nullptr);
  EXPECT_EQ(tree.leaf(LeafIndex(UINT32_MAX)), nullptr);
}

TEST(RatchetTree, CopiesAreIndependent) {
  RatchetTree tree(Suite());
  for (uint8_t i = 0; i < 9; ++i) Must(tree.AddLeaf(Leaf(i)));
  const RatchetTree before = tree;
  const Bytes hash = before.TreeHash();
  tree.UpdateLeaf(LeafIndex(3), Leaf(99));
  tree.RemoveLeaf(LeafIndex(8));
  EXPECT_NE(tree.TreeHash(), hash);
  EXPECT_EQ(before.TreeHash(), hash);
  EXPECT_EQ(before.member_count(), 9u);
  EXPECT_EQ(before.leaf(LeafIndex(3))->encryption_key, Bytes(32, 3));
}

// A random history, where every cached hash must be that of the tree read anew from its wire form.
TEST(RatchetTree, CachedHashesAreThoseOfAFreshTree) {
  std::mt19937 random(7);
  RatchetTree tree(Suite());
  Must(tree.AddLeaf(Leaf(0)));
  for (int step = 1; step < 300; ++step) {
    const LeafIndex leaf(static_cast<uint32_t>(random() % tree.leaf_count().value));
    const auto key = static_cast<uint8_t>(step);
    switch (tree.leaf(leaf) == nullptr ? 0 : random() % 4) {
      case 0:
        if (tree.member_count() < 40) Must(tree.AddLeaf(Leaf(key)));
        break;
      case 1:
        tree.UpdateLeaf(leaf, Leaf(key));
        break;
      case 2:
        if (tree.member_count() > 1) tree.RemoveLeaf(leaf);
        break;
      default: {
        std::vector<std::pair<NodeIndex, ParentNode>> parents;
        for (const auto& at : tree.FilteredDirectPath(leaf)) {
          parents.push_back({at.node, {Bytes(32, key), Bytes(3, key), {}}});
        }
        tree.MergePath(leaf, Leaf(key), parents);
      }
    }
    const RatchetTree fresh = Must(RatchetTree::Parse(Suite(), tree.Serialize()));
    ASSERT_EQ(fresh.TreeHash(), tree.TreeHash()) << step;
    ASSERT_EQ(fresh.leaf_count(), tree.leaf_count());
    ASSERT_EQ(fresh.Serialize(), tree.Serialize());
  }
}

TEST(RatchetTree, RefusesTreesOfTheWrongForm) {
  EXPECT_FALSE(RatchetTree::Parse(Suite(), {}).ok());
  EXPECT_FALSE(RatchetTree::Parse(Suite(), Bytes{0}).ok());
  EXPECT_FALSE(RatchetTree::Parse(Suite(), Bytes{1, 0}).ok());              // ends blank
  EXPECT_FALSE(RatchetTree::Parse(Suite(), Bytes{1, 2}).ok());              // presence byte
  EXPECT_FALSE(RatchetTree::Parse(Suite(), Bytes{5, 1, 2, 0, 0, 0}).ok());  // parent at a leaf
  RatchetTree tree(Suite());
  for (uint8_t i = 0; i < 3; ++i) Must(tree.AddLeaf(Leaf(i)));
  Bytes wire = tree.Serialize();
  wire.push_back(0);
  EXPECT_FALSE(RatchetTree::Parse(Suite(), wire).ok());
  tree.MergePath(LeafIndex(0), Leaf(0), {{NodeIndex(3), {Bytes(32, 8), {}, {2, 1}}}});
  EXPECT_FALSE(RatchetTree::Parse(Suite(), tree.Serialize()).ok());  // unmerged out of order
}

// ---- Validity -----------------------------------------------------------------------------------

class TreeValidity : public ::testing::Test {
 protected:
  void SetUp() override {
    groups_ = NewGroups(5);
    CommitToAll(groups_, 1, Must(groups_[1].PrepareCommit()));
    CommitToAll(groups_, 0, Must(groups_[0].PrepareCommit()));
    // Member 5 joins without a path: unmerged at the nodes above.
    KeyPackageBundle last = NewKeyPackage("5");
    CommitToAll(groups_, 0, Must(groups_[0].PrepareCommit({.adds = {last.message()}})));
    ASSERT_TRUE(Validate(tree()).ok());
    ASSERT_EQ(tree().parent(NodeIndex(7))->unmerged_leaves, std::vector<uint32_t>{5});
  }

  const RatchetTree& tree() { return groups_[0].state().tree; }
  static absl::Status Validate(const RatchetTree& tree) {
    return ValidateTree(Suite(), tree, ToBytes("a group"));
  }

  // The tree with `change` made to one of the parent nodes above leaf 0.
  RatchetTree With(NodeIndex at, const std::function<void(ParentNode&)>& change) {
    std::vector<std::pair<NodeIndex, ParentNode>> parents;
    for (NodeIndex node : DirectPathOf(LeafIndex(0), tree().leaf_count())) {
      const ParentNode* parent = tree().parent(node);
      if (parent == nullptr) continue;
      parents.emplace_back(node, *parent);
      if (node == at) change(parents.back().second);
    }
    RatchetTree changed = tree();
    changed.MergePath(LeafIndex(0), std::make_shared<LeafNode>(*tree().leaf(LeafIndex(0))),
                      parents);
    return changed;
  }

  std::vector<Group> groups_;
};

TEST_F(TreeValidity, RebuiltWithoutAChangeIsTheSame) {
  EXPECT_EQ(With(NodeIndex(7), [](ParentNode&) {}).TreeHash(), tree().TreeHash());
}

TEST_F(TreeValidity, KeyOfANodeThatNobodySigned) {
  const auto fresh = Suite().kem().GenerateKeyPair().public_key;
  for (uint32_t node : {1, 3, 7}) {
    const absl::Status status =
        Validate(With(NodeIndex(node), [&](ParentNode& p) { p.encryption_key = fresh; }));
    EXPECT_THAT(std::string(status.message()), HasSubstr("origin isn't proved")) << node;
  }
}

TEST_F(TreeValidity, ParentHashThatDoesNotChain) {
  EXPECT_FALSE(Validate(With(NodeIndex(3), [](ParentNode& p) { p.parent_hash[0] ^= 1; })).ok());
}

TEST_F(TreeValidity, UnmergedLeavesInTheWrongPlace) {
  for (uint32_t leaf : {6u, 8u, UINT32_MAX}) {
    const absl::Status status =
        Validate(With(NodeIndex(7), [&](ParentNode& p) { p.unmerged_leaves.push_back(leaf); }));
    EXPECT_THAT(std::string(status.message()), HasSubstr("wrong place")) << leaf;
  }
  // Unmerged at the root only, though a node between isn't blank.
  const absl::Status part = Validate(With(
      NodeIndex(7), [](ParentNode& p) { p.unmerged_leaves.insert(p.unmerged_leaves.begin(), 2); }));
  EXPECT_THAT(std::string(part.message()), HasSubstr("only in part"));
  // Taken off the list: the resolution no longer fits the parent hash.
  EXPECT_FALSE(Validate(With(NodeIndex(7), [](ParentNode& p) { p.unmerged_leaves.clear(); })).ok());
}

TEST_F(TreeValidity, KeysThatAppearTwice) {
  EXPECT_FALSE(Validate(With(NodeIndex(3), [&](ParentNode& p) {
                 p.encryption_key = tree().leaf(LeafIndex(2))->encryption_key;
               })).ok());
  RatchetTree twice = tree();
  twice.UpdateLeaf(LeafIndex(4), std::make_shared<LeafNode>(*tree().leaf(LeafIndex(2))));
  EXPECT_THAT(std::string(Validate(twice).message()), HasSubstr("appears twice"));
}

TEST_F(TreeValidity, LeavesMustBeSigned) {
  RatchetTree forged = tree();
  auto leaf = std::make_shared<LeafNode>(*tree().leaf(LeafIndex(4)));
  leaf->signature[0] ^= 1;
  forged.UpdateLeaf(LeafIndex(4), leaf);
  EXPECT_EQ(Validate(forged).code(), absl::StatusCode::kUnauthenticated);
}

// A parent as the last node, whose right half is blank: larger than the members need, though every
// parent hash may be right. Trees are always truncated (section 7.7).
TEST_F(TreeValidity, EndsWithALeaf) {
  const Bytes wire = tree().Serialize();
  crypto::Reader reader(wire);
  ByteView body;
  ASSERT_TRUE(reader.ReadOpaque(body).ok());
  const auto enlarged = [&](uint32_t blanks) {
    crypto::Writer w;
    w.WriteRaw(body);
    for (uint32_t i = 0; i < blanks; ++i) w.WriteUint8(0);
    w.WriteUint8(1);
    w.WriteUint8(2);
    Encode(w, ParentNode{Bytes(32, 8), {}, {}});
    crypto::Writer outer;
    outer.WriteOpaque(w.view());
    return RatchetTree::Parse(Suite(), outer.view()).status();
  };
  // The last leaf is at node 10; parents may stand at 11, 13 and 15.
  for (uint32_t blanks : {0u, 2u, 4u}) {
    EXPECT_THAT(std::string(enlarged(blanks).message()), HasSubstr("ends with a parent")) << blanks;
  }
}

}  // namespace
}  // namespace parley::mls
