// Long passages that two texts share, found without comparing each with each.
//
// Fingerprints are chosen by winnowing (Schleimer, Wilkerson, Aiken: "Winnowing: local algorithms
// for document fingerprinting", SIGMOD 2003, section 3): of every kWindowGrams neighbouring hashes
// of kGramLetters letters the smallest, of equal ones the rightmost. Two texts that share
// kPassageLetters = kGramLetters + kWindowGrams - 1 letters in a row share a whole window, thus its
// fingerprint: none is missed. Equal fingerprints prove nothing; PassageFinder compares letters.
//
// Threading: free functions; a PassageFinder may be read from any thread.
#ifndef PARLEY_CLIENT_LIB_FIREWALL_PASSAGES_H_
#define PARLEY_CLIENT_LIB_FIREWALL_PASSAGES_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "client-lib/firewall/folded_letters.h"

namespace parley::client {

// A passage: so many folded letters in a row, about eight English words.
inline constexpr size_t kPassageLetters = 40;
inline constexpr size_t kGramLetters = 24;
inline constexpr size_t kWindowGrams = 17;
static_assert(kGramLetters + kWindowGrams - 1 == kPassageLetters);
// A message shorter than a passage counts as a whole: with a figure in it ("Our floor is 690.")
// from kShortLetters on, without one from kShortWordLetters on, since "Good afternoon" is nobody's.
inline constexpr size_t kShortLetters = 12;
inline constexpr size_t kShortWordLetters = 20;

using LettersView = std::span<const uint32_t>;

// The hash of each `length` letters in a row, in order; none for fewer letters.
std::vector<uint64_t> GramHashes(LettersView letters, size_t length);

// The fingerprints of a text, sorted, each once. Empty below kPassageLetters.
std::vector<uint64_t> Fingerprints(LettersView letters);

// Whether a text is one of those short messages.
bool CountsAsWhole(LettersView letters);

// By which a short text is found: the hash of its first kShortLetters letters. Requires that many.
uint64_t ShortFingerprint(LettersView letters);

// The places of one text at which another has the same passage. Keeps the letters' view.
class PassageFinder {
 public:
  explicit PassageFinder(LettersView letters);

  // Whether `other` has a passage of this text.
  bool Shares(LettersView other) const;
  // Sets places[i] for every passage letters[i, i + kPassageLetters) that `other` has.
  // `places` has one element for each letter.
  void Mark(LettersView other, std::vector<bool>& places) const;

 private:
  template <typename F>
  void ForEachShared(LettersView other, const F& found) const;

  LettersView letters_;
  std::vector<std::pair<uint64_t, uint32_t>> passages_;  // hash, place; sorted
};

// The first place at which all of `part` stands in `letters`; letters.size() when it doesn't.
size_t FindWhole(LettersView letters, LettersView part);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_FIREWALL_PASSAGES_H_
