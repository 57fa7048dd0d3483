// UTF-8, read strictly.
//
// Threading: free functions.
#ifndef PARLEY_CLIENT_LIB_CONTENT_UTF8_H_
#define PARLEY_CLIENT_LIB_CONTENT_UTF8_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace parley::client {

// The character that begins at `text`, which isn't empty, taken off it. Nothing (and `text`
// unchanged) when it isn't well-formed: cut short, an overlong form, a surrogate, over U+10FFFF.
// RFC 3629 section 4.
std::optional<uint32_t> TakeCharacter(std::string_view& text);

// Whether all of `text` is well-formed.
bool IsWellFormedUtf8(std::string_view text);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CONTENT_UTF8_H_
