#include "storage/kv/deleted_ranges.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace parley::storage {
namespace {

TEST(DeletedRangesTest, AreInOrderAndDoNotTouch) {
  DeletedRanges deleted;
  deleted.Add("m", "p");
  deleted.Add("c", "d");
  deleted.Add("o", "q");
  deleted.Add("d", "e");
  deleted.Add("x", "x");  // nothing
  deleted.AddKey("a");
  EXPECT_EQ(std::move(deleted).Take(),
            (std::vector<KeyRange>{{"a", std::string("a\0", 2)}, {"c", "e"}, {"m", "q"}}));
}

TEST(DeletedRangesTest, VeryManyBecomeFewerThatHoldAll) {
  DeletedRanges deleted;
  std::vector<std::string> keys;
  for (int i = 0; i < 5000; ++i) {
    const std::string number = std::to_string(i * 7919 % 5000);
    keys.push_back("key" + std::string(4 - number.size(), '0') + number);
    deleted.AddKey(keys.back());
  }
  const std::vector<KeyRange> ranges = std::move(deleted).Take();
  EXPECT_LE(ranges.size(), 512U);
  for (const std::string& key : keys) {
    EXPECT_TRUE(std::any_of(ranges.begin(), ranges.end(), [&](const KeyRange& range) {
      return range.begin <= key && key < range.end;
    })) << key;
  }
}

TEST(DeletedRangesTest, AreReadAsTheyWereWritten) {
  const std::vector<KeyRange> ranges = {{"", "a"}, {"b", std::string(300, 'c')}};
  const std::string bytes = SerializeRanges(ranges);
  EXPECT_EQ(ParseRanges(bytes), ranges);
  for (size_t size = 1; size < bytes.size(); ++size) {
    const auto parsed = ParseRanges(bytes.substr(0, size));
    EXPECT_TRUE(!parsed.has_value() || parsed->size() < ranges.size()) << size;
  }
  EXPECT_EQ(ParseRanges(std::string("\0\0\0\1b\0\0\0\1a", 10)),
            std::nullopt);  // ends before it begins
  EXPECT_EQ(ParseRanges("\xff\xff\xff\xff"), std::nullopt);
}

}  // namespace
}  // namespace parley::storage
