// What a channel takes from its group's exporter in each epoch: the keys of the mailbox's
// generation and of its entries (docs/protocol.md section 3), and the seal of entries.
//
// Threading: free functions. Secrets: the three keys, in crypto::Secret.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_EPOCH_KEYS_H_
#define PARLEY_CLIENT_LIB_CHANNELS_EPOCH_KEYS_H_

#include "absl/status/statusor.h"
#include "client-lib/channels/channel_ids.h"
#include "client-lib/relay/relay_types.h"
#include "crypto/base/secret.h"
#include "crypto/mls/group.h"

namespace parley::client {

// Generation g belongs to epoch g - 1.
inline uint64_t GenerationOf(uint64_t epoch) { return epoch + 1; }

struct EpochKeys {
  crypto::Secret entry_key;
  crypto::Secret read_seed;
  crypto::Secret append_seed;
};

absl::StatusOr<EpochKeys> DeriveEpochKeys(const mls::Group& group, const ObjectId& mailbox_id);

// The public keys of the epoch's generation.
absl::StatusOr<GenerationKeys> PublicKeysOf(const EpochKeys& keys, const PublicKey& control_key);

// Seals an MLSMessage as an entry's payload.
Bytes SealEntry(const crypto::Secret& entry_key, const ObjectId& mailbox_id, uint64_t generation,
                ByteView message);

// Errors: Unauthenticated for what wasn't sealed with this key for this mailbox and generation;
// InvalidArgument for padding in a wrong form.
absl::StatusOr<Bytes> OpenEntry(const crypto::Secret& entry_key, const ObjectId& mailbox_id,
                                uint64_t generation, ByteView payload);

// How long the payload of a message of so many bytes is.
size_t SealedEntrySize(size_t message_size);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_EPOCH_KEYS_H_
