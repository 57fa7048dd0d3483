// The index against a simple model: random texts and queries, with merges, deletions and restarts
// in between.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "client-lib/search/search_index_for_test.h"

namespace parley::client {
namespace {

// ---- The model: words of a small alphabet, cut and compared without the code under test ----

bool IsRun(const std::string& piece) { return static_cast<unsigned char>(piece[0]) >= 0x80; }

std::vector<std::string> Split(const std::string& text) {
  std::vector<std::string> pieces(1);
  for (const char c : text) {
    if (c == ' ') {
      pieces.emplace_back();
    } else {
      pieces.back() += c;
    }
  }
  return pieces;
}

bool ModelMatches(const std::vector<std::string>& query, const std::string& text) {
  const std::vector<std::string> pieces = Split(text);
  for (size_t i = 0; i < query.size(); ++i) {
    const std::string& wanted = query[i];
    const bool prefix = i + 1 == query.size();
    const bool has = std::any_of(pieces.begin(), pieces.end(), [&](const std::string& piece) {
      if (IsRun(wanted)) return IsRun(piece) && piece.find(wanted) != std::string::npos;
      return prefix ? piece.starts_with(wanted) : piece == wanted;
    });
    if (!has) return false;
  }
  return true;
}

class ModelTest : public SearchIndexTest, public ::testing::WithParamInterface<unsigned> {
 protected:
  void CheckQueries(RandomTexts& random, int count) {
    size_t found_some = 0;
    for (int i = 0; i < count; ++i) {
      std::vector<std::string> query = random.Pieces(3);
      if (!IsRun(query.back()) && random.Below(2) == 0) query.back().resize(1);
      std::set<Key> expected;
      for (const auto& [key, text] : texts) {
        if (!unwanted.contains(key.first) && ModelMatches(query, text)) expected.insert(key);
      }
      EXPECT_EQ(Found(Joined(query)), expected) << Joined(query);
      if (!expected.empty()) ++found_some;
    }
    EXPECT_GT(found_some, 0u) << "so that this says something";
  }
};

TEST_P(ModelTest, FindsWhatASimpleSearchFinds) {
  RandomTexts random(GetParam());
  CatchUp();
  for (int round = 0; round < 12; ++round) {
    for (int i = random.Below(120); i >= 0; --i) {
      Say(static_cast<size_t>(random.Below(3)), Joined(random.Pieces(12)),
          /*noted=*/round % 4 != 3);
    }
    switch (random.Below(4)) {
      case 0:
        store.reset();
        store = MustOpen(folder / "profile");
        break;
      case 1: {
        const auto some = std::next(texts.begin(), random.Below(static_cast<int>(texts.size())));
        const Key gone = some->first;
        Forget(gone.first, gone.second);
        break;
      }
      default:
        break;
    }
    CatchUp();
    unwanted.clear();
    if (random.Below(2) == 0)
      unwanted.insert(channels[static_cast<size_t>(random.Below(3))].channel);
    CheckQueries(random, 25);
  }
  Forget(channels[1].channel, std::nullopt);
  unwanted.clear();
  CheckQueries(random, 25);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ModelTest, ::testing::Range(1u, 7u));

// ---- Noting and catching up ----

}  // namespace
}  // namespace parley::client
