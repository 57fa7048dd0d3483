#include "tools/parley-bench/language.h"

#include <vector>

namespace parley::bench {
namespace {

constexpr size_t kWords = 20'000;
constexpr size_t kWordsInText = 20;

}  // namespace

Language::Language(uint64_t seed) : random_(seed) {
  std::vector<double> weights;
  for (size_t i = 0; i < kWords; ++i) weights.push_back(1 / static_cast<double>(i + 3));
  words_ = std::discrete_distribution<size_t>(weights.begin(), weights.end());
}

std::string Language::RareWord() { return Spelled(kWords / 4 + random_() % (kWords / 2)); }

std::string Language::Text() {
  std::string text;
  for (size_t i = 0; i < kWordsInText; ++i) text += (i == 0 ? "" : " ") + Word();
  return text;
}

std::string Language::Spelled(size_t number) {
  static constexpr const char* kSyllables[] = {"ba", "con", "de",  "fi",  "ga", "lor", "mi",
                                               "no", "pre", "qua", "ris", "so", "tan", "ve"};
  std::string word;
  for (size_t rest = number + 14; rest > 0; rest /= 14) word += kSyllables[rest % 14];
  return word;
}

}  // namespace parley::bench
