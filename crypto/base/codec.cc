#include "crypto/base/codec.h"

#include <algorithm>

#include "crypto/base/check.h"

namespace parley::crypto {
namespace {

absl::Status CutShort() { return absl::InvalidArgumentError("the bytes end too early"); }

// Big-endian integer of sizeof(T) bytes.
template <typename T>
absl::Status ReadInteger(ByteView& rest, T& out) {
  if (rest.size() < sizeof(T)) return CutShort();
  uint64_t value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) value = value << 8 | rest[i];
  out = static_cast<T>(value);
  rest = rest.subspan(sizeof(T));
  return absl::OkStatus();
}

}  // namespace

absl::Status Reader::ReadUint8(uint8_t& out) { return ReadInteger(rest_, out); }
absl::Status Reader::ReadUint16(uint16_t& out) { return ReadInteger(rest_, out); }
absl::Status Reader::ReadUint32(uint32_t& out) { return ReadInteger(rest_, out); }
absl::Status Reader::ReadUint64(uint64_t& out) { return ReadInteger(rest_, out); }

absl::Status Reader::ReadVectorLength(size_t& out) {
  if (rest_.empty()) return CutShort();
  // RFC 9420 section 2.1.2: the two most significant bits of the first byte give the length of the
  // header; "11" is invalid, and the value must use the shortest form.
  const uint8_t prefix = rest_[0] >> 6;
  if (prefix == 3) return absl::InvalidArgumentError("a vector header of the reserved form");
  const size_t width = size_t{1} << prefix;
  if (rest_.size() < width) return CutShort();
  uint32_t length = rest_[0] & 0x3f;
  for (size_t i = 1; i < width; ++i) length = length << 8 | rest_[i];
  const bool minimal =
      prefix == 0 || (prefix == 1 && length >= 64) || (prefix == 2 && length >= 16384);
  if (!minimal) return absl::InvalidArgumentError("a vector header longer than needed");
  rest_ = rest_.subspan(width);
  if (length > rest_.size()) return CutShort();
  out = length;
  return absl::OkStatus();
}

absl::Status Reader::ReadRaw(size_t size, ByteView& out) {
  if (rest_.size() < size) return CutShort();
  out = rest_.first(size);
  rest_ = rest_.subspan(size);
  return absl::OkStatus();
}

absl::Status Reader::ReadOpaque(ByteView& out) {
  size_t length = 0;
  PARLEY_RETURN_IF_ERROR(ReadVectorLength(length));
  return ReadRaw(length, out);
}

absl::Status Reader::ExpectEnd() const {
  if (rest_.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError("bytes left over at the end");
}

void Writer::Reserve(size_t more) {
  const size_t needed = buffer_.size() + more;
  if (needed <= buffer_.capacity()) return;
  // std::vector would free the old buffer without wiping it.
  // Most of what is written is small, and is written field by field.
  constexpr size_t kLeastCapacity = 256;
  Bytes grown;
  grown.reserve(std::max({needed, buffer_.capacity() * 2, kLeastCapacity}));
  grown.assign(buffer_.begin(), buffer_.end());
  WipeBytes(buffer_);
  buffer_ = std::move(grown);
}

void Writer::WriteUint8(uint8_t value) {
  Reserve(1);
  buffer_.push_back(value);
}

void Writer::WriteUint16(uint16_t value) {
  WriteUint8(static_cast<uint8_t>(value >> 8));
  WriteUint8(static_cast<uint8_t>(value));
}

void Writer::WriteUint32(uint32_t value) { WriteRaw(BigEndian32(value)); }

void Writer::WriteUint64(uint64_t value) { WriteRaw(BigEndian64(value)); }

void Writer::WriteVectorLength(size_t length) {
  PARLEY_CHECK(length <= kMaxVectorLength);
  const uint32_t value = static_cast<uint32_t>(length);
  if (value < 64) {
    WriteUint8(static_cast<uint8_t>(value));
  } else if (value < 16384) {
    WriteUint16(static_cast<uint16_t>(value | 0x4000));
  } else {
    WriteUint32(value | 0x80000000u);
  }
}

void Writer::PrefixVectorLength(size_t start) {
  PARLEY_CHECK(start <= buffer_.size());
  const size_t length = buffer_.size() - start;
  WriteVectorLength(length);
  // The header is behind the vector now: the two change places.
  const size_t width = buffer_.size() - start - length;
  std::array<uint8_t, sizeof(uint32_t)> header{};
  const auto vector = buffer_.begin() + static_cast<ptrdiff_t>(start);
  const auto behind = vector + static_cast<ptrdiff_t>(length);
  std::copy(behind, buffer_.end(), header.begin());
  std::copy_backward(vector, behind, buffer_.end());
  std::copy_n(header.begin(), width, vector);
}

void Writer::WriteRaw(ByteView bytes) {
  Reserve(bytes.size());
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

void Writer::WriteOpaque(ByteView bytes) {
  WriteVectorLength(bytes.size());
  WriteRaw(bytes);
}

absl::Status Decode(Reader& r, Bytes& v) {
  ByteView body;
  PARLEY_RETURN_IF_ERROR(r.ReadOpaque(body));
  v.assign(body.begin(), body.end());
  return absl::OkStatus();
}

absl::Status Decode(Reader& r, Secret& v) {
  ByteView body;
  PARLEY_RETURN_IF_ERROR(r.ReadOpaque(body));
  v = Secret::CopyOf(body);
  return absl::OkStatus();
}

absl::Status Decode(Reader& r, std::string& v) {
  ByteView body;
  PARLEY_RETURN_IF_ERROR(r.ReadOpaque(body));
  v.assign(body.begin(), body.end());
  return absl::OkStatus();
}

}  // namespace parley::crypto
