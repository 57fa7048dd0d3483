#include "client-lib/content/folded_text.h"

#include <gtest/gtest.h>

namespace parley::client {
namespace {

TEST(FoldedTextTest, TrimsSpacesOfAnyWidth) {
  EXPECT_EQ(Trimmed("  Harbor \t"), "Harbor");
  EXPECT_EQ(Trimmed("\u3000\u00a0調停 人\u3000"), "調停 人");
  EXPECT_EQ(Trimmed("a b"), "a b");
  EXPECT_EQ(Trimmed(""), "");
  EXPECT_EQ(Trimmed(" \u2003 "), "");
  EXPECT_EQ(Trimmed(" \xff "), "\xff");
  EXPECT_EQ(Trimmed("x\xe3\x80"), "x\xe3\x80");
}

TEST(FoldedTextTest, KnowsWhatIsBlank) {
  EXPECT_TRUE(IsBlank(""));
  EXPECT_TRUE(IsBlank(" \t\r\n\u3000\u00a0"));
  EXPECT_FALSE(IsBlank(" . "));
  EXPECT_FALSE(IsBlank("\xff"));
}

TEST(FoldedTextTest, TakesCaseWidthAndOuterSpacesAlike) {
  for (const char* same : {"harbor", "HARBOR", " Harbor ", "Ｈａｒｂｏｒ", "\u3000ＨARBOR"}) {
    EXPECT_EQ(Folded(same), "harbor") << same;
  }
  EXPECT_EQ(Folded("ÄRZTE"), Folded("ärzte"));
  EXPECT_EQ(Folded("ΑΘΗΝΑ"), Folded("αθηνα"));
  EXPECT_EQ(Folded("ПОРТ"), Folded("порт"));
  EXPECT_EQ(Folded("調停\u3000人"), Folded("調停 人"));
}

TEST(FoldedTextTest, KeepsOtherNamesApart) {
  EXPECT_NE(Folded("harbour"), Folded("harbor"));
  EXPECT_NE(Folded("har bor"), Folded("harbor"));
  EXPECT_NE(Folded("härbor"), Folded("harbor"));
  EXPECT_NE(Folded("\xff"), Folded("\xfe"));
  EXPECT_EQ(Folded("😀"), "😀");
}

}  // namespace
}  // namespace parley::client
