// X25519 (RFC 7748).
//
// Threading: free functions without shared state.
#ifndef PARLEY_CRYPTO_PRIMITIVES_X25519_H_
#define PARLEY_CRYPTO_PRIMITIVES_X25519_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/base/bytes.h"
#include "crypto/base/secret.h"

namespace parley::crypto {

inline constexpr size_t kX25519KeySize = 32;

// The public key of a private key, which is any 32 bytes; CHECK-fails for another size.
ByteArray<kX25519KeySize> X25519PublicKey(ByteView private_key);

// Whether `public_key` is 32 bytes and not one of the encodings of points of small order, with
// which every private key gives all zeros. Not constant-time: public keys only.
bool IsX25519PublicKey(ByteView public_key);

// The shared point of `private_key` (CHECK-fails unless 32 bytes) and another's `public_key`: hash
// it with both public keys before it serves as a key.
// Errors: InvalidArgument when `public_key` isn't 32 bytes, or is of small order, so that the
// result would be all zeros (RFC 7748 section 6.1).
absl::StatusOr<Secret> X25519(ByteView private_key, ByteView public_key);

}  // namespace parley::crypto

#endif  // PARLEY_CRYPTO_PRIMITIVES_X25519_H_
