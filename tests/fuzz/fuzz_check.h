// What a fuzz target uses to say that something must hold.
#ifndef PARLEY_TESTS_FUZZ_FUZZ_CHECK_H_
#define PARLEY_TESTS_FUZZ_FUZZ_CHECK_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "crypto/base/bytes.h"
#include "crypto/base/check.h"

#define FUZZ_CHECK(condition) PARLEY_CHECK(condition)

namespace parley::fuzz {

// Takes bytes from the front of a fuzzer's input; zeros when there are none left.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : rest_(data, size) {}

  uint8_t Byte() {
    if (rest_.empty()) return 0;
    const uint8_t out = rest_.front();
    rest_ = rest_.subspan(1);
    return out;
  }
  size_t Number() { return static_cast<size_t>(Byte()) << 8 | Byte(); }
  crypto::ByteView Take(size_t size) {
    const crypto::ByteView out = rest_.first(std::min(size, rest_.size()));
    rest_ = rest_.subspan(out.size());
    return out;
  }
  crypto::ByteView Rest() const { return rest_; }
  bool empty() const { return rest_.empty(); }

 private:
  crypto::ByteView rest_;
};

// `bytes` with the edits that `input` spells: (where, xor) pairs of three bytes each, up to its
// end.
inline crypto::Bytes Edited(crypto::Bytes bytes, Input& input) {
  while (!input.empty()) {
    const size_t where = input.Number();
    const uint8_t change = input.Byte();
    if (!bytes.empty()) bytes[where % bytes.size()] ^= change;
  }
  return bytes;
}

}  // namespace parley::fuzz

#endif  // PARLEY_TESTS_FUZZ_FUZZ_CHECK_H_
