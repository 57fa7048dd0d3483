// Hybrid Public Key Encryption (RFC 9180), modes base, psk, auth and auth_psk.
//
//   HpkeSuite suite{&MlKem768X25519(), HpkeKdf::kHkdfSha256, AeadAlgorithm::kChaCha20Poly1305};
//   auto sealed = HpkeSeal(suite, receiver_public_key, {.info = info}, aad, plaintext);
//   auto opened = HpkeOpen(suite, sealed->enc, private_key, {.info = info}, aad,
//   sealed->ciphertext);
//
// The mode follows from the inputs: a psk with its id makes psk, a sender's key makes auth, both
// make auth_psk (section 5).
//
// Requires: AeadAlgorithm::kChaCha20Poly1305, the one AEAD here that HPKE has a number for.
// Errors: InvalidArgument for a public or private key that the KEM refuses, a psk without id or an
// id without psk, or a sender's key on the wrong side; Unimplemented for a sender's key with a KEM
// without auth; Unauthenticated, one identical message, for everything wrong with `enc` or the
// ciphertext.
// Threading: free functions without shared state; a context belongs to one thread.
// Secrets: contexts hold their keys in secret memory, wiped with them.
#ifndef PARLEY_CRYPTO_PRIMITIVES_HPKE_H_
#define PARLEY_CRYPTO_PRIMITIVES_HPKE_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/base/bytes.h"
#include "crypto/base/secret.h"
#include "crypto/primitives/aead.h"
#include "crypto/primitives/hash.h"
#include "crypto/primitives/kem.h"

namespace parley::crypto {

// Identifiers of the HPKE KDF registry. SHAKE256 is draft-ietf-hpke-pq's one-stage KDF.
enum class HpkeKdf : uint16_t { kHkdfSha256 = 0x0001, kHkdfSha512 = 0x0003, kShake256 = 0x0011 };

constexpr HpkeKdf HpkeKdfFor(HashAlgorithm hash) {
  return hash == HashAlgorithm::kSha256 ? HpkeKdf::kHkdfSha256 : HpkeKdf::kHkdfSha512;
}

struct HpkeSuite {
  const Kem* kem = nullptr;
  HpkeKdf kdf = HpkeKdf::kHkdfSha256;
  AeadAlgorithm aead = AeadAlgorithm::kChaCha20Poly1305;
};

// What both sides must give alike, but for the sender's key, of which each gives its half.
struct HpkeInputs {
  ByteView info = {};
  // HpkeInfoHash() of a long info, in its place, for sealing it to many receivers.
  ByteView info_hash = {};
  ByteView psk = {};  // at least 32 bytes of entropy (section 9.5)
  ByteView psk_id = {};
  ByteView sender_private_key = {};  // when sealing
  ByteView sender_public_key = {};   // when opening
};

// What `info` contributes to the key schedule (section 5.1, info_hash): it depends on no key, so
// one serves for all who get the same info. Requires: a KDF other than SHAKE256, which has no such
// step.
Bytes HpkeInfoHash(const HpkeSuite& suite, ByteView info);

struct HpkeSender;

// What the key schedule gives (section 5.1): seals or opens in order, and exports.
class HpkeContext {
 public:
  // The key schedule over a shared secret. `mode` is section 5's number, 0 to 3.
  // Errors: InvalidArgument when psk, psk_id and mode don't go together.
  static absl::StatusOr<HpkeContext> Create(const HpkeSuite& suite, uint8_t mode,
                                            ByteView shared_secret, ByteView info, ByteView psk,
                                            ByteView psk_id);

  HpkeContext(HpkeContext&&) noexcept = default;
  HpkeContext& operator=(HpkeContext&&) noexcept = default;

  // Seals the next message. A sender's context only.
  Bytes Seal(ByteView aad, ByteView plaintext);
  // Opens the next message; on failure the place in the sequence stays. A receiver's context only.
  absl::StatusOr<Bytes> Open(ByteView aad, ByteView ciphertext);
  absl::StatusOr<Secret> OpenSecret(ByteView aad, ByteView ciphertext);

  // Section 5.3: `length` bytes for `exporter_context`. CHECK-fails over 255 * hash size.
  Secret Export(ByteView exporter_context, size_t length) const;

 private:
  friend absl::StatusOr<HpkeSender> HpkeSetupSender(const HpkeSuite& suite,
                                                    ByteView receiver_public_key,
                                                    const HpkeInputs& inputs);
  friend absl::StatusOr<HpkeContext> HpkeSetupReceiver(const HpkeSuite& suite, ByteView enc,
                                                       ByteView receiver_private_key,
                                                       const HpkeInputs& inputs);
  HpkeContext() = default;
  static absl::StatusOr<HpkeContext> CreateFrom(const HpkeSuite& suite, uint8_t mode,
                                                ByteView shared_secret, const HpkeInputs& inputs);
  Bytes NextNonce() const;
  void Advance();

  HpkeSuite suite_;
  Secret key_;
  Secret base_nonce_;
  Secret exporter_secret_;
  uint64_t sequence_ = 0;
};

struct HpkeSender {
  Bytes enc;  // goes to the receiver
  HpkeContext context;
};

absl::StatusOr<HpkeSender> HpkeSetupSender(const HpkeSuite& suite, ByteView receiver_public_key,
                                           const HpkeInputs& inputs);
absl::StatusOr<HpkeContext> HpkeSetupReceiver(const HpkeSuite& suite, ByteView enc,
                                              ByteView receiver_private_key,
                                              const HpkeInputs& inputs);

struct HpkeSealed {
  Bytes enc;
  Bytes ciphertext;
};

// Section 6.1's single-shot functions.
absl::StatusOr<HpkeSealed> HpkeSeal(const HpkeSuite& suite, ByteView receiver_public_key,
                                    const HpkeInputs& inputs, ByteView aad, ByteView plaintext);
absl::StatusOr<Bytes> HpkeOpen(const HpkeSuite& suite, ByteView enc, ByteView receiver_private_key,
                               const HpkeInputs& inputs, ByteView aad, ByteView ciphertext);
absl::StatusOr<Secret> HpkeOpenSecret(const HpkeSuite& suite, ByteView enc,
                                      ByteView receiver_private_key, const HpkeInputs& inputs,
                                      ByteView aad, ByteView ciphertext);

}  // namespace parley::crypto

#endif  // PARLEY_CRYPTO_PRIMITIVES_HPKE_H_
