// What is wrong with the inboxes: entries that nothing opens, messages that are missing, messages
// that others don't confirm. Nothing here uses the network.
#ifndef PARLEY_CLIENT_LIB_API_INBOX_ALARMS_H_
#define PARLEY_CLIENT_LIB_API_INBOX_ALARMS_H_

#include <vector>

#include "absl/status/status.h"
#include "client-lib/cases/case_context.h"
#include "parley/types.h"

namespace parley::client {

// Adds them. Errors: the store's.
absl::Status AddInboxAlarms(const ReadTransaction& step, const CaseContext& context,
                            std::vector<Alarm>& alarms);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_API_INBOX_ALARMS_H_
