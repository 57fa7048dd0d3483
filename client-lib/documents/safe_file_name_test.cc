#include <random>
#include <string>

#include "client-lib/documents/transfer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace parley::client {
namespace {

TEST(SafeFileName, KeepsOrdinaryNames) {
  for (const char* name : {"brief.pdf", "Position paper (final) v2.docx", "調停合意書.pdf",
                           "Übersicht – März.xlsx", "a", "archive.tar.gz", "می‌خواهم.txt",
                           "👩‍⚖️.png", "~notes", "COM.txt", "console.log"}) {
    EXPECT_EQ(SafeFileName(name), name);
  }
}

TEST(SafeFileName, LeavesNoWayOutOfTheFolder) {
  EXPECT_EQ(SafeFileName("../../etc/passwd"), "passwd");
  EXPECT_EQ(SafeFileName("/etc/passwd"), "passwd");
  EXPECT_EQ(SafeFileName("C:\\Windows\\win.ini"), "win.ini");
  EXPECT_EQ(SafeFileName("folder/"), "folder");
  EXPECT_EQ(SafeFileName(".."), "document");
  EXPECT_EQ(SafeFileName("../.."), "document");
  EXPECT_EQ(SafeFileName("."), "document");
  EXPECT_EQ(SafeFileName(""), "document");
  EXPECT_EQ(SafeFileName("///"), "document");
  EXPECT_EQ(SafeFileName("C:"), "C_");
  EXPECT_EQ(SafeFileName("a:stream"), "a_stream");
}

TEST(SafeFileName, IsNotHiddenReservedOrAnOption) {
  EXPECT_EQ(SafeFileName(".bashrc"), "bashrc");
  EXPECT_EQ(SafeFileName("  .  name. ."), "name");
  EXPECT_EQ(SafeFileName("-rf"), "_-rf");
  EXPECT_EQ(SafeFileName("con"), "_con");
  EXPECT_EQ(SafeFileName("Nul.txt"), "_Nul.txt");
  EXPECT_EQ(SafeFileName("lpt1 .txt"), "_lpt1 .txt");
  EXPECT_EQ(SafeFileName("x.parley-part"), "_x.parley-part_");
}

TEST(SafeFileName, DropsWhatDeceives) {
  EXPECT_EQ(SafeFileName("invoice\xE2\x80\xAE"
                         "fdp.exe"),
            "invoicefdp.exe");  // right-to-left override
  EXPECT_EQ(SafeFileName("a\nb\tc\x7f\x1b[31m.txt"), "abc[31m.txt");
  EXPECT_EQ(SafeFileName("a\xC2\x85"
                         "b\xE2\x81\xA6"
                         "c\xEF\xBB\xBF"
                         "d"),
            "abcd");
  EXPECT_EQ(SafeFileName(std::string("a\0b", 3)), "ab");
}

TEST(SafeFileName, RepairsWhatIsNotUtf8) {
  EXPECT_EQ(SafeFileName("a\xFF"
                         "b"),
            "a_b");
  EXPECT_EQ(SafeFileName("a\xC0\xAF"
                         "b"),
            "a__b");  // an overlong "/"
  EXPECT_EQ(SafeFileName("a\xED\xA0\x80"
                         "b"),
            "a___b");                           // a surrogate
  EXPECT_EQ(SafeFileName("a\xE3\x81"), "a__");  // cut short
}

TEST(SafeFileName, BoundsTheLengthAndKeepsTheEnding) {
  EXPECT_EQ(SafeFileName(std::string(500, 'x') + ".pdf"), std::string(196, 'x') + ".pdf");
  std::string japanese;
  for (int i = 0; i < 200; ++i) japanese += "合";
  const std::string cut = SafeFileName(japanese + ".pdf");
  EXPECT_LE(cut.size(), 200u);
  EXPECT_TRUE(cut.ends_with("合.pdf"));
  EXPECT_EQ(SafeFileName("x." + std::string(500, 'y')).size(), 200u);
}

// Whatever the name, the result can be used, and doing it twice changes nothing.
TEST(SafeFileName, HoldsForAnyBytes) {
  std::mt19937 random(5);
  static constexpr char kAlphabet[] =
      "./\\:-~ \0\n\xE2\x80\xAE\xF0\x9F\x98\x80\xC3\xA9 conNULaux1*?";
  const std::string alphabet(kAlphabet, sizeof(kAlphabet) - 1);
  for (int i = 0; i < 20'000; ++i) {
    std::string name;
    for (size_t n = random() % 40; n > 0; --n) {
      name +=
          random() % 3 == 0 ? static_cast<char>(random()) : alphabet[random() % alphabet.size()];
    }
    if (random() % 10 == 0) name += std::string(random() % 400, 'z');
    const std::string safe = SafeFileName(name);
    ASSERT_FALSE(safe.empty());
    ASSERT_LE(safe.size(), 201u);
    ASSERT_EQ(safe.find_first_of(std::string("/\\:\0\n", 5)), std::string::npos) << safe;
    ASSERT_NE(safe.front(), '.');
    ASSERT_NE(safe.front(), '-');
    ASSERT_EQ(SafeFileName(safe), safe);
  }
}

}  // namespace
}  // namespace parley::client
