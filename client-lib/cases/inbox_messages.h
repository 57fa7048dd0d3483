// What each kind of inbox message does to a case.
//
// Threading: functions on a transaction.
#ifndef PARLEY_CLIENT_LIB_CASES_INBOX_MESSAGES_H_
#define PARLEY_CLIENT_LIB_CASES_INBOX_MESSAGES_H_

#include "client-lib/cases/case_context.h"

namespace parley::client {

// Takes a message in; one that only a neutral may send is kept for deferred.h. Errors as
// InboxHandler has them: InvalidArgument or PermissionDenied for one that this sender may not send,
// or that contradicts what is known.
absl::Status TakeInboxMessage(Transaction& step, const CaseContext& context, const Pairing& pairing,
                              const content::v1::InboxMessage& message);

// What a message does that was kept, once its sender has turned out to be a neutral. Errors: the
// same; AlreadyExists and NotFound, too, for one that has nothing to do (any more).
// Aborted, naming the channel for people, for a Welcome that has to wait, since another channel
// counts for its kind and side; without a message when it isn't known yet which does. The changes
// go with `step` then.
absl::Status TakeDeferredMessage(Transaction& step, const CaseContext& context,
                                 const Pairing& pairing, const content::v1::InboxMessage& message);

// Queues key packages to whoever has fewer than a full stock of this device's.
absl::Status TopUpKeyPackages(Transaction& step, const CaseContext& context);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CASES_INBOX_MESSAGES_H_
