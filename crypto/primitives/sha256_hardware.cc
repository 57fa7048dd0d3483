// SHA-256's compression with the SHA extensions of x86-64 processors (Intel's "Intel SHA
// Extensions" paper of 2013 describes the instructions). Constant-time, as the instructions are.
#include "crypto/primitives/sha256.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#define PARLEY_SHA __attribute__((target("sha,sse4.1,ssse3")))

namespace parley::crypto {
namespace {

// FIPS 180-4 section 4.2.2.
alignas(16) constexpr uint32_t kRoundConstants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

// The working variables in the order that the instructions want them.
struct Working {
  __m128i abef;
  __m128i cdgh;
};

// Rounds t to t + 3 with the schedule's words W[t .. t + 3].
PARLEY_SHA inline void FourRounds(Working& w, __m128i words, const uint32_t* constants) {
  const __m128i sum =
      _mm_add_epi32(words, _mm_load_si128(reinterpret_cast<const __m128i*>(constants)));
  w.cdgh = _mm_sha256rnds2_epu32(w.cdgh, w.abef, sum);
  w.abef = _mm_sha256rnds2_epu32(w.abef, w.cdgh, _mm_shuffle_epi32(sum, 0x0e));
}

PARLEY_SHA inline void FourRoundsOfBoth(Working& a, __m128i words_a, Working& b, __m128i words_b,
                                        const uint32_t* constants) {
  const __m128i k = _mm_load_si128(reinterpret_cast<const __m128i*>(constants));
  const __m128i sum_a = _mm_add_epi32(words_a, k);
  const __m128i sum_b = _mm_add_epi32(words_b, k);
  a.cdgh = _mm_sha256rnds2_epu32(a.cdgh, a.abef, sum_a);
  b.cdgh = _mm_sha256rnds2_epu32(b.cdgh, b.abef, sum_b);
  a.abef = _mm_sha256rnds2_epu32(a.abef, a.cdgh, _mm_shuffle_epi32(sum_a, 0x0e));
  b.abef = _mm_sha256rnds2_epu32(b.abef, b.cdgh, _mm_shuffle_epi32(sum_b, 0x0e));
}

// W[t .. t + 3] from the sixteen words before, which are w0 (oldest) to w3.
PARLEY_SHA inline __m128i NextWords(__m128i w0, __m128i w1, __m128i w2, __m128i w3) {
  const __m128i seven_back = _mm_alignr_epi8(w3, w2, 4);
  return _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), seven_back), w3);
}

PARLEY_SHA inline __m128i LoadBigEndian(const uint8_t* bytes) {
  const __m128i order = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  return _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)), order);
}

PARLEY_SHA inline void CompressBlock(Working& state, const uint8_t* block) {
  const Working before = state;
  __m128i w0 = LoadBigEndian(block);
  __m128i w1 = LoadBigEndian(block + 16);
  __m128i w2 = LoadBigEndian(block + 32);
  __m128i w3 = LoadBigEndian(block + 48);
  for (int t = 0; t < 48; t += 16) {
    FourRounds(state, w0, kRoundConstants + t);
    w0 = NextWords(w0, w1, w2, w3);
    FourRounds(state, w1, kRoundConstants + t + 4);
    w1 = NextWords(w1, w2, w3, w0);
    FourRounds(state, w2, kRoundConstants + t + 8);
    w2 = NextWords(w2, w3, w0, w1);
    FourRounds(state, w3, kRoundConstants + t + 12);
    w3 = NextWords(w3, w0, w1, w2);
  }
  FourRounds(state, w0, kRoundConstants + 48);
  FourRounds(state, w1, kRoundConstants + 52);
  FourRounds(state, w2, kRoundConstants + 56);
  FourRounds(state, w3, kRoundConstants + 60);
  state.abef = _mm_add_epi32(state.abef, before.abef);
  state.cdgh = _mm_add_epi32(state.cdgh, before.cdgh);
}

// One block of each of two messages, step by step.
PARLEY_SHA inline void CompressBlocks(Working& state_a, const uint8_t* a, Working& state_b,
                                      const uint8_t* b) {
  const Working before_a = state_a;
  const Working before_b = state_b;
  __m128i a0 = LoadBigEndian(a);
  __m128i b0 = LoadBigEndian(b);
  __m128i a1 = LoadBigEndian(a + 16);
  __m128i b1 = LoadBigEndian(b + 16);
  __m128i a2 = LoadBigEndian(a + 32);
  __m128i b2 = LoadBigEndian(b + 32);
  __m128i a3 = LoadBigEndian(a + 48);
  __m128i b3 = LoadBigEndian(b + 48);
  for (int t = 0; t < 48; t += 16) {
    FourRoundsOfBoth(state_a, a0, state_b, b0, kRoundConstants + t);
    a0 = NextWords(a0, a1, a2, a3);
    b0 = NextWords(b0, b1, b2, b3);
    FourRoundsOfBoth(state_a, a1, state_b, b1, kRoundConstants + t + 4);
    a1 = NextWords(a1, a2, a3, a0);
    b1 = NextWords(b1, b2, b3, b0);
    FourRoundsOfBoth(state_a, a2, state_b, b2, kRoundConstants + t + 8);
    a2 = NextWords(a2, a3, a0, a1);
    b2 = NextWords(b2, b3, b0, b1);
    FourRoundsOfBoth(state_a, a3, state_b, b3, kRoundConstants + t + 12);
    a3 = NextWords(a3, a0, a1, a2);
    b3 = NextWords(b3, b0, b1, b2);
  }
  FourRoundsOfBoth(state_a, a0, state_b, b0, kRoundConstants + 48);
  FourRoundsOfBoth(state_a, a1, state_b, b1, kRoundConstants + 52);
  FourRoundsOfBoth(state_a, a2, state_b, b2, kRoundConstants + 56);
  FourRoundsOfBoth(state_a, a3, state_b, b3, kRoundConstants + 60);
  state_a.abef = _mm_add_epi32(state_a.abef, before_a.abef);
  state_a.cdgh = _mm_add_epi32(state_a.cdgh, before_a.cdgh);
  state_b.abef = _mm_add_epi32(state_b.abef, before_b.abef);
  state_b.cdgh = _mm_add_epi32(state_b.cdgh, before_b.cdgh);
}

// Lanes from the lowest: a b c d, e f g h become f e b a, h g d c.
PARLEY_SHA inline Working Load(const std::array<uint32_t, 8>& words) {
  const __m128i* const stored = reinterpret_cast<const __m128i*>(words.data());
  const __m128i badc = _mm_shuffle_epi32(_mm_loadu_si128(stored), 0xb1);
  const __m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128(stored + 1), 0x1b);
  return {_mm_alignr_epi8(badc, hgfe, 8), _mm_blend_epi16(hgfe, badc, 0xf0)};
}

PARLEY_SHA inline void Store(const Working& state, std::array<uint32_t, 8>& words) {
  __m128i* const stored = reinterpret_cast<__m128i*>(words.data());
  const __m128i abef = _mm_shuffle_epi32(state.abef, 0x1b);
  const __m128i ghcd = _mm_shuffle_epi32(state.cdgh, 0xb1);
  _mm_storeu_si128(stored, _mm_blend_epi16(abef, ghcd, 0xf0));
  _mm_storeu_si128(stored + 1, _mm_alignr_epi8(ghcd, abef, 8));
}

PARLEY_SHA void CompressWithInstructions(std::array<uint32_t, 8>& words, const uint8_t* blocks,
                                         size_t block_count) {
  Working state = Load(words);
  for (; block_count > 0; --block_count, blocks += kSha256BlockSize) CompressBlock(state, blocks);
  Store(state, words);
}

// A round waits for the one before, so that a processor which runs one message's rounds has half of
// its time left for another's.
PARLEY_SHA void CompressSideBySide(std::array<uint32_t, 8>& words_a, const uint8_t* a,
                                   std::array<uint32_t, 8>& words_b, const uint8_t* b,
                                   size_t block_count) {
  Working state_a = Load(words_a);
  Working state_b = Load(words_b);
  for (; block_count > 0; --block_count, a += kSha256BlockSize, b += kSha256BlockSize) {
    CompressBlocks(state_a, a, state_b, b);
  }
  Store(state_a, words_a);
  Store(state_b, words_b);
}

bool HasInstructions() {
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0) return false;
  if ((ecx & bit_SSSE3) == 0 || (ecx & bit_SSE4_1) == 0) return false;
  return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (ebx & bit_SHA) != 0;
}

}  // namespace

Sha256Compress HardwareSha256() {
  static const bool has = HasInstructions();
  return has ? CompressWithInstructions : nullptr;
}

Sha256CompressPair HardwareSha256Pair() {
  return HardwareSha256() != nullptr ? CompressSideBySide : nullptr;
}

}  // namespace parley::crypto

#else

namespace parley::crypto {

Sha256Compress HardwareSha256() { return nullptr; }
Sha256CompressPair HardwareSha256Pair() { return nullptr; }

}  // namespace parley::crypto

#endif
