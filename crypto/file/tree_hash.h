// A hash over data of any size that can be computed piece by piece, on all cores, and that still
// names the data as a whole: a SHA-256 Merkle tree with the shape of RFC 9162 section 2.1.1.
//
//   MTH({})   = H("")
//   MTH({d})  = H(0x00 || d)
//   MTH(D[n]) = H(0x01 || MTH(D[0:k]) || MTH(D[k:n])), k the largest power of two below n
//
// Pieces are 1 MiB, the last one shorter. A file's plaintext and its sealed chunks each have one.
#ifndef PARLEY_CRYPTO_FILE_TREE_HASH_H_
#define PARLEY_CRYPTO_FILE_TREE_HASH_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/base/bytes.h"

namespace parley::crypto {

inline constexpr size_t kTreePieceSize = size_t{1} << 20;
inline constexpr size_t kTreeHashSize = 32;
using TreeHash = ByteArray<kTreeHashSize>;

// H(0x00 || piece). May be called from any thread: the leaves are where the time goes.
TreeHash TreeLeaf(ByteView piece);
// TreeLeaf(a) and TreeLeaf(b), in less time than the two calls take.
std::pair<TreeHash, TreeHash> TreeLeaves(ByteView a, ByteView b);

// Builds the root from leaves in order, keeping at most one hash per level: O(log n) memory.
// Threading: belongs to one thread.
class TreeHasher {
 public:
  void AddPiece(ByteView piece) { AddLeaf(TreeLeaf(piece)); }
  void AddLeaf(const TreeHash& leaf);

  uint64_t leaf_count() const { return leaf_count_; }
  // The root over the leaves so far; more may be added afterwards.
  TreeHash Root() const;

  // What the hasher holds, to go on later: BE64 leaf count || the hashes, left to right.
  Bytes Save() const;
  // Errors: InvalidArgument for bytes that Save() doesn't write.
  static absl::StatusOr<TreeHasher> Load(ByteView saved);

 private:
  // Roots of complete subtrees from left to right; their sizes are the bits of leaf_count_.
  std::vector<TreeHash> subtrees_;
  uint64_t leaf_count_ = 0;
};

}  // namespace parley::crypto

#endif  // PARLEY_CRYPTO_FILE_TREE_HASH_H_
