#include "crypto/primitives/aead.h"

#include <algorithm>

#include "crypto/base/test_bytes.h"
#include "crypto/primitives/random.h"
#include "gtest/gtest.h"

namespace parley::crypto {
namespace {

constexpr AeadAlgorithm kAll[] = {AeadAlgorithm::kChaCha20Poly1305,
                                  AeadAlgorithm::kXChaCha20Poly1305, AeadAlgorithm::kAegis256};

constexpr std::string_view kSunscreen =
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
    "sunscreen would be it.";

struct KnownAnswer {
  AeadAlgorithm algorithm;
  Bytes key, nonce, aad, plaintext;
  const char* sealed;
};

std::vector<KnownAnswer> KnownAnswers() {
  const Bytes aegis_key = Hex("1001" + std::string(60, '0'));
  const Bytes aegis_nonce = Hex("100002" + std::string(58, '0'));
  return {
      // RFC 8439 section 2.8.2.
      {AeadAlgorithm::kChaCha20Poly1305, Counting(0x80, 32), Hex("070000004041424344454647"),
       Hex("50515253c0c1c2c3c4c5c6c7"), ToBytes(kSunscreen),
       "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
       "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
       "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
       "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd060"
       "0691"},
      // draft-irtf-cfrg-xchacha-03 appendix A.3.1.
      {AeadAlgorithm::kXChaCha20Poly1305, Counting(0x80, 32), Counting(0x40, 24),
       Hex("50515253c0c1c2c3c4c5c6c7"), ToBytes(kSunscreen),
       "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb"
       "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452"
       "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
       "21f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780a"
       "cf49"},
      // draft-irtf-cfrg-aegis-aead appendix A.3, test vectors 1 to 3, tags of 256 bits.
      {AeadAlgorithm::kAegis256,
       aegis_key,
       aegis_nonce,
       {},
       Bytes(16),
       "754fc3d8c973246dcc6d741412a4b236"
       "1181a1d18091082bf0266f66297d167d2e68b845f61a3b0527d31fc7b7b89f13"},
      {AeadAlgorithm::kAegis256,
       aegis_key,
       aegis_nonce,
       {},
       {},
       "6a348c930adbd654896e1666aad67de989ea75ebaa2b82fb588977b1ffec864a"},
      {AeadAlgorithm::kAegis256, aegis_key, aegis_nonce, Counting(0, 8), Counting(0, 32),
       "f373079ed84b2709faee373584585d60accd191db310ef5d8b11833df9dec711"
       "b7d28d0c3c0ebd409fd22b44160503073a547412da0854bfb9723020dab8da1a"},
  };
}

TEST(Aead, KnownAnswers) {
  for (const KnownAnswer& k : KnownAnswers()) {
    const Bytes sealed = Seal(k.algorithm, k.key, k.nonce, k.aad, k.plaintext);
    EXPECT_EQ(ToHex(sealed), k.sealed);
    EXPECT_EQ(Open(k.algorithm, k.key, k.nonce, k.aad, sealed).value(), k.plaintext);
    EXPECT_EQ(ToHex(OpenSecret(k.algorithm, k.key, k.nonce, k.aad, sealed).value().Reveal()),
              ToHex(k.plaintext));
  }
}

class AeadOf : public ::testing::TestWithParam<AeadAlgorithm> {
 protected:
  const AeadAlgorithm algorithm_ = GetParam();
  const Bytes key_ = RandomBytes(AeadKeySize(algorithm_));
  const Bytes nonce_ = RandomBytes(AeadNonceSize(algorithm_));
  const Bytes aad_ = RandomBytes(size_t{9});
};
INSTANTIATE_TEST_SUITE_P(All, AeadOf, ::testing::ValuesIn(kAll));

TEST_P(AeadOf, EverySizeComesBack) {
  for (size_t size = 0; size < 300; ++size) {
    const Bytes plaintext = RandomBytes(size);
    const Bytes sealed = Seal(algorithm_, key_, nonce_, aad_, plaintext);
    EXPECT_EQ(sealed.size(), size + AeadTagSize(algorithm_));
    EXPECT_EQ(Open(algorithm_, key_, nonce_, aad_, sealed).value(), plaintext);
  }
}

TEST_P(AeadOf, EveryChangeFailsAlike) {
  const Bytes plaintext = RandomBytes(size_t{40});
  const Bytes sealed = Seal(algorithm_, key_, nonce_, aad_, plaintext);
  const auto fails = [&](ByteView key, ByteView nonce, ByteView aad, ByteView bytes) {
    const absl::Status status = Open(algorithm_, key, nonce, aad, bytes).status();
    return status == DecryptionFailed() && absl::IsUnauthenticated(status);
  };
  for (size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    EXPECT_TRUE(fails(key_, nonce_, aad_, Flipped(sealed, bit))) << bit;
  }
  for (size_t bit = 0; bit < key_.size() * 8; ++bit) {
    EXPECT_TRUE(fails(Flipped(key_, bit), nonce_, aad_, sealed));
  }
  for (size_t bit = 0; bit < nonce_.size() * 8; ++bit) {
    EXPECT_TRUE(fails(key_, Flipped(nonce_, bit), aad_, sealed));
  }
  for (size_t bit = 0; bit < aad_.size() * 8; ++bit) {
    EXPECT_TRUE(fails(key_, nonce_, Flipped(aad_, bit), sealed));
  }
  for (size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_TRUE(fails(key_, nonce_, aad_, ByteView(sealed).first(size)));
  }
  EXPECT_TRUE(fails(key_, nonce_, aad_, Concat({sealed, Bytes{0}})));
  EXPECT_TRUE(fails(key_, nonce_, {}, sealed));
}

TEST_P(AeadOf, WorksInPlace) {
  const size_t tag_size = AeadTagSize(algorithm_);
  const Bytes plaintext = RandomBytes(size_t{1000});
  Bytes buffer = plaintext;
  buffer.resize(plaintext.size() + tag_size);
  SealInto(algorithm_, key_, nonce_, aad_, ByteView(buffer).first(plaintext.size()), buffer);
  EXPECT_EQ(buffer, Seal(algorithm_, key_, nonce_, aad_, plaintext));
  const std::span<uint8_t> out = std::span<uint8_t>(buffer).first(plaintext.size());
  ASSERT_TRUE(OpenInto(algorithm_, key_, nonce_, aad_, buffer, out).ok());
  EXPECT_TRUE(PublicEquals(out, plaintext));
}

TEST_P(AeadOf, NothingIsReleasedOnFailure) {
  const Bytes sealed = Flipped(Seal(algorithm_, key_, nonce_, aad_, Bytes(100, 0x55)), 7);
  Bytes out(100, 0xee);
  EXPECT_TRUE(absl::IsUnauthenticated(OpenInto(algorithm_, key_, nonce_, aad_, sealed, out)));
  EXPECT_EQ(out, Bytes(100));
}

using AeadDeathTest = AeadOf;
INSTANTIATE_TEST_SUITE_P(All, AeadDeathTest, ::testing::ValuesIn(kAll));

TEST_P(AeadDeathTest, WrongSizesAreBugs) {
  EXPECT_DEATH(Seal(algorithm_, Bytes(16), nonce_, {}, {}), "internal error");
  EXPECT_DEATH(Seal(algorithm_, key_, Bytes(8), {}, {}), "internal error");
  Bytes out(3);
  EXPECT_DEATH(SealInto(algorithm_, key_, nonce_, {}, Bytes(5), out), "internal error");
}

TEST(Box, OpensUnderItsKeyAndAadOnly) {
  const Bytes key = RandomBytes(size_t{32});
  const Bytes plaintext = ToBytes("a value in the store");
  const Bytes box = SealBox(key, ViewOf("record"), plaintext);
  EXPECT_EQ(box.size(), plaintext.size() + kBoxOverhead);
  EXPECT_EQ(OpenBox(key, ViewOf("record"), box).value(), plaintext);
  EXPECT_EQ(ToHex(OpenBoxSecret(key, ViewOf("record"), box).value().Reveal()), ToHex(plaintext));
  EXPECT_NE(SealBox(key, ViewOf("record"), plaintext), box);  // another nonce
  EXPECT_EQ(OpenBox(key, ViewOf("recorD"), box).status(), DecryptionFailed());
  EXPECT_EQ(OpenBox(Flipped(key, 1), ViewOf("record"), box).status(), DecryptionFailed());
  for (size_t bit = 0; bit < box.size() * 8; ++bit) {
    EXPECT_EQ(OpenBox(key, ViewOf("record"), Flipped(box, bit)).status(), DecryptionFailed());
  }
  for (size_t size = 0; size < box.size(); ++size) {
    const ByteView cut = ByteView(box).first(size);
    EXPECT_EQ(OpenBox(key, ViewOf("record"), cut).status(), DecryptionFailed());
    EXPECT_EQ(OpenBoxSecret(key, ViewOf("record"), cut).status(), DecryptionFailed());
  }
}

}  // namespace
}  // namespace parley::crypto
