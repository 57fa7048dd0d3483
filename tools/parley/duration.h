// Spans of time as people write them: "90s", "30m", "12h", "14d", "2w".
#ifndef PARLEY_TOOLS_PARLEY_DURATION_H_
#define PARLEY_TOOLS_PARLEY_DURATION_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace parley::cli {

// Seconds; a bare number counts days. Nothing for any other text, for 0, or for over ten years.
std::optional<int64_t> ParseDuration(std::string_view text);

}  // namespace parley::cli

#endif  // PARLEY_TOOLS_PARLEY_DURATION_H_
