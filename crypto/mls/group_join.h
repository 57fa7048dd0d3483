// What joining by Welcome and joining by external commit have in common.
#ifndef PARLEY_CRYPTO_MLS_GROUP_JOIN_H_
#define PARLEY_CRYPTO_MLS_GROUP_JOIN_H_

#include <optional>

#include "crypto/mls/group_options.h"
#include "crypto/mls/ratchet_tree.h"
#include "crypto/mls/welcome.h"

namespace parley::mls {

// The ratchet tree of a GroupInfo, from the caller or else its extension, after every check of
// section 12.4.3.1: the signature on `info`, the tree's hash, its validity, that all members, the
// joiner's leaf included, support the group's settings, that the caller isn't in a group of this id
// yet, and what it says of the leaves.
// Errors: InvalidArgument, Unauthenticated; AlreadyExists for a group id in use; ResourceExhausted
// for a tree given that is longer than kMaxMessageSize; what a judge says.
absl::StatusOr<RatchetTree> TreeOfGroupInfo(const CipherSuite& suite, const GroupInfo& info,
                                            const JoinOptions& options);

// A key package's options with the leaf that `group` describes.
KeyPackageOptions LeafOptions(const GroupOptions& group, CipherSuiteId suite);

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_GROUP_JOIN_H_
