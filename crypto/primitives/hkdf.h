// HKDF (RFC 5869).
//
// Threading: free functions without shared state.
#ifndef PARLEY_CRYPTO_PRIMITIVES_HKDF_H_
#define PARLEY_CRYPTO_PRIMITIVES_HKDF_H_

#include <initializer_list>

#include "crypto/base/bytes.h"
#include "crypto/base/secret.h"
#include "crypto/primitives/hash.h"

namespace parley::crypto {

// HKDF-Extract: a pseudorandom key of HashSize() bytes. An empty salt counts as HashSize() zeros.
Secret HkdfExtract(HashAlgorithm algorithm, ByteView salt, ByteView ikm);
Secret HkdfExtract(HashAlgorithm algorithm, ByteView salt, std::initializer_list<ByteView> ikm);

// HKDF-Expand: `length` bytes. CHECK-fails over 255 * HashSize(), and when `prk` is shorter than
// HashSize() (RFC 5869 section 2.3 requires at least that).
Secret HkdfExpand(HashAlgorithm algorithm, ByteView prk, ByteView info, size_t length);

}  // namespace parley::crypto

#endif  // PARLEY_CRYPTO_PRIMITIVES_HKDF_H_
