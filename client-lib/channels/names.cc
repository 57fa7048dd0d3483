#include "client-lib/channels/names.h"

#include <cstdint>
#include <optional>
#include <string>

#include "client-lib/channels/channel_state.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

// The character that begins at `text`, taken off it; nothing when it isn't well-formed.
std::optional<uint32_t> TakeCharacter(std::string_view& text) {
  const auto first = static_cast<uint8_t>(text[0]);
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

// C0, C1, DEL, line separators, and what turns the writing direction, with which a name could
// pretend to be another.
bool IsControl(uint32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x200E || c == 0x200F || c == 0x2028 ||
         c == 0x2029 || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

}  // namespace

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    if (!TakeCharacter(text).has_value()) return false;
  }
  return true;
}

absl::Status CheckName(std::string_view what, std::string_view text) {
  const std::string subject(what);
  if (text.empty()) return absl::InvalidArgumentError(subject + " is empty");
  if (text.size() > kMaxNameBytes) {
    return absl::InvalidArgumentError(subject + " is longer than " + std::to_string(kMaxNameBytes) +
                                      " bytes");
  }
  if (text.front() == ' ' || text.back() == ' ') {
    return absl::InvalidArgumentError(subject + " begins or ends with a space");
  }
  for (std::string_view rest = text; !rest.empty();) {
    const std::optional<uint32_t> c = TakeCharacter(rest);
    if (!c.has_value()) return absl::InvalidArgumentError(subject + " is not UTF-8");
    if (IsControl(*c)) {
      return absl::InvalidArgumentError(subject + " holds a control character");
    }
  }
  return absl::OkStatus();
}

}  // namespace parley::client
