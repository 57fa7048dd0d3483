// HMAC (RFC 2104) over data that comes in parts; inside crypto/primitives only.
#ifndef PARLEY_CRYPTO_PRIMITIVES_HMAC_STATE_H_
#define PARLEY_CRYPTO_PRIMITIVES_HMAC_STATE_H_

#include <span>

#include "crypto/base/bytes.h"
#include "crypto/primitives/hash.h"

namespace parley::crypto {

// Wiped on destruction, as its hashers are.
class HmacState {
 public:
  // A key of any length.
  HmacState(HashAlgorithm algorithm, ByteView key);
  HmacState(const HmacState&) = delete;
  HmacState& operator=(const HmacState&) = delete;

  void Update(ByteView data) { inner_.Update(data); }
  // `out` has HashSize() bytes. The state is used up.
  void FinishInto(std::span<uint8_t> out);

 private:
  HashAlgorithm algorithm_;
  Hasher inner_;
  Hasher outer_;
};

}  // namespace parley::crypto

#endif  // PARLEY_CRYPTO_PRIMITIVES_HMAC_STATE_H_
