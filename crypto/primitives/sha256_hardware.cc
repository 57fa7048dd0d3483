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

PARLEY_SHA void CompressWithInstructions(std::array<uint32_t, 8>& words, const uint8_t* blocks,
                                         size_t block_count) {
  __m128i* const stored = reinterpret_cast<__m128i*>(words.data());
  // Lanes from the lowest: a b c d, e f g h become f e b a, h g d c.
  const __m128i badc = _mm_shuffle_epi32(_mm_loadu_si128(stored), 0xb1);
  const __m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128(stored + 1), 0x1b);
  Working state{_mm_alignr_epi8(badc, hgfe, 8), _mm_blend_epi16(hgfe, badc, 0xf0)};
  for (; block_count > 0; --block_count, blocks += kSha256BlockSize) CompressBlock(state, blocks);
  const __m128i abef = _mm_shuffle_epi32(state.abef, 0x1b);
  const __m128i ghcd = _mm_shuffle_epi32(state.cdgh, 0xb1);
  _mm_storeu_si128(stored, _mm_blend_epi16(abef, ghcd, 0xf0));
  _mm_storeu_si128(stored + 1, _mm_alignr_epi8(ghcd, abef, 8));
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

}  // namespace parley::crypto

#else

namespace parley::crypto {

Sha256Compress HardwareSha256() { return nullptr; }

}  // namespace parley::crypto

#endif
