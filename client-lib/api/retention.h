// Retention: what of a case this device isn't to keep any longer, and its destruction.
//
// Destruction goes in steps, each a transaction: a crash between two leaves a mark, and whoever
// comes next goes on. First it is noted that it has begun; then messages lose their content, a
// bounded number in each step; in the last step the indexes over what was said are removed, and the
// report to the others is queued; then the profile's files are wiped of freed bytes, and the mark
// goes. While there is a mark nobody is accused for what is missing (IsDestroying).
//
// Threading: free functions, in steps of their own where they take no transaction.
// Errors: the store's; FailedPrecondition as named.
#ifndef PARLEY_CLIENT_LIB_API_RETENTION_H_
#define PARLEY_CLIENT_LIB_API_RETENTION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-lib/cases/case_context.h"
#include "parley/retention.h"

namespace parley::client {

absl::StatusOr<CaseRetention> ViewRetention(const ReadTransaction& step,
                                            const CaseContext& context);

// What is to be destroyed next: now, where `classes` aren't empty.
struct RetentionNotice {
  std::vector<std::string> classes;  // that are due, and that this participant hasn't reported
  bool by_itself = false;            // by this program, when it syncs
  int64_t at = 0;
};
// Nothing where nothing is foreseen. Reads no messages.
absl::StatusOr<std::optional<RetentionNotice>> NextDestruction(const ReadTransaction& step,
                                                               const CaseContext& context);

// Destroys what is due. Tells the others, as far as this participant may still say anything.
// Errors: FailedPrecondition while the case goes on, has no agreement, or is held.
absl::StatusOr<Destruction> DestroyDue(const CaseContext& context);

// Of a sync: goes on with what was interrupted; and where the policy has programs destroy by
// themselves, notes when that was first foreseen, and a day later does it. Looks through a case at
// most once a day. Whether there is something to send.
absl::StatusOr<bool> TendRetention(const CaseContext& context);

// Nothing is destroyed on this device while there is a reason not to. Empty: there is none any
// more.
absl::Status HoldRetention(const CaseContext& context, const std::string& reason);

// Whether a destruction has begun and isn't finished.
absl::StatusOr<bool> IsDestroying(const ReadTransaction& step, const CaseContext& context);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_API_RETENTION_H_
