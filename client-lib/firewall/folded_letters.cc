#include "client-lib/firewall/folded_letters.h"

#include <locale.h>
#include <wctype.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>

#include "client-lib/content/folded_text.h"
#include "client-lib/content/utf8.h"

namespace parley::client {
namespace {

// From `first` to `last`, both included, all look like `as`.
struct Alike {
  uint32_t first;
  uint32_t last;
  const char* as;
};

// In order. After folding of case: what stands here is in lower case, or has none.
constexpr Alike kAlike[] = {
    {0xAA, 0xAA, "a"},      {0xB2, 0xB2, "2"},       {0xB3, 0xB3, "3"},
    {0xB9, 0xB9, "1"},      {0xBA, 0xBA, "o"},       {0xDF, 0xDF, "ss"},
    {0xE0, 0xE5, "a"},      {0xE6, 0xE6, "ae"},      {0xE7, 0xE7, "c"},
    {0xE8, 0xEB, "e"},      {0xEC, 0xEF, "i"},       {0xF0, 0xF0, "d"},
    {0xF1, 0xF1, "n"},      {0xF2, 0xF6, "o"},       {0xF8, 0xF8, "o"},
    {0xF9, 0xFC, "u"},      {0xFD, 0xFD, "y"},       {0xFF, 0xFF, "y"},
    {0x100, 0x105, "a"},    {0x106, 0x10D, "c"},     {0x10E, 0x111, "d"},
    {0x112, 0x11B, "e"},    {0x11C, 0x123, "g"},     {0x124, 0x127, "h"},
    {0x128, 0x131, "i"},    {0x132, 0x133, "ij"},    {0x134, 0x135, "j"},
    {0x136, 0x138, "k"},    {0x139, 0x142, "l"},     {0x143, 0x14B, "n"},
    {0x14C, 0x151, "o"},    {0x152, 0x153, "oe"},    {0x154, 0x159, "r"},
    {0x15A, 0x161, "s"},    {0x162, 0x167, "t"},     {0x168, 0x173, "u"},
    {0x174, 0x175, "w"},    {0x176, 0x178, "y"},     {0x179, 0x17E, "z"},
    {0x17F, 0x17F, "s"},    {0x1A0, 0x1A1, "o"},     {0x1AF, 0x1B0, "u"},
    {0x1CD, 0x1CE, "a"},    {0x1CF, 0x1D0, "i"},     {0x1D1, 0x1D2, "o"},
    {0x1D3, 0x1DC, "u"},    {0x218, 0x219, "s"},     {0x21A, 0x21B, "t"},
    {0x237, 0x237, "j"},    {0x251, 0x251, "a"},     {0x261, 0x261, "g"},
    {0x269, 0x26A, "i"},    {0x3AC, 0x3AC, "a"},     {0x3AD, 0x3AD, "e"},
    {0x3AE, 0x3AE, "h"},    {0x3AF, 0x3AF, "i"},     {0x3B1, 0x3B1, "a"},
    {0x3B2, 0x3B2, "b"},    {0x3B5, 0x3B5, "e"},     {0x3B6, 0x3B6, "z"},
    {0x3B7, 0x3B7, "h"},    {0x3B9, 0x3B9, "i"},     {0x3BA, 0x3BA, "k"},
    {0x3BC, 0x3BC, "m"},    {0x3BD, 0x3BD, "n"},     {0x3BF, 0x3BF, "o"},
    {0x3C1, 0x3C1, "p"},    {0x3C4, 0x3C4, "t"},     {0x3C5, 0x3C5, "y"},
    {0x3C7, 0x3C7, "x"},    {0x3CA, 0x3CA, "i"},     {0x3CB, 0x3CB, "y"},
    {0x3CC, 0x3CC, "o"},    {0x3CD, 0x3CD, "y"},     {0x3F2, 0x3F2, "c"},
    {0x430, 0x430, "a"},    {0x432, 0x432, "b"},     {0x435, 0x435, "e"},
    {0x43A, 0x43A, "k"},    {0x43C, 0x43C, "m"},     {0x43D, 0x43D, "h"},
    {0x43E, 0x43E, "o"},    {0x440, 0x440, "p"},     {0x441, 0x441, "c"},
    {0x442, 0x442, "t"},    {0x443, 0x443, "y"},     {0x445, 0x445, "x"},
    {0x44C, 0x44C, "b"},    {0x450, 0x451, "e"},     {0x455, 0x455, "s"},
    {0x456, 0x457, "i"},    {0x458, 0x458, "j"},     {0x475, 0x475, "v"},
    {0x4BB, 0x4BB, "h"},    {0x4CF, 0x4CF, "l"},     {0x501, 0x501, "d"},
    {0x51B, 0x51B, "q"},    {0x51D, 0x51D, "w"},     {0x1E00, 0x1E01, "a"},
    {0x1E02, 0x1E07, "b"},  {0x1E08, 0x1E09, "c"},   {0x1E0A, 0x1E13, "d"},
    {0x1E14, 0x1E1D, "e"},  {0x1E1E, 0x1E1F, "f"},   {0x1E20, 0x1E21, "g"},
    {0x1E22, 0x1E2B, "h"},  {0x1E2C, 0x1E2F, "i"},   {0x1E30, 0x1E35, "k"},
    {0x1E36, 0x1E3D, "l"},  {0x1E3E, 0x1E43, "m"},   {0x1E44, 0x1E4B, "n"},
    {0x1E4C, 0x1E53, "o"},  {0x1E54, 0x1E57, "p"},   {0x1E58, 0x1E5F, "r"},
    {0x1E60, 0x1E69, "s"},  {0x1E6A, 0x1E71, "t"},   {0x1E72, 0x1E7B, "u"},
    {0x1E7C, 0x1E7F, "v"},  {0x1E80, 0x1E89, "w"},   {0x1E8A, 0x1E8D, "x"},
    {0x1E8E, 0x1E8F, "y"},  {0x1E90, 0x1E95, "z"},   {0x1E96, 0x1E96, "h"},
    {0x1E97, 0x1E97, "t"},  {0x1E98, 0x1E98, "w"},   {0x1E99, 0x1E99, "y"},
    {0x1E9E, 0x1E9E, "ss"}, {0x1EA0, 0x1EB7, "a"},   {0x1EB8, 0x1EC7, "e"},
    {0x1EC8, 0x1ECB, "i"},  {0x1ECC, 0x1EE3, "o"},   {0x1EE4, 0x1EF1, "u"},
    {0x1EF2, 0x1EF9, "y"},  {0xFB00, 0xFB00, "ff"},  {0xFB01, 0xFB01, "fi"},
    {0xFB02, 0xFB02, "fl"}, {0xFB03, 0xFB03, "ffi"}, {0xFB04, 0xFB04, "ffl"},
    {0xFB05, 0xFB06, "st"},
};

// What has no line of its own: rows of the alphabet in other shapes.
std::optional<uint32_t> FromRow(uint32_t c) {
  constexpr uint32_t kLetters = 26;
  if (c >= 0x24D0 && c <= 0x24E9) return 'a' + (c - 0x24D0);                // in circles
  if (c >= 0x1D400 && c <= 0x1D6A3) return 'a' + (c - 0x1D400) % kLetters;  // of mathematics
  if (c >= 0x1D7CE && c <= 0x1D7FF) return '0' + (c - 0x1D7CE) % 10;
  if (c >= 0x2080 && c <= 0x2089) return '0' + (c - 0x2080);  // below and above the line
  if (c == 0x2070 || (c >= 0x2074 && c <= 0x2079)) return '0' + (c - 0x2070);
  if (c >= 0x660 && c <= 0x669) return '0' + (c - 0x660);  // Arabic digits
  if (c >= 0x6F0 && c <= 0x6F9) return '0' + (c - 0x6F0);
  return std::nullopt;
}

bool IsCombining(uint32_t c) {
  return (c >= 0x300 && c <= 0x36F) || (c >= 0x483 && c <= 0x489) || (c >= 0x1AB0 && c <= 0x1AFF) ||
         (c >= 0x1DC0 && c <= 0x1DFF) || (c >= 0x20D0 && c <= 0x20FF) ||
         (c >= 0xFE00 && c <= 0xFE2F);
}

// Characters that stand for a syllable or a word.
bool IsWide(uint32_t c) {
  return (c >= 0x2E80 && c <= 0x9FFF) || (c >= 0xAC00 && c <= 0xD7A3) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x20000 && c <= 0x3FFFF);
}

// By the C library's table, whatever locale the program runs in. Made once, never freed.
bool IsLetterOrDigit(uint32_t c) {
  static const locale_t locale =
      newlocale(LC_CTYPE_MASK, "C.UTF-8", static_cast<locale_t>(nullptr));
  if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  return locale == nullptr || iswalnum_l(static_cast<wint_t>(c), locale) != 0;
}

void Add(uint32_t c, Letters& letters) {
  if (c < 0x80 || IsCombining(c)) {
    if (IsLetterOrDigit(c) && c < 0x80) letters.push_back(c);
    return;
  }
  const Alike* const found = std::lower_bound(
      std::begin(kAlike), std::end(kAlike), c,
      [](const Alike& alike, uint32_t character) { return alike.last < character; });
  if (found != std::end(kAlike) && found->first <= c) {
    for (const char* letter = found->as; *letter != '\0'; ++letter) {
      letters.push_back(static_cast<uint32_t>(*letter));
    }
    return;
  }
  if (const std::optional<uint32_t> letter = FromRow(c)) {
    letters.push_back(*letter);
    return;
  }
  if (!IsLetterOrDigit(c)) return;
  letters.push_back(c);
  constexpr uint32_t kSecond = 0x1000000;  // beyond all characters
  if (IsWide(c)) letters.insert(letters.end(), {c + kSecond, c + 2 * kSecond});
}

}  // namespace

Letters FoldedLetters(std::string_view text) {
  const std::string folded = Folded(text);
  Letters letters;
  letters.reserve(folded.size());
  for (std::string_view rest = folded; !rest.empty();) {
    const std::optional<uint32_t> c = TakeCharacter(rest);
    if (c.has_value()) {
      Add(*c, letters);
    } else {
      rest.remove_prefix(1);
    }
  }
  return letters;
}

}  // namespace parley::client
