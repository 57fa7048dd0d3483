// Groups that continue others (RFC 9420 sections 11.2 and 11.3): a reinitialised group or a branch
// is tied to the group that it comes from by a resumption PSK, and must be what was agreed there.
#ifndef PARLEY_CRYPTO_MLS_CONTINUATION_H_
#define PARLEY_CRYPTO_MLS_CONTINUATION_H_

#include <vector>

#include "absl/status/statusor.h"
#include "crypto/mls/group_state.h"

namespace parley::mls {

// The PSK of a Welcome by which it says that its group continues another; null when none does and
// none should (`continued` is null). Errors: InvalidArgument when there are two, or none though one
// should be; FailedPrecondition when it names another group than `continued`, or an epoch that
// can't be the right one.
absl::StatusOr<const PreSharedKeyId*> FindContinuation(const std::vector<PreSharedKeyId>& psks,
                                                       const GroupState* continued);

// Section 12.4.3.1's last step: whether the group of `context` and `tree` is what `link` says.
// Errors: InvalidArgument for an epoch, version, suite, id or extensions that don't fit;
// PermissionDenied for members that don't.
absl::Status CheckContinuation(const GroupState& continued, const PreSharedKeyId& link,
                               const GroupContext& context, const RatchetTree& tree,
                               const LeafChecks& checks);

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_CONTINUATION_H_
