#include "client-lib/content/folded_text.h"

#include <locale.h>
#include <wctype.h>

#include <cstdint>
#include <optional>

#include "client-lib/content/utf8.h"

namespace parley::client {
namespace {

bool IsSpace(uint32_t c) {
  return c == ' ' || (c >= 0x09 && c <= 0x0D) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

// The C library's table of letters, whatever locale the program runs in. Made once, never freed.
uint32_t ToLower(uint32_t c) {
  static const locale_t locale =
      newlocale(LC_CTYPE_MASK, "C.UTF-8", static_cast<locale_t>(nullptr));
  if (c >= 'A' && c <= 'Z') return c - 'A' + 'a';
  return locale == nullptr ? c : static_cast<uint32_t>(towlower_l(static_cast<wint_t>(c), locale));
}

uint32_t ToUsualWidth(uint32_t c) {
  constexpr uint32_t kFirstWide = 0xFF01;  // "！" to "～" are ASCII's "!" to "~"
  constexpr uint32_t kLastWide = 0xFF5E;
  if (c >= kFirstWide && c <= kLastWide) return c - kFirstWide + '!';
  return IsSpace(c) ? ' ' : c;
}

void Append(uint32_t c, std::string& out) {
  if (c < 0x80) {
    out += static_cast<char>(c);
    return;
  }
  const int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;  // bytes after the first
  constexpr uint8_t kFirst[] = {0, 0xC0, 0xE0, 0xF0};
  out += static_cast<char>(kFirst[more] | c >> (6 * more));
  for (int i = more - 1; i >= 0; --i) out += static_cast<char>(0x80 | (c >> (6 * i) & 0x3F));
}

}  // namespace

std::string_view Trimmed(std::string_view text) {
  std::string_view rest = text;
  const char* end = text.data();  // behind the last character that isn't a space
  while (!rest.empty()) {
    const std::string_view before = rest;
    const std::optional<uint32_t> c = TakeCharacter(rest);
    if (!c.has_value()) rest.remove_prefix(1);
    if (!c.has_value() || !IsSpace(*c)) {
      end = rest.data();
    } else if (before.data() == text.data()) {
      text = rest;
      end = rest.data();
    }
  }
  return text.substr(0, static_cast<size_t>(end - text.data()));
}

bool IsBlank(std::string_view text) { return Trimmed(text).empty(); }

std::string Folded(std::string_view text) {
  std::string folded;
  for (std::string_view rest = Trimmed(text); !rest.empty();) {
    const char byte = rest.front();
    const std::optional<uint32_t> c = TakeCharacter(rest);
    if (c.has_value()) {
      Append(ToLower(ToUsualWidth(*c)), folded);
    } else {
      folded += byte;
      rest.remove_prefix(1);
    }
  }
  return folded;
}

}  // namespace parley::client
