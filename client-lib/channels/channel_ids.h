// Ids and keys as the channels speak of them. Those that programs see are the public header's.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_CHANNEL_IDS_H_
#define PARLEY_CLIENT_LIB_CHANNELS_CHANNEL_IDS_H_

#include <algorithm>
#include <optional>
#include <string>

#include "crypto/base/bytes.h"
#include "crypto/primitives/random.h"
#include "parley/ids.h"

namespace parley::client {

using crypto::Bytes;
using crypto::ByteView;

using DeviceId = Id<struct DeviceKind>;
// X25519, public.
using IdentityKey = crypto::ByteArray<32>;
using TranscriptHash = crypto::ByteArray<32>;

// An id of random bytes.
template <typename IdType>
IdType RandomId() {
  return IdType(crypto::RandomArray<16>());
}

// The id that these 16 bytes are; nothing for another length.
template <typename IdType>
std::optional<IdType> IdFrom(ByteView bytes) {
  typename IdType::Bytes raw{};
  if (bytes.size() != raw.size()) return std::nullopt;
  std::copy(bytes.begin(), bytes.end(), raw.begin());
  return IdType(raw);
}
// The same of a protobuf field.
template <typename IdType>
std::optional<IdType> IdFrom(const std::string& bytes) {
  return IdFrom<IdType>(crypto::ViewOf(bytes));
}

// An id as a protobuf field has it.
template <typename Kind>
std::string ToField(const Id<Kind>& id) {
  return crypto::ToString(id.bytes());
}

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_CHANNEL_IDS_H_
