#include "server/log/log.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace parley::server {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string Written(LogFormat format, std::string_view message,
                    std::initializer_list<LogField> fields = {}) {
  testing::internal::CaptureStderr();
  OpenLog(format);
  Log(LogLevel::kWarning, "something", message, fields);
  return testing::internal::GetCapturedStderr();
}

TEST(LogTest, AnObjectALineWhateverIsWritten) {
  const std::string odd = "two\nlines \"quoted\" \\ {} %v \x01 \xC3\xBC \xFF\xFE";
  const std::string text = Written(LogFormat::kJson, odd, {{"na\"me", odd}, {"file", "/var"}});
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  const nlohmann::json line = nlohmann::json::parse(text);
  EXPECT_EQ(line.at("event"), "something");
  EXPECT_EQ(line.at("level"), "warning");
  EXPECT_EQ(line.at("file"), "/var");
  const std::string message = line.at("message");
  EXPECT_TRUE(message.starts_with("two\nlines \"quoted\" \\ {} %v \x01 \xC3\xBC "));
  EXPECT_EQ(line.at("na\"me"), message);
  EXPECT_THAT(std::string(line.at("time")),
              testing::MatchesRegex("2[0-9]+-[0-9]+-[0-9]+T[0-9]+:[0-9]+:[0-9.]+Z"));
}

TEST(LogTest, TextIsALineToo) {
  const std::string text = Written(LogFormat::kText, "two\nlines {} %v");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_THAT(text, AllOf(HasSubstr("Z warning two lines {} %v"), Not(HasSubstr("something"))));
}

TEST(LogTest, TextHasNoControlsNorOtherLineEnds) {
  const std::string text = Written(LogFormat::kText,
                                   "a\x1B[2Jb\xC2\x9B"
                                   "c\xC2\x85"
                                   "d\xE2\x80\xA8"
                                   "e\xE2\x80\xA9"
                                   "f \xC3\xBC \xC2\xA0.");
  EXPECT_THAT(text, HasSubstr("a [2Jb c d e f \xC3\xBC \xC2\xA0.\n"));
}

}  // namespace
}  // namespace parley::server
