#include "tools/parley/command_line/value_checks.h"

#include <algorithm>
#include <charconv>

#include "parley/procedure.h"
#include "parley/types.h"
#include "tools/parley/duration.h"

namespace parley::cli {

std::optional<std::string> ReadRole(const std::string& text) {
  if (ParseRole(text)) return std::nullopt;
  return "\"" + text +
         "\" is no role to invite somebody for: co-mediator, party, counsel, expert, observer, "
         "interpreter or support-person";
}

std::optional<std::string> ReadDuration(const std::string& text) {
  if (ParseDuration(text)) return std::nullopt;
  return "\"" + text + "\" is no span of time: write 90s, 30m, 12h, 14d or 2w";
}

namespace {

bool IsWholeNumber(const std::string& text) {
  const bool digits =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  return digits && !text.empty() && text.size() < 20;
}

}  // namespace

std::optional<std::string> ReadPosition(const std::string& text) {
  if (IsWholeNumber(text)) return std::nullopt;
  return "\"" + text + "\" is no position: positions are whole numbers";
}

std::optional<std::string> ReadCount(const std::string& text) {
  if (IsWholeNumber(text) && text.find_first_not_of('0') != std::string::npos) return std::nullopt;
  return "\"" + text + "\" is no number of things to show: write a whole number from 1 on";
}

std::optional<std::string> ReadSeconds(const std::string& text) {
  constexpr double kMost = 86400;
  double seconds = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size() && seconds >= 0 &&
      seconds <= kMost) {
    return std::nullopt;
  }
  return "\"" + text + "\" is no number of seconds: write 0 to 86400";
}

std::optional<std::string> ReadAct(const std::string& text) {
  if (ParseCaseAct(text)) return std::nullopt;
  return "\"" + text + "\" is no act of a case";
}

std::optional<std::string> ReadDocumentClass(const std::string& text) {
  if (DocumentClassOf(text)) return std::nullopt;
  return "\"" + text + "\" is no class of documents: general, financial, privileged or settlement";
}

std::optional<std::string> ReadOutput(const std::string& text) {
  if (text != "-") return std::nullopt;
  return "a document isn't written to standard output: name a file (one called - is ./-)";
}

std::function<std::string(const std::string&)> Check(
    std::optional<std::string> (*read)(const std::string&)) {
  return [read](const std::string& text) { return read(text).value_or(""); };
}

}  // namespace parley::cli
