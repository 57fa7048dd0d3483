#include "tools/parley/output/text.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <iterator>

namespace parley::cli {

const char kNotComparedNote[] =
    "* Safety number not compared yet: nobody has made sure by voice that it is really them.";

namespace {

constexpr uint32_t kReplacement = 0xFFFD;

struct Range {
  uint32_t first;
  uint32_t last;
};

// What must not reach a terminal, beside the controls: Unicode's format characters and separators.
constexpr Range kHarmful[] = {
    {0x00AD, 0x00AD},    // soft hyphen
    {0x061C, 0x061C},    // Arabic letter mark
    {0x180E, 0x180E},    // Mongolian vowel separator
    {0x200B, 0x200B},    // zero width space
    {0x200E, 0x200F},    // left-to-right and right-to-left mark
    {0x2028, 0x202E},    // line and paragraph separator, embeddings and overrides
    {0x2060, 0x206F},    // word joiner, isolates, deprecated formats
    {0xD800, 0xDFFF},    // surrogates
    {0xFEFF, 0xFEFF},    // byte order mark
    {0xFFF9, 0xFFFB},    // interlinear annotation
    {0xE0000, 0xE007F},  // tags
};

// Wide on a terminal (East Asian Width W and F, in broad ranges).
constexpr Range kWide[] = {
    {0x1100, 0x115F}, {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},
    {0xA000, 0xA4CF}, {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},
    {0xFFE0, 0xFFE6}, {0x1F300, 0x1F64F}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD},
};

// Written above the character before.
constexpr Range kCombining[] = {
    {0x0300, 0x036F}, {0x200C, 0x200D}, {0x20D0, 0x20FF},
    {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xE0100, 0xE01EF},
};

template <size_t N>
bool IsIn(const Range (&ranges)[N], uint32_t character) {
  return std::any_of(std::begin(ranges), std::end(ranges), [&](const Range& range) {
    return range.first <= character && character <= range.last;
  });
}

// Bytes of the sequence that `lead` begins, 0 when none does.
size_t SequenceLength(uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead < 0xE0) return 2;
  if (lead >= 0xE0 && lead < 0xF0) return 3;
  if (lead >= 0xF0 && lead < 0xF5) return 4;
  return 0;
}

void AppendVisible(uint32_t character, std::string& out) {
  if (IsHarmless(character)) {
    AppendUtf8(character, out);
    return;
  }
  std::array<char, 16> name{};
  std::snprintf(name.data(), name.size(), "<U+%04X>", character);
  out += name.data();
}

}  // namespace

uint32_t TakeCharacter(std::string_view& text) {
  static constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const uint8_t lead = static_cast<uint8_t>(text[0]);
  const size_t length = SequenceLength(lead);
  uint32_t character = length <= 1 ? lead : lead & (0x7F >> length);
  bool valid = length > 0 && length <= text.size();
  for (size_t i = 1; valid && i < length; ++i) {
    const uint8_t byte = static_cast<uint8_t>(text[i]);
    valid = (byte & 0xC0) == 0x80;
    character = character << 6 | (byte & 0x3F);
  }
  valid = valid && character >= kLeast[length] && character <= 0x10FFFF &&
          !(character >= 0xD800 && character <= 0xDFFF);
  text.remove_prefix(valid ? length : 1);
  return valid ? character : kReplacement;
}

void AppendUtf8(uint32_t character, std::string& out) {
  if (character < 0x80) {
    out += static_cast<char>(character);
  } else if (character < 0x800) {
    out += static_cast<char>(0xC0 | character >> 6);
    out += static_cast<char>(0x80 | (character & 0x3F));
  } else if (character < 0x10000) {
    out += static_cast<char>(0xE0 | character >> 12);
    out += static_cast<char>(0x80 | (character >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (character & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | character >> 18);
    out += static_cast<char>(0x80 | (character >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (character >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (character & 0x3F));
  }
}

bool IsHarmless(uint32_t character) {
  if (character < 0x20 || (character >= 0x7F && character < 0xA0)) return false;
  return !IsIn(kHarmful, character);
}

std::string Harmless(std::string_view text) {
  std::string out;
  while (!text.empty()) AppendVisible(TakeCharacter(text), out);
  return out;
}

std::string HarmlessLines(std::string_view text, std::string_view indent) {
  std::string out(indent);
  while (!text.empty()) {
    const uint32_t character = TakeCharacter(text);
    if (character == '\r' && text.starts_with('\n')) continue;
    if (character == '\n') {
      out += '\n';
      out += indent;
    } else if (character == '\t') {
      out += "    ";
    } else {
      AppendVisible(character, out);
    }
  }
  return out;
}

size_t Columns(std::string_view text) {
  size_t columns = 0;
  while (!text.empty()) {
    const uint32_t character = TakeCharacter(text);
    if (!IsIn(kCombining, character)) columns += IsIn(kWide, character) ? 2 : 1;
  }
  return columns;
}

std::string Padded(std::string_view text, size_t columns) {
  std::string out(text);
  const size_t taken = Columns(text);
  out.append(columns > taken ? columns - taken + 2 : 2, ' ');
  return out;
}

std::string RoleText(Role role, std::string_view side) {
  std::string out = RoleName(role);
  if (!side.empty()) out += ", " + Harmless(side);
  return out;
}

std::string PersonText(const Person& person) {
  return (person.self ? "you" : Harmless(person.name)) +
         (person.compared || person.self ? "" : "*") + " (" + RoleText(person.role, person.side) +
         ")";
}

std::string PeopleText(const std::vector<Person>& people) {
  std::vector<std::string> names;
  for (const Person& person : people) {
    if (!person.self) names.push_back(PersonText(person));
  }
  for (const Person& person : people) {
    if (person.self) names.push_back(PersonText(person));
  }
  if (names.empty()) return "nobody";
  std::string out;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += i + 1 == names.size() ? " and " : ", ";
    out += names[i];
  }
  return out;
}

bool AnyNotCompared(const std::vector<Person>& people) {
  return std::any_of(people.begin(), people.end(),
                     [](const Person& person) { return !person.compared && !person.self; });
}

std::string LocalTime(int64_t time) {
  const std::time_t seconds = static_cast<std::time_t>(time);
  std::tm parts{};
  std::array<char, 32> text{};
  if (localtime_r(&seconds, &parts) == nullptr ||
      std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M", &parts) == 0) {
    return "at an unknown time";
  }
  return text.data();
}

std::string IsoTime(int64_t time) {
  const std::time_t seconds = static_cast<std::time_t>(time);
  std::tm parts{};
  std::array<char, 40> text{};
  if (gmtime_r(&seconds, &parts) == nullptr ||
      std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts) == 0) {
    return "";
  }
  return text.data();
}

std::string SizeText(uint64_t bytes) {
  static constexpr const char* kUnits[] = {"KB", "MB", "GB", "TB", "PB", "EB"};
  if (bytes < 1000) return std::to_string(bytes) + (bytes == 1 ? " byte" : " bytes");
  double value = static_cast<double>(bytes) / 1000;
  size_t unit = 0;
  while (value >= 999.95 && unit + 1 < std::size(kUnits)) {
    value /= 1000;
    ++unit;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.*f %s", value < 100 && unit > 0 ? 1 : 0, value,
                kUnits[unit]);
  return text.data();
}

}  // namespace parley::cli
