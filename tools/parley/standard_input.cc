#include "tools/parley/standard_input.h"

#include <array>

namespace parley::cli {
namespace {

constexpr size_t kMost = 16 * 1024 * 1024;

}  // namespace

Result<std::string> ArgumentOrInput(const std::string& argument, std::istream& in) {
  if (argument != "-") return argument;
  std::string text;
  std::array<char, 64 * 1024> piece{};
  while (in.read(piece.data(), piece.size()) || in.gcount() > 0) {
    text.append(piece.data(), static_cast<size_t>(in.gcount()));
    if (text.size() > kMost) {
      return Status(StatusCode::kResourceExhausted,
                    "standard input holds more than 16 MiB: share it as a document instead");
    }
  }
  if (in.bad()) return Status(StatusCode::kFileError, "standard input can't be read");
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

}  // namespace parley::cli
