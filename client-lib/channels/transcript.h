// The running hash over a mailbox's entries (docs/protocol.md section 5).
//
// Threading: free functions.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_TRANSCRIPT_H_
#define PARLEY_CLIENT_LIB_CHANNELS_TRANSCRIPT_H_

#include "client-lib/channels/channel_ids.h"
#include "client-lib/relay/relay_types.h"

namespace parley::client {

// t(0): before the first entry.
TranscriptHash TranscriptStart(const ObjectId& mailbox_id);

// t(n), from t(n - 1) and entry n.
TranscriptHash TranscriptStep(const TranscriptHash& before, const Entry& entry);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_TRANSCRIPT_H_
