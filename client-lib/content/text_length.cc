#include "client-lib/content/text_length.h"

#include "client-lib/content/utf8.h"

namespace parley::client {

std::string LengthFault(std::string_view text, size_t most_bytes) {
  if (text.size() <= most_bytes) return "";
  size_t characters = 0;
  size_t fitting = 0;
  for (std::string_view rest = text; !rest.empty();) {
    if (!TakeCharacter(rest).has_value()) rest.remove_prefix(1);
    ++characters;
    if (text.size() - rest.size() <= most_bytes) fitting = characters;
  }
  return "has " + std::to_string(characters) + " characters; its first " + std::to_string(fitting) +
         " fit (" + std::to_string(most_bytes) + " bytes, and it takes " +
         std::to_string(text.size()) + ")";
}

}  // namespace parley::client
