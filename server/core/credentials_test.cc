// Challenges, tokens and vouchers: every altered bit, other relay and later time is refused.
#include "server/core/credentials.h"

#include <gtest/gtest.h>

namespace parley::server {
namespace {

constexpr uint64_t kNow = 1000;

class CredentialsTest : public testing::Test {
 protected:
  Credentials credentials_{crypto::Secret::Random(32)};
  Credentials other_relay_{crypto::Secret::Random(32)};
};

TokenClaims Claims() {
  TokenClaims claims;
  claims.object.fill(3);
  claims.generation = 7;
  claims.right = AccessRight::kAppend;
  claims.expires_at = kNow + 10;
  return claims;
}

TEST_F(CredentialsTest, TokenComesBack) {
  absl::StatusOr<TokenClaims> back =
      credentials_.CheckToken(credentials_.IssueToken(Claims()), kNow);
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->object, Claims().object);
  EXPECT_EQ(back->generation, 7u);
  EXPECT_EQ(back->right, AccessRight::kAppend);
}

TEST_F(CredentialsTest, EveryAlteredBitIsRefused) {
  const std::string token = credentials_.IssueToken(Claims());
  for (size_t i = 0; i < token.size() * 8; ++i) {
    std::string altered = token;
    altered[i / 8] = static_cast<char>(altered[i / 8] ^ (1 << (i % 8)));
    EXPECT_EQ(credentials_.CheckToken(altered, kNow).status().code(),
              absl::StatusCode::kUnauthenticated)
        << i;
  }
  for (size_t size = 0; size < token.size(); ++size) {
    EXPECT_FALSE(credentials_.CheckToken(token.substr(0, size), kNow).ok());
  }
  EXPECT_FALSE(credentials_.CheckToken(token + "x", kNow).ok());
}

TEST_F(CredentialsTest, AnotherRelaysTokenIsRefused) {
  EXPECT_FALSE(other_relay_.CheckToken(credentials_.IssueToken(Claims()), kNow).ok());
  EXPECT_FALSE(other_relay_.CheckChallenge(credentials_.IssueChallenge(kNow + 60), kNow).ok());
  EXPECT_FALSE(other_relay_.CheckVoucher(credentials_.IssueVoucher({})).ok());
}

TEST_F(CredentialsTest, ExpiryIsExact) {
  const std::string token = credentials_.IssueToken(Claims());
  EXPECT_TRUE(credentials_.CheckToken(token, kNow + 9).ok());
  EXPECT_FALSE(credentials_.CheckToken(token, kNow + 10).ok());
  const std::string challenge = credentials_.IssueChallenge(kNow + 60);
  EXPECT_TRUE(credentials_.CheckChallenge(challenge, kNow + 59).ok());
  EXPECT_FALSE(credentials_.CheckChallenge(challenge, kNow + 60).ok());
}

TEST_F(CredentialsTest, ChallengesDiffer) {
  EXPECT_NE(credentials_.IssueChallenge(kNow), credentials_.IssueChallenge(kNow));
}

// A voucher whose fields have a token's size must not pass for one, nor any other mixture.
TEST_F(CredentialsTest, KindsDoNotMix) {
  const std::string challenge = credentials_.IssueChallenge(kNow + 60);
  const std::string token = credentials_.IssueToken(Claims());
  const std::string voucher = credentials_.IssueVoucher({});
  EXPECT_FALSE(credentials_.CheckToken(challenge, kNow).ok());
  EXPECT_FALSE(credentials_.CheckToken(voucher, kNow).ok());
  EXPECT_FALSE(credentials_.CheckVoucher(token).ok());
  EXPECT_FALSE(credentials_.CheckVoucher(challenge).ok());
  EXPECT_FALSE(credentials_.CheckChallenge(token, kNow).ok());
  EXPECT_FALSE(credentials_.CheckChallenge(voucher, kNow).ok());
}

}  // namespace
}  // namespace parley::server
