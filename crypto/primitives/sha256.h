// SHA-256 over data that comes in parts: libsodium's, or the processor's own instructions where it
// has them, four times as fast. Files are hashed twice on their way, and a key schedule is little
// else than SHA-256. Inside crypto/primitives only. docs/decisions/0005 says why.
#ifndef PARLEY_CRYPTO_PRIMITIVES_SHA256_H_
#define PARLEY_CRYPTO_PRIMITIVES_SHA256_H_

#include <array>
#include <cstdint>
#include <span>

#include "crypto/base/bytes.h"

namespace parley::crypto {

inline constexpr size_t kSha256BlockSize = 64;

// Mixes blocks (a multiple of 64 bytes) into the eight words of a state, FIPS 180-4 section 6.2.2.
using Sha256Compress = void (*)(std::array<uint32_t, 8>& words, const uint8_t* blocks,
                                size_t block_count);

// The compression with this processor's SHA instructions; nullptr when it has none.
Sha256Compress HardwareSha256();
// Mixes as many blocks into each of two states, side by side on one core.
using Sha256CompressPair = void (*)(std::array<uint32_t, 8>& words_a, const uint8_t* blocks_a,
                                    std::array<uint32_t, 8>& words_b, const uint8_t* blocks_b,
                                    size_t block_count);

// Two compressions with this processor's SHA instructions, in little more than half of the time
// that they take one after the other; nullptr when it has none.
Sha256CompressPair HardwareSha256Pair();
// The compression by libsodium.
Sha256Compress PortableSha256();

// A plain value: copies go on independently. Not wiped by itself; see WipeBytes.
class Sha256State {
 public:
  // With HardwareSha256() if there is one. Tests choose the other.
  Sha256State();
  explicit Sha256State(Sha256Compress compress);

  void Update(ByteView data);
  // a.Update(data_a) and b.Update(data_b), side by side as far as `compress` can; nullptr: one
  // after the other.
  static void UpdateBoth(Sha256State& a, ByteView data_a, Sha256State& b, ByteView data_b,
                         Sha256CompressPair compress);
  // `out` has 32 bytes. The state is used up.
  void FinishInto(std::span<uint8_t> out);

 private:
  // Mixes in what fills the block that waits; what is left of `data`.
  ByteView FillBlock(ByteView data);

  Sha256Compress compress_;
  std::array<uint32_t, 8> words_;
  std::array<uint8_t, kSha256BlockSize> block_;  // the first size_ % 64 bytes wait for the rest
  uint64_t size_ = 0;
};

}  // namespace parley::crypto

#endif  // PARLEY_CRYPTO_PRIMITIVES_SHA256_H_
