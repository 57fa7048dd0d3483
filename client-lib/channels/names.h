// Names and sides as rosters carry them: short texts that people read.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_NAMES_H_
#define PARLEY_CLIENT_LIB_CHANNELS_NAMES_H_

#include <string_view>

#include "absl/status/status.h"

namespace parley::client {

// Whether `text` is well-formed UTF-8: no overlong forms, surrogates or values over U+10FFFF.
bool IsUtf8(std::string_view text);

// What content/shown_text.h asks of a name. `what` begins the error's message.
// Errors: InvalidArgument.
absl::Status CheckName(std::string_view what, std::string_view text);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_NAMES_H_
