// How names that people type are compared: upper and lower case alike, wide Latin letters like
// narrow ones, without the spaces around them.
//
// Threading: free functions.
#ifndef PARLEY_CLIENT_LIB_CONTENT_FOLDED_TEXT_H_
#define PARLEY_CLIENT_LIB_CONTENT_FOLDED_TEXT_H_

#include <string>
#include <string_view>

namespace parley::client {

// The text without the spaces at its ends, of whatever width.
std::string_view Trimmed(std::string_view text);

// Whether nothing of the text can be seen: it is empty, or has only spaces and ends of lines.
bool IsBlank(std::string_view text);

// A form for comparing: trimmed, in lower case, full-width Latin letters, digits and signs as usual
// ones. Equal forms are the same name to a person. Bytes that are no UTF-8 stay as they are.
std::string Folded(std::string_view text);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CONTENT_FOLDED_TEXT_H_
