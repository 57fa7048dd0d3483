// Texts as long runs of a language are: the same in every run of the program.
//
// Threading: one thread.
#ifndef PARLEY_TOOLS_PARLEY_BENCH_LANGUAGE_H_
#define PARLEY_TOOLS_PARLEY_BENCH_LANGUAGE_H_

#include <cstdint>
#include <random>
#include <string>

namespace parley::bench {

// Words as unequally frequent as a language's.
class Language {
 public:
  explicit Language(uint64_t seed = 1);

  std::string Word() { return Spelled(words_(random_)); }
  // One that stands in few texts.
  std::string RareWord();
  // Of twenty words.
  std::string Text();

 private:
  static std::string Spelled(size_t number);

  std::mt19937_64 random_;
  std::discrete_distribution<size_t> words_;
};

}  // namespace parley::bench

#endif  // PARLEY_TOOLS_PARLEY_BENCH_LANGUAGE_H_
