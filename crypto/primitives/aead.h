// Authenticated encryption: ChaCha20-Poly1305 (RFC 8439), XChaCha20-Poly1305
// (draft-irtf-cfrg-xchacha-03) and AEGIS-256 with tags of 32 bytes (draft-irtf-cfrg-aegis-aead).
//
//   Bytes sealed = Seal(AeadAlgorithm::kChaCha20Poly1305, key.Reveal(), nonce, aad, plaintext);
//   absl::StatusOr<Bytes> opened = Open(AeadAlgorithm::kChaCha20Poly1305, ..., sealed);
//
// Sealed bytes are ciphertext || tag. A (key, nonce) pair seals once: who chooses the nonce keeps
// that promise. None of the three commits to its key: whoever must not be shown one ciphertext
// under two keys adds a commitment (see crypto/file).
//
// Requires: keys and nonces of exactly the algorithm's size; CHECK-fails otherwise.
// Errors: opening fails with one identical Unauthenticated, whatever was wrong.
// Threading: free functions without shared state.
#ifndef PARLEY_CRYPTO_PRIMITIVES_AEAD_H_
#define PARLEY_CRYPTO_PRIMITIVES_AEAD_H_

#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/base/bytes.h"
#include "crypto/base/secret.h"

namespace parley::crypto {

enum class AeadAlgorithm : uint8_t { kChaCha20Poly1305, kXChaCha20Poly1305, kAegis256 };

inline constexpr size_t kXChaChaNonceSize = 24;

size_t AeadKeySize(AeadAlgorithm algorithm);    // 32
size_t AeadNonceSize(AeadAlgorithm algorithm);  // 12, 24, 32
size_t AeadTagSize(AeadAlgorithm algorithm);    // 16, 16, 32

Bytes Seal(AeadAlgorithm algorithm, ByteView key, ByteView nonce, ByteView aad, ByteView plaintext);
absl::StatusOr<Bytes> Open(AeadAlgorithm algorithm, ByteView key, ByteView nonce, ByteView aad,
                           ByteView sealed);
// Open, for a plaintext that is secret itself.
absl::StatusOr<Secret> OpenSecret(AeadAlgorithm algorithm, ByteView key, ByteView nonce,
                                  ByteView aad, ByteView sealed);

// Seals into `out` of plaintext.size() + tag size bytes; CHECK-fails otherwise. `out` may start
// where `plaintext` does (in place); else they must not overlap.
void SealInto(AeadAlgorithm algorithm, ByteView key, ByteView nonce, ByteView aad,
              ByteView plaintext, std::span<uint8_t> out);
// Opens into `out` of sealed.size() - tag size bytes; CHECK-fails otherwise, but for `sealed` that
// is too short for a tag, which is Unauthenticated. `out` may start where `sealed` does. On failure
// `out` is all zeros.
absl::Status OpenInto(AeadAlgorithm algorithm, ByteView key, ByteView nonce, ByteView aad,
                      ByteView sealed, std::span<uint8_t> out);

// A random 24-byte nonce || XChaCha20-Poly1305: for a key that seals many things, since random
// nonces of that size don't repeat. The key is 32 bytes.
inline constexpr size_t kBoxOverhead = kXChaChaNonceSize + 16;
Bytes SealBox(ByteView key, ByteView aad, ByteView plaintext);
absl::StatusOr<Bytes> OpenBox(ByteView key, ByteView aad, ByteView box);
absl::StatusOr<Secret> OpenBoxSecret(ByteView key, ByteView aad, ByteView box);

// The one error of every failed decryption.
absl::Status DecryptionFailed();

}  // namespace parley::crypto

#endif  // PARLEY_CRYPTO_PRIMITIVES_AEAD_H_
