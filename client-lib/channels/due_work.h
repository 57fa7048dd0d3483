// What a channel has to do by itself: renew the own leaf, commit others' proposals, leave, confirm
// what was read (docs/protocol.md section 5).
//
// Threading: free functions on a transaction.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_DUE_WORK_H_
#define PARLEY_CLIENT_LIB_CHANNELS_DUE_WORK_H_

#include "absl/status/statusor.h"
#include "client-lib/channels/channel.h"
#include "client-lib/channels/channel_step.h"

namespace parley::client {

// After so many entries a committer closes a generation by itself: it renews the mailbox's
// allowance and everybody's keys.
inline constexpr uint64_t kEntriesPerGeneration = 4096;

// Makes what is to be sent next ready: an own commit, or what is due, or waiting contents. Whether
// there is something. What `holds` keeps back isn't. Requires: the log has been read to its head.
absl::StatusOr<bool> PrepareNext(ChannelStep& step, const HoldBack& holds, ExchangeResult& result);

// Only an own commit, where one is in flight or due: for a relay that has no room for more. Whether
// there is one to be sent. Requires: as PrepareNext.
absl::StatusOr<bool> PrepareDueCommit(ChannelStep& step, ExchangeResult& result);

// Makes an empty commit, where this participant can: the mailbox's allowance is used up, in a
// generation that has taken an entry. Whether there is one to be sent.
absl::StatusOr<bool> RenewAllowance(ChannelStep& step, ExchangeResult& result);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_DUE_WORK_H_
