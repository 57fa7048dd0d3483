// Byte strings that are not secret, and their text forms.
//
// Threading: free functions without shared state.
#ifndef PARLEY_CRYPTO_BASE_BYTES_H_
#define PARLEY_CRYPTO_BASE_BYTES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace parley::crypto {

using Bytes = std::vector<uint8_t>;
using ByteView = std::span<const uint8_t>;
template <size_t N>
using ByteArray = std::array<uint8_t, N>;

// The bytes of `text`, without a terminator.
Bytes ToBytes(std::string_view text);
// A view of the bytes of `text`; valid as long as `text` is.
ByteView ViewOf(std::string_view text);
// The bytes of `text`, to be written; valid until its size changes.
std::span<uint8_t> BytesOf(std::string& text);
// The bytes of `bytes` as a std::string, for protobuf fields and database values.
std::string ToString(ByteView bytes);

// `parts`, one after the other.
Bytes Concat(std::initializer_list<ByteView> parts);

// Big-endian, as network protocols have it.
ByteArray<8> BigEndian64(uint64_t value);
ByteArray<4> BigEndian32(uint32_t value);

// Lower-case hexadecimal.
std::string ToHex(ByteView bytes);
// Errors: InvalidArgument when `hex` has an odd length or a character outside [0-9a-fA-F].
absl::StatusOr<Bytes> FromHex(std::string_view hex);

// Base64url without padding (RFC 4648 section 5).
std::string ToBase64Url(ByteView bytes);
// Errors: InvalidArgument for a character outside the alphabet, padding, an impossible length, or
// unused bits that are not zero; so that every text has one reading and every value one text.
absl::StatusOr<Bytes> FromBase64Url(std::string_view text);

// Equality of public bytes; not constant-time. For secrets use ConstantTimeEquals in secret.h.
bool PublicEquals(ByteView a, ByteView b);

}  // namespace parley::crypto

#endif  // PARLEY_CRYPTO_BASE_BYTES_H_
