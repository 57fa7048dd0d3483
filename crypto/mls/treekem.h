// TreeKEM (RFC 9420 sections 7.4 to 7.6): new keys along a committer's path, and how the others
// learn those that they should.
//
// Threading: free functions without shared state.
#ifndef PARLEY_CRYPTO_MLS_TREEKEM_H_
#define PARLEY_CRYPTO_MLS_TREEKEM_H_

#include <map>
#include <span>
#include <vector>

#include "crypto/mls/commit.h"
#include "crypto/mls/key_schedule.h"
#include "crypto/mls/ratchet_tree.h"

namespace parley::mls {

// A member's private keys: of its leaf and of the nodes above it that it knows.
using PrivateKeys = std::map<NodeIndex, Secret>;

PrivateKeys ClonePrivateKeys(const PrivateKeys& keys);
// Drops the keys of nodes that are blank in `tree` or outside it.
void PrunePrivateKeys(const RatchetTree& tree, PrivateKeys& keys);

// A path that its owner has made and that is merged into its tree.
struct NewPath {
  UpdatePath path;  // without ciphertexts until EncryptPath
  CommitSecret commit_secret;
  PrivateKeys keys;  // of the leaf and every node of the path
  std::vector<std::pair<NodeIndex, Secret>> path_secrets;
};

// Section 7.5, "updates their direct path": fresh keys for `leaf` (whose other fields are the
// caller's) and its filtered direct path, parent hashes, signature; merged into `tree`.
// Requires: `own` is a leaf of `tree` that isn't blank.
NewPath CreatePath(const CipherSuite& suite, RatchetTree& tree, LeafIndex own, LeafNode leaf,
                   const SignatureKey& signature_key, ByteView group_id);

// Section 7.5, "encrypts path secrets to the group": to the resolutions of the copath without the
// leaves in `added`, under the provisional GroupContext.
// Errors: InvalidArgument for a node's key that the KEM refuses.
absl::Status EncryptPath(const CipherSuite& suite, const RatchetTree& tree, LeafIndex own,
                         std::span<const LeafIndex> added, const GroupContext& context,
                         NewPath& path);

// Section 7.5, "merges UpdatePath into the tree": form, parent hashes and public keys verified, the
// leaf's signature not. `tree` is undefined after an error.
// Errors: InvalidArgument.
absl::Status MergeUpdatePath(const CipherSuite& suite, const UpdatePath& path, LeafIndex sender,
                             std::span<const LeafIndex> added, RatchetTree& tree);

struct OpenedPath {
  Secret path_secret;  // the one that was decrypted
  CommitSecret commit_secret;
  PrivateKeys keys;  // of the nodes that the member learns
};

// Section 7.5, "decrypts the path secrets", after MergeUpdatePath, for the member at `own` that
// knows `keys`.
// Errors: Unauthenticated for a ciphertext; InvalidArgument for a secret that gives other keys than
// those in the path, or when nothing in the path is for this member.
absl::StatusOr<OpenedPath> OpenPath(const CipherSuite& suite, const RatchetTree& tree,
                                    const UpdatePath& path, LeafIndex sender, LeafIndex own,
                                    const PrivateKeys& keys, std::span<const LeafIndex> added,
                                    const GroupContext& context);

// Section 12.4.3.1: the private keys that a new member at `own` gets from the path secret for the
// lowest node above both it and `signer`.
// Errors: InvalidArgument when they don't fit the tree.
absl::StatusOr<PrivateKeys> KeysFromPathSecret(const CipherSuite& suite, const RatchetTree& tree,
                                               LeafIndex own, LeafIndex signer, Secret path_secret);

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_TREEKEM_H_
