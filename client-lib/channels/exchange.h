// Sending: what is in flight again, what waits, and what is due, each after reading to the head.
//
// Threading: as Channel. No transaction may be open on this thread.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_EXCHANGE_H_
#define PARLEY_CLIENT_LIB_CHANNELS_EXCHANGE_H_

#include "absl/status/status.h"
#include "client-lib/channels/channel.h"

namespace parley::client {

// Errors: as Channel::Exchange. What had been done before an error stays.
absl::Status ExchangeAll(const ChannelContext& context, const ChannelId& id,
                         ExchangeResult& result);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_EXCHANGE_H_
