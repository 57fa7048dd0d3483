// What joining by Welcome and joining by external commit have in common.
#ifndef PARLEY_CRYPTO_MLS_GROUP_JOIN_H_
#define PARLEY_CRYPTO_MLS_GROUP_JOIN_H_

#include <optional>

#include "crypto/mls/ratchet_tree.h"
#include "crypto/mls/welcome.h"

namespace parley::mls {

// The ratchet tree of a GroupInfo, from its extension or else `given_tree`, after every check of
// section 12.4.3.1: the signature on `info`, the tree's hash, its validity, and that all members,
// the joiner's leaf included, support the group's settings.
// Errors: InvalidArgument, Unauthenticated.
absl::StatusOr<RatchetTree> TreeOfGroupInfo(const CipherSuite& suite, const GroupInfo& info,
                                            const std::optional<Bytes>& given_tree);

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_GROUP_JOIN_H_
