// Random bytes of the operating system's generator, and the library's one-time initialisation.
//
// Threading: safe from any thread, also before main() and after fork().
#ifndef PARLEY_CRYPTO_PRIMITIVES_RANDOM_H_
#define PARLEY_CRYPTO_PRIMITIVES_RANDOM_H_

#include <span>

#include "crypto/base/bytes.h"

namespace parley::crypto {

// Prepares libsodium (it picks the fastest code for this processor). Every function of this room
// that needs it calls it by itself; calling it at a program's start only moves the cost there.
void InitializeCrypto();

// Fills `out`; aborts when the operating system gives no random numbers. For secrets use
// Secret::Random.
void RandomBytes(std::span<uint8_t> out);

// `size` random bytes that aren't secret: ids, nonces, salts.
Bytes RandomBytes(size_t size);

template <size_t N>
ByteArray<N> RandomArray() {
  ByteArray<N> out;
  RandomBytes(out);
  return out;
}

}  // namespace parley::crypto

#endif  // PARLEY_CRYPTO_PRIMITIVES_RANDOM_H_
