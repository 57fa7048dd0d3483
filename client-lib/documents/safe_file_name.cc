#include <algorithm>
#include <cctype>
#include <cstdint>
#include <string>

#include "client-lib/documents/transfer.h"

namespace parley::client {
namespace {

constexpr size_t kMaxBytes = 200;
constexpr size_t kMaxEnding = 20;
constexpr uint32_t kInvalid = 0xFFFFFFFF;

// The character at `at`, which moves behind it; kInvalid (and one byte) where there is none.
uint32_t NextCharacter(std::string_view text, size_t& at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at++);
  if (first < 0x80) return first;
  const int more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
  if (first < 0xC2 || first > 0xF4 || at + static_cast<size_t>(more) > text.size()) return kInvalid;
  uint32_t character = first & (0x3Fu >> more);
  for (int i = 0; i < more; ++i) {
    const unsigned char next = byte(at + static_cast<size_t>(i));
    if ((next & 0xC0) != 0x80) return kInvalid;
    character = character << 6 | (next & 0x3Fu);
  }
  const uint32_t least = more == 3 ? 0x10000u : more == 2 ? 0x800u : 0x80u;
  if (character < least || character > 0x10FFFF || (character >= 0xD800 && character <= 0xDFFF)) {
    return kInvalid;
  }
  at += static_cast<size_t>(more);
  return character;
}

bool IsIn(uint32_t c, uint32_t first, uint32_t last) { return c >= first && c <= last; }

// Characters that can't be seen or that change how their neighbours are shown.
bool IsInvisible(uint32_t c) {
  return c < 0x20 || IsIn(c, 0x7F, 0x9F) || c == 0xAD || c == 0x061C || c == 0x180E ||
         c == 0x200B || IsIn(c, 0x200E, 0x200F) || IsIn(c, 0x2028, 0x202E) ||
         IsIn(c, 0x2060, 0x206F) || c == 0xFEFF || IsIn(c, 0xFFF9, 0xFFFB) ||
         IsIn(c, 0xE0000, 0xE0FFF) || (c & 0xFFFE) == 0xFFFE;
}

bool IsReservedOnWindows(std::string_view name) {
  std::string stem(name.substr(0, name.find('.')));
  while (!stem.empty() && stem.back() == ' ') stem.pop_back();
  std::transform(stem.begin(), stem.end(), stem.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (stem == "CON" || stem == "PRN" || stem == "AUX" || stem == "NUL") return true;
  return stem.size() == 4 && (stem.starts_with("COM") || stem.starts_with("LPT")) &&
         std::isdigit(static_cast<unsigned char>(stem[3])) != 0;
}

// The last component that isn't empty.
std::string_view WithoutFolders(std::string_view name) {
  while (!name.empty() && (name.back() == '/' || name.back() == '\\')) name.remove_suffix(1);
  const size_t slash = name.find_last_of("/\\");
  return slash == std::string_view::npos ? name : name.substr(slash + 1);
}

std::string_view Trimmed(std::string_view name) {
  const size_t first = name.find_first_not_of(" .");
  if (first == std::string_view::npos) return {};
  return name.substr(first, name.find_last_not_of(" .") - first + 1);
}

// At most `size` bytes of `text`, cut between characters.
std::string_view CutTo(std::string_view text, size_t size) {
  if (text.size() <= size) return text;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return text.substr(0, size);
}

}  // namespace

std::string SafeFileName(std::string_view name) {
  name = WithoutFolders(name);
  std::string cleaned;
  for (size_t at = 0; at < name.size();) {
    const size_t start = at;
    const uint32_t c = NextCharacter(name, at);
    if (c == kInvalid || (c < 0x80 && std::string_view("/\\:*?\"<>|").find(static_cast<char>(c)) !=
                                          std::string_view::npos)) {
      cleaned += '_';
    } else if (!IsInvisible(c)) {
      cleaned += name.substr(start, at - start);
    }
  }
  std::string safe(Trimmed(cleaned));
  if (safe.size() > kMaxBytes) {
    const size_t dot = safe.rfind('.');
    const std::string ending =
        dot != std::string::npos && safe.size() - dot <= kMaxEnding ? safe.substr(dot) : "";
    std::string_view stem(safe);
    stem.remove_suffix(ending.size());
    safe = std::string(Trimmed(CutTo(stem, kMaxBytes - ending.size()))) + ending;
  }
  if (safe.empty()) return "document";
  // A dash would be read as an option by other programs; the last is our own name for what is not
  // complete yet.
  if (safe.front() == '-' || IsReservedOnWindows(safe) || safe.ends_with(".parley-part")) {
    safe = "_" + std::string(CutTo(safe, kMaxBytes - 1));
    if (safe.ends_with(".parley-part")) safe += "_";
  }
  return safe;
}

}  // namespace parley::client
