#include "tools/parley/duration.h"

#include <gtest/gtest.h>

namespace parley::cli {
namespace {

TEST(DurationTest, ReadsUnits) {
  EXPECT_EQ(ParseDuration("90s"), 90);
  EXPECT_EQ(ParseDuration("30m"), 1800);
  EXPECT_EQ(ParseDuration("12h"), 43200);
  EXPECT_EQ(ParseDuration("14d"), 1209600);
  EXPECT_EQ(ParseDuration("14"), 1209600);
  EXPECT_EQ(ParseDuration("2w"), 1209600);
}

TEST(DurationTest, RefusesOtherTexts) {
  for (const char* text : {"", "d", "0d", "-1d", "1.5h", "3 d", "3y", "3dd", "11000d",
                           "99999999999999999999d", "0x10"}) {
    EXPECT_EQ(ParseDuration(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace parley::cli
