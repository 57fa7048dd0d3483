#include "crypto/primitives/x25519.h"

#include <sodium.h>

#include <algorithm>

#include "crypto/base/check.h"
#include "crypto/primitives/random.h"

namespace parley::crypto {
namespace {

using Coordinate = ByteArray<kX25519KeySize>;

// Little-endian `low` followed by 0xff ... 0x7f: the numbers around the field's prime 2^255 - 19.
constexpr Coordinate NearPrime(uint8_t low) {
  Coordinate out{};
  for (uint8_t& byte : out) byte = 0xff;
  out.front() = low;
  out.back() = 0x7f;
  return out;
}

// The u-coordinates of order 1, 2, 4 and 8 on Curve25519 and its twist (RFC 7748 section 7), in all
// encodings: 0, 1, the two of order 8, p - 1, p and p + 1.
constexpr std::array<Coordinate, 7> kSmallOrder = {
    Coordinate{},
    Coordinate{1},
    Coordinate{0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
               0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
               0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
    Coordinate{0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
               0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
               0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
    NearPrime(0xec),
    NearPrime(0xed),
    NearPrime(0xee),
};

}  // namespace

bool IsX25519PublicKey(ByteView public_key) {
  if (public_key.size() != kX25519KeySize) return false;
  Coordinate u;
  std::ranges::copy(public_key, u.begin());
  u.back() &= 0x7f;  // RFC 7748 section 5: the unused bit is masked away
  return std::ranges::find(kSmallOrder, u) == kSmallOrder.end();
}

ByteArray<kX25519KeySize> X25519PublicKey(ByteView private_key) {
  InitializeCrypto();
  PARLEY_CHECK(private_key.size() == kX25519KeySize);
  ByteArray<kX25519KeySize> out;
  const int result = crypto_scalarmult_curve25519_base(out.data(), private_key.data());
  PARLEY_CHECK(result == 0);
  return out;
}

absl::StatusOr<Secret> X25519(ByteView private_key, ByteView public_key) {
  InitializeCrypto();
  PARLEY_CHECK(private_key.size() == kX25519KeySize);
  Secret out(kX25519KeySize);
  // libsodium refuses all-zero results too.
  if (public_key.size() != kX25519KeySize ||
      crypto_scalarmult_curve25519(out.RevealMutable().data(), private_key.data(),
                                   public_key.data()) != 0) {
    return absl::InvalidArgumentError("an X25519 public key that is malformed or of small order");
  }
  return out;
}

}  // namespace parley::crypto
