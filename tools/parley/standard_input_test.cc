#include "tools/parley/standard_input.h"

#include <gtest/gtest.h>

#include <sstream>

namespace parley::cli {
namespace {

TEST(StandardInputTest, OnlyADashReads) {
  std::istringstream in("from input\n");
  EXPECT_EQ(*ArgumentOrInput("given", in), "given");
  EXPECT_EQ(*ArgumentOrInput("--", in), "--");
  EXPECT_EQ(*ArgumentOrInput("-", in), "from input");
}

TEST(StandardInputTest, KeepsAllButTheLastLinesEnd) {
  std::istringstream lines("one\n\ntwo\n\n");
  EXPECT_EQ(*ArgumentOrInput("-", lines), "one\n\ntwo\n");
  std::istringstream windows("one\r\n");
  EXPECT_EQ(*ArgumentOrInput("-", windows), "one");
  std::istringstream empty("");
  EXPECT_EQ(*ArgumentOrInput("-", empty), "");
  const std::string large(300 * 1024, 'x');
  std::istringstream much(large);
  EXPECT_EQ(*ArgumentOrInput("-", much), large);
}

TEST(StandardInputTest, IsBounded) {
  std::istringstream in(std::string(16 * 1024 * 1024 + 1, 'x'));
  EXPECT_EQ(ArgumentOrInput("-", in).status().code(), StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace parley::cli
