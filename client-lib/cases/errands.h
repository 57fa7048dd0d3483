// What devices owe each other outside channels: approvals, introductions, the briefing of a new
// neutral, vouchers, append keys, notices of removal, and cutting off those who have gone.
//
// Each errand is done in one transaction that also notes that it was done; vouchers are fetched
// from the relay before. After a crash what was not noted is done again. What would be sent to
// somebody for whom too much waits already (Inbox::HasRoom) stays due, and holds up nothing else.
//
// Threading: any number of threads and processes at once. RunErrands uses the network.
// Errors: the relay client's and the store's.
#ifndef PARLEY_CLIENT_LIB_CASES_ERRANDS_H_
#define PARLEY_CLIENT_LIB_CASES_ERRANDS_H_

#include <set>
#include <string>
#include <vector>

#include "client-lib/cases/case_context.h"

namespace parley::client {

struct ErrandsResult {
  bool did_something = false;
  // What couldn't be done, as lines for people.
  std::vector<std::string> problems;
};

// Does what is due, for a neutral or for another participant. `unread`: channels that couldn't be
// read to their ends just now.
absl::StatusOr<ErrandsResult> RunErrands(const CaseContext& context,
                                         const std::set<ChannelId>& unread);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CASES_ERRANDS_H_
