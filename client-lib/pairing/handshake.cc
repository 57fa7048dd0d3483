#include "client-lib/pairing/handshake.h"

#include "crypto/base/padding.h"
#include "crypto/base/status_macros.h"
#include "crypto/primitives/aead.h"
#include "crypto/primitives/hash.h"
#include "crypto/primitives/hkdf.h"
#include "crypto/primitives/hpke.h"

namespace parley::client {
namespace {

using crypto::HashAlgorithm;

crypto::HpkeSuite InboxSuite() {
  return {&PairingKem(), crypto::HpkeKdf::kHkdfSha256, crypto::AeadAlgorithm::kChaCha20Poly1305};
}

Secret Expand(const Secret& prk, std::initializer_list<ByteView> info, size_t size) {
  return crypto::HkdfExpand(HashAlgorithm::kSha256, prk.Reveal(), crypto::Concat(info), size);
}

// A zero byte ends the ASCII part, so that no label is another one's beginning.
Bytes Labelled(std::string_view label, std::initializer_list<ByteView> rest) {
  Bytes out = crypto::ToBytes(label);
  out.push_back(0);
  for (const ByteView part : rest) out.insert(out.end(), part.begin(), part.end());
  return out;
}

std::string SafetyNumber(ByteView h1, ByteView h2) {
  constexpr size_t kGroups = 8;
  constexpr size_t kGroupBytes = 5;
  const Bytes digest =
      crypto::Hash(HashAlgorithm::kSha512, Labelled("parley safety number v1", {h1, h2}));
  std::string text;
  for (size_t group = 0; group < kGroups; ++group) {
    uint64_t value = 0;
    for (size_t i = 0; i < kGroupBytes; ++i) value = value << 8 | digest[group * kGroupBytes + i];
    std::string digits = std::to_string(value % 100000);
    if (group > 0) text += ' ';
    text += std::string(5 - digits.size(), '0') + digits;
  }
  return text;
}

Bytes HelloAad(ByteView rendezvous_id, HelloKind kind) {
  return Labelled("parley rendezvous v1",
                  {rendezvous_id, crypto::BigEndian64(static_cast<uint64_t>(kind))});
}

}  // namespace

const crypto::Kem& PairingKem() { return crypto::MlKem768X25519(); }

PairingKeys DerivePairing(ByteView salt, const Secret& shared_secret, ByteView first_hello,
                          ByteView second_hello) {
  const Bytes h1 = crypto::Hash(HashAlgorithm::kSha256, first_hello);
  const Bytes h2 = crypto::Hash(HashAlgorithm::kSha256, second_hello);
  const Secret prk = crypto::HkdfExtract(HashAlgorithm::kSha256, salt, shared_secret.Reveal());
  const Secret id = Expand(prk, {crypto::ViewOf("parley pairing id v1"), h1, h2}, kPairingIdSize);
  return {Bytes(id.Reveal().begin(), id.Reveal().end()),
          Expand(prk, {crypto::ViewOf("parley pairing v1"), h1, h2}, 32), SafetyNumber(h1, h2)};
}

Bytes SealHello(const Secret& seal_key, ByteView rendezvous_id, HelloKind kind, ByteView hello) {
  Bytes padded = crypto::Pad(hello);
  const crypto::ScopedWipe wipe(padded);
  return crypto::SealBox(seal_key.Reveal(), HelloAad(rendezvous_id, kind), padded);
}

absl::StatusOr<Bytes> OpenHello(const Secret& seal_key, ByteView rendezvous_id, HelloKind kind,
                                ByteView payload) {
  PARLEY_ASSIGN_OR_RETURN(
      Bytes padded, crypto::OpenBox(seal_key.Reveal(), HelloAad(rendezvous_id, kind), payload));
  const crypto::ScopedWipe wipe(padded);
  return crypto::Unpad(padded);
}

InboxKey InboxKeyOf(ByteView pairing_id, const Secret& pairing_secret, ByteView sender_device_id) {
  return {Bytes(pairing_id.begin(), pairing_id.end()),
          Expand(pairing_secret, {crypto::ViewOf("parley inbox from "), sender_device_id}, 32)};
}

InboxKey IntroductionKeyOf(const Secret& introduction_secret) {
  const Secret prk =
      crypto::HkdfExtract(HashAlgorithm::kSha256, crypto::ViewOf("parley introduction v1"),
                          introduction_secret.Reveal());
  const Secret id = Expand(prk, {crypto::ViewOf("id")}, kPairingIdSize);
  return {Bytes(id.Reveal().begin(), id.Reveal().end()),
          Expand(prk, {crypto::ViewOf("hello")}, 32)};
}

absl::StatusOr<Bytes> SealInboxMessage(ByteView kem_public_key, ByteView inbox_id,
                                       const InboxKey& key, ByteView message) {
  const Bytes info = Labelled("parley inbox v1", {inbox_id});
  const crypto::HpkeInputs inputs{.info = info, .psk = key.psk.Reveal(), .psk_id = key.id};
  Bytes padded = crypto::Pad(message);
  crypto::ScopedWipe wipe(padded);
  PARLEY_ASSIGN_OR_RETURN(crypto::HpkeSealed sealed,
                          crypto::HpkeSeal(InboxSuite(), kem_public_key, inputs, {}, padded));
  return crypto::Concat({sealed.enc, sealed.ciphertext});
}

absl::StatusOr<Bytes> OpenInboxMessage(ByteView kem_private_key, ByteView inbox_id,
                                       const InboxKey& key, ByteView payload) {
  PARLEY_ASSIGN_OR_RETURN(InboxEntry entry, InboxEntry::Create(kem_private_key, inbox_id, payload));
  return entry.Open(key);
}

absl::StatusOr<InboxEntry> InboxEntry::Create(ByteView kem_private_key, ByteView inbox_id,
                                              ByteView payload) {
  const size_t enc_size = PairingKem().enc_size();
  if (payload.size() < enc_size) return crypto::DecryptionFailed();
  InboxEntry entry;
  PARLEY_ASSIGN_OR_RETURN(entry.shared_secret_,
                          PairingKem().Decap(payload.first(enc_size), kem_private_key));
  entry.info_ = Labelled("parley inbox v1", {inbox_id});
  entry.ciphertext_.assign(payload.begin() + static_cast<ptrdiff_t>(enc_size), payload.end());
  return entry;
}

absl::StatusOr<Bytes> InboxEntry::Open(const InboxKey& key) const {
  constexpr uint8_t kModePsk = 1;  // RFC 9180 section 5
  PARLEY_ASSIGN_OR_RETURN(
      crypto::HpkeContext context,
      crypto::HpkeContext::Create(InboxSuite(), kModePsk, shared_secret_.Reveal(), info_,
                                  key.psk.Reveal(), key.id));
  PARLEY_ASSIGN_OR_RETURN(Bytes padded, context.Open({}, ciphertext_));
  crypto::ScopedWipe wipe(padded);
  return crypto::Unpad(padded);
}

}  // namespace parley::client
