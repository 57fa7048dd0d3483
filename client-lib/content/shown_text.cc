#include "client-lib/content/shown_text.h"

#include <optional>

#include "client-lib/content/text_length.h"
#include "client-lib/content/utf8.h"

namespace parley::client {
namespace {

struct Range {
  uint32_t first;
  uint32_t last;
};

constexpr Range kInvisible[] = {
    {0x00, 0x1F},        // C0
    {0x7F, 0x9F},        // DEL, C1
    {0xAD, 0xAD},        // soft hyphen
    {0x034F, 0x034F},    // grapheme joiner, which joins nothing
    {0x061C, 0x061C},    // Arabic letter mark
    {0x115F, 0x1160},    // Hangul fillers
    {0x17B4, 0x17B5},    // Khmer vowels that aren't shown
    {0x180B, 0x180E},    // Mongolian selectors and vowel separator
    {0x200B, 0x200B},    // zero width space
    {0x200E, 0x200F},    // marks of direction
    {0x2028, 0x202E},    // line separators, turns of direction
    {0x2060, 0x206F},    // word joiner, isolates, what is deprecated
    {0x3164, 0x3164},    // Hangul filler
    {0xFEFF, 0xFEFF},    // byte order mark
    {0xFFA0, 0xFFA0},    // Hangul filler, half width
    {0xFFF9, 0xFFFB},    // annotations
    {0xE0000, 0xE0FFF},  // tags, further selectors
};

// Whether it is a letter, a digit, a sign: anything but a space or a joiner.
bool IsVisible(uint32_t c) {
  return c != ' ' && c != 0xA0 && c != 0x3000 && (c < 0x2000 || c > 0x200D);
}

}  // namespace

bool IsInvisible(uint32_t character) {
  for (const Range& range : kInvisible) {
    if (character >= range.first && character <= range.last) return true;
  }
  return (character & 0xFFFE) == 0xFFFE || (character >= 0xFDD0 && character <= 0xFDEF);
}

std::string FaultOfName(std::string_view text) {
  if (text.empty()) return "is empty";
  if (text.size() > kMaxNameBytes) return LengthFault(text, kMaxNameBytes);
  if (text.front() == ' ' || text.back() == ' ') return "begins or ends with a space";
  bool visible = false;
  while (!text.empty()) {
    const std::optional<uint32_t> c = TakeCharacter(text);
    if (!c.has_value()) return "is not UTF-8";
    if (IsInvisible(*c)) return "holds a control character or one that can't be seen";
    visible = visible || IsVisible(*c);
  }
  return visible ? "" : "holds nothing that can be seen";
}

bool IsGoodName(std::string_view text) { return FaultOfName(text).empty(); }

}  // namespace parley::client
