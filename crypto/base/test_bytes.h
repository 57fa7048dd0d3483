// Shorthand for the tests of crypto.
#ifndef PARLEY_CRYPTO_BASE_TEST_BYTES_H_
#define PARLEY_CRYPTO_BASE_TEST_BYTES_H_

#include <string_view>

#include "crypto/base/bytes.h"

namespace parley::crypto {

// Hexadecimal that the test itself wrote.
inline Bytes Hex(std::string_view hex) { return FromHex(hex).value(); }

// first, first + 1, ... : `size` bytes.
inline Bytes Counting(uint8_t first, size_t size) {
  Bytes out(size);
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<uint8_t>(first + i);
  return out;
}

// A copy of `bytes` with one bit changed.
inline Bytes Flipped(ByteView bytes, size_t bit) {
  Bytes out(bytes.begin(), bytes.end());
  out[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
  return out;
}

}  // namespace parley::crypto

#endif  // PARLEY_CRYPTO_BASE_TEST_BYTES_H_
