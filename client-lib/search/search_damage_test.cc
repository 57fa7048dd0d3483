// An index whose records say what can't be, or of which pages are missing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "client-lib/search/search_index_for_test.h"
#include "crypto/base/codec.h"

namespace parley::client {
namespace {

using ::testing::IsEmpty;

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

}  // namespace
}  // namespace parley::client
