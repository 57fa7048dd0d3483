#include "crypto/primitives/hmac_state.h"

#include <algorithm>
#include <array>

#include "crypto/base/secret.h"

namespace parley::crypto {

// RFC 2104 section 2: H(K XOR opad, H(K XOR ipad, text)), where K is the key, hashed if it is
// longer than a block, and filled with zeros up to a block.
HmacState::HmacState(HashAlgorithm algorithm, ByteView key)
    : algorithm_(algorithm), inner_(algorithm), outer_(algorithm) {
  std::array<uint8_t, 128> padded{};
  ScopedWipe wipe(padded);
  const std::span<uint8_t> block =
      std::span<uint8_t>(padded).first(algorithm == HashAlgorithm::kSha256 ? 64 : 128);
  if (key.size() > block.size()) {
    Hasher hasher(algorithm);
    hasher.Update(key);
    std::move(hasher).FinishInto(block.first(HashSize(algorithm)));
  } else {
    std::ranges::copy(key, block.begin());
  }
  for (uint8_t& byte : block) byte ^= 0x36;
  inner_.Update(block);
  for (uint8_t& byte : block) byte ^= 0x36 ^ 0x5c;
  outer_.Update(block);
}

void HmacState::FinishInto(std::span<uint8_t> out) {
  std::array<uint8_t, kSha512Size> digest;
  ScopedWipe wipe(digest);
  const std::span<uint8_t> inner = std::span<uint8_t>(digest).first(HashSize(algorithm_));
  std::move(inner_).FinishInto(inner);
  outer_.Update(inner);
  std::move(outer_).FinishInto(out);
}

}  // namespace parley::crypto
