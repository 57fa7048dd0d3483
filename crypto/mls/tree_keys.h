// The public keys that a group's tree holds: no new leaf may bring one of them again (RFC 9420
// section 7.3), but for its own place's signature key.
//
// For who chooses proposals by a rule of its own (ProposalsToInclude::kListed): one whose key is
// taken makes the whole commit invalid.
#ifndef PARLEY_CRYPTO_MLS_TREE_KEYS_H_
#define PARLEY_CRYPTO_MLS_TREE_KEYS_H_

#include <map>
#include <set>

#include "crypto/mls/group.h"

namespace parley::mls {

class TreeKeys {
 public:
  // Those of the leaves and of the nodes above them. Takes time in proportion to the tree.
  static TreeKeys Of(const Group& group);

  // Whether the leaf at `place` may become `node`, as far as keys go; if so they are taken from now
  // on, so that the second to bring a key is refused.
  bool Take(LeafIndex place, const LeafNode& node);

 private:
  std::set<Bytes> encryption_;
  std::map<Bytes, LeafIndex> signature_;  // and whose they are
};

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_TREE_KEYS_H_
