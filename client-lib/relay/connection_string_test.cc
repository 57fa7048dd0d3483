#include "client-lib/relay/connection_string.h"

#include "crypto/base/bytes.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace parley::client {
namespace {

using ::testing::HasSubstr;

ConnectionInfo Example() {
  ConnectionInfo info;
  info.address = "relay.example.org:7443";
  for (size_t i = 0; i < info.identity_key.size(); ++i) {
    info.identity_key[i] = static_cast<uint8_t>(i + 1);
  }
  return info;
}

std::string ErrorOf(std::string_view text) {
  absl::StatusOr<ConnectionString> result = ParseConnectionString(text);
  EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(result.status().message());
}

TEST(ConnectionString, IsByteExact) {
  // version || key || BE16 length || address || BE16 length || token, as the protocol has it.
  const std::string expected =
      "parley-relay1:" + crypto::ToBase64Url(*crypto::FromHex(
                             "01"
                             "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"
                             "0016"
                             "72656c61792e6578616d706c652e6f72673a37343433"
                             "0003"
                             "aabbcc"));
  const crypto::Bytes token = {0xaa, 0xbb, 0xcc};
  EXPECT_EQ(FormatConnectionString(Example(), token), expected);
  absl::StatusOr<ConnectionString> parsed = ParseConnectionString("  " + expected + "\n");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->relay, Example());
  EXPECT_TRUE(crypto::PublicEquals(parsed->sponsor_token.Reveal(), token));
}

TEST(ConnectionString, EveryCutAndAddedCharacterIsRefused) {
  const std::string text = FormatConnectionString(Example(), crypto::ToBytes("token"));
  for (size_t size = 0; size < text.size(); ++size) ErrorOf(text.substr(0, size));
  ErrorOf(text + "A");
  ErrorOf(text + "AAAA");
  ErrorOf(text + "=");
  ErrorOf("x" + text);
  std::string damaged = text;
  damaged[30] = '!';
  EXPECT_THAT(ErrorOf(damaged), HasSubstr("copy it again"));
}

TEST(ConnectionString, OtherTextsAreNamed) {
  EXPECT_THAT(ErrorOf("parley-invite1:AAAA"), HasSubstr("invitation"));
  EXPECT_THAT(ErrorOf("parley-relay2:AAAA"), HasSubstr("update"));
  EXPECT_THAT(ErrorOf("hello"), HasSubstr("parley-relay1:"));
  EXPECT_THAT(ErrorOf(""), HasSubstr("parley-relay1:"));
  EXPECT_THAT(ErrorOf("parley-relay1:" + crypto::ToBase64Url(crypto::Bytes(60, 2))),
              HasSubstr("newer"));
  EXPECT_THAT(ErrorOf("parley-relay1:abc"), HasSubstr("copy it again"));
  ErrorOf("parley-relay1:" + std::string(100'000, 'A'));
}

TEST(ConnectionString, AddressesAreChecked) {
  for (const char* good : {"127.0.0.1:1", "relay.example.org:65535", "[::1]:443", "a-b_c:80"}) {
    EXPECT_TRUE(CheckAddress(good).ok()) << good;
  }
  for (const char* bad : {"",           ":",           "host",
                          "host:",      ":80",         "host:0",
                          "host:65536", "host:080",    "host:99999999999999999999",
                          "host:-1",    "host:8x",     "ho st:80",
                          "ho/st:80",   "[]:80",       "[::1:80",
                          "::1:80x",    "unix:/tmp/x", "a:b:80",
                          "[zz::1]:80", "host:80 "}) {
    EXPECT_FALSE(CheckAddress(bad).ok()) << bad;
  }
  EXPECT_FALSE(CheckAddress(std::string(400, 'a') + ":80").ok());
}

TEST(IdentityFingerprint, TellsKeysApart) {
  ConnectionInfo other = Example();
  other.identity_key[31] ^= 1;
  EXPECT_NE(IdentityFingerprint(other.identity_key), IdentityFingerprint(Example().identity_key));
  EXPECT_EQ(IdentityFingerprint(Example().identity_key).size(), 10 * 4 + 9);
}

}  // namespace
}  // namespace parley::client
