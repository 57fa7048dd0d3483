// What was never sent or fetched to its end, and holds what is due to be destroyed all the same:
// messages that wait or were given up, and transfers that were begun.
//
// Threading: free functions, in steps of their own.
// Errors: the store's; FailedPrecondition as named.
#ifndef PARLEY_CLIENT_LIB_API_RETENTION_LEFTOVERS_H_
#define PARLEY_CLIENT_LIB_API_RETENTION_LEFTOVERS_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "client-lib/api/retention_rules.h"

namespace parley::client {

// Drops own messages of the channel that aren't in its log, by when they were queued, each as its
// class has it. What is on its way to the relay stays. How many were dropped.
absl::StatusOr<size_t> DropUnsent(const CaseContext& context, const ChannelId& id,
                                  const RetentionRules& rules, uint64_t now);

// Gives up the case's uploads and downloads of what is due: their keys, and what was fetched so
// far; what the relay has of an upload is deleted with the next sync. To be called while the
// documents' messages are still there. How many were given up. Errors: FailedPrecondition for one
// that another process is at, which is told to stop.
absl::StatusOr<size_t> DropTransfers(const CaseContext& context, const RetentionRules& rules,
                                     uint64_t now);

// The same of what the owner was about to carry into other channels: a release of briefs, and
// documents of disclosures. Errors: FailedPrecondition while another process is at it.
absl::StatusOr<size_t> DropCarried(const CaseContext& context, const RetentionRules& rules,
                                   uint64_t now);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_API_RETENTION_LEFTOVERS_H_
