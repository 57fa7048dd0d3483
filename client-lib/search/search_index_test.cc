// The index against a simple model: random texts and queries, with merges, deletions, restarts,
// other versions and damage in between.
#include "client-lib/search/search_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "client-lib/store/test_profile.h"
#include "crypto/base/codec.h"
#include "crypto/base/status_macros.h"
#include "crypto/primitives/random.h"

namespace parley::client {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Key = std::pair<ChannelId, uint64_t>;

ChannelId RandomChannel() { return ChannelId(crypto::RandomArray<16>()); }

void Must(const absl::Status& status) { ASSERT_TRUE(status.ok()) << status; }

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

// ---- The model: words of a small alphabet, cut and compared without the code under test ----

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

bool IsRun(const std::string& piece) { return static_cast<unsigned char>(piece[0]) >= 0x80; }

std::string Joined(const std::vector<std::string>& pieces) {
  std::string text;
  for (const std::string& piece : pieces) text += (text.empty() ? "" : " ") + piece;
  return text;
}

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

TEST_F(SearchIndexTest, AMessageIsFoundAtOnceAndAfterItsTransactionAlone) {
  CatchUp();
  Say(0, "the first offer");
  EXPECT_EQ(Found("offer").size(), 1u);
  {
    // A crash before the commit: neither the message nor its note.
    absl::StatusOr<Transaction> step = store->Begin();
    ASSERT_TRUE(step.ok());
    texts[{channels[0].channel, 2}] = "a second offer";
    Must(SearchIndex::Note(*step, channels[0].channel, 2, 14, Load()));
  }
  EXPECT_EQ(Found("offer").size(), 1u);
  channels[0].messages = 1;
  Say(0, "a second offer");
  EXPECT_EQ(Found("offer").size(), 2u);
}

TEST_F(SearchIndexTest, AMessageWritesLittleHoweverManyThereAre) {
  CatchUp();
  RandomTexts random(5);
  const auto cost = [&] {
    const WriteTotals before = store->write_totals();
    for (size_t i = 0; i < SearchIndex::kTailMessages; ++i) Say(0, Joined(random.Pieces(12)));
    return store->write_totals().bytes - before.bytes;
  };
  const uint64_t at_first = cost();
  uint64_t most = 0;
  uint64_t sum = 0;
  for (int i = 0; i < 60; ++i) {
    const uint64_t bytes = cost();
    most = std::max(most, bytes);
    sum += bytes;
  }
  EXPECT_LT(sum / 60, 3 * at_first) << "merging included";
  EXPECT_LT(most, 30 * at_first);
  EXPECT_LT(Segments(), 24u);
}

TEST_F(SearchIndexTest, WhatWasNotNotedIsTakenIn) {
  Say(0, "before there was an index", false);
  Say(0, "and more of it", false);
  Say(1, "noted at once");
  Say(0, "there is a gap before this index");
  EXPECT_THAT(Found("index"), IsEmpty()) << "a channel with a gap waits";
  CatchUp();
  EXPECT_EQ(Found("index").size(), 2u);
  EXPECT_EQ(Found("noted").size(), 1u);
  Say(0, "and on with the index");
  EXPECT_EQ(Found("index").size(), 3u);
}

TEST_F(SearchIndexTest, LargeTextsComeInBatches) {
  std::string large;
  for (int i = 0; large.size() < 200'000; ++i) large += "w" + std::to_string(i % 5000) + " ";
  for (int i = 0; i < 60; ++i) Say(0, large + "end" + std::to_string(i), false);
  EXPECT_GT(CatchUp(), 2);
  for (int i = 0; i < 60; i += 7) EXPECT_EQ(Found("end" + std::to_string(i) + " ").size(), 1u);
  EXPECT_EQ(Found("w4999").size(), 60u) << "a list over many pages";
}

TEST_F(SearchIndexTest, AnotherVersionsIndexIsMadeAnew) {
  CatchUp();
  for (int i = 0; i < 100; ++i) Say(0, "offer " + std::to_string(i));
  const size_t records = [&] {
    size_t sum = 0;
    for (const auto& [size, count] : RowSizes()) sum += static_cast<size_t>(count);
    return sum;
  }();
  {
    absl::StatusOr<Transaction> step = store->Begin();
    absl::StatusOr<std::optional<crypto::Secret>> head = step->Get(RecordClass::kIndex, "search");
    (**head).RevealMutable()[0] = 77;
    Must(step->Put(RecordClass::kIndex, "search", **head));
    Must(step->Commit());
  }
  EXPECT_EQ(TryFind("offer").status().code(), absl::StatusCode::kNotFound);
  Say(0, "offer 100");  // receiving goes on
  CatchUp();
  EXPECT_EQ(Found("offer").size(), 101u);
  size_t now = 0;
  for (const auto& [size, count] : RowSizes()) now += static_cast<size_t>(count);
  EXPECT_LE(now, records) << "nothing of the old one is left";
}

TEST_F(SearchIndexTest, ADamagedIndexIsToldAndReceivingGoesOn) {
  CatchUp();
  for (int i = 0; i < 40; ++i) Say(0, "offer " + std::to_string(i));
  ASSERT_GE(Segments(), 1u);
  for (const bool missing : {true, false}) {
    {
      absl::StatusOr<Transaction> step = store->Begin();
      const absl::StatusOr<std::optional<SearchIndex>> index = SearchIndex::Load(*step);
      const Segment segment = (*index)->segments().front();
      const std::string page = SearchPageName(segment.record + segment.place_pages);
      if (missing) {
        Must(step->Delete(RecordClass::kIndex, page));
      } else {
        crypto::Secret junk = crypto::Secret::Random(kPageBytes);
        Must(step->Put(RecordClass::kIndex, page, junk));
      }
      Must(step->Commit());
    }
    const absl::StatusOr<std::vector<SearchHit>> hits = TryFind("offer");
    EXPECT_FALSE(hits.ok() && !hits->empty());
    for (int i = 0; i < 300; ++i) Say(0, "offer more");  // merges meet the damage
    absl::StatusOr<Transaction> step = store->Begin();
    Must(SearchIndex::Reset(*step));
    Must(step->Commit());
    CatchUp();
    EXPECT_EQ(Found("offer").size(), texts.size());
  }
}

// As two processes with one profile: each reads what the other has written.
TEST_F(SearchIndexTest, TwoWhoHaveTheProfileOpenShareOneIndex) {
  CatchUp();
  std::unique_ptr<ProfileStore> other = MustOpen(folder / "profile");
  for (int i = 0; i < 200; ++i) {
    std::swap(store, other);
    Say(static_cast<size_t>(i % 3), "shared " + std::to_string(i), /*noted=*/i % 20 != 7);
    if (i % 30 == 29) CatchUp();
    if (i == 100) Forget(channels[0].channel, 1);
  }
  CatchUp();
  for (int i = 0; i < 2; ++i) {
    std::swap(store, other);
    EXPECT_EQ(Found("shared").size(), 199u);
    EXPECT_EQ(Found("199 ").size(), 1u);
    EXPECT_THAT(Found("0 "), IsEmpty()) << "forgotten";
  }
}

// ---- Large texts ----

// Many different words, so that the index is as large as the text.
std::string ManyWords(int seed, size_t bytes) {
  std::string text;
  for (int i = 0; text.size() < bytes; ++i) {
    text += "w" + std::to_string(seed) + "x" + std::to_string(i) + " ";
  }
  return text;
}

TEST_F(SearchIndexTest, LargeTextsCostALittleEach) {
  CatchUp();
  const auto bytes_of = [&](const std::function<void()>& act) {
    const uint64_t before = store->write_totals().bytes;
    act();
    return store->write_totals().bytes - before;
  };
  uint64_t most = 0;
  for (int i = 0; i < 60; ++i) {
    const std::string text = ManyWords(i, 900 * 1024);
    most = std::max(most, bytes_of([&] { Say(0, text); }));
  }
  const uint64_t own = 3 * 1024 * 1024;  // of such a text
  EXPECT_LT(most, own + SearchIndex::kMostMergedByMessage * kPageBytes);
  // What is merged afterwards is merged in pieces, each in a transaction of its own.
  bool more = true;
  int steps = 0;
  for (; more && steps < 100; ++steps) {
    const uint64_t bytes = bytes_of([&] {
      absl::StatusOr<Transaction> step = store->Begin();
      ASSERT_TRUE(step.ok());
      const absl::StatusOr<bool> left = SearchIndex::CatchUp(*step, channels, Load());
      Must(left.status());
      more = left.ok() && *left;
      Must(step->Commit());
    });
    EXPECT_LE(bytes, (SearchIndex::kMostMergedPages + 8) * kPageBytes);
  }
  EXPECT_FALSE(more) << "it comes to an end";
  EXPECT_GT(steps, 1);
  EXPECT_LT(Segments(), 16u);
  EXPECT_EQ(Found("w59x7 ").size(), 1u);
  EXPECT_EQ(Found("w0x7 ").size(), 1u);
}

// ---- Wrong numbers ----

// The records as the index stores them.
struct StoredSlot {
  ChannelId channel;
  uint64_t up_to = 0;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.channel, self.up_to);
  }
};
struct StoredGone {
  uint32_t slot = 0;
  uint64_t index = 0;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.slot, self.index);
  }
};
struct StoredHead {
  uint8_t version = 1;
  uint64_t next_record = 0;
  uint64_t next_message = 0;
  std::vector<StoredSlot> slots;
  std::vector<Segment> segments;
  std::vector<StoredGone> gone;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.next_record, self.next_message, self.slots, self.segments,
                    self.gone);
  }
};
struct StoredTail {
  uint8_t version = 1;
  uint64_t next_record = 0;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.next_record);
  }
};

class WrongHeadTest : public SearchIndexTest {
 protected:
  WrongHeadTest() {
    CatchUp();
    for (int i = 0; i < 70; ++i) Say(0, "offer secretword " + std::to_string(i));
  }
  void Alter(const std::function<void(StoredHead&)>& change) {
    absl::StatusOr<Transaction> step = store->Begin();
    ASSERT_TRUE(step.ok());
    absl::StatusOr<std::optional<crypto::Secret>> bytes = step->Get(RecordClass::kIndex, "search");
    ASSERT_TRUE(bytes.ok() && bytes->has_value());
    absl::StatusOr<StoredHead> head = crypto::Parse<StoredHead>((*bytes)->Reveal());
    ASSERT_TRUE(head.ok()) << head.status();
    ASSERT_GE(head->segments.size(), 2u);
    change(*head);
    Must(step->Put(RecordClass::kIndex, "search", crypto::SerializeSecret(*head)));
    Must(step->Commit());
  }
  void Put(const char* name, std::string_view bytes) {
    absl::StatusOr<Transaction> step = store->Begin();
    ASSERT_TRUE(step.ok());
    Must(step->Put(RecordClass::kIndex, name, crypto::ViewOf(bytes)));
    Must(step->Commit());
  }
};

TEST_F(WrongHeadTest, NumbersThatDontFitAreAsNoIndex) {
  const std::vector<std::function<void(StoredHead&)>> changes = {
      [](StoredHead& head) { head.next_record = UINT64_MAX; },
      [](StoredHead& head) { head.next_record = 1; },
      [](StoredHead& head) { head.next_message = UINT64_MAX; },
      [](StoredHead& head) { --head.next_message; },
      [](StoredHead& head) { head.segments.pop_back(); },
      [](StoredHead& head) { std::swap(head.segments[0], head.segments[1]); },
      [](StoredHead& head) { head.segments[1].first += 1; },
      [](StoredHead& head) { head.segments[0].messages = 0; },
      [](StoredHead& head) { head.segments[0].messages = uint64_t{1} << 62; },
      [](StoredHead& head) {
        head.segments.back().messages += uint64_t{1} << 40;
        head.next_message += uint64_t{1} << 40;
      },
      [](StoredHead& head) { head.segments[0].record = UINT64_MAX; },
      [](StoredHead& head) { head.segments[0].place_pages = UINT32_MAX; },
      [](StoredHead& head) { head.segments[0].term_pages = UINT32_MAX; },
      [](StoredHead& head) {
        head.gone.push_back({1000, 1});
      },
      [](StoredHead& head) { head.slots.clear(); },
  };
  int number = 0;
  for (const auto& change : changes) {
    SCOPED_TRACE(++number);
    Alter(change);
    EXPECT_EQ(TryFind("offer").status().code(), absl::StatusCode::kNotFound);
    Say(0, "offer more");
    CatchUp();
    for (int i = 0; i < 40; ++i) Say(0, "offer again");
    EXPECT_EQ(Found("offer").size(), texts.size());
  }
}

// As much memory is taken as there are pages, whatever the head says.
TEST_F(WrongHeadTest, PagesThatAreMissingAreNoticedBeforeAnythingIsCounted) {
  Alter([](StoredHead& head) {
    Segment& last = head.segments.back();
    last.place_pages = 1 << 20;
    head.next_record = last.record + last.records();
    last.messages += uint64_t{1} << 31;
    head.next_message += uint64_t{1} << 31;
  });
  {
    absl::StatusOr<Transaction> step = store->Begin();
    absl::StatusOr<std::optional<crypto::Secret>> bytes =
        step->Get(RecordClass::kIndex, "search/tail");
    ASSERT_TRUE(bytes.ok() && bytes->has_value());
    const absl::StatusOr<StoredHead> head =
        crypto::Parse<StoredHead>((**step->Get(RecordClass::kIndex, "search")).Reveal());
    ASSERT_TRUE(head.ok());
    for (size_t i = 0; i < 8; ++i) {  // as the codec writes numbers, after the version
      (*bytes)->RevealMutable()[1 + i] = static_cast<uint8_t>(head->next_record >> (56 - 8 * i));
    }
    Must(step->Put(RecordClass::kIndex, "search/tail", **bytes));
    Must(step->Commit());
  }
  EXPECT_EQ(TryFind("offer").status().code(), absl::StatusCode::kDataLoss);
}

// ---- Words that must go ----

TEST_F(WrongHeadTest, WhatIsForgottenGoesWithAnIndexThatCantBeRead) {
  const std::vector<std::function<void()>> damages = {
      [this] { Alter([](StoredHead& head) { head.version = 77; }); },
      [this] { Alter([](StoredHead& head) { head.next_message = 1; }); },
      [this] { Put("search", "junk"); },
      [this] { Put("search/tail", "junk"); },
      [this] {
        Put("search", "junk");
        Put("search/tail", "junk");
      },
      [this] {
        const absl::StatusOr<ReadTransaction> step = store->Read();
        const auto index = SearchIndex::Load(*step);
        const Segment segment = (*index)->segments().front();
        Put(SearchPageName(segment.record).c_str(), "junk");
      },
  };
  int number = 0;
  for (const auto& damage : damages) {
    for (const bool at_once : {true, false}) {
      SCOPED_TRACE(std::to_string(++number) + (at_once ? ", at once" : ", later"));
      const Key gone = texts.begin()->first;
      Say(0, "usual");
      ASSERT_TRUE(IsInProfile("secretword")) << "so that this test could find something";
      damage();
      absl::StatusOr<Transaction> step = store->Begin();
      ASSERT_TRUE(step.ok());
      Must(at_once ? SearchIndex::Forget(*step, gone.first, gone.second)
                   : SearchIndex::NoteGone(*step, gone.first, gone.second));
      Must(step->Commit());
      std::map<Key, std::string> kept;
      std::swap(texts, kept);
      for (const auto& [key, text] : kept) texts[key] = "another word";
      CatchUp();
      EXPECT_FALSE(IsInProfile("secretword"));
      texts = kept;
      // And all anew, for the next damage.
      absl::StatusOr<Transaction> anew = store->Begin();
      Must(SearchIndex::Reset(*anew));
      Must(anew->Commit());
      CatchUp();
      for (int i = 0; i < 40; ++i) Say(0, "offer secretword");
    }
  }
}

// A page that doesn't open ends the merging alone: what comes meanwhile is noted.
TEST_F(WrongHeadTest, AMergeThatMeetsDamageLosesNoNote) {
  {
    const absl::StatusOr<ReadTransaction> step = store->Read();
    const Segment segment = (*SearchIndex::Load(*step))->segments().front();
    Put(SearchPageName(segment.record).c_str(), "junk");
  }
  for (int i = 0; i < 600; ++i) Say(0, "offer more");
  const absl::StatusOr<ReadTransaction> step = store->Read();
  const auto index = SearchIndex::Load(*step);
  ASSERT_TRUE(index.ok() && index->has_value()) << index.status();
  EXPECT_TRUE((*index)->IsComplete({channels[0]}));
  EXPECT_GT((*index)->segments().size(), 8u);
}

// ---- What is left, and what shows ----

TEST_F(SearchIndexTest, WhatIsForgottenIsInNoPage) {
  CatchUp();
  for (int i = 0; i < 50; ++i) Say(0, "usual words");
  Say(0, "the secretword of somebody");
  for (int i = 0; i < 50; ++i) Say(1, "otherwise here");
  ASSERT_TRUE(IsInProfile("secretword")) << "so that this test could find something";
  Forget(channels[0].channel, 51);
  EXPECT_FALSE(IsInProfile("secretword"));
  EXPECT_EQ(Found("usual").size(), 50u);
  CatchUp();
  EXPECT_FALSE(IsInProfile("secretword")) << "and isn't taken in again";
  ASSERT_TRUE(IsInProfile("otherwise"));
  Forget(channels[1].channel, std::nullopt);
  EXPECT_FALSE(IsInProfile("otherwise"));
  EXPECT_EQ(Found("usual").size(), 50u);
}

// Eight words that come again and again, or words that are all different: as long as they fill as
// many pages, the rows have the same sizes.
TEST_F(SearchIndexTest, RowsShowHowMuchThereIsAndNotWhat) {
  std::vector<std::map<int, int>> shapes;
  for (const bool repeated : {true, false}) {
    SearchIndexTest::texts.clear();
    store.reset();
    std::filesystem::remove_all(folder / "profile");
    store = MustCreate(folder / "profile");
    for (ChannelEnd& end : channels) end.messages = 0;
    CatchUp();
    for (int i = 0; i < 64; ++i) {
      // Eight words each: of eight in all, or all of them different.
      std::string text;
      for (int word = 0; word < 8; ++word) {
        text += "w" + std::to_string(repeated ? 1000 + word : 1000 + i * 8 + word) + " ";
      }
      Say(0, text);
    }
    shapes.push_back(RowSizes());
  }
  EXPECT_EQ(shapes[0], shapes[1]);
  // Pages have one size: key id, nonce and tag besides.
  EXPECT_GT(shapes[0][static_cast<int>(kPageBytes) + 44], 0);
}

// ---- Order ----

TEST_F(SearchIndexTest, RareWordsAndShortTextsComeFirst) {
  CatchUp();
  for (int i = 0; i < 200; ++i) Say(0, "the harbor is quiet today and so is everybody in it");
  Say(0, "harbor");
  Say(1, "harbor harbor harbor in a longer text about many other things of no concern to this");
  absl::StatusOr<std::vector<SearchHit>> hits = TryFind("harbor ");
  ASSERT_TRUE(hits.ok());
  Ranking ranking(*hits);
  const std::optional<SearchHit> best = ranking.Next();
  ASSERT_TRUE(best.has_value());
  EXPECT_EQ(best->index, 201u);
  EXPECT_EQ(ranking.Next()->channel, channels[1].channel);
  // Of equal ones the latest.
  EXPECT_EQ(ranking.Next()->index, 200u);
  EXPECT_EQ(ranking.Next()->index, 199u);
}

}  // namespace
}  // namespace parley::client
