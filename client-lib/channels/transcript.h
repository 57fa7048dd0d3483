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

// What of an entry t(n) is made of, beside t(n - 1).
struct TranscriptLink {
  uint64_t position = 0;
  uint64_t generation = 1;
  AppendId append_id{};
  crypto::ByteArray<32> payload_hash{};
  Bytes closing;
};
TranscriptLink LinkOf(const Entry& entry);
TranscriptHash TranscriptStep(const TranscriptHash& before, const TranscriptLink& link);

// t(n), from t(n - 1) and entry n.
TranscriptHash TranscriptStep(const TranscriptHash& before, const Entry& entry);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_TRANSCRIPT_H_
