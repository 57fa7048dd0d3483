#include "client-lib/search/search_text.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>
#include <set>

namespace parley::client {
namespace {

enum class CharClass : uint8_t { kNone, kWord, kGram, kMark };

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

void AppendUtf8(UChar32 c, std::string& out) {
  std::array<uint8_t, U8_MAX_LENGTH> bytes{};
  int32_t length = 0;
  U8_APPEND_UNSAFE(bytes.data(), length, c);
  out.append(bytes.begin(), bytes.begin() + length);
}

// Scripts in which one character says as much as a syllable or a word, or words follow each other
// without spaces.
bool IsGram(UChar32 c) {
  static constexpr std::array<UScriptCode, 5> kScripts = {
      USCRIPT_HAN, USCRIPT_HIRAGANA, USCRIPT_KATAKANA, USCRIPT_HANGUL, USCRIPT_BOPOMOFO};
  if (c < 0x0E00) return false;
  if (u_getIntPropertyValue(c, UCHAR_LINE_BREAK) == U_LB_COMPLEX_CONTEXT) return true;
  return std::any_of(kScripts.begin(), kScripts.end(),
                     [c](UScriptCode script) { return uscript_hasScript(c, script) != 0; });
}

CharClass ClassOf(UChar32 c) {
  if (c < 0x80) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
    return word ? CharClass::kWord : CharClass::kNone;
  }
  const uint32_t type = U_GET_GC_MASK(c);
  if ((type & U_GC_M_MASK) != 0) return CharClass::kMark;
  if ((type & (U_GC_L_MASK | U_GC_N_MASK)) == 0) return CharClass::kNone;
  return IsGram(c) ? CharClass::kGram : CharClass::kWord;
}

// Letters with a stroke, which Unicode doesn't take apart and people type without.
const char* Strokeless(UChar32 c) {
  switch (c) {
    case 0xE6:
      return "ae";
    case 0xF0:
    case 0x111:
      return "d";
    case 0xF8:
      return "o";
    case 0x127:
      return "h";
    case 0x131:
      return "i";
    case 0x142:
      return "l";
    case 0x153:
      return "oe";
    case 0x167:
      return "t";
    default:
      return nullptr;
  }
}

// A mark that belongs to no script of its own: an accent.
bool IsAccent(UChar32 c) {
  UErrorCode error = U_ZERO_ERROR;
  return u_charType(c) == U_NON_SPACING_MARK && uscript_getScript(c, &error) == USCRIPT_INHERITED;
}

std::u16string ToUtf16(std::string_view text) {
  std::u16string wide(text.size(), u'\0');
  int32_t length = 0;
  UErrorCode error = U_ZERO_ERROR;
  u_strFromUTF8WithSub(wide.data(), static_cast<int32_t>(wide.size()), &length, text.data(),
                       static_cast<int32_t>(text.size()), 0xFFFD, nullptr, &error);
  wide.resize(U_SUCCESS(error) ? static_cast<size_t>(length) : 0);
  return wide;
}

std::u16string Normalized(const UNormalizer2* form, const std::u16string& text) {
  std::u16string out(text.size() * 2 + 32, u'\0');
  for (;;) {
    UErrorCode error = U_ZERO_ERROR;
    const int32_t length = unorm2_normalize(form, text.data(), static_cast<int32_t>(text.size()),
                                            out.data(), static_cast<int32_t>(out.size()), &error);
    if (error == U_BUFFER_OVERFLOW_ERROR) {
      out.resize(static_cast<size_t>(length));
      continue;
    }
    out.resize(U_SUCCESS(error) ? static_cast<size_t>(length) : 0);
    return out;
  }
}

// One character of a text in NFKC_Casefold, without its accents.
void AppendBare(const UNormalizer2* nfd, UChar32 c, std::string& out) {
  if (c < 0x80) {
    out += static_cast<char>(c);
    return;
  }
  if (const char* bare = Strokeless(c)) {
    out += bare;
    return;
  }
  if (IsAccent(c)) return;
  std::array<UChar, 32> parts{};
  UErrorCode error = U_ZERO_ERROR;
  // A voiced kana is another letter than the plain one.
  const int32_t length = IsGram(c) ? -1 : unorm2_getDecomposition(nfd, c, parts.data(), 32, &error);
  if (length < 0 || U_FAILURE(error)) {
    AppendUtf8(c, out);
    return;
  }
  for (int32_t i = 0; i < length;) {
    UChar32 part = 0;
    U16_NEXT(parts.data(), i, length, part);
    if (!IsAccent(part)) AppendUtf8(part, out);
  }
}

std::string Folded(std::string_view text) {
  std::string folded;
  folded.reserve(text.size());
  if (IsAscii(text)) {
    for (const char c : text) folded += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return folded;
  }
  UErrorCode error = U_ZERO_ERROR;
  const UNormalizer2* const casefold = unorm2_getNFKCCasefoldInstance(&error);
  const UNormalizer2* const nfd = unorm2_getNFDInstance(&error);
  if (U_FAILURE(error)) return std::string(text);
  const std::u16string wide = Normalized(casefold, ToUtf16(text));
  const auto length = static_cast<int32_t>(wide.size());
  for (int32_t i = 0; i < length;) {
    UChar32 c = 0;
    U16_NEXT(wide.data(), i, length, c);
    AppendBare(nfd, c, folded);
  }
  return folded;
}

// A word, or a run of characters that are written without spaces.
struct Piece {
  std::string text;
  bool is_run = false;
  bool at_end = false;  // nothing follows in the text
};

std::vector<Piece> PiecesOf(std::string_view text) {
  const std::string folded = Folded(text);
  std::vector<Piece> pieces;
  const auto* const bytes = reinterpret_cast<const uint8_t*>(folded.data());
  const auto length = static_cast<int32_t>(folded.size());
  CharClass current = CharClass::kNone;
  for (int32_t i = 0; i < length;) {
    const int32_t begin = i;
    UChar32 c = 0;
    U8_NEXT(bytes, i, length, c);
    CharClass next = c < 0 ? CharClass::kNone : ClassOf(c);
    if (next == CharClass::kMark) next = current;
    if (next != CharClass::kNone) {
      if (next != current) pieces.push_back({{}, next == CharClass::kGram, false});
      pieces.back().text.append(folded, static_cast<size_t>(begin), static_cast<size_t>(i - begin));
    }
    current = next;
  }
  if (current != CharClass::kNone && !pieces.empty()) pieces.back().at_end = true;
  return pieces;
}

// Where each character begins, and the end.
std::vector<size_t> Characters(std::string_view text) {
  std::vector<size_t> begins;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) begins.push_back(i);
  }
  begins.push_back(text.size());
  return begins;
}

std::string Cut(std::string_view term) {
  if (term.size() <= kMaxTermBytes) return std::string(term);
  size_t end = kMaxTermBytes;
  while (end > 0 && (static_cast<unsigned char>(term[end]) & 0xC0) == 0x80) --end;
  return std::string(term.substr(0, end));
}

// Each two in a row.
std::vector<std::string> GramsOf(std::string_view run) {
  std::vector<std::string> grams;
  const std::vector<size_t> begins = Characters(run);
  for (size_t i = 0; i + 2 < begins.size(); ++i) {
    grams.emplace_back(run.substr(begins[i], begins[i + 2] - begins[i]));
  }
  return grams;
}

std::string_view LastCharacter(std::string_view run) {
  const std::vector<size_t> begins = Characters(run);
  return begins.size() < 2 ? run : run.substr(begins[begins.size() - 2]);
}

bool HasWord(const std::set<std::string>& words, const QueryTerm& wanted) {
  if (!wanted.prefix) return words.contains(wanted.term);
  const auto found = words.lower_bound(wanted.term);
  return found != words.end() && found->starts_with(wanted.term);
}

}  // namespace

std::vector<std::string> TermsOf(std::string_view text) {
  std::vector<std::string> terms;
  for (const Piece& piece : PiecesOf(text)) {
    if (!piece.is_run) {
      terms.push_back(Cut(piece.text));
      continue;
    }
    for (std::string& gram : GramsOf(piece.text)) terms.push_back(std::move(gram));
    terms.emplace_back(LastCharacter(piece.text));
  }
  return terms;
}

SearchQuery ParseSearchQuery(std::string_view text) {
  SearchQuery query;
  const auto add = [&query](QueryTerm term) {
    if (query.terms.size() >= kMaxQueryTerms) return;
    if (std::find(query.terms.begin(), query.terms.end(), term) == query.terms.end()) {
      query.terms.push_back(std::move(term));
    }
  };
  for (const Piece& piece : PiecesOf(text)) {
    if (query.words.size() + query.runs.size() >= kMaxQueryTerms) break;
    if (!piece.is_run) {
      query.words.push_back({Cut(piece.text), piece.at_end});
      add(query.words.back());
      continue;
    }
    query.runs.push_back(piece.text);
    const std::vector<std::string> grams = GramsOf(piece.text);
    for (const std::string& gram : grams) add({gram, false});
    if (grams.empty()) add({piece.text, true});
  }
  return query;
}

bool Matches(const SearchQuery& query, std::string_view text) {
  std::set<std::string> words;
  std::vector<std::string> runs;
  for (const Piece& piece : PiecesOf(text)) {
    if (piece.is_run) {
      runs.push_back(piece.text);
    } else {
      words.insert(Cut(piece.text));
    }
  }
  const bool has_words = std::all_of(query.words.begin(), query.words.end(),
                                     [&](const QueryTerm& word) { return HasWord(words, word); });
  return has_words &&
         std::all_of(query.runs.begin(), query.runs.end(), [&](const std::string& run) {
           return std::any_of(runs.begin(), runs.end(), [&run](const std::string& in) {
             return in.find(run) != std::string::npos;
           });
         });
}

namespace {

// Only so much of a long text is looked through for the place to show.
constexpr size_t kMostShown = 64 * 1024;

// Whether a piece of the text, by itself, has something of what is asked for.
bool HasSome(const SearchQuery& query, std::string_view part) {
  for (const Piece& piece : PiecesOf(part)) {
    const std::string word = Cut(piece.text);
    for (const QueryTerm& wanted : query.words) {
      if (wanted.prefix ? word.starts_with(wanted.term) : word == wanted.term) return true;
    }
    for (const std::string& run : query.runs) {
      if (piece.text.find(run) != std::string::npos) return true;
    }
  }
  return false;
}

bool IsSpaceByte(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Whether a character is a space, or ends a line anywhere: U+0085, U+2028, U+2029.
bool IsSpaceOrLineEnd(std::string_view character) {
  return (character.size() == 1 && IsSpaceByte(character[0])) || character == "\xC2\x85" ||
         character == "\xE2\x80\xA8" || character == "\xE2\x80\xA9";
}

// The first place, in bytes, from which something of what is asked for stands before the next
// space; in long runs without spaces, to a few characters.
size_t FirstPlace(const SearchQuery& query, std::string_view text) {
  constexpr size_t kRun = 24;  // characters looked at together
  text = text.substr(0, kMostShown);
  for (size_t begin = 0; begin < text.size();) {
    if (IsSpaceByte(text[begin])) {
      ++begin;
      continue;
    }
    size_t end = begin;
    while (end < text.size() && !IsSpaceByte(text[end])) ++end;
    const std::string_view part = text.substr(begin, end - begin);
    if (HasSome(query, part)) {
      const std::vector<size_t> characters = Characters(part);
      for (size_t i = 0; i + kRun < characters.size(); i += kRun / 2) {
        const size_t to = std::min(i + 2 * kRun, characters.size() - 1);
        if (HasSome(query, part.substr(characters[i], characters[to] - characters[i]))) {
          return begin + characters[i];
        }
      }
      return begin;
    }
    begin = end;
  }
  return 0;
}

}  // namespace

std::string Excerpt(const SearchQuery& query, std::string_view text, size_t width) {
  const size_t place = FirstPlace(query, text);
  const std::vector<size_t> begins = Characters(text.substr(0, place + kMostShown));
  const auto at =
      static_cast<size_t>(std::lower_bound(begins.begin(), begins.end(), place) - begins.begin());
  const size_t count = begins.size() - 1;
  size_t first = at > width / 3 && count > width ? at - width / 3 : 0;
  if (count > width && first + width > count) first = count - width;
  const size_t last = std::min(first + width, count);
  std::string excerpt = first > 0 ? "…" : "";
  bool space = false;
  for (size_t i = first; i < last; ++i) {
    const std::string_view character = text.substr(begins[i], begins[i + 1] - begins[i]);
    if (IsSpaceOrLineEnd(character)) {
      space = !excerpt.empty();
      continue;
    }
    if (space) excerpt += ' ';
    space = false;
    excerpt += character;
  }
  if (begins[last] < text.size()) excerpt += "…";
  return excerpt;
}

}  // namespace parley::client
