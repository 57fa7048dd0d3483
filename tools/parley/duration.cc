#include "tools/parley/duration.h"

#include <charconv>

namespace parley::cli {
namespace {

constexpr int64_t kDay = 24 * 60 * 60;
constexpr int64_t kLongest = 10 * 365 * kDay;

std::optional<int64_t> UnitSeconds(std::string_view unit) {
  if (unit == "s") return 1;
  if (unit == "m") return 60;
  if (unit == "h") return 60 * 60;
  if (unit == "d" || unit.empty()) return kDay;
  if (unit == "w") return 7 * kDay;
  return std::nullopt;
}

}  // namespace

std::optional<int64_t> ParseDuration(std::string_view text) {
  int64_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc{} || count <= 0 || count > kLongest) return std::nullopt;
  const auto unit = UnitSeconds(std::string_view(rest, static_cast<size_t>(end - rest)));
  if (!unit || count > kLongest / *unit) return std::nullopt;
  return count * *unit;
}

}  // namespace parley::cli
