// Destroying what was said, when the agreement to mediate doesn't keep it any longer: what is left
// of a message is who said it, when, and what kind of thing it was.
//
// Threading: free functions on a transaction.
// Errors: NotFound for a message that the channel doesn't have; the store's.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_DESTRUCTION_H_
#define PARLEY_CLIENT_LIB_CHANNELS_DESTRUCTION_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "client-lib/channels/channel_step.h"

namespace parley::client {

// Whether a message of that kind holds what somebody said: words, or a document's keys.
bool HoldsWords(ContentKind kind);

// Destroys the content of these messages: nothing of it stays in the profile but in the indexes
// that are made from it (search, firewall), which the caller makes anew. Own documents' blobs
// become due for deletion (BlobsDue). What holds no words is left as it is.
absl::Status DestroyMessages(ChannelStep& step, const std::vector<uint64_t>& indices);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_DESTRUCTION_H_
