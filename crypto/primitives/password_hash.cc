#include "crypto/primitives/password_hash.h"

#include <sodium.h>

#include "crypto/primitives/random.h"

namespace parley::crypto {
namespace {

constexpr size_t kMinimumLength = 16;
constexpr size_t kMaximumLength = 1024;
constexpr uint32_t kMaximumPasses = 1000;
constexpr uint64_t kMaximumMemory = uint64_t{4} << 30;

}  // namespace

PasswordHashParameters PasswordHashParameters::Moderate() {
  return {crypto_pwhash_argon2id_OPSLIMIT_MODERATE, crypto_pwhash_argon2id_MEMLIMIT_MODERATE};
}

PasswordHashParameters PasswordHashParameters::Interactive() {
  return {crypto_pwhash_argon2id_OPSLIMIT_INTERACTIVE, crypto_pwhash_argon2id_MEMLIMIT_INTERACTIVE};
}

PasswordHashParameters PasswordHashParameters::Weakest() {
  return {crypto_pwhash_argon2id_OPSLIMIT_MIN, crypto_pwhash_argon2id_MEMLIMIT_MIN};
}

absl::StatusOr<Secret> HashPassword(ByteView password, ByteView salt,
                                    const PasswordHashParameters& parameters, size_t length) {
  InitializeCrypto();
  if (salt.size() != kPasswordSaltSize) {
    return absl::InvalidArgumentError("a passphrase's salt must be 16 bytes");
  }
  if (length < kMinimumLength || length > kMaximumLength) {
    return absl::InvalidArgumentError("a passphrase gives between 16 and 1024 bytes");
  }
  if (parameters.passes < crypto_pwhash_argon2id_OPSLIMIT_MIN ||
      parameters.passes > kMaximumPasses ||
      parameters.memory_bytes < crypto_pwhash_argon2id_MEMLIMIT_MIN ||
      parameters.memory_bytes > kMaximumMemory) {
    return absl::InvalidArgumentError("the passphrase hash's cost is out of bounds");
  }
  Secret out(length);
  const char* text = password.empty() ? "" : reinterpret_cast<const char*>(password.data());
  if (crypto_pwhash_argon2id(out.RevealMutable().data(), length, text, password.size(), salt.data(),
                             parameters.passes, static_cast<size_t>(parameters.memory_bytes),
                             crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0) {
    return absl::ResourceExhaustedError("not enough memory to check the passphrase: " +
                                        std::to_string(parameters.memory_bytes >> 20) +
                                        " MiB are needed");
  }
  return out;
}

}  // namespace parley::crypto
