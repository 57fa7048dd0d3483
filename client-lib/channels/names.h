// Names and sides as rosters carry them: short texts that people read.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_NAMES_H_
#define PARLEY_CLIENT_LIB_CHANNELS_NAMES_H_

#include <string_view>

#include "absl/status/status.h"

namespace parley::client {

// Whether `text` is well-formed UTF-8: no overlong forms, surrogates or values over U+10FFFF.
bool IsUtf8(std::string_view text);

// A name of 1 to kMaxNameBytes bytes of UTF-8, without control characters (also none that turn the
// writing direction), not beginning or ending with a space. `what` begins the error's message.
// Errors: InvalidArgument.
absl::Status CheckName(std::string_view what, std::string_view text);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_NAMES_H_
