// Reading a channel's log to its head, page by page, generation by generation.
//
// Threading: as Channel. No transaction may be open on this thread.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_SYNC_H_
#define PARLEY_CLIENT_LIB_CHANNELS_SYNC_H_

#include "absl/status/status.h"
#include "client-lib/channels/channel.h"

namespace parley::client {

// Errors: as Channel::Sync. What had been taken in before an error stays.
absl::Status SyncToHead(const ChannelContext& context, const ChannelId& id, ExchangeResult& result);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_SYNC_H_
