// SHA-256, SHA-512 (FIPS 180-4), HMAC (RFC 2104), SHAKE256 (FIPS 202) and keyed BLAKE2b (RFC 7693).
//
//   Bytes digest = Hash(HashAlgorithm::kSha256, {header, body});
//
// Threading: free functions without shared state; a Hasher belongs to one thread.
#ifndef PARLEY_CRYPTO_PRIMITIVES_HASH_H_
#define PARLEY_CRYPTO_PRIMITIVES_HASH_H_

#include <array>
#include <cstddef>
#include <initializer_list>
#include <utility>

#include "absl/status/status.h"
#include "crypto/base/bytes.h"
#include "crypto/base/secret.h"

namespace parley::crypto {

enum class HashAlgorithm : uint8_t { kSha256, kSha512 };

inline constexpr size_t kSha256Size = 32;
inline constexpr size_t kSha512Size = 64;

// Bytes of a digest; also of an HMAC and of an HKDF pseudorandom key.
constexpr size_t HashSize(HashAlgorithm algorithm) {
  return algorithm == HashAlgorithm::kSha256 ? kSha256Size : kSha512Size;
}

Bytes Hash(HashAlgorithm algorithm, ByteView data);
// The digest of `parts`, one after the other.
Bytes Hash(HashAlgorithm algorithm, std::initializer_list<ByteView> parts);
// The same for SHA-256 without an allocation.
ByteArray<kSha256Size> Sha256(std::initializer_list<ByteView> parts);
// Sha256({prefix, a}) and Sha256({prefix, b}), in little more than half of the time where the
// processor has SHA instructions and the two are about as long.
std::pair<ByteArray<kSha256Size>, ByteArray<kSha256Size>> Sha256OfTwo(ByteView prefix, ByteView a,
                                                                      ByteView b);

// A hash over data that comes bit by bit. A copy goes on independently from the same state. The
// state is wiped on destruction.
class Hasher {
 public:
  explicit Hasher(HashAlgorithm algorithm);
  Hasher(const Hasher &) = default;
  Hasher &operator=(const Hasher &) = default;
  ~Hasher();

  void Update(ByteView data);
  // The digest; the hasher can't be used afterwards.
  Bytes Finish() &&;
  // The same, into `out` of HashSize() bytes.
  void FinishInto(std::span<uint8_t> out) &&;

 private:
  HashAlgorithm algorithm_;
  alignas(16) std::array<uint8_t, 256> state_;
};

// HMAC of `data` under a key of any length. HmacSecret is for results that are keys themselves.
Bytes Hmac(HashAlgorithm algorithm, ByteView key, ByteView data);
Secret HmacSecret(HashAlgorithm algorithm, ByteView key, ByteView data);

// Whether `mac` is exactly Hmac(algorithm, key, data); compared in constant time.
bool VerifyHmac(HashAlgorithm algorithm, ByteView key, ByteView data, ByteView mac);

// `length` bytes of SHAKE256 over `input`.
Secret Shake256(ByteView input, size_t length);

inline constexpr size_t kKeyedHashKeySize = 32;

// BLAKE2b of `data` under a key of 32 bytes: a fast pseudorandom function, for names that mean
// nothing without the key. `size` is 16 to 64 bytes; CHECK-fails otherwise.
Bytes KeyedHash(ByteView key, ByteView data, size_t size = 32);

}  // namespace parley::crypto

#endif  // PARLEY_CRYPTO_PRIMITIVES_HASH_H_
