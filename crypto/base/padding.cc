#include "crypto/base/padding.h"

#include <algorithm>
#include <bit>

#include "crypto/base/check.h"

namespace parley::crypto {
namespace {

constexpr size_t kLengthBytes = 4;

size_t PaddedSize(size_t data_size, size_t minimum) {
  return std::max(static_cast<size_t>(PadmeSize(data_size + kLengthBytes)), minimum);
}

absl::Status BadPadding() { return absl::InvalidArgumentError("the padding is malformed"); }

}  // namespace

uint64_t PadmeSize(uint64_t size) {
  if (size < 2 || size > uint64_t{1} << 63) return size;
  const int exponent = static_cast<int>(std::bit_width(size)) - 1;
  const int exponent_bits = static_cast<int>(std::bit_width(static_cast<unsigned>(exponent)));
  // As many low bits become zero as leave the mantissa no more bits than the exponent has.
  const int low_bits = exponent - exponent_bits;
  if (low_bits <= 0) return size;
  const uint64_t mask = (uint64_t{1} << low_bits) - 1;
  return (size + mask) & ~mask;
}

Bytes Pad(ByteView data, size_t minimum) {
  PARLEY_CHECK(data.size() <= UINT32_MAX);
  PARLEY_CHECK(PadmeSize(minimum) == minimum);
  Bytes out;
  out.reserve(PaddedSize(data.size(), minimum));
  const ByteArray<4> length = BigEndian32(static_cast<uint32_t>(data.size()));
  out.insert(out.end(), length.begin(), length.end());
  out.insert(out.end(), data.begin(), data.end());
  out.resize(PaddedSize(data.size(), minimum));
  return out;
}

absl::StatusOr<Bytes> Unpad(ByteView padded, size_t minimum) {
  if (padded.size() < kLengthBytes) return BadPadding();
  size_t length = 0;
  for (size_t i = 0; i < kLengthBytes; ++i) length = length << 8 | padded[i];
  ByteView rest = padded.subspan(kLengthBytes);
  if (length > rest.size() || padded.size() != PaddedSize(length, minimum)) return BadPadding();
  ByteView zeros = rest.subspan(length);
  if (std::ranges::any_of(zeros, [](uint8_t byte) { return byte != 0; })) return BadPadding();
  rest = rest.first(length);
  return Bytes(rest.begin(), rest.end());
}

}  // namespace parley::crypto
