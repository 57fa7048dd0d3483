// The own log's transcript hash at a position: whether somebody who names it has read so far.
//
// Threading: a function on a transaction.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_LOG_HASH_H_
#define PARLEY_CLIENT_LIB_CHANNELS_LOG_HASH_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "client-lib/channels/channel_ids.h"
#include "client-lib/store/profile_store.h"

namespace parley::client {

// Nothing where this device has read no entry at that position. Errors: the store's.
absl::StatusOr<std::optional<TranscriptHash>> LogHashAt(const ReadTransaction& tx,
                                                        const ChannelId& channel,
                                                        uint32_t incarnation, uint64_t position);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_LOG_HASH_H_
