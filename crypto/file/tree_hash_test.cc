#include "crypto/file/tree_hash.h"

#include <set>

#include "crypto/base/test_bytes.h"
#include "crypto/primitives/hash.h"
#include "crypto/primitives/random.h"
#include "gtest/gtest.h"

namespace parley::crypto {
namespace {

std::vector<Bytes> Pieces(size_t count) {
  std::vector<Bytes> out;
  for (size_t i = 0; i < count; ++i) out.push_back(Bytes{static_cast<uint8_t>(i)});
  return out;
}

TreeHash RootOf(const std::vector<Bytes>& pieces) {
  TreeHasher hasher;
  for (const Bytes& piece : pieces) hasher.AddPiece(piece);
  return hasher.Root();
}

// RFC 9162 section 2.1.1, word for word.
TreeHash Definition(std::span<const Bytes> d) {
  if (d.empty()) return Sha256({});
  if (d.size() == 1) return Sha256({Bytes{0}, d[0]});
  size_t k = 1;
  while (2 * k < d.size()) k *= 2;
  return Sha256({Bytes{1}, Definition(d.first(k)), Definition(d.subspan(k))});
}

// Pieces of one byte, 0, 1, 2 ...; computed by another program.
TEST(TreeHash, KnownRoots) {
  const std::pair<size_t, const char*> known[] = {
      {0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {1, "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"},
      {2, "a20bf9a7cc2dc8a08f5f415a71b19f6ac427bab54d24eec868b5d3103449953a"},
      {3, "3b6cccd7e3e023ff393006f030315ee7ad9eb111b022b41fba7e5b7a3973f688"},
      {5, "b855b42d6c30f5b087e05266783fbd6e394f7b926013ccaa67700a8b0c5a596f"},
      {8, "ef7f49b620f6c7ea9b963a214da34b5021c6ded8ed57734380a311ab726aa907"}};
  for (const auto& [count, root] : known) EXPECT_EQ(ToHex(RootOf(Pieces(count))), root) << count;
}

TEST(TreeHash, EqualsTheDefinition) {
  for (size_t count = 0; count < 130; ++count) {
    EXPECT_EQ(RootOf(Pieces(count)), Definition(Pieces(count))) << count;
  }
}

TEST(TreeHash, EveryChangeOfOrderNumberOrContentShows) {
  std::vector<Bytes> pieces = Pieces(9);
  std::set<TreeHash> roots = {RootOf(pieces)};
  size_t variants = 1;
  const auto add = [&](const std::vector<Bytes>& changed) {
    roots.insert(RootOf(changed));
    ++variants;
  };
  for (size_t i = 0; i < pieces.size(); ++i) {
    std::vector<Bytes> changed = pieces;
    changed[i][0] ^= 0x80;
    add(changed);
    changed = pieces;
    changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(i));
    add(changed);
    for (size_t j = i + 1; j < pieces.size(); ++j) {
      changed = pieces;
      std::swap(changed[i], changed[j]);
      add(changed);
    }
  }
  std::vector<Bytes> longer = pieces;
  longer.push_back({});
  add(longer);
  EXPECT_EQ(roots.size(), variants);
}

// A node can't be passed off as a leaf: the prefixes part them.
TEST(TreeHash, NodesAreNoLeaves) {
  const TreeHash left = TreeLeaf(Bytes{0});
  const TreeHash right = TreeLeaf(Bytes{1});
  EXPECT_NE(RootOf({Bytes{0}, Bytes{1}}), RootOf({Concat({left, right})}));
}

TEST(TreeHash, GoesOnAfterSaveAndLoad) {
  for (size_t cut = 0; cut <= 20; ++cut) {
    TreeHasher first;
    for (size_t i = 0; i < cut; ++i) first.AddPiece(Pieces(20)[i]);
    TreeHasher second = TreeHasher::Load(first.Save()).value();
    EXPECT_EQ(second.leaf_count(), cut);
    EXPECT_EQ(second.Root(), first.Root());
    for (size_t i = cut; i < 20; ++i) second.AddPiece(Pieces(20)[i]);
    EXPECT_EQ(second.Root(), RootOf(Pieces(20)));
  }
}

TEST(TreeHash, MalformedStatesAreRefused) {
  TreeHasher hasher;
  for (const Bytes& piece : Pieces(7)) hasher.AddPiece(piece);
  const Bytes saved = hasher.Save();
  EXPECT_EQ(saved.size(), 8u + 3 * 32);
  for (size_t size = 0; size < saved.size(); ++size) {
    EXPECT_TRUE(absl::IsInvalidArgument(TreeHasher::Load(ByteView(saved).first(size)).status()));
  }
  EXPECT_TRUE(absl::IsInvalidArgument(TreeHasher::Load(Concat({saved, Bytes(32)})).status()));
}

TEST(TreeHash, MemoryIsLogarithmic) {
  TreeHasher hasher;
  const TreeHash leaf = TreeLeaf({});
  for (int i = 0; i < 100000; ++i) {
    hasher.AddLeaf(leaf);
    ASSERT_LE(hasher.Save().size(), 8u + 17 * 32);
  }
}

TEST(TreeLeaves, TwoAtOnceAreAsEachAlone) {
  const Bytes data = RandomBytes(kTreePieceSize + 56);
  for (size_t size : {size_t{0}, size_t{1}, size_t{1000}, kTreePieceSize}) {
    const ByteView content = ByteView(data).first(size);
    const auto [content_leaf, stored_leaf] = TreeLeaves(content, data);
    EXPECT_EQ(content_leaf, TreeLeaf(content)) << size;
    EXPECT_EQ(stored_leaf, TreeLeaf(data)) << size;
  }
}

}  // namespace
}  // namespace parley::crypto
