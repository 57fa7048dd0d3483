// Ed25519 (RFC 8032): deterministic signatures of 64 bytes over messages of any length.
//
//   SignatureKey key = SignatureKey::Generate();
//   Bytes signature = key.Sign(message);
//   absl::Status valid = VerifySignature(key.public_key(), message, signature);
//
// Threading: a SignatureKey may sign from several threads at once.
// Secrets: the seed and the expanded key are in secret memory and wiped with the object.
#ifndef PARLEY_CRYPTO_PRIMITIVES_SIGNATURE_H_
#define PARLEY_CRYPTO_PRIMITIVES_SIGNATURE_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/base/bytes.h"
#include "crypto/base/secret.h"

namespace parley::crypto {

inline constexpr size_t kSignatureSeedSize = 32;
inline constexpr size_t kSignaturePublicKeySize = 32;
inline constexpr size_t kSignatureSize = 64;

// A private signature key. Move-only.
class SignatureKey {
 public:
  static SignatureKey Generate();
  // The key that a seed of 32 bytes (RFC 8032's private key) stands for.
  // Errors: InvalidArgument for any other size.
  static absl::StatusOr<SignatureKey> FromSeed(ByteView seed);

  SignatureKey(SignatureKey&&) noexcept = default;
  SignatureKey& operator=(SignatureKey&&) noexcept = default;

  const ByteArray<kSignaturePublicKeySize>& public_key() const { return public_key_; }
  // The seed, for storing the key.
  Secret Seed() const;
  SignatureKey Clone() const;

  // 64 bytes.
  Bytes Sign(ByteView message) const;

 private:
  SignatureKey() = default;

  Secret expanded_;  // seed || public key, as libsodium wants it
  ByteArray<kSignaturePublicKeySize> public_key_{};
};

// Errors: one identical Unauthenticated for a signature that doesn't verify and for a key or
// signature of the wrong size. Keys of small order and signatures that aren't in canonical form are
// refused.
absl::Status VerifySignature(ByteView public_key, ByteView message, ByteView signature);

}  // namespace parley::crypto

#endif  // PARLEY_CRYPTO_PRIMITIVES_SIGNATURE_H_
