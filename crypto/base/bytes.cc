#include "crypto/base/bytes.h"

#include <algorithm>

namespace parley::crypto {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64UrlAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Bytes ToBytes(std::string_view text) { return Bytes(text.begin(), text.end()); }

ByteView ViewOf(std::string_view text) {
  return ByteView(reinterpret_cast<const uint8_t*>(text.data()), text.size());
}

std::span<uint8_t> BytesOf(std::string& text) {
  return {reinterpret_cast<uint8_t*>(text.data()), text.size()};
}

std::string ToString(ByteView bytes) { return std::string(bytes.begin(), bytes.end()); }

Bytes Concat(std::initializer_list<ByteView> parts) {
  size_t size = 0;
  for (ByteView part : parts) size += part.size();
  Bytes out;
  out.reserve(size);
  for (ByteView part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

ByteArray<8> BigEndian64(uint64_t value) {
  ByteArray<8> out;
  for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<uint8_t>(value >> (56 - 8 * i));
  return out;
}

ByteArray<4> BigEndian32(uint32_t value) {
  ByteArray<4> out;
  for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<uint8_t>(value >> (24 - 8 * i));
  return out;
}

std::string ToHex(ByteView bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (uint8_t byte : bytes) {
    out.push_back(kHexDigits[byte >> 4]);
    out.push_back(kHexDigits[byte & 15]);
  }
  return out;
}

absl::StatusOr<Bytes> FromHex(std::string_view hex) {
  if (hex.size() % 2 != 0) return absl::InvalidArgumentError("hexadecimal text of odd length");
  Bytes out;
  out.reserve(hex.size() / 2);
  for (size_t i = 0; i < hex.size(); i += 2) {
    const int high = HexValue(hex[i]);
    const int low = HexValue(hex[i + 1]);
    if (high < 0 || low < 0) return absl::InvalidArgumentError("not a hexadecimal digit");
    out.push_back(static_cast<uint8_t>(high << 4 | low));
  }
  return out;
}

std::string ToBase64Url(ByteView bytes) {
  std::string out;
  out.reserve((bytes.size() * 4 + 2) / 3);
  uint32_t buffer = 0;
  int bits = 0;
  for (uint8_t byte : bytes) {
    buffer = buffer << 8 | byte;
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      out.push_back(kBase64UrlAlphabet[buffer >> bits & 63]);
    }
  }
  if (bits > 0) out.push_back(kBase64UrlAlphabet[buffer << (6 - bits) & 63]);
  return out;
}

absl::StatusOr<Bytes> FromBase64Url(std::string_view text) {
  if (text.size() % 4 == 1) return absl::InvalidArgumentError("base64url text cut short");
  Bytes out;
  out.reserve(text.size() * 3 / 4);
  uint32_t buffer = 0;
  int bits = 0;
  for (char c : text) {
    const size_t value = kBase64UrlAlphabet.find(c);
    if (value == std::string_view::npos) {
      return absl::InvalidArgumentError("a character that base64url text does not have");
    }
    buffer = buffer << 6 | static_cast<uint32_t>(value);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out.push_back(static_cast<uint8_t>(buffer >> bits));
    }
  }
  if ((buffer & ((1u << bits) - 1)) != 0) {
    return absl::InvalidArgumentError("base64url text with stray bits at its end");
  }
  return out;
}

bool PublicEquals(ByteView a, ByteView b) { return std::ranges::equal(a, b); }

}  // namespace parley::crypto
