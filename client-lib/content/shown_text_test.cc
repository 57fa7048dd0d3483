#include "client-lib/content/shown_text.h"

#include <gtest/gtest.h>

#include <string>

namespace parley::client {
namespace {

TEST(ShownText, NamesOfMostLanguages) {
  for (const char* good :
       {"Ana", "\u5c71\u7530", "O'Brien & S\u00f8n", "\u0141ukasz", "\U0001F600", "a b",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  // Persian, with a non-joiner
        "\U0001F469\u200d\u2696\ufe0f"}) {                   // an emoji of several
    EXPECT_EQ(FaultOfName(good), "") << good;
  }
}

TEST(ShownText, ALongNameIsToldWhatFits) {
  EXPECT_EQ(FaultOfName(std::string(200, 'a')), "");
  EXPECT_EQ(FaultOfName(std::string(201, 'a')),
            "has 201 characters; its first 200 fit (200 bytes, and it takes 201)");
}

// Each of these would be taken for another name, hide something, or turn what stands beside it.
TEST(ShownText, NamesThatMislead) {
  for (const char* bad : {"An\u200ba",
                          "An\u00ada",
                          "\u202eanA",
                          "Ana\u2066",
                          "\u061cAna",
                          "An\u180ea",
                          "Ana\u2063",
                          "Ana\ufeff",
                          "Ana\ufff9",
                          "Ana\U000E0041",
                          "An\u034fa",
                          "\u3164",
                          "\u115f\u1160",
                          "Ana\uffff",
                          "Ana\u200f",
                          "Ana\u2028",
                          "Ana\x1b[2J",
                          "Ana\n",
                          "Ana\xc2\x85",
                          "Ana\x7f",
                          " Ana",
                          "Ana ",
                          "",
                          "   ",
                          "\u200d",
                          "\u00a0",
                          "\xc0\xaf",
                          "\xed\xa0\x80",
                          "\xf5\x80\x80\x80",
                          "\xe2\x82"}) {
    EXPECT_NE(FaultOfName(bad), "") << bad;
    EXPECT_FALSE(IsGoodName(bad)) << bad;
  }
  EXPECT_FALSE(IsGoodName(std::string_view("a\0b", 3)));
  EXPECT_TRUE(IsGoodName(std::string(kMaxNameBytes, 'a')));
  EXPECT_FALSE(IsGoodName(std::string(kMaxNameBytes + 1, 'a')));
}

}  // namespace
}  // namespace parley::client
