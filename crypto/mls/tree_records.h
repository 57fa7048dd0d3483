// The public tree (RFC 9420 section 7) in parts, for storing it: a commit changes a leaf and the
// nodes above it, which lie in a few parts, and leaves the bytes of all others as they are.
//
// A part is a subtree four levels high, numbered by the node at its top: the leaves and the three
// levels above them, then the same again above those. So a path of n nodes crosses n / 4 parts.
//
// Threading: free functions.
#ifndef PARLEY_CRYPTO_MLS_TREE_RECORDS_H_
#define PARLEY_CRYPTO_MLS_TREE_RECORDS_H_

#include <cstdint>
#include <map>
#include <set>

#include "absl/status/statusor.h"
#include "crypto/mls/ratchet_tree.h"

namespace parley::mls {

// The part in which a node lies.
uint32_t TreePartOf(NodeIndex node);
// All parts of a tree of so many leaves.
std::set<uint32_t> TreePartsOf(LeafCount leaves);

// The tree's parts. Each part: for every node of it in the tree, from left to right,
// optional<opaque node<V>>, where the node is as in ratchet_tree (section 12.4.3.3).
std::map<uint32_t, Bytes> SplitTree(const RatchetTree& tree);

// The other direction. Errors: InvalidArgument when a part is missing, damaged or too many, or they
// make no tree of `leaves`. (Whether it is the right tree its hash says.)
absl::StatusOr<RatchetTree> JoinTree(const CipherSuite& suite, LeafCount leaves,
                                     const std::map<uint32_t, ByteView>& parts);

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_TREE_RECORDS_H_
