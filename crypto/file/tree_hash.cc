#include "crypto/file/tree_hash.h"

#include <algorithm>
#include <bit>

#include "crypto/primitives/hash.h"

namespace parley::crypto {
namespace {

constexpr uint8_t kLeafPrefix = 0x00;
constexpr uint8_t kNodePrefix = 0x01;

TreeHash Node(const TreeHash& left, const TreeHash& right) {
  return Sha256({ByteView(&kNodePrefix, 1), left, right});
}

absl::Status BadState() { return absl::InvalidArgumentError("a tree hash's state is malformed"); }

}  // namespace

TreeHash TreeLeaf(ByteView piece) { return Sha256({ByteView(&kLeafPrefix, 1), piece}); }

std::pair<TreeHash, TreeHash> TreeLeaves(ByteView a, ByteView b) {
  return Sha256OfTwo(ByteView(&kLeafPrefix, 1), a, b);
}

void TreeHasher::AddLeaf(const TreeHash& leaf) {
  subtrees_.push_back(leaf);
  ++leaf_count_;
  // Each trailing zero of the count is a pair of subtrees of equal size that just became complete.
  for (int merges = std::countr_zero(leaf_count_); merges > 0; --merges) {
    const TreeHash right = subtrees_.back();
    subtrees_.pop_back();
    subtrees_.back() = Node(subtrees_.back(), right);
  }
}

TreeHash TreeHasher::Root() const {
  if (subtrees_.empty()) return Sha256({});
  TreeHash root = subtrees_.back();
  for (size_t i = subtrees_.size() - 1; i > 0; --i) root = Node(subtrees_[i - 1], root);
  return root;
}

Bytes TreeHasher::Save() const {
  const ByteArray<8> count = BigEndian64(leaf_count_);
  Bytes out(count.begin(), count.end());
  for (const TreeHash& hash : subtrees_) out.insert(out.end(), hash.begin(), hash.end());
  return out;
}

absl::StatusOr<TreeHasher> TreeHasher::Load(ByteView saved) {
  if (saved.size() < 8) return BadState();
  TreeHasher out;
  for (size_t i = 0; i < 8; ++i) out.leaf_count_ = out.leaf_count_ << 8 | saved[i];
  ByteView rest = saved.subspan(8);
  const size_t subtrees = static_cast<size_t>(std::popcount(out.leaf_count_));
  if (rest.size() != subtrees * kTreeHashSize) return BadState();
  for (; !rest.empty(); rest = rest.subspan(kTreeHashSize)) {
    TreeHash hash;
    std::ranges::copy(rest.first(kTreeHashSize), hash.begin());
    out.subtrees_.push_back(hash);
  }
  return out;
}

}  // namespace parley::crypto
