#include "tools/parley/output/difference.h"

#include <gtest/gtest.h>

namespace parley::cli {
namespace {

constexpr PieceKind kSame = PieceKind::kSame;
constexpr PieceKind kRemoved = PieceKind::kRemoved;
constexpr PieceKind kAdded = PieceKind::kAdded;

TEST(DifferenceText, SaysNothingOfTextsThatAreTheSame) {
  EXPECT_EQ(DifferenceText({{{kSame, "one\ntwo\n"}}}), "");
  EXPECT_EQ(DifferenceText({}), "");
}

TEST(DifferenceText, MarksLinesAndWords) {
  EXPECT_EQ(DifferenceText({{{kSame, "Harbor pays "},
                             {kRemoved, "690"},
                             {kAdded, "720"},
                             {kSame, " thousand.\n"},
                             {kRemoved, "By June.\n"},
                             {kAdded, "By July.\nAt once.\n"},
                             {kSame, "The end"}}}),
            "~ Harbor pays [-690-]{+720+} thousand.\n"
            "- By June.\n"
            "+ By July.\n"
            "+ At once.\n"
            "  The end\n");
}

TEST(DifferenceText, LeavesOutWhatIsFarFromAnyChange) {
  EXPECT_EQ(
      DifferenceText({{{kSame, "1\n2\n3\n4\n5\n"}, {kAdded, "new\n"}, {kSame, "6\n7\n8\n9\n"}}}),
      "...\n  3\n  4\n  5\n+ new\n  6\n  7\n  8\n...\n");
}

TEST(DifferenceText, LetsNothingActOnTheTerminal) {
  const std::string text = DifferenceText({{{kAdded, "a\x1b[2Jb\xe2\x80\xae\tc\n"}}});
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find("\xe2\x80\xae"), std::string::npos);
  EXPECT_TRUE(text.starts_with("+ a"));
}

}  // namespace
}  // namespace parley::cli
