#include "crypto/base/bytes.h"

#include <random>

#include "crypto/base/test_bytes.h"
#include "gtest/gtest.h"

namespace parley::crypto {
namespace {

Bytes RandomSized(std::mt19937& random, size_t size) {
  Bytes out(size);
  for (uint8_t& byte : out) byte = static_cast<uint8_t>(random());
  return out;
}

TEST(Bytes, TextAndBack) {
  EXPECT_EQ(ToString(ToBytes("Näher\0!")), "Näher\0!");
  EXPECT_EQ(ToString(ViewOf("abc")), "abc");
  EXPECT_EQ(Concat({ViewOf("a"), {}, ViewOf("bc")}), ToBytes("abc"));
  EXPECT_TRUE(Concat({}).empty());
}

TEST(Bytes, BigEndian) {
  EXPECT_EQ(ToHex(BigEndian64(0x0102030405060708)), "0102030405060708");
  EXPECT_EQ(ToHex(BigEndian32(0xfffefdfc)), "fffefdfc");
}

TEST(Hex, TakesBothCasesAndRefusesTheRest) {
  EXPECT_EQ(FromHex("00ffAb").value(), (Bytes{0x00, 0xff, 0xab}));
  EXPECT_EQ(ToHex(Bytes{0x00, 0xff, 0xab}), "00ffab");
  for (const char* wrong : {"0", "0g", "g0", "0x", " 0", "00 ", "000"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(FromHex(wrong).status())) << wrong;
  }
}

// RFC 4648 section 10, without padding; and the two characters that set base64url apart.
TEST(Base64Url, Rfc4648) {
  const std::pair<const char*, const char*> known[] = {
      {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},         {"foo", "Zm9v"},
      {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : known) {
    EXPECT_EQ(ToBase64Url(ViewOf(plain)), text);
    EXPECT_EQ(FromBase64Url(text).value(), ToBytes(plain));
  }
  EXPECT_EQ(ToBase64Url(Bytes{0xfb, 0xff}), "-_8");
}

TEST(Base64Url, OneTextPerValue) {
  for (const char* wrong : {"A", "Zg==", "Zh", "Zm9", "Zm8=", "+A", "/A", "Z g", "Zm9vA", "Zg\n"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(FromBase64Url(wrong).status())) << wrong;
  }
  std::mt19937 random(1);
  for (size_t size = 0; size < 200; ++size) {
    const Bytes bytes = RandomSized(random, size);
    EXPECT_EQ(FromBase64Url(ToBase64Url(bytes)).value(), bytes);
    EXPECT_EQ(FromHex(ToHex(bytes)).value(), bytes);
  }
  // Whatever is accepted is written the same way again.
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    for (size_t n = random() % 6; n > 0; --n) text.push_back("AZaz09-_=+"[random() % 10]);
    const absl::StatusOr<Bytes> bytes = FromBase64Url(text);
    if (bytes.ok()) {
      EXPECT_EQ(ToBase64Url(*bytes), text);
    }
  }
}

}  // namespace
}  // namespace parley::crypto
