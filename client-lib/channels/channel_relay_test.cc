// A relay that fails or lies: cut, altered, swapped and withheld entries are noticed, and nothing
// of them is taken in.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "client-lib/channels/test_lying_relay.h"

namespace parley::client {
namespace {

using ::testing::IsEmpty;

TEST_F(RelayTest, ALogCutShort) {
  const std::vector<Entry> whole = entries();
  entries().pop_back();
  ExpectNoticed("it ends at position", [&] { entries() = whole; });
}

TEST_F(RelayTest, ALogCutShortByMore) {
  const std::vector<Entry> whole = entries();
  entries().resize(entries().size() - 2);
  ExpectNoticed("beyond the head", [&] { entries() = whole; });
}

TEST_F(RelayTest, TheLastEntryReplaced) {
  const Entry last = entries().back();
  entries().back().payload[30] ^= 1;
  ExpectNoticed("is not as it was", [&] { entries().back() = last; });
}

TEST_F(RelayTest, ANewEntryKeptBack) {
  Must(mira.Say(id, "four"));
  relay.alter = [](ReadResult& page) {
    if (page.entries.size() > 1)
      page.entries.resize(1);
    else
      page.entries.clear();
  };
  ExpectNoticed("keeps back entry", [&] { relay.alter = nullptr; });
}

TEST_F(RelayTest, AnEntryLeftOut) {
  Must(mira.Say(id, "four"));
  Must(mira.Say(id, "five"));
  relay.alter = [](ReadResult& page) {
    if (page.entries.size() > 2) page.entries.erase(page.entries.begin() + 1);
  };
  ExpectNoticed("comes after entry", [&] { relay.alter = nullptr; });
}

TEST_F(RelayTest, EntriesSwapped) {
  Must(mira.Say(id, "four"));
  Must(mira.Say(id, "five"));
  relay.alter = [](ReadResult& page) {
    if (page.entries.size() > 2) std::swap(page.entries[1], page.entries[2]);
  };
  ExpectNoticed("comes after entry", [&] { relay.alter = nullptr; });
}

TEST_F(RelayTest, AnotherGenerationsEntry) {
  Must(mira.Say(id, "four"));
  relay.alter = [](ReadResult& page) {
    if (page.entries.size() > 1) page.entries.back().generation -= 1;
  };
  ExpectNoticed("is of another generation", [&] { relay.alter = nullptr; });
}

TEST_F(RelayTest, TheBeginningForgotten) {
  relay.alter = [](ReadResult& page) {
    page.first_position = page.generation_head + 2;
    page.entries.clear();
  };
  ExpectNoticed("it has forgotten entries", [&] { relay.alter = nullptr; });
}

TEST_F(RelayTest, AClosingKeptBack) {
  Must(mira.Prepare(id, {}));
  Must(mira.In(id).Exchange());
  relay.alter = [](ReadResult& page) {
    if (!page.closed) return;
    page.generation_head -= 1;
    if (!page.entries.empty() && page.entries.back().closing.has_value()) page.entries.pop_back();
  };
  ExpectNoticed("the entry that says how is kept back", [&] { relay.alter = nullptr; });
}

// The relay lets Ana's log end before the closing, and refuses what she says since it is closed.
TEST_F(RelayTest, AGenerationThatIsSaidToBeClosedAndNotShownSo) {
  Must(mira.Prepare(id, {}));
  Must(mira.In(id).Exchange());
  relay.alter = [](ReadResult& page) {
    if (!page.closed) return;
    page.closed = false;
    page.generation_head -= 1;
    if (!page.entries.empty() && page.entries.back().closing.has_value()) page.entries.pop_back();
  };
  EXPECT_THAT(ana.Info(id).alarms, IsEmpty());
  Must(ana.In(id).Exchange());  // that the log ends there can be true
  EXPECT_THAT(ana.Info(id).alarms, IsEmpty());
  Must(ana.Queue(id, TextContent("is anybody there?")));
  ExpectNoticed("is current, and shows nothing after generation", [&] { relay.alter = nullptr; });
  const std::vector<std::string> heard = mira.Heard(id);
  EXPECT_EQ(std::count(heard.begin(), heard.end(), "Ana: is anybody there?"), 1);
}

TEST_F(RelayTest, AClosingBetweenReadingAndAppendingIsNoFault) {
  bool closed = false;
  relay.before_append = [&] {
    if (closed) return absl::OkStatus();
    closed = true;
    Must(mira.Prepare(id, {}));
    return mira.In(id).Exchange().status();
  };
  Must(ana.Say(id, "in a race"));
  relay.before_append = nullptr;
  EXPECT_TRUE(closed);
  EXPECT_THAT(ana.Info(id).alarms, IsEmpty());
  Settle({&mira, &ana, &ben});
  EXPECT_EQ(mira.Heard(id).back(), "Ana: in a race");
}

// Ana says "lost", the relay acknowledges it, and she is cut off before she reads it in the log.
class AcknowledgedTest : public RelayTest {
 protected:
  void SetUp() override {
    RelayTest::SetUp();
    bool appended = false;
    relay.after_append = [&] {
      appended = true;
      return absl::OkStatus();
    };
    relay.before_read = [&] { return appended ? absl::UnavailableError("cut") : absl::OkStatus(); };
    EXPECT_EQ(ana.Say(id, "lost").code(), absl::StatusCode::kUnavailable);
    EXPECT_TRUE(appended);
    relay.before_read = nullptr;
    relay.after_append = nullptr;
  }

  // It is told once, and the same bytes are sent again: nothing is lost or doubled.
  void ExpectToldAndSentAgain() {
    const absl::Status status = ana.In(id).Exchange().status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(status.message()), HasSubstr("that it had acknowledged at position"));
    ASSERT_EQ(ana.Info(id).alarms.size(), 1u);
    EXPECT_EQ(ana.Info(id).alarms[0].kind, ChannelAlarmKind::kRelayLog);
    ana.Restart();
    Settle({&ana, &mira, &ben});
    for (Person* person : {&ana, &mira, &ben}) {
      const std::vector<std::string> heard = person->Heard(id);
      EXPECT_EQ(std::count(heard.begin(), heard.end(), "Ana: lost"), 1) << person->name;
    }
    EXPECT_EQ(ana.Info(id).unsent, 0u);
  }
};

TEST_F(AcknowledgedTest, AnEntryThatIsNotThere) {
  entries().pop_back();
  ExpectToldAndSentAgain();
}

TEST_F(AcknowledgedTest, AnotherEntryAtItsPosition) {
  entries().back().append_id[0] ^= 1;
  ExpectToldAndSentAgain();
}

// The same for a commit: whichever answer is lost, it is found in the log and merged exactly once.
TEST_F(RelayTest, AnOwnCommitWhoseAcknowledgementIsLost) {
  for (Person* newcomer : {&lee, &tomas}) {
    const ChannelInfo before = mira.Info(id);
    MembershipChange change;
    change.adds = {newcomer->AsNewMember()};
    Must(mira.Prepare(id, change));
    const size_t appended = entries().size() + 1;
    const auto lost = [] { return absl::UnavailableError("cut"); };
    bool sent = false;
    if (newcomer == &lee) {
      relay.after_append = lost;
    } else {
      relay.after_append = [&] {
        sent = true;
        return absl::OkStatus();
      };
      relay.before_read = [&] { return sent ? lost() : absl::OkStatus(); };
    }
    EXPECT_EQ(mira.In(id).Exchange().status().code(), absl::StatusCode::kUnavailable);
    relay.after_append = nullptr;
    relay.before_read = nullptr;
    ASSERT_EQ(entries().size(), appended);
    EXPECT_TRUE(mira.Info(id).commit_in_flight);
    EXPECT_EQ(mira.Info(id).epoch, before.epoch);
    mira.Restart();
    EXPECT_TRUE(Must(mira.In(id).Exchange()).commit_merged);
    EXPECT_FALSE(Must(mira.In(id).Exchange()).commit_merged);
    EXPECT_EQ(entries().size(), appended) << "it isn't sent again";
    const ChannelInfo after = mira.Info(id);
    EXPECT_EQ(after.epoch, before.epoch + 1);
    EXPECT_FALSE(after.commit_in_flight);
    EXPECT_EQ(after.state.members.size(), before.state.members.size() + 1);
    EXPECT_THAT(after.alarms, IsEmpty());
    Settle({&mira, &ana, &ben});
    EXPECT_EQ(ana.Info(id).epoch, after.epoch);
  }
  Must(ana.Say(id, "in the epoch after"));
  Settle({&mira, &ana, &ben});
  EXPECT_EQ(mira.Heard(id).back(), "Ana: in the epoch after");
}

TEST_F(RelayTest, AnOwnEntryAlteredBeforeItIsRead) {
  relay.alter = [&](ReadResult& page) {
    if (page.entries.size() > 1) page.entries.back().payload[40] ^= 1;
  };
  Must(ana.Queue(id, TextContent("mine")));
  ExpectNoticed("is not as it was sent", [&] { relay.alter = nullptr; });
}

TEST_F(RelayTest, AnEntryAlteredOnceIsToldAndTakenAsItIsLater) {
  Must(mira.Say(id, "four"));
  relay.alter = [&](ReadResult& page) {
    for (Entry& entry : page.entries) {
      if (entry.position == relay.Only().head()) entry.payload[40] ^= 1;
    }
  };
  Must(ana.In(id).Sync());
  EXPECT_EQ(ana.Info(id).passed_over, 1u);
  EXPECT_THAT(ana.Info(id).alarms, IsEmpty()) << "a member may have written that";
  relay.alter = nullptr;
  Must(ana.In(id).Sync());
  ASSERT_EQ(ana.Info(id).alarms.size(), 1u);
  EXPECT_THAT(ana.Info(id).alarms[0].text, HasSubstr("is not as it was"));
  EXPECT_EQ(ana.Info(id).passed_over, 0u);
  EXPECT_EQ(ana.Heard(id).back(), "Mira: four");
  Settle({&ana, &mira, &ben});
  EXPECT_EQ(ana.Info(id).head, mira.Info(id).head);
}

TEST_F(RelayTest, AnAlteredEntryIsNoticedByWhatOthersSaw) {
  Must(mira.Say(id, "four"));
  const uint64_t altered = relay.Only().head();
  relay.alter = [&](ReadResult& page) {
    for (Entry& entry : page.entries) {
      if (entry.position == altered) entry.payload[40] ^= 1;
    }
  };
  Must(ana.In(id).Sync());
  {
    // Ben is shown the true one.
    const auto lie = std::exchange(relay.alter, nullptr);
    Must(ben.Say(id, "five"));
    relay.alter = lie;
  }
  Must(ana.In(id).Sync());
  ASSERT_EQ(ana.Info(id).alarms.size(), 1u);
  EXPECT_EQ(ana.Info(id).alarms[0].kind, ChannelAlarmKind::kFork);
  EXPECT_EQ(ana.Info(id).alarms[0].author, ben.self.participant_id);
}

}  // namespace
}  // namespace parley::client
