#include "client-lib/channels/names.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "client-lib/content/folded_text.h"
#include "client-lib/content/shown_text.h"
#include "client-lib/content/utf8.h"

namespace parley::client {
bool IsUtf8(std::string_view text) { return IsWellFormedUtf8(text); }

absl::Status CheckName(std::string_view what, std::string_view text) {
  const std::string fault = FaultOfName(text);
  if (fault.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(std::string(what) + " " + fault);
}

bool IsGroupName(std::string_view name) {
  constexpr std::string_view kKinds[] = {"joint", "caucus", "neutrals", "counsel", "team", "group"};
  const std::string folded = Folded(Trimmed(name));
  return name.find(':') == std::string_view::npos &&
         std::find(std::begin(kKinds), std::end(kKinds), folded) == std::end(kKinds);
}

}  // namespace parley::client
