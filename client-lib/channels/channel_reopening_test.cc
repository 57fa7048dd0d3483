// Who was away while a channel was opened anew, or let in again, more than once; and whose
// reopening of a team counts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "client-lib/channels/test_reopening.h"

namespace parley::client {
namespace {

TEST_F(ReopeningTest, WhoWasAwayOverTwoReopeningsReadsAllThatWasSaid) {
  Must(mira.Say(id, "in the first"));
  HaltAndReopen();
  Add(mira, {&ana});
  Must(mira.Say(id, "in the second"));
  HaltAndReopen();
  Add(mira, {&ana});
  Must(mira.Say(id, "in the third"));
  ASSERT_EQ(ana.Info(id).state.incarnation, 1u);
  ana.Restart();
  Must(ana.Say(id, "back"));
  EXPECT_EQ(ana.Info(id).state.incarnation, 3u);
  EXPECT_EQ(ana.Info(id).standing, Standing::kActive);
  EXPECT_EQ(LastHeard(4), (std::vector<std::string>{"Mira: in the first", "Mira: in the second",
                                                    "Mira: in the third", "Ana: back"}));
  EXPECT_TRUE(Forks().empty());
  EXPECT_TRUE(ComingsBackIn(ana, id).empty()) << "nothing was missed";
  Settle({&mira, &ana});
  EXPECT_EQ(mira.Heard(id).back(), "Ana: back");
  // Nothing of what waited is left behind.
  const ReadTransaction tx = Must(ana.store->Read());
  EXPECT_FALSE(Must(tx.Has(RecordClass::kRatchet, ChannelNames(id).Successors())));
}

// The second incarnation was opened without her: what the third one says of its end is compared
// with nothing of the first.
TEST_F(ReopeningTest, WhoWasLetInAfterTwoReopeningsIsToldOfNoFork) {
  const uint64_t read = ana.Info(id).head.position;
  HaltAndReopen();
  Add(mira, {&ben});
  Must(mira.Say(id, "without Ana"));
  const uint64_t end = mira.Info(id).head.position;
  ASSERT_LT(end, read) << "a place that her log of the first one has, too";
  HaltAndReopen();
  Add(mira, {&ana});
  Must(ana.Say(id, "back"));
  EXPECT_EQ(ana.Info(id).state.incarnation, 3u);
  EXPECT_TRUE(Forks().empty());
  const std::vector<ComingBack> again = ComingsBackIn(ana, id);
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].left_incarnation, 1u);
  EXPECT_EQ(again[0].incarnation, 3u);
  Settle({&mira, &ana});
  EXPECT_EQ(mira.Heard(id).back(), "Ana: back");
}

TEST_F(ReopeningTest, OfTwoReopeningsEachFromAnotherLogIsToldAsAFork) {
  for (const uint32_t forked : {1u, 2u}) {
    const size_t before = Forks().size();
    const uint32_t first = ana.Info(id).state.incarnation;
    for (const uint32_t turn : {1u, 2u}) {
      HaltAndReopen();
      AddByAltered([&](content::v1::WelcomeWrapper& wrapper) {
        if (turn != forked) return;
        (*wrapper.mutable_previous()->mutable_transcript_hash())[0] ^= 1;
      });
      Must(mira.Say(id, "in turn " + std::to_string(turn)));
    }
    ASSERT_EQ(ana.Info(id).state.incarnation, first);
    Must(ana.Say(id, "back"));
    EXPECT_EQ(ana.Info(id).state.incarnation, first + 2);
    const std::vector<ChannelAlarm> forks = Forks();
    ASSERT_EQ(forks.size(), before + 1) << forked;
    EXPECT_EQ(forks.back().incarnation, first + forked - 1);
    EXPECT_THAT(forks.back().text, HasSubstr("had another log up to position"));
    Settle({&mira, &ana});
  }
}

TEST_F(ReopeningTest, WhoWasPutOutAndLetInTwiceWhileAwayReadsEachStay) {
  Must(mira.Say(id, "in the first stay"));
  for (const char* stay : {"second", "third"}) {
    Must(Remove(mira, ana));
    Must(mira.Say(id, std::string("before the ") + stay));
    Add(mira, {&ana});
    Must(mira.Say(id, std::string("in the ") + stay + " stay"));
  }
  Must(ana.Say(id, "back"));
  EXPECT_EQ(LastHeard(4),
            (std::vector<std::string>{"Mira: in the first stay", "Mira: in the second stay",
                                      "Mira: in the third stay", "Ana: back"}));
  EXPECT_EQ(ComingsBackIn(ana, id).size(), 2u);
  Settle({&mira, &ana, &ben});
  EXPECT_EQ(ben.Heard(id).back(), "Ana: back");
}

// The relay has lost the log in which her second stay was to begin.
TEST_F(ReopeningTest, AWelcomeWhoseTurnCantComeHoldsUpNoLaterOne) {
  Must(Remove(mira, ana));
  Add(mira, {&ana});
  relay.mailboxes.clear();
  Reopen(mira, id, true);
  Add(mira, {&ana});
  Must(ana.Say(id, "back"));
  EXPECT_EQ(ana.Info(id).state.incarnation, 2u);
  Settle({&mira, &ana});
  EXPECT_EQ(mira.Heard(id).back(), "Ana: back");
}

// The relay has lost what was said up to her third stay.
TEST_F(ReopeningTest, AStayThatCantBeReadHoldsUpNoLaterOneOfTheIncarnation) {
  for (int stay = 0; stay < 2; ++stay) {
    Must(Remove(mira, ana));
    Add(mira, {&ana});
  }
  Must(mira.Say(id, "in the third stay"));
  ASSERT_EQ(Waiting().size(), 2u);
  const uint64_t kept = Waiting().back().log.joined_position + 1;
  // While it merely doesn't answer, nothing is passed over.
  relay.before_read = [] { return absl::UnavailableError("cut"); };
  EXPECT_FALSE(ana.In(id).Exchange().ok());
  EXPECT_EQ(Waiting().size(), 2u);
  relay.before_read = nullptr;
  relay.alter = [&](ReadResult& page) { page.first_position = kept; };
  Must(ana.Say(id, "back"));
  EXPECT_EQ(LastHeard(2), (std::vector<std::string>{"Mira: in the third stay", "Ana: back"}));
  const std::vector<ChannelAlarm> told = AlarmsOf(ChannelAlarmKind::kReopened);
  ASSERT_EQ(told.size(), 2u);
  EXPECT_THAT(told.back().text, HasSubstr("Mira (mediator) has let this device in again; the log "
                                          "before, which it can't read, was passed over"));
  EXPECT_FALSE(ComingsBackIn(ana, id).empty());
}

// ---- Teams ----

class TeamReopeningTest : public ReopeningTest {
 protected:
  void SetUp() override {
    NewChannel options = lee.Founding(case_id, ChannelKind::kTeam, "Harbor");
    options.stewards = {lee.self.participant_id};
    {
      Transaction tx = Must(lee.store->Begin());
      Must(lee.In(id).Create(tx, std::move(options)));
      Must(tx.Commit());
    }
    Must(lee.In(id).Exchange());
    Add(lee, {&ana, &kim});
    Settle({&lee, &ana, &kim});
  }

  // Kim, who is no steward, makes a next incarnation of which she is one, and lets Ana in.
  absl::Status LetInByKim() {
    return Plant(kim, {2, 1},
                 [&](ChannelState& after) { after.stewards = {kim.self.participant_id}; });
  }

  Person kim{"Kim", Role::kCounsel, "Harbor", relay, clock};
};

TEST_F(TeamReopeningTest, WhoIsNoStewardLeadsNobodyAwayFromAHaltedTeam) {
  // Once before Ana has read that it is halted, and once after.
  Must(LetInByKim());
  Halt(lee);
  Must(ana.In(id).Exchange());
  EXPECT_EQ(ana.Info(id).standing, Standing::kHalted);
  EXPECT_EQ(ana.Info(id).state.incarnation, 1u);
  ASSERT_FALSE(ana.Info(id).alarms.empty());
  EXPECT_EQ(ana.Info(id).alarms.back().kind, ChannelAlarmKind::kRefused);
  EXPECT_THAT(ana.Info(id).alarms.back().text,
              HasSubstr("Kim (counsel, Harbor), who may not open it anew"));
  const absl::Status again = LetInByKim();
  EXPECT_EQ(again.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(again.message()), HasSubstr("who may not open it anew"));
  Reopen(lee, id);
  Add(lee, {&ana});
  Must(ana.Say(id, "with the steward"));
  EXPECT_EQ(ana.Info(id).state.incarnation, 2u);
}

// Both lie in her inbox when she comes, and lead to the same place.
TEST_F(TeamReopeningTest, WhoIsNoStewardReplacesNoWelcomeOfASteward) {
  Halt(lee);
  Reopen(lee, id);
  Add(lee, {&ana});
  Must(LetInByKim());
  const std::vector<Successor> waiting = Waiting();
  ASSERT_EQ(waiting.size(), 2u);
  ASSERT_EQ(waiting[0].place(), waiting[1].place());
  Must(ana.Say(id, "with the steward"));
  EXPECT_EQ(ana.Info(id).state.incarnation, 2u);
  EXPECT_EQ(ana.Info(id).state.stewards, std::vector<ParticipantId>({lee.self.participant_id}));
  const std::vector<ChannelAlarm> told = AlarmsOf(ChannelAlarmKind::kRefused);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].author, kim.self.participant_id);
  Settle({&lee, &ana});
  EXPECT_EQ(lee.Heard(id).back(), "Ana: with the steward");
}

// Her program ends the team outside of a sync, while somebody's Welcome waits.
TEST_F(TeamReopeningTest, WhatWaitsHoldsUpNobodyWhoseTeamWasHalted) {
  Must(Plant(kim, {1, ana.Info(id).head.position + 1},
             [&](ChannelState& after) { after.stewards = {kim.self.participant_id}; }));
  ASSERT_EQ(Waiting().size(), 1u);
  {
    Transaction tx = Must(ana.store->Begin());
    Must(ana.In(id).Halt(tx, "the team has ended"));
    Must(tx.Commit());
  }
  Reopen(lee, id, true);
  Add(lee, {&ana});
  EXPECT_EQ(ana.Info(id).standing, Standing::kActive);
  EXPECT_EQ(ana.Info(id).state.incarnation, 2u);
  EXPECT_TRUE(Waiting().empty());
  Must(ana.Say(id, "in the new team"));
  Settle({&lee, &ana});
  EXPECT_EQ(lee.Heard(id).back(), "Ana: in the new team");
}

}  // namespace
}  // namespace parley::client
