// A text as the firewall compares it: its letters and digits alone, in one form.
//
// Left out: white space, punctuation, signs, what can't be seen (zero width, joiners, turns of the
// direction, soft hyphens), combining marks. Made alike: upper and lower case, widths, accented
// letters and their base ("é" and "e"), ligatures, letters of mathematics and in circles, and the
// Cyrillic and Greek letters that look like Latin ones. That different words may come out alike
// does no harm: the firewall then refuses too much, and never by fewer than a passage's letters.
//
// A character of Chinese, Japanese or Korean says as much as several letters, and comes out as
// three: so 40 letters are 14 of them.
//
// Threading: free functions.
#ifndef PARLEY_CLIENT_LIB_FIREWALL_FOLDED_LETTERS_H_
#define PARLEY_CLIENT_LIB_FIREWALL_FOLDED_LETTERS_H_

#include <cstdint>
#include <string_view>
#include <vector>

namespace parley::client {

using Letters = std::vector<uint32_t>;

// The letters of a text. Bytes that are no UTF-8 are left out.
Letters FoldedLetters(std::string_view text);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_FIREWALL_FOLDED_LETTERS_H_
