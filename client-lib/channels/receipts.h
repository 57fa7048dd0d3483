// How far each member has read a channel, as they let the others know: a field that rides on
// whatever they say there, and on a checkpoint where they say nothing for a while. Only the
// channel's members ever get it.
//
// Threading: free functions on a transaction.
// Errors: the store's; NotFound for an unknown channel.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_RECEIPTS_H_
#define PARLEY_CLIENT_LIB_CHANNELS_RECEIPTS_H_

#include <cstdint>
#include <tuple>
#include <vector>

#include "absl/status/statusor.h"
#include "client-lib/channels/channel_step.h"

namespace parley::content::v1 {
class Content;
}  // namespace parley::content::v1

namespace parley::client {

// Without anything to ride on, so long after something was read, and by chance up to as long again,
// a checkpoint tells it. So there is at most one in that time, and nobody learns to the minute when
// somebody reads.
inline constexpr uint64_t kSecondsPerReceipt = 5 * 60;

struct ReadUpTo {
  ParticipantId participant;
  uint64_t number = 0;  // of the latest message that they say to have read
  uint64_t time = 0;    // when they said so; their claim

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.participant, self.number, self.time);
  }
};

// Whether the profile's owner lets others know; they do until they say otherwise. What they read
// while they don't is never told.
absl::StatusOr<bool> SendsReceipts(const ReadTransaction& tx);
absl::Status SetSendsReceipts(Transaction& tx, bool sends);

// The owner has read what has this number, and everything before it. Counts up to the latest there
// that somebody else has said to people.
absl::Status NoteReading(Transaction& tx, const ChannelId& id, uint64_t number, uint64_t now);
// How far; 0 for nothing.
absl::StatusOr<uint64_t> ReadSoFar(const ReadTransaction& tx, const ChannelId& id);
// What the others have said.
absl::StatusOr<std::vector<ReadUpTo>> ReceiptsOf(const ReadTransaction& tx, const ChannelId& id);

// ---- Of a step ----

// Whether it is time to tell how far the owner has read, though there is nothing else to say.
absl::StatusOr<bool> ReceiptIsDue(ChannelStep& step);
// Puts into an own content how far the owner has read, where the others don't know it yet.
absl::Status AddReceipt(ChannelStep& step, content::v1::Content& content);
// An own content has come back in the log.
absl::Status NoteReceiptSent(ChannelStep& step, const content::v1::Content& content);
// Somebody else's has come at that position. What claims to be further than that, or to be before
// what they said earlier, is ignored.
absl::Status TakeReceipt(ChannelStep& step, const ParticipantId& author, uint64_t position,
                         const content::v1::Content& content);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_RECEIPTS_H_
