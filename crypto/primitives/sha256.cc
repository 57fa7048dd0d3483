#include "crypto/primitives/sha256.h"

#include <sodium.h>

#include <algorithm>
#include <cstring>

#include "crypto/base/check.h"
#include "crypto/primitives/hash.h"

namespace parley::crypto {
namespace {

// FIPS 180-4 section 5.3.3.
constexpr std::array<uint32_t, 8> kInitialWords = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                                   0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

void CompressWithSodium(std::array<uint32_t, 8>& words, const uint8_t* blocks, size_t block_count) {
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  std::ranges::copy(words, state.state);
  // Whole blocks go through the compression at once, and none is left in the buffer.
  crypto_hash_sha256_update(&state, blocks, block_count * kSha256BlockSize);
  std::ranges::copy(state.state, words.begin());
  sodium_memzero(&state, sizeof(state));
}

Sha256Compress BestCompress() {
  static const Sha256Compress best =
      HardwareSha256() != nullptr ? HardwareSha256() : PortableSha256();
  return best;
}

}  // namespace

Sha256Compress PortableSha256() { return CompressWithSodium; }

Sha256State::Sha256State() : Sha256State(BestCompress()) {}

Sha256State::Sha256State(Sha256Compress compress)
    : compress_(compress), words_(kInitialWords), block_{} {}

ByteView Sha256State::FillBlock(ByteView data) {
  const size_t waiting = size_ % kSha256BlockSize;
  if (waiting == 0 || data.empty()) return data;
  const size_t take = std::min(kSha256BlockSize - waiting, data.size());
  memcpy(block_.data() + waiting, data.data(), take);
  size_ += take;
  if (waiting + take == kSha256BlockSize) compress_(words_, block_.data(), 1);
  return data.subspan(take);
}

void Sha256State::UpdateBoth(Sha256State& a, ByteView data_a, Sha256State& b, ByteView data_b,
                             Sha256CompressPair compress) {
  if (compress != nullptr) {
    data_a = a.FillBlock(data_a);
    data_b = b.FillBlock(data_b);
    // A message that ended within its block has no blocks to be mixed in here.
    const size_t blocks = std::min(data_a.size(), data_b.size()) / kSha256BlockSize;
    if (blocks > 0) {
      const size_t bytes = blocks * kSha256BlockSize;
      compress(a.words_, data_a.data(), b.words_, data_b.data(), blocks);
      a.size_ += bytes;
      b.size_ += bytes;
      data_a = data_a.subspan(bytes);
      data_b = data_b.subspan(bytes);
    }
  }
  a.Update(data_a);
  b.Update(data_b);
}

void Sha256State::Update(ByteView data) {
  data = FillBlock(data);
  if (data.empty()) return;
  size_ += data.size();
  const size_t blocks = data.size() / kSha256BlockSize;
  if (blocks > 0) compress_(words_, data.data(), blocks);
  data = data.subspan(blocks * kSha256BlockSize);
  if (!data.empty()) memcpy(block_.data(), data.data(), data.size());
}

void Sha256State::FinishInto(std::span<uint8_t> out) {
  PARLEY_CHECK(out.size() == kSha256Size);
  // FIPS 180-4 section 5.1.1: a one bit, zeros, and the length in bits as 64-bit number.
  const ByteArray<8> bits = BigEndian64(size_ * 8);
  size_t waiting = size_ % kSha256BlockSize;
  block_[waiting++] = 0x80;
  if (waiting > kSha256BlockSize - bits.size()) {
    std::fill(block_.begin() + waiting, block_.end(), uint8_t{0});
    compress_(words_, block_.data(), 1);
    waiting = 0;
  }
  std::fill(block_.begin() + waiting, block_.end(), uint8_t{0});
  std::ranges::copy(bits, block_.end() - bits.size());
  compress_(words_, block_.data(), 1);
  for (size_t i = 0; i < words_.size(); ++i) {
    std::ranges::copy(BigEndian32(words_[i]), out.begin() + 4 * i);
  }
}

}  // namespace parley::crypto
