#include "server/settings/settings_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "crypto/base/status_macros.h"

namespace parley::server {
namespace {

// Nobody writes a longer one by hand.
constexpr uintmax_t kLargestFile = 1 << 20;

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

bool IsBareName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

bool IsNothingButComment(std::string_view rest) {
  rest = Trimmed(rest);
  return rest.empty() || rest.front() == '#';
}

// The text in quotes at the beginning of `text`, which then begins behind it.
absl::StatusOr<std::string> TakeQuoted(std::string_view& text) {
  const char quote = text.front();
  std::string value;
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == quote) {
      text.remove_prefix(i + 1);
      return value;
    }
    if (text[i] == '\\' && quote == '"') {
      ++i;
      if (i == text.size() || (text[i] != '"' && text[i] != '\\')) {
        return absl::InvalidArgumentError(
            "after a backslash only \\ or \" can stand: put the text between ' and '");
      }
    }
    value += text[i];
  }
  return absl::InvalidArgumentError("the text's second quotation mark is missing");
}

// Errors: InvalidArgument.
absl::StatusOr<std::string> ParseValue(std::string_view name, std::string_view text) {
  if (text.empty() || text.front() == '#') {
    return absl::InvalidArgumentError("there is no value behind \"=\"");
  }
  if (text.front() == '"' || text.front() == '\'') {
    absl::StatusOr<std::string> value = TakeQuoted(text);
    if (!value.ok()) return value;
    if (IsNothingButComment(text)) return value;
    return absl::InvalidArgumentError("only a comment can stand behind the value: begin it with #");
  }
  const std::string_view bare = Trimmed(text.substr(0, text.find('#')));
  const bool is_number =
      std::all_of(bare.begin(), bare.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (is_number || bare == "true" || bare == "false") return std::string(bare);
  return absl::InvalidArgumentError("a text needs quotation marks: " + std::string(name) + " = " +
                                    QuotedValue(bare));
}

// nullopt for a line that sets nothing. Errors: InvalidArgument.
absl::StatusOr<std::optional<GivenSetting>> ParseLine(std::string_view line) {
  line = Trimmed(line);
  if (line.empty() || line.front() == '#') return std::optional<GivenSetting>();
  if (line.front() == '[') {
    return absl::InvalidArgumentError("there are no sections here: leave the line out");
  }
  const size_t equals = line.find('=');
  const std::string_view name = Trimmed(line.substr(0, equals));
  if (equals == std::string_view::npos || !IsBareName(name)) {
    return absl::InvalidArgumentError(
        "this is not NAME = VALUE, nor a comment, which begins with #");
  }
  PARLEY_ASSIGN_OR_RETURN(std::string value, ParseValue(name, Trimmed(line.substr(equals + 1))));
  return std::optional<GivenSetting>({std::string(name), std::move(value), "", ""});
}

}  // namespace

absl::StatusOr<std::vector<GivenSetting>> ParseSettingsFile(std::string_view text,
                                                            const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  std::vector<GivenSetting> settings;
  std::string problems;
  size_t number = 0;
  while (!text.empty()) {
    ++number;
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string where = path + ", line " + std::to_string(number);
    absl::StatusOr<std::optional<GivenSetting>> line = ParseLine(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.ok()) {
      if (!problems.empty()) problems += '\n';
      problems += where + ": " + std::string(line.status().message());
    } else if (line->has_value()) {
      (*line)->where = where;
      (*line)->folder = folder;
      settings.push_back(*std::move(*line));
    }
  }
  if (!problems.empty()) return absl::InvalidArgumentError(problems);
  return settings;
}

absl::StatusOr<std::vector<GivenSetting>> ReadSettingsFile(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return absl::NotFoundError("there is no configuration file " + path);
  }
  if (!std::filesystem::is_regular_file(path, error)) {
    return absl::UnavailableError("the configuration " + path + " is no file");
  }
  if (std::filesystem::file_size(path, error) > kLargestFile) {
    return absl::UnavailableError("the configuration file " + path + " is larger than 1 MiB");
  }
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    // An empty file sets the stream's failure too, and is fine.
    if (file && std::filesystem::file_size(path, error) == 0) return std::vector<GivenSetting>();
    return absl::UnavailableError("the configuration file " + path +
                                  " can't be read: " + std::strerror(errno));
  }
  return ParseSettingsFile(text.str(), path);
}

std::string QuotedValue(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

}  // namespace parley::server
