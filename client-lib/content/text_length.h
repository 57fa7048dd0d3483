// How long a text is, in words that a person can check by counting.
//
// Threading: free functions.
#ifndef PARLEY_CLIENT_LIB_CONTENT_TEXT_LENGTH_H_
#define PARLEY_CLIENT_LIB_CONTENT_TEXT_LENGTH_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace parley::client {

// The end of a sentence that the text's kind begins ("the title …"), when the text is longer than
// `most_bytes`: "has 204 characters; its first 66 fit (200 bytes, and it takes 612)". Empty when it
// fits. Bytes that are no UTF-8 count as characters.
std::string LengthFault(std::string_view text, size_t most_bytes);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CONTENT_TEXT_LENGTH_H_
