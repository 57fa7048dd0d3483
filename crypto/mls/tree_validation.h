// Whether a ratchet tree and its members obey the rules (RFC 9420 sections 7.3, 7.9.2, 12.2 and
// 12.4.3.1).
//
// Threading: free functions without shared state.
#ifndef PARLEY_CRYPTO_MLS_TREE_VALIDATION_H_
#define PARLEY_CRYPTO_MLS_TREE_VALIDATION_H_

#include <vector>

#include "crypto/mls/ratchet_tree.h"

namespace parley::mls {

// All that section 12.4.3.1 asks of a tree that a joiner receives: every leaf's validity, parent
// hashes, unmerged leaves, and keys that appear once only.
// Errors: InvalidArgument; Unauthenticated for a leaf's signature.
absl::Status ValidateTree(const CipherSuite& suite, const RatchetTree& tree, ByteView group_id);

// Section 7.9.2: every parent node that isn't blank is parent-hash valid.
// Errors: InvalidArgument.
absl::Status ValidateParentHashes(const RatchetTree& tree);

// New keys in a tree, each of which must appear once.
struct NewKeys {
  std::vector<ByteView> encryption_keys;
  std::vector<ByteView> signature_keys;
};
// Errors: InvalidArgument when one appears twice in `tree`.
absl::Status CheckKeysUnique(const RatchetTree& tree, NewKeys keys);

// What `extensions` has of required_capabilities; empty where it has none.
// Errors: InvalidArgument when it can't be read, or names more than kMaxExtensions of a kind.
absl::StatusOr<RequiredCapabilities> FindRequiredCapabilities(const Extensions& extensions);

// What a group's settings ask of one member (sections 7.3, 11.1, 13.4): it supports every
// extension in the GroupContext and all that required_capabilities lists.
// Errors: InvalidArgument; also for a required_capabilities that can't be read.
absl::Status CheckMemberSupports(const LeafNode& leaf, const Extensions& group_extensions);

// The same of all members, and that each supports the credential types of all others.
absl::Status CheckGroupSupports(const RatchetTree& tree, const Extensions& group_extensions);

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_TREE_VALIDATION_H_
