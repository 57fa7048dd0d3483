#include "tools/parley/output/json.h"

#include <gtest/gtest.h>

namespace parley::cli {
namespace {

TEST(JsonTest, WritesFieldsInOrder) {
  const JsonObject object = JsonObject()
                                .Text("a", "x")
                                .Number("b", 18446744073709551615u)
                                .Bool("c", true)
                                .Null("d")
                                .Texts("e", {"1", "2"})
                                .Objects("f", {JsonObject().Bool("g", false), JsonObject()});
  EXPECT_EQ(object.ToString(),
            R"({"a": "x", "b": 18446744073709551615, "c": true, "d": null, "e": ["1", "2"], )"
            R"("f": [{"g": false}, {}]})");
  EXPECT_EQ(JsonObject().ToString(), "{}");
  EXPECT_EQ(JsonObject().All(object).ToString(), object.ToString());
  EXPECT_EQ(JsonObject().Text("z", "").All(JsonObject().Number("y", 0)).ToString(),
            R"({"z": "", "y": 0})");
}

TEST(JsonTest, EscapesWhatIsNotHarmless) {
  EXPECT_EQ(JsonQuote("\"\\/"), R"("\"\\/")");
  EXPECT_EQ(JsonQuote("a\nb\tc\rd"), R"("a\nb\tc\u000dd")");
  EXPECT_EQ(JsonQuote("\x1b[31m\x7f"), R"("\u001b[31m\u007f")");
  EXPECT_EQ(JsonQuote("\xc2\x9b"), R"("\u009b")");
  EXPECT_EQ(JsonQuote("\xe2\x80\xae"), R"("\u202e")");
  EXPECT_EQ(JsonQuote("\xf3\xa0\x81\x81"), R"("\udb40\udc41")");
  EXPECT_EQ(JsonQuote("調停 ü 😀"), "\"調停 ü 😀\"");
  EXPECT_EQ(JsonQuote(std::string_view("a\0b", 3)), R"("a\u0000b")");
}

TEST(JsonTest, ReplacesBytesThatAreNoText) {
  EXPECT_EQ(JsonQuote("\xff"), "\"\xef\xbf\xbd\"");
  EXPECT_EQ(JsonQuote("\xc0\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\"");
  EXPECT_EQ(JsonQuote("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
  EXPECT_EQ(JsonQuote("\xe8\xaa"), "\"\xef\xbf\xbd\xef\xbf\xbd\"");
  EXPECT_EQ(JsonQuote("\xf5\x80\x80\x80").size(), 14u);
}

}  // namespace
}  // namespace parley::cli
