#include "client-lib/channels/epoch_keys.h"

#include <algorithm>
#include <string_view>

#include "crypto/base/padding.h"
#include "crypto/base/status_macros.h"
#include "crypto/primitives/aead.h"
#include "crypto/primitives/signature.h"

namespace parley::client {
namespace {

using std::string_view_literals::operator""sv;

Bytes AssociatedData(const ObjectId& mailbox_id, uint64_t generation) {
  return crypto::Concat(
      {crypto::ViewOf("parley entry v1\0"sv), mailbox_id, crypto::BigEndian64(generation)});
}

}  // namespace

absl::StatusOr<EpochKeys> DeriveEpochKeys(const mls::Group& group, const ObjectId& mailbox_id) {
  EpochKeys keys;
  PARLEY_ASSIGN_OR_RETURN(keys.entry_key, group.Export("parley entry key", mailbox_id, 32));
  PARLEY_ASSIGN_OR_RETURN(keys.read_seed, group.Export("parley read key", mailbox_id, 32));
  PARLEY_ASSIGN_OR_RETURN(keys.append_seed, group.Export("parley append key", mailbox_id, 32));
  return keys;
}

absl::StatusOr<GenerationKeys> PublicKeysOf(const EpochKeys& keys, const PublicKey& control_key) {
  PARLEY_ASSIGN_OR_RETURN(const crypto::SignatureKey read,
                          crypto::SignatureKey::FromSeed(keys.read_seed.Reveal()));
  PARLEY_ASSIGN_OR_RETURN(const crypto::SignatureKey append,
                          crypto::SignatureKey::FromSeed(keys.append_seed.Reveal()));
  return GenerationKeys{read.public_key(), {append.public_key()}, control_key};
}

Bytes SealEntry(const crypto::Secret& entry_key, const ObjectId& mailbox_id, uint64_t generation,
                ByteView message) {
  return crypto::SealBox(entry_key.Reveal(), AssociatedData(mailbox_id, generation),
                         crypto::Pad(message));
}

absl::StatusOr<Bytes> OpenEntry(const crypto::Secret& entry_key, const ObjectId& mailbox_id,
                                uint64_t generation, ByteView payload) {
  PARLEY_ASSIGN_OR_RETURN(
      const Bytes padded,
      crypto::OpenBox(entry_key.Reveal(), AssociatedData(mailbox_id, generation), payload));
  return crypto::Unpad(padded);
}

size_t SealedEntrySize(size_t message_size) {
  const uint64_t padded =
      std::max<uint64_t>(crypto::kMinimumPaddedSize, crypto::PadmeSize(message_size + 4));
  return padded + crypto::kBoxOverhead;
}

}  // namespace parley::client
