#include "crypto/primitives/hpke.h"

#include "crypto/base/test_bytes.h"
#include "crypto/primitives/random.h"
#include "gtest/gtest.h"

namespace parley::crypto {
namespace {

// Known answers run in tests/vectors/hpke_vectors_test.cc. Here: what must fail, fails.

HpkeSuite Suite(const Kem& kem, HpkeKdf kdf = HpkeKdf::kHkdfSha256) {
  return HpkeSuite{&kem, kdf, AeadAlgorithm::kChaCha20Poly1305};
}

class HpkeOf : public ::testing::TestWithParam<HpkeSuite> {
 protected:
  const HpkeSuite suite_ = GetParam();
  const KemKeyPair keys_ = suite_.kem->GenerateKeyPair();
  const Bytes psk_ = RandomBytes(size_t{32});
  const HpkeInputs base_{.info = ViewOf("info")};
  const HpkeInputs with_psk_{.info = ViewOf("info"), .psk = psk_, .psk_id = ViewOf("id")};

  absl::StatusOr<Bytes> OpenWith(const HpkeSealed& sealed, const HpkeInputs& inputs) const {
    return HpkeOpen(suite_, sealed.enc, keys_.private_key.Reveal(), inputs, ViewOf("aad"),
                    sealed.ciphertext);
  }
};
INSTANTIATE_TEST_SUITE_P(All, HpkeOf,
                         ::testing::Values(Suite(DhkemX25519()), Suite(MlKem768X25519()),
                                           Suite(XWing(), HpkeKdf::kHkdfSha512),
                                           Suite(DhkemX25519(), HpkeKdf::kShake256)));

TEST_P(HpkeOf, BaseAndPskRoundTrip) {
  for (const HpkeInputs& inputs : {base_, with_psk_, HpkeInputs{}}) {
    for (size_t size : {0, 1, 1000}) {
      const Bytes plaintext = RandomBytes(size);
      const HpkeSealed sealed =
          HpkeSeal(suite_, keys_.public_key, inputs, ViewOf("aad"), plaintext).value();
      EXPECT_EQ(OpenWith(sealed, inputs).value(), plaintext);
      const Secret secret = HpkeOpenSecret(suite_, sealed.enc, keys_.private_key.Reveal(), inputs,
                                           ViewOf("aad"), sealed.ciphertext)
                                .value();
      EXPECT_TRUE(PublicEquals(secret.Reveal(), plaintext));
    }
  }
}

TEST_P(HpkeOf, AnInfoHashStandsForItsInfo) {
  if (suite_.kdf == HpkeKdf::kShake256) return;  // it has no hash of the info
  const Bytes hash = HpkeInfoHash(suite_, ViewOf("info"));
  const Bytes other_hash = HpkeInfoHash(suite_, ViewOf("infO"));
  const HpkeInputs by_hash{.info_hash = hash};
  const HpkeSealed sealed =
      HpkeSeal(suite_, keys_.public_key, by_hash, ViewOf("aad"), ViewOf("hello")).value();
  EXPECT_EQ(OpenWith(sealed, base_).value(), ToBytes("hello"));
  EXPECT_EQ(OpenWith(sealed, by_hash).value(), ToBytes("hello"));
  EXPECT_TRUE(absl::IsUnauthenticated(OpenWith(sealed, {.info_hash = other_hash}).status()));
  EXPECT_TRUE(absl::IsUnauthenticated(OpenWith(sealed, HpkeInputs{}).status()));
}

TEST_P(HpkeOf, AnyOtherInputFailsAlike) {
  const HpkeSealed sealed =
      HpkeSeal(suite_, keys_.public_key, with_psk_, ViewOf("aad"), ViewOf("hello")).value();
  ASSERT_TRUE(OpenWith(sealed, with_psk_).ok());
  const Bytes other_psk = Flipped(psk_, 3);
  const HpkeInputs wrong[] = {
      base_,
      {.info = ViewOf("infO"), .psk = psk_, .psk_id = ViewOf("id")},
      {.info = ViewOf("info"), .psk = other_psk, .psk_id = ViewOf("id")},
      {.info = ViewOf("info"), .psk = psk_, .psk_id = ViewOf("ie")},
  };
  for (const HpkeInputs& inputs : wrong) {
    EXPECT_EQ(OpenWith(sealed, inputs).status(), DecryptionFailed());
  }
  const auto open = [&](ByteView enc, ByteView key, ByteView aad, ByteView ciphertext) {
    return HpkeOpen(suite_, enc, key, with_psk_, aad, ciphertext).status();
  };
  const ByteView key = keys_.private_key.Reveal();
  for (size_t bit = 0; bit < sealed.ciphertext.size() * 8; ++bit) {
    EXPECT_EQ(open(sealed.enc, key, ViewOf("aad"), Flipped(sealed.ciphertext, bit)),
              DecryptionFailed());
  }
  for (size_t bit = 0; bit < sealed.enc.size() * 8; bit += 31) {
    EXPECT_EQ(open(Flipped(sealed.enc, bit), key, ViewOf("aad"), sealed.ciphertext),
              DecryptionFailed());
  }
  EXPECT_EQ(open(sealed.enc, key, ViewOf("aaD"), sealed.ciphertext), DecryptionFailed());
  EXPECT_EQ(open(sealed.enc, key, ViewOf("aad"), {}), DecryptionFailed());
  EXPECT_EQ(open({}, key, ViewOf("aad"), sealed.ciphertext), DecryptionFailed());
  const KemKeyPair other = suite_.kem->GenerateKeyPair();
  EXPECT_EQ(open(sealed.enc, other.private_key.Reveal(), ViewOf("aad"), sealed.ciphertext),
            DecryptionFailed());
}

TEST_P(HpkeOf, PskAndIdComeTogether) {
  const HpkeInputs wrong[] = {{.psk = psk_}, {.psk_id = ViewOf("id")}};
  for (const HpkeInputs& inputs : wrong) {
    EXPECT_TRUE(
        absl::IsInvalidArgument(HpkeSetupSender(suite_, keys_.public_key, inputs).status()));
  }
}

TEST_P(HpkeOf, ContextsKeepTheirOrder) {
  HpkeSender sender = HpkeSetupSender(suite_, keys_.public_key, base_).value();
  HpkeContext receiver =
      HpkeSetupReceiver(suite_, sender.enc, keys_.private_key.Reveal(), base_).value();
  const Bytes first = sender.context.Seal({}, ViewOf("same"));
  const Bytes second = sender.context.Seal({}, ViewOf("same"));
  EXPECT_NE(first, second);
  EXPECT_EQ(receiver.Open({}, second).status(), DecryptionFailed());  // too early
  EXPECT_EQ(receiver.Open({}, first).value(), ToBytes("same"));
  EXPECT_EQ(receiver.Open({}, first).status(), DecryptionFailed());  // again
  EXPECT_EQ(receiver.Open({}, second).value(), ToBytes("same"));
}

TEST_P(HpkeOf, ExportsAgreeAndDifferByContextAndLength) {
  const HpkeSender sender = HpkeSetupSender(suite_, keys_.public_key, base_).value();
  const HpkeContext receiver =
      HpkeSetupReceiver(suite_, sender.enc, keys_.private_key.Reveal(), base_).value();
  const auto hex = [](const Secret& secret) { return ToHex(secret.Reveal()); };
  const std::string exported = hex(sender.context.Export(ViewOf("a"), 32));
  EXPECT_EQ(exported, hex(receiver.Export(ViewOf("a"), 32)));
  EXPECT_NE(exported, hex(receiver.Export(ViewOf("b"), 32)));
  EXPECT_NE(exported, hex(receiver.Export(ViewOf("a"), 64)).substr(0, 64));
}

TEST_P(HpkeOf, BadPublicKeysAreRefused) {
  EXPECT_TRUE(absl::IsInvalidArgument(HpkeSeal(suite_, Bytes(5), base_, {}, {}).status()));
  const Bytes zeros(suite_.kem->public_key_size());
  EXPECT_TRUE(absl::IsInvalidArgument(HpkeSeal(suite_, zeros, base_, {}, {}).status()));
}

class HpkeAuth : public ::testing::Test {
 protected:
  const HpkeSuite suite_ = Suite(DhkemX25519());
  const KemKeyPair receiver_ = suite_.kem->GenerateKeyPair();
  const KemKeyPair sender_ = suite_.kem->GenerateKeyPair();
  const KemKeyPair other_ = suite_.kem->GenerateKeyPair();

  absl::StatusOr<Bytes> OpenWith(const HpkeSealed& sealed, const HpkeInputs& inputs) const {
    return HpkeOpen(suite_, sealed.enc, receiver_.private_key.Reveal(), inputs, {},
                    sealed.ciphertext);
  }
};

TEST_F(HpkeAuth, OpensForTheTrueSenderOnly) {
  const Bytes psk = RandomBytes(size_t{32});
  for (const bool with_psk : {false, true}) {
    HpkeInputs inputs;
    if (with_psk) inputs = {.psk = psk, .psk_id = ViewOf("id")};
    HpkeInputs seal = inputs;
    seal.sender_private_key = sender_.private_key.Reveal();
    const HpkeSealed sealed =
        HpkeSeal(suite_, receiver_.public_key, seal, {}, ViewOf("from me")).value();
    HpkeInputs open = inputs;
    open.sender_public_key = sender_.public_key;
    EXPECT_EQ(OpenWith(sealed, open).value(), ToBytes("from me"));
    open.sender_public_key = other_.public_key;
    EXPECT_EQ(OpenWith(sealed, open).status(), DecryptionFailed());
    EXPECT_EQ(OpenWith(sealed, inputs).status(), DecryptionFailed());
  }
}

TEST_F(HpkeAuth, KeysBelongToTheirSide) {
  const HpkeInputs seal{.sender_public_key = sender_.public_key};
  EXPECT_TRUE(
      absl::IsInvalidArgument(HpkeSetupSender(suite_, receiver_.public_key, seal).status()));
  const HpkeInputs open{.sender_private_key = sender_.private_key.Reveal()};
  EXPECT_TRUE(absl::IsInvalidArgument(
      HpkeSetupReceiver(suite_, Bytes(32, 9), receiver_.private_key.Reveal(), open).status()));
}

TEST_F(HpkeAuth, IsUnimplementedForXWing) {
  const HpkeSuite suite = Suite(MlKem768X25519());
  const KemKeyPair keys = suite.kem->GenerateKeyPair();
  const HpkeInputs seal{.sender_private_key = keys.private_key.Reveal()};
  EXPECT_TRUE(absl::IsUnimplemented(HpkeSetupSender(suite, keys.public_key, seal).status()));
}

// One enc and ciphertext mean something else under another suite.
TEST(Hpke, TheSuiteIsBound) {
  const Kem& kem = DhkemX25519();
  const KemKeyPair keys = kem.GenerateKeyPair();
  const HpkeSealed sealed = HpkeSeal(Suite(kem), keys.public_key, {}, {}, ViewOf("x")).value();
  EXPECT_EQ(HpkeOpen(Suite(kem, HpkeKdf::kHkdfSha512), sealed.enc, keys.private_key.Reveal(), {},
                     {}, sealed.ciphertext)
                .status(),
            DecryptionFailed());
}

TEST(Hpke, OneStageInputsAreBounded) {
  const Bytes large(65536);
  EXPECT_TRUE(absl::IsInvalidArgument(
      HpkeContext::Create(Suite(DhkemX25519(), HpkeKdf::kShake256), 0, Bytes(32), large, {}, {})
          .status()));
}

TEST(Hpke, UnknownModesAreRefused) {
  EXPECT_TRUE(absl::IsInvalidArgument(
      HpkeContext::Create(Suite(DhkemX25519()), 4, Bytes(32), {}, {}, {}).status()));
}

}  // namespace
}  // namespace parley::crypto
