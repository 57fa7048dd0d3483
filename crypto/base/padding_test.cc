#include "crypto/base/padding.h"

#include <random>

#include "crypto/base/test_bytes.h"
#include "gtest/gtest.h"

namespace parley::crypto {
namespace {

// Computed from the paper's definition by another program.
TEST(Padme, KnownSizes) {
  const std::pair<uint64_t, uint64_t> known[] = {{0, 0},
                                                 {1, 1},
                                                 {2, 2},
                                                 {3, 3},
                                                 {9, 10},
                                                 {100, 104},
                                                 {255, 256},
                                                 {256, 256},
                                                 {257, 272},
                                                 {1000, 1024},
                                                 {1025, 1088},
                                                 {65537, 67584},
                                                 {1048576, 1048576},
                                                 {1048577, 1081344},
                                                 {26214407, 26738688},
                                                 {1000000000, 1006632960}};
  for (const auto& [size, padded] : known) EXPECT_EQ(PadmeSize(size), padded) << size;
}

TEST(Padme, IsMonotonicIdempotentAndCheap) {
  uint64_t before = 0;
  for (uint64_t size = 0; size < 100000; ++size) {
    const uint64_t padded = PadmeSize(size);
    EXPECT_GE(padded, size);
    EXPECT_GE(padded, before);
    EXPECT_EQ(PadmeSize(padded), padded);
    EXPECT_LE(padded - size, size * 12 / 100) << size;
    before = padded;
  }
}

TEST(Padme, LargeSizesDontOverflow) {
  EXPECT_EQ(PadmeSize(uint64_t{1} << 63), uint64_t{1} << 63);
  EXPECT_GE(PadmeSize((uint64_t{1} << 63) - 1), (uint64_t{1} << 63) - 1);
  EXPECT_EQ(PadmeSize(UINT64_MAX), UINT64_MAX);
}

TEST(Pad, Layout) {
  const Bytes padded = Pad(ViewOf("hi"));
  EXPECT_EQ(padded.size(), 256u);
  EXPECT_EQ(ToHex(ByteView(padded).first(7)), "00000002686900");
  EXPECT_EQ(Pad(Bytes(252)).size(), 256u);
  EXPECT_EQ(Pad(Bytes(253)).size(), 272u);
  EXPECT_EQ(Pad({}, 1024).size(), 1024u);
}

TEST(Pad, EverySizeComesBack) {
  std::mt19937 random(2);
  for (size_t size = 0; size < 3000; ++size) {
    const Bytes data(size, static_cast<uint8_t>(random()));
    const Bytes padded = Pad(data);
    EXPECT_EQ(padded.size(), PadmeSize(padded.size()));
    EXPECT_EQ(Unpad(padded).value(), data);
  }
}

TEST(Unpad, TakesTheOneFormOnly) {
  const Bytes padded = Pad(Bytes(300, 7));
  const auto refuses = [](ByteView bytes) {
    return absl::IsInvalidArgument(Unpad(bytes).status());
  };
  for (size_t i = 0; i < padded.size(); ++i) {
    if (i >= 4 && i < 304) continue;  // the data itself
    EXPECT_TRUE(refuses(Flipped(padded, i * 8 + 3))) << i;
  }
  for (size_t size = 0; size < padded.size(); ++size) {
    EXPECT_TRUE(refuses(ByteView(padded).first(size))) << size;
  }
  EXPECT_TRUE(refuses(Concat({padded, Bytes(1)})));
  EXPECT_TRUE(refuses(Concat({padded, Bytes(16)})));
  EXPECT_TRUE(refuses(Concat({Hex("ffffffff"), Bytes(252)})));
  EXPECT_TRUE(refuses(Bytes(8)));                                      // below the minimum
  EXPECT_TRUE(absl::IsInvalidArgument(Unpad(Pad({}, 512)).status()));  // another minimum
  EXPECT_TRUE(Unpad(Pad({}, 512), 512)->empty());
}

TEST(PadDeathTest, MinimumMustBeAPadmeSize) { EXPECT_DEATH(Pad({}, 257), "internal error"); }

}  // namespace
}  // namespace parley::crypto
