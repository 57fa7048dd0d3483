#include "tools/parley/terminal.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace parley::cli {
namespace {

std::string WriteFile(const std::string& content) {
  const std::string path = testing::TempDir() + "passphrase-" + std::to_string(getpid());
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

TEST(TerminalTest, PassphraseIsTheFirstLine) {
  EXPECT_EQ(ReadSecretFile(WriteFile("pass word\nsecond"))->Reveal(), "pass word");
  EXPECT_EQ(ReadSecretFile(WriteFile("without end"))->Reveal(), "without end");
  EXPECT_EQ(ReadSecretFile(WriteFile("windows\r\n"))->Reveal(), "windows");
  EXPECT_EQ(ReadSecretFile(WriteFile(" spaces count \n"))->Reveal(), " spaces count ");
}

TEST(TerminalTest, RefusesFilesWithoutPassphrase) {
  EXPECT_EQ(ReadSecretFile(WriteFile("")).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(ReadSecretFile(WriteFile("\nsecond")).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(ReadSecretFile(WriteFile(std::string(70000, 'x'))).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(ReadSecretFile("/nowhere/at/all").status().code(), StatusCode::kFileError);
  EXPECT_EQ(ReadSecretFile(testing::TempDir()).status().code(), StatusCode::kFileError);
}

TEST(TerminalTest, SecretTextMoves) {
  SecretText text;
  for (int i = 0; i < 1000; ++i) text.Append(static_cast<char>('a' + i % 26));
  text.RemoveLast();
  SecretText moved = std::move(text);
  EXPECT_EQ(moved.Reveal().size(), 999u);
  EXPECT_TRUE(text.empty());  // NOLINT: moving leaves nothing behind
  moved = SecretText();
  EXPECT_TRUE(moved.empty());
}

}  // namespace
}  // namespace parley::cli
