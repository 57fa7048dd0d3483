#include "tools/parley/output/text.h"

#include <gtest/gtest.h>

namespace parley::cli {
namespace {

Person Somebody(const std::string& name, Role role, const std::string& side, bool compared) {
  Person person;
  person.name = name;
  person.role = role;
  person.side = side;
  person.compared = compared;
  return person;
}

TEST(TextTest, MakesControlsVisible) {
  EXPECT_EQ(Harmless("plain"), "plain");
  EXPECT_EQ(Harmless("\x1b]0;title\x07"), "<U+001B>]0;title<U+0007>");
  EXPECT_EQ(Harmless("a\nMira Voss (mediator)"), "a<U+000A>Mira Voss (mediator)");
  EXPECT_EQ(Harmless("\xc2\x9b"
                     "31m"),
            "<U+009B>31m");
  EXPECT_EQ(Harmless("invoice\xe2\x80\xae"
                     "fdp.exe"),
            "invoice<U+202E>fdp.exe");
  EXPECT_EQ(Harmless("\xe2\x81\xa6x\xe2\x81\xa9"), "<U+2066>x<U+2069>");
  EXPECT_EQ(Harmless("a\xe2\x80\x8b"
                     "b"),
            "a<U+200B>b");
  EXPECT_EQ(Harmless("\xff"), "\xef\xbf\xbd");
  EXPECT_EQ(Harmless("調停陳述書 שלום 😀"), "調停陳述書 שלום 😀");
}

TEST(TextTest, EveryLineOfOthersIsIndented) {
  EXPECT_EQ(HarmlessLines("one\ntwo\r\nthree", "  "), "  one\n  two\n  three");
  EXPECT_EQ(HarmlessLines("a\tb\rc", "> "), "> a    b<U+000D>c");
  EXPECT_EQ(HarmlessLines("", "  "), "  ");
}

TEST(TextTest, MeasuresColumns) {
  EXPECT_EQ(Columns("abc"), 3u);
  EXPECT_EQ(Columns("調停"), 4u);
  EXPECT_EQ(Columns("e\xcc\x81"), 1u);
  EXPECT_EQ(Padded("調停", 6), "調停    ");
  EXPECT_EQ(Padded("too long", 3), "too long  ");
}

TEST(TextTest, NamesPeople) {
  const Person mira = Somebody("Mira Voss", Role::kMediator, "", true);
  const Person ana = Somebody("Ana Ruiz", Role::kParty, "Harbor", false);
  Person self = Somebody("Lee", Role::kCounsel, "Harbor", true);
  self.self = true;
  EXPECT_EQ(PersonText(mira), "Mira Voss (mediator)");
  EXPECT_EQ(PersonText(ana), "Ana Ruiz* (party, Harbor)");
  EXPECT_EQ(PeopleText({self, mira, ana}),
            "Mira Voss (mediator), Ana Ruiz* (party, Harbor) and you (counsel, Harbor)");
  EXPECT_EQ(PeopleText({}), "nobody");
  EXPECT_TRUE(AnyNotCompared({mira, ana}));
  EXPECT_FALSE(AnyNotCompared({mira, self}));
}

TEST(TextTest, WritesSizesAndTimes) {
  EXPECT_EQ(SizeText(0), "0 bytes");
  EXPECT_EQ(SizeText(1), "1 byte");
  EXPECT_EQ(SizeText(999), "999 bytes");
  EXPECT_EQ(SizeText(35400), "35 KB");
  EXPECT_EQ(SizeText(24999075), "25.0 MB");
  EXPECT_EQ(SizeText(999999), "1.0 MB");
  EXPECT_EQ(SizeText(1073741824), "1.1 GB");
  EXPECT_EQ(IsoTime(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(IsoTime(1773501006), "2026-03-14T15:10:06Z");
  EXPECT_EQ(LocalTime(1773501006).size(), 16u);
}

}  // namespace
}  // namespace parley::cli
