#include "crypto/primitives/kem.h"

#include "crypto/base/test_bytes.h"
#include "crypto/primitives/aead.h"
#include "crypto/primitives/random.h"
#include "gtest/gtest.h"

namespace parley::crypto {
namespace {

// RFC 9180's and draft-ietf-hpke-pq's own vectors run in tests/vectors/hpke_vectors_test.cc.

class KemOf : public ::testing::TestWithParam<const Kem*> {
 protected:
  const Kem& kem_ = *GetParam();
  const KemKeyPair keys_ = kem_.GenerateKeyPair();
};
INSTANTIATE_TEST_SUITE_P(All, KemOf,
                         ::testing::Values(&DhkemX25519(), &MlKem768X25519(), &XWing()));

TEST_P(KemOf, BothSidesGetTheSameSecret) {
  EXPECT_EQ(keys_.public_key.size(), kem_.public_key_size());
  EXPECT_EQ(keys_.private_key.size(), kem_.private_key_size());
  EXPECT_TRUE(kem_.CheckPublicKey(keys_.public_key).ok());
  const Encapsulation first = kem_.Encap(keys_.public_key).value();
  const Encapsulation second = kem_.Encap(keys_.public_key).value();
  EXPECT_EQ(first.enc.size(), kem_.enc_size());
  EXPECT_NE(first.enc, second.enc);
  EXPECT_FALSE(ConstantTimeEquals(first.shared_secret.Reveal(), second.shared_secret.Reveal()));
  const Secret received = kem_.Decap(first.enc, keys_.private_key.Reveal()).value();
  EXPECT_TRUE(ConstantTimeEquals(received.Reveal(), first.shared_secret.Reveal()));
}

TEST_P(KemOf, KeyPairsAreDeterministicInTheirIkm) {
  for (size_t size : {0, 1, 32, 64, 1000}) {
    const Bytes ikm = RandomBytes(size);
    const KemKeyPair one = kem_.DeriveKeyPair(ikm);
    const KemKeyPair two = kem_.DeriveKeyPair(ikm);
    EXPECT_EQ(one.public_key, two.public_key);
    EXPECT_EQ(kem_.PublicKeyOf(one.private_key.Reveal()).value(), one.public_key);
    EXPECT_NE(kem_.DeriveKeyPair(Concat({ikm, Bytes{0}})).public_key, one.public_key);
  }
}

TEST_P(KemOf, AnotherKeyGetsAnotherSecret) {
  const Encapsulation sent = kem_.Encap(keys_.public_key).value();
  const KemKeyPair other = kem_.GenerateKeyPair();
  const absl::StatusOr<Secret> received = kem_.Decap(sent.enc, other.private_key.Reveal());
  ASSERT_TRUE(received.ok());  // implicit rejection
  EXPECT_FALSE(ConstantTimeEquals(received->Reveal(), sent.shared_secret.Reveal()));
}

TEST_P(KemOf, AlteredEncapsulationsNeverGiveTheSecret) {
  const Encapsulation sent = kem_.Encap(keys_.public_key).value();
  for (size_t bit = 0; bit < sent.enc.size() * 8; bit += 37) {
    if (sent.enc.size() == 32 && bit == 255) continue;  // the bit that X25519 ignores
    const absl::StatusOr<Secret> received =
        kem_.Decap(Flipped(sent.enc, bit), keys_.private_key.Reveal());
    if (!received.ok()) continue;
    EXPECT_FALSE(ConstantTimeEquals(received->Reveal(), sent.shared_secret.Reveal())) << bit;
  }
}

// The KEM context covers the encapsulation as sent, so that even X25519's unused bit counts.
TEST_P(KemOf, TheUnusedBitOfX25519Counts) {
  const Encapsulation sent = kem_.Encap(keys_.public_key).value();
  const absl::StatusOr<Secret> received =
      kem_.Decap(Flipped(sent.enc, sent.enc.size() * 8 - 1), keys_.private_key.Reveal());
  ASSERT_TRUE(received.ok());
  EXPECT_FALSE(ConstantTimeEquals(received->Reveal(), sent.shared_secret.Reveal()));
}

TEST_P(KemOf, SizesAreChecked) {
  const Bytes key = keys_.public_key;
  EXPECT_TRUE(absl::IsInvalidArgument(kem_.CheckPublicKey({})));
  EXPECT_TRUE(absl::IsInvalidArgument(kem_.CheckPublicKey(ByteView(key).first(key.size() - 1))));
  EXPECT_TRUE(absl::IsInvalidArgument(kem_.CheckPublicKey(Concat({key, Bytes{0}}))));
  EXPECT_TRUE(absl::IsInvalidArgument(kem_.Encap(ByteView(key).first(key.size() - 1)).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(kem_.PublicKeyOf(Bytes(31)).status()));
  const Bytes enc = kem_.Encap(key)->enc;
  EXPECT_TRUE(absl::IsInvalidArgument(kem_.Decap(enc, Bytes(33)).status()));
  const ByteView private_key = keys_.private_key.Reveal();
  EXPECT_EQ(kem_.Decap(ByteView(enc).first(enc.size() - 1), private_key).status(),
            DecryptionFailed());
  EXPECT_EQ(kem_.Decap(Concat({enc, Bytes{0}}), private_key).status(), DecryptionFailed());
  EXPECT_EQ(kem_.Decap({}, private_key).status(), DecryptionFailed());
}

TEST_P(KemOf, X25519PartsOfSmallOrderAreRefused) {
  Bytes key = keys_.public_key;
  std::fill(key.end() - 32, key.end(), uint8_t{0});
  EXPECT_TRUE(absl::IsInvalidArgument(kem_.CheckPublicKey(key)));
  EXPECT_TRUE(absl::IsInvalidArgument(kem_.Encap(key).status()));
  key[key.size() - 32] = 1;
  EXPECT_TRUE(absl::IsInvalidArgument(kem_.CheckPublicKey(key)));
  Bytes enc = kem_.Encap(keys_.public_key)->enc;
  std::fill(enc.end() - 32, enc.end(), uint8_t{0});
  EXPECT_EQ(kem_.Decap(enc, keys_.private_key.Reveal()).status(), DecryptionFailed());
}

// FIPS 203 section 7.2: each of the 768 coefficients must be below 3329. Both neighbours of the
// bound, in every place.
TEST(MlKem768X25519Key, ModulusCheck) {
  const Kem& kem = MlKem768X25519();
  const Bytes key = kem.GenerateKeyPair().public_key;
  for (size_t coefficient = 0; coefficient < 768; ++coefficient) {
    for (uint32_t value : {3328u, 3329u, 4095u}) {
      Bytes changed = key;
      const size_t at = coefficient / 2 * 3;
      if (coefficient % 2 == 0) {
        changed[at] = static_cast<uint8_t>(value);
        changed[at + 1] = static_cast<uint8_t>((changed[at + 1] & 0xf0) | value >> 8);
      } else {
        changed[at + 1] = static_cast<uint8_t>((changed[at + 1] & 0x0f) | (value & 15) << 4);
        changed[at + 2] = static_cast<uint8_t>(value >> 4);
      }
      EXPECT_EQ(kem.CheckPublicKey(changed).ok(), value < 3329) << coefficient << " " << value;
      EXPECT_EQ(kem.Encap(changed).ok(), value < 3329);
    }
  }
}

// draft-connolly-cfrg-xwing-kem appendix C, first test vector: the secret depends on every part.
TEST(XWing, DraftVector) {
  const Bytes seed = Hex("7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26");
  const Bytes randomness =
      Hex("3cb1eea988004b93103cfb0aeefd2a686e01fa4a58e8a3639ca8a1e3f9ae57e2"
          "35b8cc873c23dc62b8d260169afa2f75ab916a58d974918835d25e6a435085b2");
  const Bytes public_key = XWing().PublicKeyOf(seed).value();
  EXPECT_EQ(ToHex(ByteView(public_key).first(32)),
            "e2236b35a8c24b39b10aa1323a96a919a2ced88400633a7b07131713fc14b2b5");
  const Encapsulation sent = XWing().EncapDeterministic(public_key, randomness).value();
  EXPECT_EQ(ToHex(ByteView(sent.enc).first(32)),
            "b83aa828d4d62b9a83ceffe1d3d3bb1ef31264643c070c5798927e41fb07914a");
  EXPECT_EQ(ToHex(sent.shared_secret.Reveal()),
            "d2df0522128f09dd8e2c92b1e905c793d8f57a54c3da25861f10bf4ca613e384");
  EXPECT_EQ(ToHex(XWing().Decap(sent.enc, seed)->Reveal()), ToHex(sent.shared_secret.Reveal()));
}

// MLS suite 0x004D's way: DeriveKeyPair(ikm) is the key of SHAKE256(ikm, 32). The values were made
// by another implementation of that suite.
TEST(XWing, DeriveKeyPairIsShake256) {
  const KemKeyPair keys = XWing().DeriveKeyPair(
      Hex("7b9e3e73d138779a0ff37d8517b7a33a9f5283cad8e0cf8d1633b71b016ec29a"));
  EXPECT_EQ(ToHex(keys.private_key.Reveal()),
            "2dd3d2c33380337b105d675cc835ca2fd0fb54eaa8032c27d4b792f8a7067e14");
  EXPECT_EQ(ToHex(ByteView(keys.public_key).first(32)),
            "19f0a1b41a7e240a35e29392e7e11968672265b64003264c9d49086a223a96f6");
}

// The two rows differ in DeriveKeyPair and in nothing else.
TEST(XWing, TheTwoDerivationsDiffer) {
  const Bytes ikm = RandomBytes(size_t{32});
  const KemKeyPair labelled = MlKem768X25519().DeriveKeyPair(ikm);
  EXPECT_NE(labelled.public_key, XWing().DeriveKeyPair(ikm).public_key);
  EXPECT_EQ(XWing().PublicKeyOf(labelled.private_key.Reveal()).value(), labelled.public_key);
  const Encapsulation sent = XWing().Encap(labelled.public_key).value();
  const Secret received = MlKem768X25519().Decap(sent.enc, labelled.private_key.Reveal()).value();
  EXPECT_TRUE(ConstantTimeEquals(received.Reveal(), sent.shared_secret.Reveal()));
}

TEST(Auth, TheSecretDependsOnTheSender) {
  const Kem& kem = DhkemX25519();
  ASSERT_TRUE(kem.has_auth());
  const KemKeyPair receiver = kem.GenerateKeyPair();
  const KemKeyPair sender = kem.GenerateKeyPair();
  const KemKeyPair other = kem.GenerateKeyPair();
  const Encapsulation sent =
      kem.AuthEncap(receiver.public_key, sender.private_key.Reveal()).value();
  const ByteView key = receiver.private_key.Reveal();
  const auto same = [&](const absl::StatusOr<Secret>& secret) {
    return ConstantTimeEquals(secret->Reveal(), sent.shared_secret.Reveal());
  };
  EXPECT_TRUE(same(kem.AuthDecap(sent.enc, key, sender.public_key)));
  EXPECT_FALSE(same(kem.AuthDecap(sent.enc, key, other.public_key)));
  EXPECT_FALSE(same(kem.Decap(sent.enc, key)));
  EXPECT_TRUE(absl::IsInvalidArgument(kem.AuthDecap(sent.enc, key, Bytes(32)).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(kem.AuthEncap(receiver.public_key, Bytes(5)).status()));
}

TEST(Auth, XWingHasNone) {
  for (const Kem* kem : {&MlKem768X25519(), &XWing()}) {
    EXPECT_FALSE(kem->has_auth());
    EXPECT_TRUE(absl::IsUnimplemented(kem->AuthEncap(Bytes(1216), Bytes(32)).status()));
    EXPECT_TRUE(absl::IsUnimplemented(kem->AuthDecap(Bytes(1120), Bytes(32), {}).status()));
  }
}

}  // namespace
}  // namespace parley::crypto
