#include "crypto/primitives/hash.h"

#include <sodium.h>

#include <new>
#include <type_traits>

#include "crypto/base/check.h"
#include "crypto/primitives/hmac_state.h"
#include "crypto/primitives/random.h"
#include "crypto/primitives/sha256.h"

namespace parley::crypto {
namespace {

// Both states are plain structures that fit into Hasher's storage, which keeps libsodium out of the
// header.
static_assert(sizeof(Sha256State) <= 256 && alignof(Sha256State) <= 16);
static_assert(std::is_trivially_copyable_v<Sha256State>);
static_assert(sizeof(crypto_hash_sha512_state) <= 256 && alignof(crypto_hash_sha512_state) <= 16);

template <typename State>
State* StateIn(std::array<uint8_t, 256>& storage) {
  return reinterpret_cast<State*>(storage.data());
}

}  // namespace

Hasher::Hasher(HashAlgorithm algorithm) : algorithm_(algorithm), state_{} {
  InitializeCrypto();
  if (algorithm_ == HashAlgorithm::kSha256) {
    new (state_.data()) Sha256State;
  } else {
    crypto_hash_sha512_init(StateIn<crypto_hash_sha512_state>(state_));
  }
}

Hasher::~Hasher() { WipeBytes(state_); }

void Hasher::Update(ByteView data) {
  if (data.empty()) return;
  if (algorithm_ == HashAlgorithm::kSha256) {
    StateIn<Sha256State>(state_)->Update(data);
  } else {
    crypto_hash_sha512_update(StateIn<crypto_hash_sha512_state>(state_), data.data(), data.size());
  }
}

void Hasher::FinishInto(std::span<uint8_t> out) && {
  PARLEY_CHECK(out.size() == HashSize(algorithm_));
  if (algorithm_ == HashAlgorithm::kSha256) {
    StateIn<Sha256State>(state_)->FinishInto(out);
  } else {
    crypto_hash_sha512_final(StateIn<crypto_hash_sha512_state>(state_), out.data());
  }
}

Bytes Hasher::Finish() && {
  Bytes out(HashSize(algorithm_));
  std::move(*this).FinishInto(out);
  return out;
}

Bytes Hash(HashAlgorithm algorithm, ByteView data) { return Hash(algorithm, {data}); }

Bytes Hash(HashAlgorithm algorithm, std::initializer_list<ByteView> parts) {
  Hasher hasher(algorithm);
  for (ByteView part : parts) hasher.Update(part);
  return std::move(hasher).Finish();
}

ByteArray<kSha256Size> Sha256(std::initializer_list<ByteView> parts) {
  Hasher hasher(HashAlgorithm::kSha256);
  for (ByteView part : parts) hasher.Update(part);
  ByteArray<kSha256Size> out;
  std::move(hasher).FinishInto(out);
  return out;
}

std::pair<ByteArray<kSha256Size>, ByteArray<kSha256Size>> Sha256OfTwo(ByteView prefix, ByteView a,
                                                                      ByteView b) {
  Sha256State state_a;
  state_a.Update(prefix);
  Sha256State state_b = state_a;
  Sha256State::UpdateBoth(state_a, a, state_b, b, HardwareSha256Pair());
  std::pair<ByteArray<kSha256Size>, ByteArray<kSha256Size>> out;
  state_a.FinishInto(out.first);
  state_b.FinishInto(out.second);
  WipeBytes({reinterpret_cast<uint8_t*>(&state_a), sizeof(state_a)});
  WipeBytes({reinterpret_cast<uint8_t*>(&state_b), sizeof(state_b)});
  return out;
}

Bytes Hmac(HashAlgorithm algorithm, ByteView key, ByteView data) {
  HmacState state(algorithm, key);
  state.Update(data);
  Bytes out(HashSize(algorithm));
  state.FinishInto(out);
  return out;
}

Secret HmacSecret(HashAlgorithm algorithm, ByteView key, ByteView data) {
  HmacState state(algorithm, key);
  state.Update(data);
  Secret out(HashSize(algorithm));
  state.FinishInto(out.RevealMutable());
  return out;
}

bool VerifyHmac(HashAlgorithm algorithm, ByteView key, ByteView data, ByteView mac) {
  return ConstantTimeEquals(HmacSecret(algorithm, key, data).Reveal(), mac);
}

Secret Shake256(ByteView input, size_t length) {
  InitializeCrypto();
  Secret out(length);
  if (length == 0) return out;
  crypto_xof_shake256_state state;
  crypto_xof_shake256_init(&state);
  if (!input.empty()) crypto_xof_shake256_update(&state, input.data(), input.size());
  crypto_xof_shake256_squeeze(&state, out.RevealMutable().data(), length);
  sodium_memzero(&state, sizeof(state));
  return out;
}

Bytes KeyedHash(ByteView key, ByteView data, size_t size) {
  InitializeCrypto();
  PARLEY_CHECK(key.size() == kKeyedHashKeySize);
  PARLEY_CHECK(size >= crypto_generichash_BYTES_MIN && size <= crypto_generichash_BYTES_MAX);
  Bytes out(size);
  crypto_generichash(out.data(), size, data.data(), data.size(), key.data(), key.size());
  return out;
}

}  // namespace parley::crypto
