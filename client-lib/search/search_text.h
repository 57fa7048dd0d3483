// Texts as they are searched: folded (case, accents and width don't count; ICU's NFKC_Casefold) and
// cut into terms. Words are terms; of scripts that are written without spaces (Chinese, Japanese,
// Korean, Thai and the like) every two characters in a row are one, and the last of a run by
// itself.
//
//   const SearchQuery query = ParseSearchQuery("zoe 東京 sched");
//   Matches(query, "The schedule of Zoë, 東京都");      // true: the last word is a beginning
//
// Threading: free functions. Errors: none; bytes that aren't UTF-8 part words.
#ifndef PARLEY_CLIENT_LIB_SEARCH_SEARCH_TEXT_H_
#define PARLEY_CLIENT_LIB_SEARCH_SEARCH_TEXT_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace parley::client {

// Longer terms are cut there (at a character).
inline constexpr size_t kMaxTermBytes = 64;
// More words of a query are left out.
inline constexpr size_t kMaxQueryTerms = 32;

// The terms of a text, in order, with repetitions.
std::vector<std::string> TermsOf(std::string_view text);

struct QueryTerm {
  std::string term;
  bool prefix = false;  // any term that begins so
  friend bool operator==(const QueryTerm&, const QueryTerm&) = default;
};

struct SearchQuery {
  // A text that matches has all of these among its terms.
  std::vector<QueryTerm> terms;
  // And these runs of characters, each in one piece.
  std::vector<std::string> runs;
  // The words without the last one's grams, for Matches().
  std::vector<QueryTerm> words;
  bool empty() const { return terms.empty(); }
};

// The last word counts as a beginning, unless something that is no part of a word follows.
SearchQuery ParseSearchQuery(std::string_view text);

// Whether the text has all that is asked for.
bool Matches(const SearchQuery& query, std::string_view text);

// A short piece of the text around the first thing that is asked for, on one line; "…" where it was
// cut. `width`: characters, at most.
std::string Excerpt(const SearchQuery& query, std::string_view text, size_t width);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_SEARCH_SEARCH_TEXT_H_
