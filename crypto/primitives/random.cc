#include "crypto/primitives/random.h"

#include <sodium.h>

#include "crypto/base/check.h"

namespace parley::crypto {

void InitializeCrypto() {
  // sodium_init() is safe to repeat, but takes a lock each time.
  static const bool done = sodium_init() >= 0;
  PARLEY_CHECK(done);
}

void RandomBytes(std::span<uint8_t> out) {
  InitializeCrypto();
  if (!out.empty()) randombytes_buf(out.data(), out.size());
}

Bytes RandomBytes(size_t size) {
  Bytes out(size);
  RandomBytes(std::span<uint8_t>(out));
  return out;
}

}  // namespace parley::crypto
