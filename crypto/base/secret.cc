#include "crypto/base/secret.h"

#include <string.h>
#include <sys/random.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "crypto/base/secret_memory.h"

namespace parley::crypto {

Secret::Secret(size_t size) : data_(size == 0 ? nullptr : AllocateSecret(size)), size_(size) {}

Secret Secret::CopyOf(ByteView bytes) {
  Secret out(bytes.size());
  if (!bytes.empty()) memcpy(out.data_, bytes.data(), bytes.size());
  return out;
}

Secret Secret::Random(size_t size) {
  Secret out(size);
  size_t done = 0;
  while (done < size) {
    const ssize_t got = getrandom(out.data_ + done, size - done, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      // Going on without randomness would make predictable keys.
      fputs("parley: the operating system gives no random numbers\n", stderr);
      abort();
    }
    done += static_cast<size_t>(got);
  }
  return out;
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    Wipe();
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

Secret::~Secret() { Wipe(); }

void Secret::Wipe() {
  if (data_ != nullptr) FreeSecret(data_, size_);
  data_ = nullptr;
  size_ = 0;
}

bool ConstantTimeEquals(ByteView a, ByteView b) {
  if (a.size() != b.size()) return false;
  volatile uint8_t difference = 0;
  for (size_t i = 0; i < a.size(); ++i) difference = difference | (a[i] ^ b[i]);
  return difference == 0;
}

void WipeBytes(std::span<uint8_t> bytes) {
  if (!bytes.empty()) explicit_bzero(bytes.data(), bytes.size());
}

Secret ConcatSecret(std::initializer_list<ByteView> parts) {
  size_t size = 0;
  for (ByteView part : parts) size += part.size();
  Secret out(size);
  size_t at = 0;
  for (ByteView part : parts) {
    if (!part.empty()) memcpy(out.RevealMutable().data() + at, part.data(), part.size());
    at += part.size();
  }
  return out;
}

}  // namespace parley::crypto
