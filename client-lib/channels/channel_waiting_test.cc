// Welcomes that wait for their turn: how many, whose goes first, and what an earlier version has
// stored of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client-lib/channels/group_store.h"
#include "client-lib/channels/test_reopening.h"

namespace parley::client {
namespace {

// ---- Welcomes that lead nowhere ----

class PlantedWelcomeTest : public ReopeningTest {
 protected:
  void SetUp() override {
    ReopeningTest::SetUp();
    Add(mira, {&tomas});
    ShareControl(mira, tomas);
    Settle({&mira, &tomas, &ana, &ben});
    last_ = mira.Info(id).head.position;
  }

  // Tomas is put out of the channel, then Ana. A Welcome of his waits for her by then, to where she
  // will have been put out.
  void PlantAndPutOut() {
    Must(Plant(tomas, {1, last_ + 2}));
    Must(Remove(mira, tomas));
    Must(Remove(mira, ana));
  }

  uint64_t last_ = 0;  // position when all were in it
};

TEST_F(PlantedWelcomeTest, IsNotTakenBeforeTheTrueOne) {
  PlantAndPutOut();
  Add(mira, {&ana});
  Must(ana.Say(id, "back"));
  Settle({&mira, &ana});
  EXPECT_EQ(mira.Heard(id).back(), "Ana: back");
  const std::vector<ChannelAlarm> told = AlarmsOf(ChannelAlarmKind::kRefused);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].author, tomas.self.participant_id);
  EXPECT_THAT(told[0].text, HasSubstr("who may not open it anew; it was refused"));
  EXPECT_TRUE(AlarmsOf(ChannelAlarmKind::kReopened).empty());
}

TEST_F(PlantedWelcomeTest, KeepsOutNoTrueOneThatComesLater) {
  PlantAndPutOut();
  EXPECT_FALSE(ana.In(id).Exchange().ok()) << "his group's keys open nothing";
  const std::vector<ChannelAlarm> told = AlarmsOf(ChannelAlarmKind::kReopened);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].author, tomas.self.participant_id);
  EXPECT_THAT(told[0].text, HasSubstr("although they could let nobody in when it last read"));
  Add(mira, {&ana});
  Must(ana.Say(id, "back"));
  Settle({&mira, &ana});
  EXPECT_EQ(mira.Heard(id).back(), "Ana: back");
  EXPECT_TRUE(AlarmsOf(ChannelAlarmKind::kRefused).empty()) << "nobody honest is named";
}

// The same where the channel is opened anew.
TEST_F(PlantedWelcomeTest, KeepsOutNoLaterIncarnation) {
  PlantAndPutOut();
  EXPECT_FALSE(ana.In(id).Exchange().ok());
  Reopen(mira, id, true);
  Add(mira, {&ana});
  Must(ana.Say(id, "back"));
  EXPECT_EQ(ana.Info(id).state.incarnation, 2u);
  EXPECT_TRUE(AlarmsOf(ChannelAlarmKind::kRefused).empty()) << "nobody honest is named";
}

// One that led less far than to where she was put out.
TEST_F(PlantedWelcomeTest, LeavesNothingToBeSentWhereNobodyComesBack) {
  Must(Plant(tomas, {1, last_ + 1}));
  Must(mira.Say(id, "another entry"));
  Must(Remove(mira, ana));
  Must(ana.Queue(id, TextContent("never sent")));
  const ExchangeResult result = Must(ana.In(id).Exchange());
  EXPECT_EQ(ana.Info(id).standing, Standing::kRemoved);
  EXPECT_TRUE(Waiting().empty());
  EXPECT_EQ(result.given_up, 1u);
  EXPECT_EQ(ana.Info(id).unsent, 0u);
  EXPECT_EQ(ana.Info(id).never_sent, 1u);
}

TEST_F(PlantedWelcomeTest, OnlySoManyOfOneWait) {
  for (size_t i = 0; i < kMostWaitingOfOne; ++i) Must(Plant(tomas, {1, last_ + 100 - i}));
  const absl::Status refused = Plant(tomas, {1, last_ + 10});
  EXPECT_EQ(refused.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("more than the 8 that one person may"));
  // The last one stays, and may still be sent again.
  Must(Plant(tomas, {1, last_ + 100}));
  ASSERT_EQ(Waiting().size(), kMostWaitingOfOne);
  EXPECT_EQ(Waiting().back().log.joined_position, last_ + 100);
  // Others' come in.
  Must(Remove(mira, ana));
  Add(mira, {&ana});
  EXPECT_EQ(Waiting().size(), kMostWaitingOfOne + 1);
  Must(ana.Say(id, "back"));
  Settle({&mira, &tomas, &ana});
  EXPECT_EQ(mira.Heard(id).back(), "Ana: back");
}

TEST_F(PlantedWelcomeTest, OnlySoManyOfAllWait) {
  std::vector<std::unique_ptr<Person>> others;
  std::vector<Person*> added;
  for (size_t i = 0; i < kMostWaiting / kMostWaitingOfOne; ++i) {
    others.push_back(std::make_unique<Person>("Neutral " + std::to_string(i), Role::kCoMediator, "",
                                              relay, clock));
    added.push_back(others.back().get());
  }
  Add(mira, added);
  Settle({&mira, &ana});
  last_ = mira.Info(id).head.position;
  for (Person* other : added) {
    for (size_t i = 0; i < kMostWaitingOfOne; ++i) Must(Plant(*other, {1, last_ + 100 + i}));
  }
  ASSERT_EQ(Waiting().size(), kMostWaiting);
  const absl::Status refused = Plant(tomas, {1, last_ + 10});
  EXPECT_EQ(refused.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("more than the 64 that all together may"));
  EXPECT_EQ(Waiting().size(), kMostWaiting);
}

// ---- Records of earlier versions ----

struct EarlierRecord2 {
  uint8_t version = 2;
  ParticipantId adder;
  IncarnationRecord log;
  Bytes state;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.adder, self.log, self.state);
  }
};

class EarlierRecordTest : public ReopeningTest {
 protected:
  // One Welcome waits, as that version had it. 1: as nobody can read it any more.
  void LetInAndStoreAs(uint8_t version) {
    Must(Remove(mira, ana));
    Add(mira, {&ana});
    Transaction tx = Must(ana.store->Begin());
    const std::vector<Successor> waiting = Must(LoadWaiting(tx, names_));
    ASSERT_EQ(waiting.size(), 1u);
    const Successor& one = waiting[0];
    mls::Group group = Must(LoadGroupOf(tx, names_, one));
    Must(DeleteGroupOf(tx, names_, one));
    const std::string name = names_.Successors();
    group_ = name + "/group";
    EarlierRecord2 record;
    record.adder = one.adder;
    record.log = one.log;
    record.state = one.state;
    if (version == 1) record.state = {1};
    record.version = version;
    Must(StoreRecord(tx, RecordClass::kRatchet, name, record));
    Must(StoreGroup(tx, {group_, group_}, group));
    Must(tx.Commit());
  }
  bool Has(const std::string& name) {
    const ReadTransaction tx = Must(ana.store->Read());
    return Must(tx.Has(RecordClass::kRatchet, name));
  }

  const ChannelNames names_ = ChannelNames(id);
  std::string group_;
};

TEST_F(EarlierRecordTest, OfOneThatWaitedIsRead) {
  LetInAndStoreAs(2);
  Must(ana.Say(id, "back"));
  Settle({&mira, &ana});
  EXPECT_EQ(mira.Heard(id).back(), "Ana: back");
  EXPECT_FALSE(Has(group_));
  EXPECT_FALSE(Has(names_.Successors()));
}

TEST_F(EarlierRecordTest, ThatCantBeReadIsForgotten) {
  LetInAndStoreAs(1);
  Must(ana.In(id).Exchange());
  EXPECT_EQ(ana.Info(id).standing, Standing::kRemoved);
  EXPECT_FALSE(Has(group_)) << "its keys are destroyed";
  EXPECT_FALSE(Has(names_.Successors()));
  Must(Remove(mira, ana));
  Add(mira, {&ana});
  Must(ana.Say(id, "let in by hand"));
  Settle({&mira, &ana});
  EXPECT_EQ(mira.Heard(id).back(), "Ana: let in by hand");
}

}  // namespace
}  // namespace parley::client
