// A profile's texts and their index. Only tests include it.
#ifndef PARLEY_CLIENT_LIB_SEARCH_SEARCH_INDEX_FOR_TEST_H_
#define PARLEY_CLIENT_LIB_SEARCH_SEARCH_INDEX_FOR_TEST_H_

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client-lib/search/search_index.h"
#include "client-lib/store/test_profile.h"
#include "crypto/base/status_macros.h"
#include "crypto/primitives/random.h"

namespace parley::client {

using Key = std::pair<ChannelId, uint64_t>;

inline ChannelId RandomChannel() { return ChannelId(crypto::RandomArray<16>()); }

inline void Must(const absl::Status& status) { ASSERT_TRUE(status.ok()) << status; }

// Words of a small alphabet, and runs of characters without spaces.
class RandomTexts {
 public:
  explicit RandomTexts(unsigned seed) : random_(seed) {}

  int Below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }

  // Some words are in many texts, most in few.
  std::string Word() {
    static constexpr const char* kSyllables[] = {"ka", "to", "mi", "ru", "sen", "do", "la", "ne"};
    std::string word;
    for (int i = Below(3) + 1; i > 0; --i) word += kSyllables[std::min(Below(8), Below(8))];
    return word;
  }
  std::string Run() {
    static constexpr const char* kCharacters[] = {"東", "京", "都", "山", "川"};
    std::string run;
    for (int i = Below(5) + 1; i > 0; --i) run += kCharacters[Below(5)];
    return run;
  }
  // Words and runs, parted by spaces.
  std::vector<std::string> Pieces(int most) {
    std::vector<std::string> pieces;
    for (int i = Below(most) + 1; i > 0; --i) pieces.push_back(Below(5) == 0 ? Run() : Word());
    return pieces;
  }

 private:
  std::mt19937 random_;
};

inline std::string Joined(const std::vector<std::string>& pieces) {
  std::string text;
  for (const std::string& piece : pieces) text += (text.empty() ? "" : " ") + piece;
  return text;
}

// Messages as a profile would have them, without one: texts by channel and index.
class SearchIndexTest : public ::testing::Test {
 protected:
  SearchIndexTest() : store(MustCreate(folder / "profile")) {
    for (int i = 0; i < 3; ++i) channels.push_back({RandomChannel(), 0});
  }

  LoadText Load() {
    return [this](const ChannelId& channel, uint64_t index) -> absl::StatusOr<std::string> {
      const auto found = texts.find({channel, index});
      if (found == texts.end()) return absl::DataLossError("no such message");
      return found->second;
    };
  }

  // As when a message comes; `noted` false: to a version that keeps no index.
  void Say(size_t channel, const std::string& text, bool noted = true) {
    ChannelEnd& end = channels[channel];
    texts[{end.channel, ++end.messages}] = text;
    if (!noted) return;
    absl::StatusOr<Transaction> step = store->Begin();
    ASSERT_TRUE(step.ok());
    Must(SearchIndex::Note(*step, end.channel, end.messages, text.size(), Load()));
    Must(step->Commit());
  }

  // How many steps it took.
  int CatchUp() {
    for (int steps = 0;; ++steps) {
      absl::StatusOr<Transaction> step = store->Begin();
      EXPECT_TRUE(step.ok());
      const absl::StatusOr<bool> more = SearchIndex::CatchUp(*step, channels, Load());
      EXPECT_TRUE(more.ok()) << more.status();
      Must(step->Commit());
      if (!more.ok() || !*more) return steps + 1;
    }
  }

  absl::StatusOr<std::vector<SearchHit>> TryFind(const std::string& text) {
    PARLEY_ASSIGN_OR_RETURN(const ReadTransaction step, store->Read());
    PARLEY_ASSIGN_OR_RETURN(const std::optional<SearchIndex> index, SearchIndex::Load(step));
    if (!index.has_value()) return absl::NotFoundError("no index");
    const SearchQuery query = ParseSearchQuery(text);
    PARLEY_ASSIGN_OR_RETURN(
        std::vector<SearchHit> hits,
        index->Find(
            step, query, [this](const ChannelId& id) { return !unwanted.contains(id); }, Load()));
    std::erase_if(hits, [&](const SearchHit& hit) {
      return !Matches(query, texts[{hit.channel, hit.index}]);
    });
    return hits;
  }
  std::set<Key> Found(const std::string& text) {
    std::set<Key> found;
    const absl::StatusOr<std::vector<SearchHit>> hits = TryFind(text);
    EXPECT_TRUE(hits.ok()) << hits.status();
    if (!hits.ok()) return found;
    for (const SearchHit& hit : *hits) {
      EXPECT_TRUE(found.insert({hit.channel, hit.index}).second) << "found twice";
    }
    return found;
  }

  size_t Segments() {
    const absl::StatusOr<ReadTransaction> step = store->Read();
    const auto index = SearchIndex::Load(*step);
    return index.ok() && index->has_value() ? (*index)->segments().size() : 0;
  }

  void Forget(const ChannelId& channel, std::optional<uint64_t> index) {
    absl::StatusOr<Transaction> step = store->Begin();
    ASSERT_TRUE(step.ok());
    Must(SearchIndex::Forget(*step, channel, index));
    Must(step->Commit());
    std::erase_if(texts, [&](const auto& entry) {
      return entry.first.first == channel && (!index.has_value() || entry.first.second == *index);
    });
  }

  // Whether any opened value of the profile holds the word.
  bool IsInProfile(std::string_view word) {
    bool found = false;
    const absl::StatusOr<ReadTransaction> step = store->Read();
    Must(step->ForEachValue([&](const crypto::Secret& value) {
      const crypto::ByteView in = value.Reveal();
      found = found || std::search(in.begin(), in.end(), word.begin(), word.end()) != in.end();
      return absl::OkStatus();
    }));
    return found;
  }

  // The rows of the database as a thief without the key has them: how many of each size.
  std::map<int, int> RowSizes() {
    std::map<int, int> sizes;
    sqlite3* db = nullptr;
    EXPECT_EQ(sqlite3_open((folder / "profile/profile.db").c_str(), &db), SQLITE_OK);
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(db, "SELECT length(value) FROM record", -1, &statement, nullptr);
    while (sqlite3_step(statement) == SQLITE_ROW) ++sizes[sqlite3_column_int(statement, 0)];
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return sizes;
  }

  TestFolder folder;
  std::unique_ptr<ProfileStore> store;
  std::vector<ChannelEnd> channels;
  std::map<Key, std::string> texts;
  std::set<ChannelId> unwanted;
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_SEARCH_SEARCH_INDEX_FOR_TEST_H_
