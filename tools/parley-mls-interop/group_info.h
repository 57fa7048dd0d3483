// Looking into a GroupInfo without being a member. Whoever joins by it verifies it then.
//
// Threading: free functions without shared state.
#ifndef PARLEY_TOOLS_PARLEY_MLS_INTEROP_GROUP_INFO_H_
#define PARLEY_TOOLS_PARLEY_MLS_INTEROP_GROUP_INFO_H_

#include <string>

#include "absl/status/statusor.h"
#include "crypto/mls/ratchet_tree.h"
#include "crypto/mls/welcome.h"

namespace parley::interop {

// Errors: InvalidArgument for another message.
absl::StatusOr<mls::GroupInfo> ReadGroupInfo(const std::string& message);

// The same, and believed as far as it can be checked: with the group's tree at hand, inside or
// beside it, as who joins by it would (section 12.4.3.1); without, nobody can tell.
// Errors: InvalidArgument also for a suite that isn't ours; Unauthenticated.
absl::StatusOr<mls::GroupInfo> CheckedGroupInfo(const std::string& message,
                                                const std::string& tree);

// The tree given beside a GroupInfo, or else the one inside.
// Errors: InvalidArgument for none, or one that is malformed.
absl::StatusOr<mls::RatchetTree> TreeBeside(const std::string& group_info, const std::string& tree);

// Errors: NotFound when nobody in the tree has this identity.
absl::StatusOr<mls::LeafIndex> FindLeaf(const mls::RatchetTree& tree, mls::ByteView identity);

}  // namespace parley::interop

#endif  // PARLEY_TOOLS_PARLEY_MLS_INTEROP_GROUP_INFO_H_
