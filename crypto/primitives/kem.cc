#include "crypto/primitives/kem.h"

#include <sodium.h>

#include <algorithm>

#include "crypto/base/check.h"
#include "crypto/base/status_macros.h"
#include "crypto/primitives/aead.h"
#include "crypto/primitives/labeled_kdf.h"
#include "crypto/primitives/random.h"
#include "crypto/primitives/x25519.h"

namespace parley::crypto {
namespace {

absl::Status BadPrivateKey() {
  return absl::InvalidArgumentError("a KEM private key of the wrong size");
}

absl::Status BadPublicKey() {
  return absl::InvalidArgumentError("a KEM public key that is malformed");
}

// RFC 9180 section 4.1: suite_id = concat("KEM", I2OSP(kem_id, 2)).
Bytes KemSuiteId(KemId id) {
  return Concat({ViewOf("KEM"), BigEndian16(static_cast<uint16_t>(id))});
}

Bytes AsBytes(ByteView view) { return Bytes(view.begin(), view.end()); }

class Dhkem final : public Kem {
 public:
  KemId id() const override { return KemId::kDhkemX25519HkdfSha256; }
  size_t public_key_size() const override { return kX25519KeySize; }
  size_t private_key_size() const override { return kX25519KeySize; }
  size_t enc_size() const override { return kX25519KeySize; }
  size_t encap_randomness_size() const override { return kX25519KeySize; }
  bool has_auth() const override { return true; }

  // RFC 9180 section 7.1.3.
  KemKeyPair DeriveKeyPair(ByteView ikm) const override {
    const Bytes suite_id = KemSuiteId(id());
    const Secret prk = LabeledExtract(kHash, suite_id, {}, "dkp_prk", ikm);
    Secret sk = LabeledExpand(kHash, suite_id, prk.Reveal(), "sk", {}, kX25519KeySize);
    Bytes public_key = AsBytes(X25519PublicKey(sk.Reveal()));
    return {std::move(sk), std::move(public_key)};
  }

  absl::StatusOr<Bytes> PublicKeyOf(ByteView private_key) const override {
    if (private_key.size() != kX25519KeySize) return BadPrivateKey();
    return AsBytes(X25519PublicKey(private_key));
  }

  absl::Status CheckPublicKey(ByteView public_key) const override {
    return IsX25519PublicKey(public_key) ? absl::OkStatus() : BadPublicKey();
  }

  absl::StatusOr<Encapsulation> EncapDeterministic(ByteView public_key,
                                                   ByteView randomness) const override {
    return EncapFrom(public_key, {}, randomness);
  }

  absl::StatusOr<Encapsulation> AuthEncapDeterministic(ByteView public_key,
                                                       ByteView sender_private_key,
                                                       ByteView randomness) const override {
    if (sender_private_key.size() != kX25519KeySize) return BadPrivateKey();
    return EncapFrom(public_key, sender_private_key, randomness);
  }

  absl::StatusOr<Secret> Decap(ByteView enc, ByteView private_key) const override {
    return DecapFrom(enc, private_key, {});
  }

  absl::StatusOr<Secret> AuthDecap(ByteView enc, ByteView private_key,
                                   ByteView sender_public_key) const override {
    PARLEY_RETURN_IF_ERROR(CheckPublicKey(sender_public_key));
    return DecapFrom(enc, private_key, sender_public_key);
  }

 private:
  static constexpr HashAlgorithm kHash = HashAlgorithm::kSha256;

  // def AuthEncap(pkR, skS):                       def Encap(pkR): the same without skS
  //   skE, pkE = GenerateKeyPair()
  //   dh = concat(DH(skE, pkR), DH(skS, pkR))
  //   enc = SerializePublicKey(pkE)
  //   kem_context = concat(enc, pkRm, pkSm)
  //   shared_secret = ExtractAndExpand(dh, kem_context)
  absl::StatusOr<Encapsulation> EncapFrom(ByteView public_key, ByteView sender_private_key,
                                          ByteView randomness) const {
    if (!IsX25519PublicKey(public_key)) return BadPublicKey();
    KemKeyPair ephemeral = DeriveKeyPair(randomness);
    PARLEY_ASSIGN_OR_RETURN(Secret dh, X25519(ephemeral.private_key.Reveal(), public_key));
    Bytes context = Concat({ephemeral.public_key, public_key});
    if (!sender_private_key.empty()) {
      PARLEY_ASSIGN_OR_RETURN(const Secret second, X25519(sender_private_key, public_key));
      dh = ConcatSecret({dh.Reveal(), second.Reveal()});
      context = Concat({context, X25519PublicKey(sender_private_key)});
    }
    return Encapsulation{ExtractAndExpand(dh, context), std::move(ephemeral.public_key)};
  }

  absl::StatusOr<Secret> DecapFrom(ByteView enc, ByteView private_key,
                                   ByteView sender_public_key) const {
    if (private_key.size() != kX25519KeySize) return BadPrivateKey();
    absl::StatusOr<Secret> dh = X25519(private_key, enc);
    if (!dh.ok()) return DecryptionFailed();
    const ByteArray<kX25519KeySize> public_key = X25519PublicKey(private_key);
    if (sender_public_key.empty()) {
      return ExtractAndExpand(*dh, Concat({enc, public_key}));
    }
    PARLEY_ASSIGN_OR_RETURN(const Secret second, X25519(private_key, sender_public_key));
    return ExtractAndExpand(ConcatSecret({dh->Reveal(), second.Reveal()}),
                            Concat({enc, public_key, sender_public_key}));
  }

  // def ExtractAndExpand(dh, kem_context):
  //   eae_prk = LabeledExtract("", "eae_prk", dh)
  //   shared_secret = LabeledExpand(eae_prk, "shared_secret", kem_context, Nsecret)
  Secret ExtractAndExpand(const Secret& dh, ByteView kem_context) const {
    const Bytes suite_id = KemSuiteId(id());
    const Secret prk = LabeledExtract(kHash, suite_id, {}, "eae_prk", dh.Reveal());
    return LabeledExpand(kHash, suite_id, prk.Reveal(), "shared_secret", kem_context, kSha256Size);
  }
};

enum class SeedDerivation { kLabeledDerive, kShake256 };

// FIPS 203 section 7.2's modulus check: each coefficient of the encapsulation key, 12 bits, is
// below q. What follows the coefficients is a seed that may be anything.
bool IsMlKem768PublicKey(ByteView key) {
  constexpr uint32_t kModulus = 3329;
  constexpr size_t kCoefficientBytes = 3 * 256 * 12 / 8;
  if (key.size() != crypto_kem_mlkem768_PUBLICKEYBYTES) return false;
  for (size_t i = 0; i < kCoefficientBytes; i += 3) {
    const uint32_t first = key[i] | (key[i + 1] & 15u) << 8;
    const uint32_t second = key[i + 1] >> 4 | static_cast<uint32_t>(key[i + 2]) << 4;
    if (first >= kModulus || second >= kModulus) return false;
  }
  return true;
}

// X-Wing, under both ways of deriving its seed.
class XWingKem final : public Kem {
 public:
  explicit XWingKem(SeedDerivation derivation) : derivation_(derivation) {}

  KemId id() const override { return KemId::kMlKem768X25519; }
  size_t public_key_size() const override { return crypto_kem_xwing_PUBLICKEYBYTES; }
  size_t private_key_size() const override { return crypto_kem_xwing_SECRETKEYBYTES; }
  size_t enc_size() const override { return crypto_kem_xwing_CIPHERTEXTBYTES; }
  size_t encap_randomness_size() const override { return kRandomness; }

  // draft-ietf-hpke-pq section 4:
  // def DeriveKeyPair(ikm):
  //   seed = SHAKE256.LabeledDerive(ikm, "DeriveKeyPair", "", 32)
  //   return KEM.DeriveKeyPair(seed)
  KemKeyPair DeriveKeyPair(ByteView ikm) const override {
    Secret seed = derivation_ == SeedDerivation::kLabeledDerive
                      ? LabeledDerive(KemSuiteId(id()), ikm, "DeriveKeyPair", {}, kSeedSize)
                      : Shake256(ikm, kSeedSize);
    Bytes public_key = PublicKeyOf(seed.Reveal()).value();
    return {std::move(seed), std::move(public_key)};
  }

  absl::StatusOr<Bytes> PublicKeyOf(ByteView private_key) const override {
    InitializeCrypto();
    if (private_key.size() != kSeedSize) return BadPrivateKey();
    Bytes public_key(public_key_size());
    Secret same(kSeedSize);
    const int result = crypto_kem_xwing_seed_keypair(public_key.data(), same.RevealMutable().data(),
                                                     private_key.data());
    PARLEY_CHECK(result == 0);
    return public_key;
  }

  absl::Status CheckPublicKey(ByteView public_key) const override {
    if (public_key.size() != public_key_size() ||
        !IsMlKem768PublicKey(public_key.first(crypto_kem_mlkem768_PUBLICKEYBYTES)) ||
        !IsX25519PublicKey(public_key.subspan(crypto_kem_mlkem768_PUBLICKEYBYTES))) {
      return BadPublicKey();
    }
    return absl::OkStatus();
  }

  absl::StatusOr<Encapsulation> EncapDeterministic(ByteView public_key,
                                                   ByteView randomness) const override {
    InitializeCrypto();
    PARLEY_CHECK(randomness.size() == kRandomness);
    PARLEY_RETURN_IF_ERROR(CheckPublicKey(public_key));
    Encapsulation out{Secret(crypto_kem_xwing_SHAREDSECRETBYTES), Bytes(enc_size())};
    if (crypto_kem_xwing_enc_deterministic(out.enc.data(), out.shared_secret.RevealMutable().data(),
                                           public_key.data(), randomness.data()) != 0) {
      return BadPublicKey();
    }
    return out;
  }

  absl::StatusOr<Secret> Decap(ByteView enc, ByteView private_key) const override {
    InitializeCrypto();
    if (private_key.size() != kSeedSize) return BadPrivateKey();
    if (enc.size() != enc_size()) return DecryptionFailed();
    Secret shared_secret(crypto_kem_xwing_SHAREDSECRETBYTES);
    if (crypto_kem_xwing_dec(shared_secret.RevealMutable().data(), enc.data(),
                             private_key.data()) != 0) {
      return DecryptionFailed();
    }
    return shared_secret;
  }

 private:
  static constexpr size_t kSeedSize = crypto_kem_xwing_SEEDBYTES;
  static constexpr size_t kRandomness = 64;

  const SeedDerivation derivation_;
};

absl::Status NoAuth() {
  return absl::UnimplementedError("this KEM has no authenticated encapsulation");
}

}  // namespace

KemKeyPair Kem::GenerateKeyPair() const {
  return DeriveKeyPair(Secret::Random(private_key_size()).Reveal());
}

absl::StatusOr<Encapsulation> Kem::Encap(ByteView public_key) const {
  return EncapDeterministic(public_key, Secret::Random(encap_randomness_size()).Reveal());
}

absl::StatusOr<Encapsulation> Kem::AuthEncap(ByteView public_key,
                                             ByteView sender_private_key) const {
  return AuthEncapDeterministic(public_key, sender_private_key,
                                Secret::Random(encap_randomness_size()).Reveal());
}

absl::StatusOr<Secret> Kem::AuthDecap(ByteView, ByteView, ByteView) const { return NoAuth(); }

absl::StatusOr<Encapsulation> Kem::AuthEncapDeterministic(ByteView, ByteView, ByteView) const {
  return NoAuth();
}

const Kem& DhkemX25519() {
  static const Dhkem kem;
  return kem;
}

const Kem& MlKem768X25519() {
  static const XWingKem kem(SeedDerivation::kLabeledDerive);
  return kem;
}

const Kem& XWing() {
  static const XWingKem kem(SeedDerivation::kShake256);
  return kem;
}

}  // namespace parley::crypto
