#include "client-lib/relay/relay_types.h"

#include <algorithm>

#include "absl/strings/cord.h"
#include "crypto/primitives/hash.h"

namespace parley::client {
namespace {

using crypto::Bytes;
using crypto::ByteView;

// With its terminating zero byte, as relay.proto writes it.
constexpr std::string_view kCloseLabel{"parley mailbox close v1\0", 24};

// Where a status carries its Shortage, as one byte.
constexpr char kShortagePayload[] = "parley/shortage";

Bytes SignedClosing(const ObjectId& mailbox_id, uint64_t generation, ByteView payload,
                    const GenerationKeys& next_keys) {
  return crypto::Concat({crypto::ViewOf(kCloseLabel), mailbox_id, crypto::BigEndian64(generation),
                         crypto::Sha256({payload}), crypto::Sha256({KeyBlock(next_keys)})});
}

}  // namespace

absl::Status ShortageError(Shortage shortage, const std::string& message) {
  absl::Status status = absl::ResourceExhaustedError(message);
  status.SetPayload(kShortagePayload, absl::Cord(std::string(1, static_cast<char>(shortage))));
  return status;
}

Shortage ShortageOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kShortagePayload);
  if (!payload.has_value() || payload->size() != 1) return Shortage::kOther;
  return static_cast<Shortage>((*payload)[0]);
}

Bytes KeyBlock(const GenerationKeys& keys) {
  Bytes block =
      crypto::Concat({keys.read_key, keys.control_key,
                      crypto::BigEndian32(static_cast<uint32_t>(keys.append_keys.size()))});
  for (const PublicKey& key : keys.append_keys) block.insert(block.end(), key.begin(), key.end());
  return block;
}

Closing SignClosing(const crypto::SignatureKey& control_key, const ObjectId& mailbox_id,
                    uint64_t generation, ByteView payload, GenerationKeys next_keys) {
  Closing closing;
  const Bytes signature =
      control_key.Sign(SignedClosing(mailbox_id, generation, payload, next_keys));
  std::copy(signature.begin(), signature.end(), closing.control_signature.begin());
  closing.next_keys = std::move(next_keys);
  return closing;
}

absl::Status VerifyClosing(const ObjectId& mailbox_id, uint64_t generation, ByteView control_key,
                           ByteView payload, const Closing& closing) {
  return crypto::VerifySignature(control_key,
                                 SignedClosing(mailbox_id, generation, payload, closing.next_keys),
                                 closing.control_signature);
}

}  // namespace parley::client
