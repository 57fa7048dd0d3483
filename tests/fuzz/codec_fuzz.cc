// The codec, padding and text forms: what is read is written to the same bytes again.
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/codec.h"
#include "crypto/base/padding.h"
#include "tests/fuzz/fuzz_check.h"

namespace parley::crypto {
namespace {

struct Leaf {
  uint16_t kind = 0;
  Bytes body;
  std::optional<uint32_t> number;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.kind, self.body, self.number);
  }
};

// One of each form that the codec knows.
struct Everything {
  uint8_t a = 0;
  uint64_t b = 0;
  ByteArray<4> raw{};
  std::string text;
  Secret secret;
  std::vector<Leaf> leaves;
  std::vector<std::vector<uint16_t>> nested;
  std::optional<Leaf> maybe;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.a, self.b, self.raw, self.text, self.secret, self.leaves, self.nested,
                    self.maybe);
  }
};

template <typename T>
void ReadsAndWritesAlike(ByteView wire) {
  const absl::StatusOr<T> value = Parse<T>(wire);
  if (!value.ok()) {
    FUZZ_CHECK(absl::IsInvalidArgument(value.status()));
    return;
  }
  FUZZ_CHECK(PublicEquals(Serialize(*value), wire));
  FUZZ_CHECK(PublicEquals(SerializeSecret(*value).Reveal(), wire));
}

void Padding(ByteView wire) {
  const absl::StatusOr<Bytes> data = Unpad(wire);
  if (data.ok()) FUZZ_CHECK(PublicEquals(Pad(*data), wire));
  FUZZ_CHECK(Unpad(Pad(wire)).value() == Bytes(wire.begin(), wire.end()));
}

void Text(ByteView wire) {
  const std::string text = ToString(wire);
  const absl::StatusOr<Bytes> base64 = FromBase64Url(text);
  if (base64.ok()) FUZZ_CHECK(ToBase64Url(*base64) == text);
  const absl::StatusOr<Bytes> hex = FromHex(text);
  if (hex.ok()) FUZZ_CHECK(FromHex(ToHex(*hex)).value() == *hex);
}

}  // namespace
}  // namespace parley::crypto

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace parley::crypto;
  if (size == 0) return 0;
  const ByteView wire(data + 1, size - 1);
  switch (data[0] % 5) {
    case 0:
      ReadsAndWritesAlike<Everything>(wire);
      break;
    case 1:
      ReadsAndWritesAlike<std::vector<Leaf>>(wire);
      break;
    case 2:
      ReadsAndWritesAlike<Bytes>(wire);
      break;
    case 3:
      Padding(wire);
      break;
    default:
      Text(wire);
  }
  return 0;
}
