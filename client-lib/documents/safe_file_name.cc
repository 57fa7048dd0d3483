#include <algorithm>
#include <cctype>
#include <cstdint>
#include <optional>
#include <string>

#include "client-lib/content/shown_text.h"
#include "client-lib/content/utf8.h"
#include "client-lib/documents/transfer.h"

namespace parley::client {
namespace {

constexpr size_t kMaxBytes = 200;
constexpr size_t kMaxEnding = 20;

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
  while (!name.empty()) {
    const std::string_view before = name;
    const std::optional<uint32_t> c = TakeCharacter(name);
    if (!c.has_value()) name.remove_prefix(1);
    if (!c.has_value() ||
        (*c < 0x80 &&
         std::string_view("/\\:*?\"<>|").find(static_cast<char>(*c)) != std::string_view::npos)) {
      cleaned += '_';
    } else if (!IsInvisible(*c)) {
      cleaned += before.substr(0, before.size() - name.size());
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
