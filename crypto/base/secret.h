// Secret bytes: move-only, in memory that is locked, kept out of core dumps and wiped when freed.
//
//   Secret key = Secret::CopyOf(bytes);     // the caller wipes `bytes` if they were its own
//   Use(key.Reveal());                      // the one greppable way to the bytes
//
// A Secret can't be printed, compared with == or copied by accident. Clone() copies on purpose.
//
// Threading: a Secret is as safe as a std::vector: const calls may run together.
// Limits: memory is locked as far as RLIMIT_MEMLOCK allows; past that it is still wiped and kept
// out of core dumps (see secret_memory.h).
#ifndef PARLEY_CRYPTO_BASE_SECRET_H_
#define PARLEY_CRYPTO_BASE_SECRET_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "crypto/base/bytes.h"

namespace parley::crypto {

class Secret {
 public:
  // An empty secret: size() is 0.
  Secret() = default;
  // `size` zero bytes, to be filled through RevealMutable().
  explicit Secret(size_t size);
  static Secret CopyOf(ByteView bytes);
  // `size` bytes of the operating system's generator; CHECK-fails if there is none.
  static Secret Random(size_t size);

  Secret(Secret&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  Secret Clone() const { return CopyOf(Reveal()); }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // The bytes; valid while the secret lives and is not moved from.
  ByteView Reveal() const { return ByteView(data_, size_); }
  std::span<uint8_t> RevealMutable() { return std::span<uint8_t>(data_, size_); }

  // Wipes and frees the bytes; the secret is then empty.
  void Wipe();

  friend bool operator==(const Secret&, const Secret&) = delete;

 private:
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

// Whether `a` and `b` hold the same bytes, in time that depends on their lengths only.
bool ConstantTimeEquals(ByteView a, ByteView b);

// Overwrites `bytes` with zeros in a way that the compiler keeps.
void WipeBytes(std::span<uint8_t> bytes);

// `parts`, one after the other, as a secret.
Secret ConcatSecret(std::initializer_list<ByteView> parts);

// Wipes a plain buffer (a decrypted protobuf string, say) when the scope ends.
template <typename Container>
class ScopedWipe {
 public:
  explicit ScopedWipe(Container& container) : container_(container) {}
  ~ScopedWipe() {
    WipeBytes(std::span<uint8_t>(reinterpret_cast<uint8_t*>(container_.data()), container_.size()));
  }
  ScopedWipe(const ScopedWipe&) = delete;
  ScopedWipe& operator=(const ScopedWipe&) = delete;

 private:
  Container& container_;
};

}  // namespace parley::crypto

#endif  // PARLEY_CRYPTO_BASE_SECRET_H_
