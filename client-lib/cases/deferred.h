// Inbox messages that count only if their sender is a neutral of the case: Welcomes, introductions,
// vouchers, and word that one was removed.
//
// A neutral who was removed keeps an append key and a pairing until this device has read of the
// removal, and the inbox is read before the channels. So these messages wait until the channels
// have been read to their heads, and what the rosters (on neutrals' devices also the records) say
// there decides. Who was a neutral here and is none any more is refused, with an alarm; who isn't
// known as one yet has to wait.
//
// Threading: functions on a transaction, or with transactions of their own as said.
#ifndef PARLEY_CLIENT_LIB_CASES_DEFERRED_H_
#define PARLEY_CLIENT_LIB_CASES_DEFERRED_H_

#include <set>

#include "absl/status/statusor.h"
#include "client-lib/cases/case_context.h"
#include "client-lib/cases/records.h"
#include "parley/content/v1/control.pb.h"

namespace parley::client {

// Whether a message is of such a kind.
bool IsDeferred(const content::v1::InboxMessage& message);

// Keeps a message until TakeDeferred. Errors: PermissionDenied for one whose sender is no neutral
// even by the pairing; FailedPrecondition when too many of theirs wait.
absl::Status Defer(Transaction& step, const CaseContext& context, const Pairing& pairing,
                   const content::v1::InboxMessage& message);

struct DeferredResult {
  bool took = false;     // anything
  bool refused = false;  // anything
};

// Takes what waits and may be taken, each in a transaction of its own, without the network. Call it
// after the case's channels were read; `unread` are those that could not be. When it took something
// read them again and repeat: what the new channels say counts for the rest.
absl::StatusOr<DeferredResult> TakeDeferred(const CaseContext& context,
                                            const std::set<ChannelId>& unread);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CASES_DEFERRED_H_
