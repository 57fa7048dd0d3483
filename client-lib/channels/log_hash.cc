#include "client-lib/channels/log_hash.h"

#include "client-lib/channels/channel_records.h"
#include "client-lib/channels/hash_history.h"

namespace parley::client {

absl::StatusOr<std::optional<TranscriptHash>> LogHashAt(const ReadTransaction& tx,
                                                        const ChannelId& channel,
                                                        uint32_t incarnation, uint64_t position) {
  const ChannelNames names(channel);
  HashHistory history([&](uint64_t block) { return names.Hashes(incarnation, block); });
  return history.Get(tx, position);
}

}  // namespace parley::client
