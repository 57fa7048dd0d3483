#include "client-lib/content/utf8.h"

namespace parley::client {

std::optional<uint32_t> TakeCharacter(std::string_view& text) {
  const auto first = static_cast<uint8_t>(text.front());
  size_t more = 0;
  uint32_t value = first;
  uint32_t least = 0;
  if (first >= 0xF0 && first <= 0xF4) {
    more = 3, value = first & 0x07, least = 0x10000;
  } else if (first >= 0xE0 && first < 0xF0) {
    more = 2, value = first & 0x0F, least = 0x800;
  } else if (first >= 0xC2 && first < 0xE0) {
    more = 1, value = first & 0x1F, least = 0x80;
  } else if (first >= 0x80) {
    return std::nullopt;
  }
  if (text.size() <= more) return std::nullopt;
  for (size_t i = 1; i <= more; ++i) {
    const auto next = static_cast<uint8_t>(text[i]);
    if ((next & 0xC0) != 0x80) return std::nullopt;
    value = value << 6 | (next & 0x3F);
  }
  if (value < least || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) {
    return std::nullopt;
  }
  text.remove_prefix(more + 1);
  return value;
}

bool IsWellFormedUtf8(std::string_view text) {
  while (!text.empty()) {
    if (!TakeCharacter(text).has_value()) return false;
  }
  return true;
}

}  // namespace parley::client
