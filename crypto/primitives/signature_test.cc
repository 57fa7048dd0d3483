#include "crypto/primitives/signature.h"

#include <type_traits>

#include "crypto/base/test_bytes.h"
#include "crypto/primitives/random.h"
#include "gtest/gtest.h"

namespace parley::crypto {
namespace {

static_assert(!std::is_copy_constructible_v<SignatureKey>);

struct KnownAnswer {
  const char* seed;
  const char* public_key;
  const char* message;
  const char* signature;
};

// RFC 8032 section 7.1, tests 1 to 3.
constexpr KnownAnswer kRfc8032[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
     "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
     "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
     "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
};

TEST(Signature, Rfc8032) {
  for (const KnownAnswer& k : kRfc8032) {
    const SignatureKey key = SignatureKey::FromSeed(Hex(k.seed)).value();
    EXPECT_EQ(ToHex(key.public_key()), k.public_key);
    EXPECT_EQ(ToHex(key.Seed().Reveal()), k.seed);
    EXPECT_EQ(ToHex(key.Sign(Hex(k.message))), k.signature);
    EXPECT_TRUE(VerifySignature(Hex(k.public_key), Hex(k.message), Hex(k.signature)).ok());
    EXPECT_EQ(ToHex(key.Clone().Sign(Hex(k.message))), k.signature);
  }
}

TEST(Signature, EveryChangeFailsAlike) {
  const SignatureKey key = SignatureKey::Generate();
  const Bytes message = RandomBytes(size_t{50});
  const Bytes signature = key.Sign(message);
  ASSERT_TRUE(VerifySignature(key.public_key(), message, signature).ok());
  const absl::Status failed = VerifySignature(key.public_key(), message, {});
  EXPECT_TRUE(absl::IsUnauthenticated(failed));
  for (size_t bit = 0; bit < signature.size() * 8; ++bit) {
    EXPECT_EQ(VerifySignature(key.public_key(), message, Flipped(signature, bit)), failed);
  }
  for (size_t bit = 0; bit < message.size() * 8; ++bit) {
    EXPECT_EQ(VerifySignature(key.public_key(), Flipped(message, bit), signature), failed);
  }
  for (size_t bit = 0; bit < 256; ++bit) {
    EXPECT_EQ(VerifySignature(Flipped(key.public_key(), bit), message, signature), failed);
  }
  EXPECT_EQ(VerifySignature(key.public_key(), message, ByteView(signature).first(63)), failed);
  EXPECT_EQ(VerifySignature(key.public_key(), message, Concat({signature, Bytes{0}})), failed);
  EXPECT_EQ(VerifySignature(ByteView(key.public_key()).first(31), message, signature), failed);
  EXPECT_EQ(VerifySignature({}, {}, {}), failed);
}

// S + L verifies in the equation, but isn't canonical (RFC 8032 section 5.1.7): a second signature
// of the same message that its author never made.
TEST(Signature, IsNotMalleable) {
  const Bytes order = Hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  const SignatureKey key = SignatureKey::Generate();
  Bytes signature = key.Sign(ViewOf("once"));
  unsigned carry = 0;
  for (size_t i = 0; i < 32; ++i) {
    carry += static_cast<unsigned>(signature[32 + i]) + order[i];
    signature[32 + i] = static_cast<uint8_t>(carry);
    carry >>= 8;
  }
  EXPECT_TRUE(
      absl::IsUnauthenticated(VerifySignature(key.public_key(), ViewOf("once"), signature)));
}

// With the neutral element as key, R = B * S verifies for every message.
TEST(Signature, KeysOfSmallOrderAreRefused) {
  const Bytes neutral = Hex("01" + std::string(62, '0'));
  const Bytes universal = Concat({neutral, Bytes(32)});
  EXPECT_TRUE(absl::IsUnauthenticated(VerifySignature(neutral, ViewOf("anything"), universal)));
}

TEST(Signature, SeedsHave32Bytes) {
  EXPECT_TRUE(absl::IsInvalidArgument(SignatureKey::FromSeed(Bytes(31)).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(SignatureKey::FromSeed(Bytes(64)).status()));
}

TEST(Signature, GeneratedKeysDiffer) {
  EXPECT_NE(SignatureKey::Generate().public_key(), SignatureKey::Generate().public_key());
}

TEST(SignatureDeathTest, MovedFromKeysDontSign) {
  SignatureKey key = SignatureKey::Generate();
  const SignatureKey taken = std::move(key);
  EXPECT_EQ(taken.Sign({}).size(), kSignatureSize);
  EXPECT_DEATH(key.Sign({}), "internal error");
}

}  // namespace
}  // namespace parley::crypto
