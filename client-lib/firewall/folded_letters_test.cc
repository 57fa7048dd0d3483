#include "client-lib/firewall/folded_letters.h"

#include <gtest/gtest.h>

#include <string>

namespace parley::client {
namespace {

std::string Plain(std::string_view text) {
  std::string plain;
  for (const uint32_t letter : FoldedLetters(text)) {
    plain += letter < 0x80 ? static_cast<char>(letter) : '?';
  }
  return plain;
}

TEST(FoldedLettersTest, CaseWhiteSpaceAndPunctuationDontCount) {
  EXPECT_EQ(Plain("  Our floor,\t(690 thousand)\n"), "ourfloor690thousand");
  EXPECT_EQ(Plain("OUR-FLOOR… “690” thousand!"), "ourfloor690thousand");
  EXPECT_EQ(Plain(""), "");
  EXPECT_EQ(Plain(" .,;:!? \xE2\x80\x94"), "");
}

TEST(FoldedLettersTest, WhatCantBeSeenDoesntCount) {
  EXPECT_EQ(Plain("fl\xE2\x80\x8Boor"), "floor");              // zero width space
  EXPECT_EQ(Plain("fl\xC2\xADoor"), "floor");                  // soft hyphen
  EXPECT_EQ(Plain("f\xE2\x80\x8Dl\xE2\x80\xAEoor"), "floor");  // joiner, turned direction
  EXPECT_EQ(Plain("flo\xEF\xBB\xBFor"), "floor");              // byte order mark
  EXPECT_EQ(Plain("f\xF3\xA0\x81\xAFloor"), "floor");          // a tag
}

TEST(FoldedLettersTest, VariantsOfALetterAreOne) {
  EXPECT_EQ(Plain("caf\xC3\xA9"), Plain("cafe\xCC\x81"));  // composed, and with a combining accent
  EXPECT_EQ(Plain("CAF\xC3\x89"), "cafe");
  EXPECT_EQ(Plain("\xEF\xBC\xA6loor"), "floor");                     // full width
  EXPECT_EQ(Plain("\xF0\x9D\x90\x9F\xF0\x9D\x91\x99oor"), "floor");  // of mathematics
  EXPECT_EQ(Plain("\xE2\x93\x95loor"), "floor");                     // in a circle
  EXPECT_EQ(Plain("o\xEF\xAC\x83"
                  "ce"),
            "office");  // a ligature
  EXPECT_EQ(Plain("Stra\xC3\x9F"
                  "e"),
            "strasse");
  EXPECT_EQ(Plain("\xE2\x82\x80\xC2\xB2\xD9\xA3"), "023");
}

TEST(FoldedLettersTest, LettersThatLookLikeLatinOnesAreThose) {
  EXPECT_EQ(Plain("fl\xD0\xBE\xD0\xBEr"), "floor");  // Cyrillic o
  EXPECT_EQ(Plain("\xD0\xA1\xD0\x95\xD0\x86ling"), "ceiling");
  EXPECT_EQ(Plain("fl\xCE\xBF\xCE\xBFr"), "floor");  // Greek omicron
}

TEST(FoldedLettersTest, ACharacterOfChineseCountsThree) {
  EXPECT_EQ(FoldedLetters("\xE6\x88\x91\xE4\xBB\xAC\xE3\x80\x82").size(), 6u);  // and a full stop
  EXPECT_NE(FoldedLetters("\xE6\x88\x91"), FoldedLetters("\xE4\xBB\xAC"));
}

TEST(FoldedLettersTest, BytesThatAreNoUtf8AreLeftOut) {
  EXPECT_EQ(Plain("fl\xFFoo\xC3r"), "floor");
}

}  // namespace
}  // namespace parley::client
