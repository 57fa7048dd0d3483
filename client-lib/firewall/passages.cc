#include "client-lib/firewall/passages.h"

#include <algorithm>
#include <optional>

namespace parley::client {
namespace {

constexpr uint64_t kBase = 0x9E3779B97F4A7C15ull | 1;

// The finisher of splitmix64: spreads a polynomial's low bits over all.
uint64_t Mixed(uint64_t value) {
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ull;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBull;
  return value ^ (value >> 31);
}

}  // namespace

std::vector<uint64_t> GramHashes(LettersView letters, size_t length) {
  std::vector<uint64_t> hashes;
  if (length == 0 || letters.size() < length) return hashes;
  hashes.reserve(letters.size() - length + 1);
  uint64_t leading = 1;  // kBase to the power of length: what the letter that leaves weighs
  for (size_t i = 0; i < length; ++i) leading *= kBase;
  uint64_t hash = 0;
  for (size_t i = 0; i < letters.size(); ++i) {
    hash = hash * kBase + letters[i] + 1;
    if (i >= length) hash -= leading * (letters[i - length] + uint64_t{1});
    if (i + 1 >= length) hashes.push_back(Mixed(hash));
  }
  return hashes;
}

std::vector<uint64_t> Fingerprints(LettersView letters) {
  const std::vector<uint64_t> grams = GramHashes(letters, kGramLetters);
  std::vector<uint64_t> chosen;
  if (grams.size() < kWindowGrams) return chosen;
  size_t smallest = 0;
  for (size_t end = 0; end < grams.size(); ++end) {
    if (end >= kWindowGrams && smallest + kWindowGrams <= end) {
      // It has left the window: look through all of it.
      smallest = end + 1 - kWindowGrams;
      for (size_t i = smallest + 1; i <= end; ++i) {
        if (grams[i] <= grams[smallest]) smallest = i;
      }
    } else if (grams[end] <= grams[smallest]) {
      smallest = end;
    }
    if (end + 1 >= kWindowGrams) chosen.push_back(grams[smallest]);
  }
  std::sort(chosen.begin(), chosen.end());
  chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
  return chosen;
}

bool CountsAsWhole(LettersView letters) {
  const auto is_digit = [](uint32_t letter) { return letter >= '0' && letter <= '9'; };
  return letters.size() >= kShortLetters && letters.size() < kPassageLetters &&
         (letters.size() >= kShortWordLetters ||
          std::any_of(letters.begin(), letters.end(), is_digit));
}

uint64_t ShortFingerprint(LettersView letters) {
  return GramHashes(letters.first(kShortLetters), kShortLetters).front();
}

PassageFinder::PassageFinder(LettersView letters) : letters_(letters) {
  const std::vector<uint64_t> hashes = GramHashes(letters, kPassageLetters);
  passages_.reserve(hashes.size());
  for (size_t i = 0; i < hashes.size(); ++i) {
    passages_.emplace_back(hashes[i], static_cast<uint32_t>(i));
  }
  std::sort(passages_.begin(), passages_.end());
}

// `found` gets each place, and returns whether to go on.
template <typename F>
void PassageFinder::ForEachShared(LettersView other, const F& found) const {
  if (passages_.empty()) return;
  std::vector<std::pair<uint64_t, size_t>> theirs;
  for (const uint64_t hash : GramHashes(other, kPassageLetters)) {
    theirs.emplace_back(hash, theirs.size());
  }
  std::sort(theirs.begin(), theirs.end());
  const auto passage = [](LettersView text, size_t at) {
    return text.subspan(at, kPassageLetters);
  };
  const auto equal = [](LettersView a, LettersView b) {
    return std::equal(a.begin(), a.end(), b.begin());
  };
  std::optional<std::pair<uint64_t, LettersView>> before;
  for (const auto& [hash, at] : theirs) {
    // A text that repeats itself is looked up once, or two such texts would take forever.
    const LettersView wanted = passage(other, at);
    if (before.has_value() && before->first == hash && equal(before->second, wanted)) continue;
    before.emplace(hash, wanted);
    auto place =
        std::lower_bound(passages_.begin(), passages_.end(), std::make_pair(hash, uint32_t{0}));
    for (; place != passages_.end() && place->first == hash; ++place) {
      if (equal(wanted, passage(letters_, place->second)) && !found(place->second)) return;
    }
  }
}

bool PassageFinder::Shares(LettersView other) const {
  bool shares = false;
  ForEachShared(other, [&](size_t) {
    shares = true;
    return false;
  });
  return shares;
}

void PassageFinder::Mark(LettersView other, std::vector<bool>& places) const {
  ForEachShared(other, [&](size_t place) {
    places[place] = true;
    return true;
  });
}

size_t FindWhole(LettersView letters, LettersView part) {
  return static_cast<size_t>(std::search(letters.begin(), letters.end(), part.begin(), part.end()) -
                             letters.begin());
}

}  // namespace parley::client
