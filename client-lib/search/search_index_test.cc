// What the index takes in, finds and forgets; other versions of it; and what it writes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "client-lib/search/search_index_for_test.h"

namespace parley::client {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

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
