#include "crypto/mls/tree_keys.h"

#include "crypto/mls/group_state.h"

namespace parley::mls {

TreeKeys TreeKeys::Of(const Group& group) {
  TreeKeys keys;
  const RatchetTree& tree = group.state().tree;
  tree.ForEachLeaf([&](LeafIndex leaf, const LeafNode& node) {
    keys.encryption_.insert(node.encryption_key);
    keys.signature_.emplace(node.signature_key, leaf);
  });
  tree.ForEachParent(
      [&](NodeIndex, const ParentNode& node) { keys.encryption_.insert(node.encryption_key); });
  return keys;
}

bool TreeKeys::Take(LeafIndex place, const LeafNode& node) {
  const auto owner = signature_.find(node.signature_key);
  if (owner != signature_.end() && owner->second != place) return false;
  if (!encryption_.insert(node.encryption_key).second) return false;
  signature_.emplace(node.signature_key, place);
  return true;
}

}  // namespace parley::mls
