// HMAC over data that comes in parts; inside crypto/primitives only, since it shows libsodium.
#ifndef PARLEY_CRYPTO_PRIMITIVES_HMAC_STATE_H_
#define PARLEY_CRYPTO_PRIMITIVES_HMAC_STATE_H_

#include <sodium.h>

#include <span>

#include "crypto/base/bytes.h"
#include "crypto/base/check.h"
#include "crypto/primitives/hash.h"
#include "crypto/primitives/random.h"

namespace parley::crypto {

// Wiped on destruction.
class HmacState {
 public:
  HmacState(HashAlgorithm algorithm, ByteView key) : algorithm_(algorithm) {
    InitializeCrypto();
    // libsodium wants a pointer even for an empty key.
    static constexpr uint8_t kNothing = 0;
    const uint8_t* bytes = key.empty() ? &kNothing : key.data();
    if (algorithm_ == HashAlgorithm::kSha256) {
      crypto_auth_hmacsha256_init(&state_.sha256, bytes, key.size());
    } else {
      crypto_auth_hmacsha512_init(&state_.sha512, bytes, key.size());
    }
  }
  HmacState(const HmacState&) = delete;
  HmacState& operator=(const HmacState&) = delete;
  ~HmacState() { sodium_memzero(&state_, sizeof(state_)); }

  void Update(ByteView data) {
    if (data.empty()) return;
    if (algorithm_ == HashAlgorithm::kSha256) {
      crypto_auth_hmacsha256_update(&state_.sha256, data.data(), data.size());
    } else {
      crypto_auth_hmacsha512_update(&state_.sha512, data.data(), data.size());
    }
  }

  // `out` has HashSize() bytes.
  void FinishInto(std::span<uint8_t> out) {
    PARLEY_CHECK(out.size() == HashSize(algorithm_));
    if (algorithm_ == HashAlgorithm::kSha256) {
      crypto_auth_hmacsha256_final(&state_.sha256, out.data());
    } else {
      crypto_auth_hmacsha512_final(&state_.sha512, out.data());
    }
  }

 private:
  HashAlgorithm algorithm_;
  union {
    crypto_auth_hmacsha256_state sha256;
    crypto_auth_hmacsha512_state sha512;
  } state_;
};

}  // namespace parley::crypto

#endif  // PARLEY_CRYPTO_PRIMITIVES_HMAC_STATE_H_
