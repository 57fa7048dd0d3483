// Own blobs that nobody is to fetch any more and that may still be at the relay: of documents that
// have ended, and of uploads that were given up. What each is deleted by is kept beside
// (Transfers::KeepBlob). A record of the channel (channel_records.h), class keys: `…/blobs-due`.
//
// Threading: free functions on a transaction.
// Errors: the store's.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_BLOBS_DUE_H_
#define PARLEY_CLIENT_LIB_CHANNELS_BLOBS_DUE_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-lib/channels/channel_ids.h"
#include "client-lib/store/profile_store.h"

namespace parley::client {

// By the id of the message that has, or would have had, the document.
absl::Status NoteBlobsDue(Transaction& tx, const ChannelId& channel,
                          const std::vector<MessageId>& ids);
absl::StatusOr<std::vector<MessageId>> BlobsDue(const ReadTransaction& tx,
                                                const ChannelId& channel);
// It was deleted.
absl::Status SettleBlobDue(Transaction& tx, const ChannelId& channel, const MessageId& id);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_BLOBS_DUE_H_
