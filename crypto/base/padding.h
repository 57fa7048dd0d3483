// Padding that hides exact sizes.
//
// Padmé (Nikitin, Barman, Lueks, Underwood, Hubaux, Ford: "Reducing Metadata Leakage from Encrypted
// Files and Communication with PURBs", 2019) rounds a size up so that only the upper bits of its
// floating-point form are left: at most 12 % more bytes, and O(log log size) bits leaked.
//
// Threading: free functions without shared state.
#ifndef PARLEY_CRYPTO_BASE_PADDING_H_
#define PARLEY_CRYPTO_BASE_PADDING_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "crypto/base/bytes.h"

namespace parley::crypto {

// What Pad() fills up to when its caller asks for no more.
inline constexpr size_t kMinimumPaddedSize = 256;

// The smallest Padmé size that holds `size` bytes; 0 and 1 are their own. Sizes over 2^63 stay as
// they are, since what they round to may not fit.
uint64_t PadmeSize(uint64_t size);

// BE32 length || data || zeros, up to the Padmé size of that, and to at least `minimum` bytes in
// all. CHECK-fails when `data` is 4 GiB or more, or `minimum` is not a Padmé size.
Bytes Pad(ByteView data, size_t minimum = kMinimumPaddedSize);

// The data that Pad() wrapped with the same `minimum`.
// Errors: InvalidArgument when the length doesn't fit, a padding byte isn't zero, or the size isn't
// exactly what Pad() makes; so that every padded text has one form.
absl::StatusOr<Bytes> Unpad(ByteView padded, size_t minimum = kMinimumPaddedSize);

}  // namespace parley::crypto

#endif  // PARLEY_CRYPTO_BASE_PADDING_H_
