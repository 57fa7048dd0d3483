#include "client-lib/firewall/passages.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

namespace parley::client {
namespace {

using Random = std::mt19937;

size_t Below(Random& random, size_t bound) {
  return std::uniform_int_distribution<size_t>(0, bound - 1)(random);
}

std::string RandomText(Random& random, size_t letters) {
  static constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::string text;
  for (size_t i = 0; i < letters; ++i) text += kAlphabet[Below(random, kAlphabet.size())];
  return text;
}

// The same letters as a person, or somebody who wants to hide them, might write them.
std::string Disguised(Random& random, const std::string& text) {
  static const std::vector<std::string> kBetween = {
      " ", "\n", ", ", "\xE2\x80\x8B", "\xC2\xAD", " - ", "\xCC\x81", "\"", "\xE2\x80\xAE"};
  std::string disguised;
  for (const char c : text) {
    disguised += Below(random, 2) == 0 ? static_cast<char>(std::toupper(c)) : c;
    if (c == 'o' && Below(random, 2) == 0) {
      disguised.pop_back();
      disguised += "\xD0\xBE";
    }
    while (Below(random, 4) == 0) disguised += kBetween[Below(random, kBetween.size())];
  }
  return disguised;
}

bool ShareAFingerprint(const Letters& a, const Letters& b) {
  const std::vector<uint64_t> first = Fingerprints(a);
  const std::vector<uint64_t> second = Fingerprints(b);
  std::vector<uint64_t> both;
  std::set_intersection(first.begin(), first.end(), second.begin(), second.end(),
                        std::back_inserter(both));
  return !both.empty();
}

TEST(PassagesTest, APassageOfTheShortestLengthIsNeverMissed) {
  Random random(1);
  for (int round = 0; round < 4000; ++round) {
    const std::string passage = RandomText(random, kPassageLetters);
    const std::string source =
        RandomText(random, Below(random, 300)) + passage + RandomText(random, Below(random, 300));
    const std::string text = RandomText(random, Below(random, 300)) + Disguised(random, passage) +
                             RandomText(random, Below(random, 300));
    const Letters a = FoldedLetters(source);
    const Letters b = FoldedLetters(text);
    ASSERT_TRUE(ShareAFingerprint(a, b)) << round << "\n" << source << "\n" << text;
    ASSERT_TRUE(PassageFinder(b).Shares(a)) << round;
  }
}

TEST(PassagesTest, RepeatedLettersAreNoDifferent) {
  Random random(2);
  for (int round = 0; round < 500; ++round) {  // two letters only: hashes are equal all the time
    std::string passage;
    for (size_t i = 0; i < kPassageLetters; ++i) passage += Below(random, 8) == 0 ? 'b' : 'a';
    const Letters a = FoldedLetters(RandomText(random, 50) + passage);
    const Letters b = FoldedLetters(passage + RandomText(random, 50));
    ASSERT_TRUE(ShareAFingerprint(a, b)) << passage;
    ASSERT_TRUE(PassageFinder(b).Shares(a)) << passage;
  }
}

TEST(PassagesTest, OneLetterLessIsNoPassage) {
  Random random(3);
  for (int round = 0; round < 1000; ++round) {
    const std::string passage = RandomText(random, kPassageLetters - 1);
    const Letters a = FoldedLetters(RandomText(random, 100) + "x" + passage + "x");
    const Letters b = FoldedLetters(RandomText(random, 100) + "y" + passage + "y");
    ASSERT_FALSE(PassageFinder(b).Shares(a));
  }
}

TEST(PassagesTest, UnrelatedTextsShareNothing) {
  Random random(4);
  for (int round = 0; round < 500; ++round) {
    const Letters a = FoldedLetters(RandomText(random, 2000));
    const Letters b = FoldedLetters(RandomText(random, 2000));
    ASSERT_FALSE(PassageFinder(b).Shares(a));
    ASSERT_FALSE(ShareAFingerprint(a, b));  // 64 bits
  }
}

TEST(PassagesTest, MarksEachPlaceOfAPassage) {
  const std::string passage = "fastpaymentmatterstousandweneedacovenantonjune30";  // 48 letters
  ASSERT_EQ(passage.size(), 48u);
  const Letters text = FoldedLetters("xyz" + passage + "q" + passage);
  const Letters source = FoldedLetters("--" + passage);
  std::vector<bool> places(text.size(), false);
  PassageFinder(text).Mark(source, places);
  for (size_t i = 0; i < places.size(); ++i) {
    const bool in_first = i >= 3 && i <= 3 + 8;
    const bool in_second = i >= 52 && i <= 52 + 8;
    EXPECT_EQ(places[i], in_first || in_second) << i;
  }
}

TEST(PassagesTest, TextsThatRepeatOneLetterAreComparedQuickly) {
  const Letters a(200'000, 'a');
  std::vector<bool> places(a.size(), false);
  PassageFinder(a).Mark(a, places);  // each place once: the square of this would take minutes
  EXPECT_TRUE(places.front());
  EXPECT_EQ(Fingerprints(a).size(), 1u);
}

TEST(PassagesTest, FingerprintsAreFew) {
  Random random(5);
  const Letters letters = FoldedLetters(RandomText(random, 100'000));
  EXPECT_LT(Fingerprints(letters).size(), letters.size() / 7);  // 2 in 18 are expected
}

TEST(PassagesTest, ShortTextsAreFoundWhole) {
  const Letters part = FoldedLetters("Our ceiling is 715.");
  ASSERT_TRUE(CountsAsWhole(part));
  EXPECT_FALSE(CountsAsWhole(FoldedLetters("It is 715.")));
  EXPECT_FALSE(CountsAsWhole(FoldedLetters("Good afternoon!")));
  EXPECT_TRUE(CountsAsWhole(FoldedLetters("We would rather go to court.")));
  const Letters text = FoldedLetters("They say: our CEILING is 715, no more");
  const std::vector<uint64_t> grams = GramHashes(text, kShortLetters);
  EXPECT_NE(std::find(grams.begin(), grams.end(), ShortFingerprint(part)), grams.end());
  EXPECT_EQ(FindWhole(text, part), 7u);
  EXPECT_EQ(FindWhole(part, text), part.size());
}

}  // namespace
}  // namespace parley::client
