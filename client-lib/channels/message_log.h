// The contents of a channel, as they are kept: received and own ones in the order of the log, over
// all incarnations.
//
// Threading: free functions on a transaction.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_MESSAGE_LOG_H_
#define PARLEY_CLIENT_LIB_CHANNELS_MESSAGE_LOG_H_

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-lib/channels/channel.h"
#include "client-lib/channels/channel_step.h"
#include "client-lib/search/search_index.h"

namespace parley::client {

// Keeps a content at the entry's position. Whether it was new: a message id that its author used
// before is dropped. A retraction leaves nothing of the author's message that it names.
absl::StatusOr<bool> KeepMessage(ChannelStep& step, uint64_t position, const RosterMember& author,
                                 bool own, const content::v1::Content& content,
                                 const crypto::Secret& serialized);

absl::StatusOr<std::vector<ChannelMessage>> ListMessages(const ReadTransaction& tx,
                                                         const ChannelNames& names,
                                                         const ChannelRecord& channel,
                                                         const MessageQuery& query);

// The index of the first message whose number is above that; one past the last when there is none.
absl::StatusOr<uint64_t> FirstIndexAfter(const ReadTransaction& tx, const ChannelId& id,
                                         uint64_t number);
// Of what is asked for the latest, as many as the limit says, in order: read from the end.
absl::StatusOr<std::vector<ChannelMessage>> LastMessages(const ReadTransaction& tx,
                                                         const ChannelId& id,
                                                         const MessageQuery& query);

// The message of that index, which the channel has.
absl::StatusOr<ChannelMessage> MessageAt(const ReadTransaction& tx, const ChannelNames& names,
                                         uint64_t index);

// The author's message of that id; nothing when there is none here.
absl::StatusOr<std::optional<ChannelMessage>> FindMessage(const ReadTransaction& tx,
                                                          const ChannelNames& names,
                                                          const ChannelRecord& channel,
                                                          const ParticipantId& author,
                                                          const MessageId& id);

// How many messages each channel of the profile has, without those whose record is damaged: the
// others are searched all the same.
absl::StatusOr<std::vector<ChannelEnd>> ChannelEnds(const ReadTransaction& tx);

// The texts that messages are found by, for the index. `tx` outlives it.
LoadText SearchableTexts(const ReadTransaction& tx);

ContentKind KindOf(const content::v1::Content& content);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_MESSAGE_LOG_H_
