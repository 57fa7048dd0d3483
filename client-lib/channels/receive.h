// Taking in one entry of the log: verified, opened, judged by the channel's rules, kept.
//
// Threading: belongs to the step's thread.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_RECEIVE_H_
#define PARLEY_CLIENT_LIB_CHANNELS_RECEIVE_H_

#include "absl/status/status.h"
#include "client-lib/channels/channel_step.h"
#include "client-lib/relay/relay_types.h"

namespace parley::client {

// Takes in the entry after step.log().position. Afterwards the log is one entry further, or the
// incarnation has been stopped at it (halted, removed, left, restored).
// Errors: RelayFault (relay_fault.h) for what only the relay can have done, saying what; the step
// is then as it was. Others of the store's.
absl::Status TakeEntry(ChannelStep& step, const Entry& entry, ExchangeResult& result);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_RECEIVE_H_
