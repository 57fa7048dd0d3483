// What each kind of inbox message does to a case.
//
// Threading: functions on a transaction.
#ifndef PARLEY_CLIENT_LIB_CASES_INBOX_MESSAGES_H_
#define PARLEY_CLIENT_LIB_CASES_INBOX_MESSAGES_H_

#include "client-lib/cases/case_context.h"

namespace parley::client {

// Takes a message in. Errors as InboxHandler has them: InvalidArgument or PermissionDenied for one
// that this sender may not send, or that contradicts what is known.
absl::Status TakeInboxMessage(Transaction& step, const CaseContext& context, const Pairing& pairing,
                              const content::v1::InboxMessage& message);

// Queues key packages to whoever has fewer than a full stock of this device's.
absl::Status TopUpKeyPackages(Transaction& step, const CaseContext& context);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CASES_INBOX_MESSAGES_H_
