#include "server/core/signed_acts.h"

#include "crypto/primitives/hash.h"

namespace parley::server {
namespace {

using crypto::BigEndian32;
using crypto::BigEndian64;
using crypto::Bytes;
using crypto::ByteView;
using crypto::Concat;
using crypto::Sha256;
using crypto::ViewOf;

// A label with its terminating zero byte, which is part of what is signed.
template <size_t N>
ByteView Label(const char (&text)[N]) {
  return ByteView(reinterpret_cast<const uint8_t*>(text), N);
}

}  // namespace

Bytes SessionMessage(const storage::PublicKey& relay_identity, std::string_view challenge,
                     const storage::ObjectId& object, uint64_t generation, AccessRight right) {
  const uint8_t right_byte = static_cast<uint8_t>(right);
  return Concat({Label("parley relay session v1"), relay_identity, Sha256({ViewOf(challenge)}),
                 object, BigEndian64(generation), ByteView(&right_byte, 1)});
}

Bytes ClosingMessage(const storage::ObjectId& mailbox, uint64_t closed_generation,
                     std::string_view payload, const storage::GenerationKeySet& next_keys) {
  Bytes key_block = Concat({next_keys.read_key, next_keys.control_key,
                            BigEndian32(static_cast<uint32_t>(next_keys.append_keys.size()))});
  for (const storage::PublicKey& key : next_keys.append_keys) {
    key_block.insert(key_block.end(), key.begin(), key.end());
  }
  return Concat({Label("parley mailbox close v1"), mailbox, BigEndian64(closed_generation),
                 Sha256({ViewOf(payload)}), Sha256({key_block})});
}

Bytes ControlMessage(const storage::PublicKey& relay_identity, std::string_view challenge,
                     const storage::ObjectId& mailbox, uint64_t generation, ControlAct act,
                     uint64_t argument) {
  const uint8_t act_byte = static_cast<uint8_t>(act);
  return Concat({Label("parley mailbox control v1"), relay_identity, Sha256({ViewOf(challenge)}),
                 mailbox, BigEndian64(generation), ByteView(&act_byte, 1), BigEndian64(argument)});
}

Bytes TlsKeyMessage(ByteView tls_key_hash, uint64_t not_before, uint64_t not_after) {
  return Concat({Label("parley relay tls key v1"), tls_key_hash, BigEndian64(not_before),
                 BigEndian64(not_after)});
}

}  // namespace parley::server
