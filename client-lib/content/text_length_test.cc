#include "client-lib/content/text_length.h"

#include <gtest/gtest.h>

namespace parley::client {
namespace {

TEST(TextLengthTest, CountsCharactersThatAPersonSees) {
  EXPECT_EQ(LengthFault(std::string(200, 'a'), 200), "");
  EXPECT_EQ(LengthFault(std::string(201, 'a'), 200),
            "has 201 characters; its first 200 fit (200 bytes, and it takes 201)");
  std::string japanese;
  for (int i = 0; i < 70; ++i) japanese += "調";
  EXPECT_EQ(LengthFault(japanese, 200),
            "has 70 characters; its first 66 fit (200 bytes, and it takes 210)");
  EXPECT_EQ(LengthFault("\xff\xff\xff", 2),
            "has 3 characters; its first 2 fit (2 bytes, and it takes 3)");
}

}  // namespace
}  // namespace parley::client
