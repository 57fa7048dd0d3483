#include "client-lib/channels/names.h"

#include <string>

#include "client-lib/content/shown_text.h"
#include "client-lib/content/utf8.h"

namespace parley::client {
bool IsUtf8(std::string_view text) { return IsWellFormedUtf8(text); }

absl::Status CheckName(std::string_view what, std::string_view text) {
  const std::string fault = FaultOfName(text);
  if (fault.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(std::string(what) + " " + fault);
}

}  // namespace parley::client
