// What of a text is shown to people: the one list of characters that no name may hold, whether of a
// participant, a side, a case or a document.
//
// Threading: free functions.
#ifndef PARLEY_CLIENT_LIB_CONTENT_SHOWN_TEXT_H_
#define PARLEY_CLIENT_LIB_CONTENT_SHOWN_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace parley::client {

inline constexpr size_t kMaxNameBytes = 200;

// Whether a character can't be seen or changes how its neighbours are shown, so that a text with it
// could pretend to be another: controls (C0, DEL, C1), zero width, turns of the writing direction,
// line separators, tags, and what is no character. The two joiners, which Persian, Indic scripts
// and emoji can't be written without, are none of them.
bool IsInvisible(uint32_t character);

// What is wrong with `text` as a name of somebody or something, as the end of a sentence that its
// subject begins ("begins or ends with a space"); empty for nothing. A name is 1 to kMaxNameBytes
// bytes of well-formed UTF-8 without invisible characters, and neither begins nor ends with a
// space.
std::string FaultOfName(std::string_view text);

// Whether there is no fault.
bool IsGoodName(std::string_view text);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CONTENT_SHOWN_TEXT_H_
