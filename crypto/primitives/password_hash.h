// Argon2id (RFC 9106), version 1.3 with one lane: keys from passphrases.
//
//   PasswordHashParameters parameters = PasswordHashParameters::Moderate();   // stored beside it
//   ByteArray<kPasswordSaltSize> salt = RandomArray<kPasswordSaltSize>();     // stored too
//   absl::StatusOr<Secret> key = HashPassword(passphrase, salt, parameters, 32);
//
// Threading: safe from any thread; each call takes parameters.memory_bytes while it runs.
#ifndef PARLEY_CRYPTO_PRIMITIVES_PASSWORD_HASH_H_
#define PARLEY_CRYPTO_PRIMITIVES_PASSWORD_HASH_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "crypto/base/bytes.h"
#include "crypto/base/secret.h"

namespace parley::crypto {

inline constexpr size_t kPasswordSaltSize = 16;

struct PasswordHashParameters {
  uint32_t passes = 0;
  uint64_t memory_bytes = 0;

  // 3 passes over 256 MiB: about half a second. The default.
  static PasswordHashParameters Moderate();
  // 2 passes over 64 MiB.
  static PasswordHashParameters Interactive();
  // 1 pass over 8 KiB: no protection at all. For tests.
  static PasswordHashParameters Weakest();
};

// `length` bytes (16 to 1024) from `password`.
// Errors: InvalidArgument for a salt that isn't 16 bytes, a length out of bounds, or parameters
// that no honest store has (no pass or more than 1,000, under 8 KiB or over 4 GiB): so that a
// doctored file can't hang the program; ResourceExhausted when the memory can't be had.
absl::StatusOr<Secret> HashPassword(ByteView password, ByteView salt,
                                    const PasswordHashParameters& parameters, size_t length);

}  // namespace parley::crypto

#endif  // PARLEY_CRYPTO_PRIMITIVES_PASSWORD_HASH_H_
