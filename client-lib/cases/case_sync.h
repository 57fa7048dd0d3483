// One case brought up to date: its invitations, inbox and channels read, what waits sent, what the
// records ask for carried out.
//
// Threading: any number of threads and processes at once. Uses the network, and threads of its own
// for the channels, which all end before it returns.
#ifndef PARLEY_CLIENT_LIB_CASES_CASE_SYNC_H_
#define PARLEY_CLIENT_LIB_CASES_CASE_SYNC_H_

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "client-lib/cases/case_context.h"

namespace parley::client {

struct CaseProblem {
  std::optional<ChannelId> channel;
  absl::Status status;
};

struct CaseSyncResult {
  uint64_t messages = 0;  // new texts and documents of others
  uint64_t sent = 0;      // own ones that had been waiting
  uint64_t waiting = 0;   // own ones that couldn't be sent
  uint64_t given_up = 0;  // own ones that were found never to go out: one was put out before
  bool people_changed = false;
  bool channels_changed = false;
  // What went wrong while the rest went on.
  std::vector<CaseProblem> problems;
};

// Errors: Unavailable, DeadlineExceeded and Cancelled of the relay client when nothing can be
// reached; the store's. Everything else is among the problems: also that the relay gives no answer
// about one channel or inbox, while the others are synced.
absl::StatusOr<CaseSyncResult> SyncCase(const CaseContext& context);

// Only one channel, in one exchange: for a message that is to go out at once.
absl::StatusOr<ExchangeResult> ExchangeChannel(const CaseContext& context,
                                               const ChannelId& channel);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CASES_CASE_SYNC_H_
