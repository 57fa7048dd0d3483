#include "crypto/primitives/signature.h"

#include <sodium.h>

#include "crypto/base/check.h"
#include "crypto/primitives/random.h"

namespace parley::crypto {

SignatureKey SignatureKey::Generate() {
  return FromSeed(Secret::Random(kSignatureSeedSize).Reveal()).value();
}

absl::StatusOr<SignatureKey> SignatureKey::FromSeed(ByteView seed) {
  InitializeCrypto();
  if (seed.size() != kSignatureSeedSize) {
    return absl::InvalidArgumentError("a signature key's seed must be 32 bytes");
  }
  SignatureKey key;
  key.expanded_ = Secret(crypto_sign_ed25519_SECRETKEYBYTES);
  const int result = crypto_sign_ed25519_seed_keypair(
      key.public_key_.data(), key.expanded_.RevealMutable().data(), seed.data());
  PARLEY_CHECK(result == 0);
  return key;
}

Secret SignatureKey::Seed() const {
  return Secret::CopyOf(expanded_.Reveal().first(kSignatureSeedSize));
}

SignatureKey SignatureKey::Clone() const {
  SignatureKey copy;
  copy.expanded_ = expanded_.Clone();
  copy.public_key_ = public_key_;
  return copy;
}

Bytes SignatureKey::Sign(ByteView message) const {
  PARLEY_CHECK(!expanded_.empty());  // moved from
  Bytes signature(kSignatureSize);
  const int result = crypto_sign_ed25519_detached(signature.data(), nullptr, message.data(),
                                                  message.size(), expanded_.Reveal().data());
  PARLEY_CHECK(result == 0);
  return signature;
}

absl::Status VerifySignature(ByteView public_key, ByteView message, ByteView signature) {
  InitializeCrypto();
  if (public_key.size() == kSignaturePublicKeySize && signature.size() == kSignatureSize &&
      crypto_sign_ed25519_verify_detached(signature.data(), message.data(), message.size(),
                                          public_key.data()) == 0) {
    return absl::OkStatus();
  }
  return absl::UnauthenticatedError("the signature doesn't verify");
}

}  // namespace parley::crypto
