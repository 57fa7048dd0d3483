#include "client-lib/search/search_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace parley::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

bool Finds(std::string_view query, std::string_view text) {
  const SearchQuery parsed = ParseSearchQuery(query);
  return !parsed.empty() && Matches(parsed, text);
}

TEST(SearchTextTest, CutsWordsAndFoldsCaseAccentsAndWidth) {
  EXPECT_THAT(TermsOf("The Schedule, of Zoë's"), ElementsAre("the", "schedule", "of", "zoe", "s"));
  EXPECT_THAT(TermsOf("Łódź ÜBER Straße \xEF\xAC\x81ne Ｈａｒｂｏｒ"),
              ElementsAre("lodz", "uber", "strasse", "fine", "harbor"));
  EXPECT_THAT(TermsOf("İstanbul ΟΔΌΣ Ёлка"), ElementsAre("istanbul", "οδοσ", "елка"));
  EXPECT_THAT(TermsOf("é e\xCC\x81"), ElementsAre("e", "e")) << "composed or not";
  EXPECT_THAT(TermsOf("715,000 EUR"), ElementsAre("715", "000", "eur"));
  EXPECT_THAT(TermsOf(" ,.- \n"), IsEmpty());
}

TEST(SearchTextTest, CutsWhatIsWrittenWithoutSpacesInPairs) {
  EXPECT_THAT(TermsOf("東京都へ"), ElementsAre("東京", "京都", "都へ", "へ"));
  EXPECT_THAT(TermsOf("PDF版"), ElementsAre("pdf", "版"));
  EXPECT_THAT(TermsOf("ﾊﾞｰ"), ElementsAre("バー", "ー")) << "narrow kana are the usual ones";
  EXPECT_THAT(TermsOf("한국"), ElementsAre("한국", "국"));
}

TEST(SearchTextTest, FindsPartsOfWhatIsWrittenWithoutSpaces) {
  EXPECT_TRUE(Finds("京都", "東京都へ行く"));
  EXPECT_TRUE(Finds("都", "東京都"));
  EXPECT_TRUE(Finds("東京都へ", "東京都へ行く"));
  EXPECT_FALSE(Finds("東京都へ", "東京へ、京都へ、都へ")) << "all pairs, and not in a row";
  EXPECT_FALSE(Finds("か", "が")) << "another letter";
  EXPECT_TRUE(Finds("ประเทศ", "ในประเทศไทย"));
}

TEST(SearchTextTest, TheLastWordIsABeginning) {
  EXPECT_TRUE(Finds("harbor sched", "A schedule for Harbor"));
  EXPECT_FALSE(Finds("harb schedule", "A schedule for Harbor")) << "only the last";
  EXPECT_FALSE(Finds("sched ", "A schedule")) << "it is finished";
  EXPECT_TRUE(Finds("schedule ", "A schedule"));
  EXPECT_TRUE(Finds("ZOE", "zoë"));
  EXPECT_FALSE(Finds("pay now", "pay later"));
}

TEST(SearchTextTest, AQueryWithoutWordsIsEmpty) {
  EXPECT_TRUE(ParseSearchQuery("").empty());
  EXPECT_TRUE(ParseSearchQuery(" \xFF\xFE ... ").empty());
}

TEST(SearchTextTest, HoldsWithAnyBytesAndLengths) {
  EXPECT_TRUE(Finds("good", "\xFF\xC0good\x80"));
  EXPECT_THAT(TermsOf("a\xED\xA0\x80z"), ElementsAre("a", "z")) << "a surrogate parts words";
  const std::string long_word(1000, 'x');
  EXPECT_THAT(TermsOf(long_word), ElementsAre(std::string(kMaxTermBytes, 'x')));
  EXPECT_TRUE(Finds(long_word, long_word + "y"));
  std::string many;
  for (int i = 0; i < 500; ++i) many += "w" + std::to_string(i) + " ";
  EXPECT_THAT(ParseSearchQuery(many).terms, SizeIs(kMaxQueryTerms));
  std::string run;
  for (int i = 0; i < 500; ++i) run += "東";
  EXPECT_TRUE(Finds(run, run + "京"));
}

TEST(SearchTextTest, ShowsWhatIsAroundTheFirstPlace) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "word" + std::to_string(i) + " ";
  text += "the Délivery\n\tschedule, ";
  for (int i = 0; i < 100; ++i) text += "more" + std::to_string(i) + " ";
  const std::string excerpt = Excerpt(ParseSearchQuery("delivery"), text, 60);
  EXPECT_THAT(excerpt, HasSubstr("the Délivery schedule,"));
  EXPECT_TRUE(excerpt.starts_with("…") && excerpt.ends_with("…")) << excerpt;
  EXPECT_LT(excerpt.size(), 80u);
  EXPECT_EQ(Excerpt(ParseSearchQuery("zoe"), "Zoë said so", 60), "Zoë said so");
  EXPECT_EQ(Excerpt(ParseSearchQuery("zoe"), "a\v\fb\xC2\x85Zoë\xE2\x80\xA8said\xE2\x80\xA9so", 60),
            "a b Zoë said so");
  std::string run;
  for (int i = 0; i < 300; ++i) run += "山川";
  EXPECT_THAT(Excerpt(ParseSearchQuery("東京"), run + "東京" + run, 60), HasSubstr("東京"));
}

}  // namespace
}  // namespace parley::client
