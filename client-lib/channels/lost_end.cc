#include "client-lib/channels/lost_end.h"

#include <optional>

#include "client-lib/channels/channel_records.h"
#include "client-lib/channels/channel_step.h"
#include "client-lib/channels/hash_history.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

// Whether this device's log of the incarnation was the same up to the place.
absl::StatusOr<bool> HasHashAt(const ReadTransaction& tx, const ChannelNames& names, uint32_t n,
                               const IncarnationRecord& log, uint64_t position,
                               const TranscriptHash& hash) {
  if (position == log.joined_position) return log.joined_hash == hash;
  HashHistory history([&names, n](uint64_t block) { return names.Hashes(n, block); });
  PARLEY_ASSIGN_OR_RETURN(const std::optional<TranscriptHash> own, history.Get(tx, position));
  return own.has_value() && *own == hash;
}

}  // namespace

absl::StatusOr<std::vector<LostEnd>> FindLostEnds(const ReadTransaction& tx,
                                                  const ChannelId& channel) {
  const ChannelNames names(channel);
  PARLEY_ASSIGN_OR_RETURN(const ChannelRecord record, LoadChannel(tx, names));
  std::vector<LostEnd> lost;
  std::optional<IncarnationRecord> before;
  for (uint32_t n = 1; n <= record.incarnation; ++n) {
    PARLEY_ASSIGN_OR_RETURN(const bool there, tx.Has(RecordClass::kContent, names.Incarnation(n)));
    if (!there) {
      before.reset();
      continue;
    }
    PARLEY_ASSIGN_OR_RETURN(IncarnationRecord log, LoadIncarnation(tx, names, n));
    const bool is_earlier = before.has_value() && log.previous_position.has_value() &&
                            *log.previous_position >= before->joined_position &&
                            *log.previous_position < before->position;
    if (is_earlier) {
      PARLEY_ASSIGN_OR_RETURN(
          const bool same,
          HasHashAt(tx, names, n - 1, *before, *log.previous_position, log.previous_hash));
      if (same) lost.push_back({n - 1, *log.previous_position});
    }
    before = std::move(log);
  }
  return lost;
}

}  // namespace parley::client
