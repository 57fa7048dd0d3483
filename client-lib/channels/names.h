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

// Whether a group may be called so: not as channels of another kind are, in whatever letters, and
// without the colon that stands between a kind and a name.
bool IsGroupName(std::string_view name);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_NAMES_H_
