// Welcomes of own commits, on their way into the inboxes of those who were let in.
#ifndef PARLEY_CLIENT_LIB_CASES_WELCOMES_H_
#define PARLEY_CLIENT_LIB_CASES_WELCOMES_H_

#include "absl/status/status.h"
#include "client-lib/cases/case_context.h"

namespace parley::client {

// Queues those of commits that have won, as far as the inboxes take them; the others stay pending.
// Threading: a function on a transaction. Errors: the store's.
absl::Status DeliverWelcomes(Transaction& step, const CaseContext& context,
                             const ChannelId& channel);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CASES_WELCOMES_H_
