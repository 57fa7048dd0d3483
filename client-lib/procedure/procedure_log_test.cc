#include "client-lib/procedure/procedure_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client-lib/procedure/procedure_for_test.h"

namespace parley::client {
namespace {

using namespace testing;  // NOLINT: the people of the case
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(ProcedureLog, WhoJoinsLaterComesToTheSameState) {
  Log log;
  Engage(log);
  log.Do(kAna, CaseAct::kBeginSession);  // passed over
  log.Do(kMira, CaseAct::kBeginSession);
  log.Pass(3);
  const JointPosition joined = log.head();
  EXPECT_FALSE(log.PlayFrom(joined).has_begun());
  // Before the overview comes, one more act, which it knows, and after it was made, one that it
  // doesn't.
  log.Do(kMira, CaseAct::kSuspend);
  content::v1::Content overview;
  std::vector<Actor> everybody = Everybody();
  everybody.push_back(kEva);
  *overview.mutable_case_overview() = log.Play().MakeOverview(everybody, log.head());
  log.Do(kTomas, CaseAct::kDeclareImpasse);
  log.Say(kMira, overview);
  EXPECT_EQ(log.PlayFrom(joined).procedure(), log.Play().procedure());
  EXPECT_EQ(log.State(), CaseState::kImpasse);
  log.Do(kMira, CaseAct::kClose);
  EXPECT_EQ(log.PlayFrom(joined).procedure(), log.Play().procedure());
  // They can tell who comes after them.
  const JointPosition joined_later = log.head();
  content::v1::Content next;
  *next.mutable_case_overview() = log.PlayFrom(joined).MakeOverview(everybody, log.head());
  log.Say(kTomas, next);
  EXPECT_THAT(log.LastRefusal(), IsEmpty());
  EXPECT_EQ(log.PlayFrom(joined_later).procedure(), log.Play().procedure());
  EXPECT_EQ(log.PlayFrom(joined_later).Signatures().size(), 6u);
}

TEST(ProcedureLog, AnOverviewThatDoesNotReachToTheJoiningIsNoBeginning) {
  Log log;
  Engage(log);
  content::v1::Content early;
  *early.mutable_case_overview() = log.Play().MakeOverview(Everybody(), log.head());
  log.Do(kMira, CaseAct::kBeginSession);
  const JointPosition joined = log.head();
  log.Say(kMira, early);
  EXPECT_FALSE(log.PlayFrom(joined).has_begun());
  EXPECT_THAT(log.LastRefusal(), IsEmpty());
  log.List(kTomas, Everybody());
  EXPECT_EQ(log.PlayFrom(joined).procedure(), log.Play().procedure());
}

TEST(ProcedureLog, AnotherHistoryIsNamed) {
  Log log;
  Engage(log);
  content::v1::Content lie;
  *lie.mutable_case_overview() = log.Play().MakeOverview(Everybody(), log.head());
  lie.mutable_case_overview()->mutable_history()->RemoveLast();  // Shah's signature
  log.Say(kTomas, lie);
  EXPECT_THAT(log.LastRefusal(), HasSubstr("another history"));
  EXPECT_EQ(log.State(), CaseState::kEngaged);
  // Nobody but a neutral tells anything, also to who has just joined.
  const JointPosition joined = log.head();
  content::v1::Content by_ben;
  *by_ben.mutable_case_overview() = log.Play().MakeOverview({kBen}, log.head());
  log.Say(kBen, by_ben);
  EXPECT_THAT(log.LastRefusal(), HasSubstr("only mediator or co-mediator"));
  EXPECT_FALSE(log.PlayFrom(joined).has_begun());
}

TEST(ProcedureLog, ATellerOfForgedSignaturesIsNoBeginning) {
  Log log;
  Engage(log);
  const JointPosition joined = log.head();
  content::v1::Content lie;
  content::v1::CaseOverview& overview = *lie.mutable_case_overview();
  overview = log.Play().MakeOverview(Everybody(), log.head());
  content::v1::CaseOverview::Past& last = *overview.mutable_history()->rbegin();
  content::v1::Content signature;
  ASSERT_TRUE(signature.ParseFromString(last.content()));
  signature.mutable_agreement_signature()->mutable_signature()->front() ^= 1;
  last.set_content(signature.SerializeAsString());
  log.Say(kMira, lie);
  EXPECT_FALSE(log.PlayFrom(joined).has_begun());
  EXPECT_THAT(log.LastRefusal(), HasSubstr("another history"));
}

// What was told at all, and of that what stands where they haven't read.
TEST(ProcedureLog, WhoWasAwayLearnsWhatTheyMissed) {
  Log log;
  Engage(log);
  log.Do(kMira, CaseAct::kBeginSession);
  const JointPosition left = log.head();
  const DocumentHash amended = log.Propose(kMira, "We agree, by May.");
  for (const Actor& person : Everybody()) log.Sign(person, amended);
  log.Pass(2);
  Absence away{left, log.head()};
  EXPECT_FALSE(log.PlayAway({away}).has_begun());
  EXPECT_EQ(log.PlayAway({away}).procedure().state(), CaseState::kNone);
  // What they have at first hand stays.
  EXPECT_EQ(log.PlayAway({away}).Signatures().size(), 6u);
  log.Do(kTomas, CaseAct::kDeclareImpasse);
  log.List(kMira, Everybody());
  log.Do(kMira, CaseAct::kClose);
  const ProcedureLog played = log.PlayAway({away});
  EXPECT_EQ(played.procedure(), log.Play().procedure());
  ASSERT_EQ(played.steps().size(), log.Play().steps().size());
  for (const ProcedureLog::Step& step : played.steps()) {
    const bool told = step.record.at > away.left && step.record.at < away.back;
    EXPECT_EQ(step.told_at.position != 0, told) << step.record.at.position;
  }
}

TEST(ProcedureLog, WhoWasAwayTwiceComparesAllThatTheyHaveRead) {
  Log log;
  Engage(log);
  const JointPosition left = log.head();
  log.Do(kMira, CaseAct::kBeginSession);
  log.Pass();
  const Absence first{left, log.head()};
  log.Do(kMira, CaseAct::kSuspend);  // this they read, before anybody has told them of the session
  const JointPosition left_again = log.head();
  log.Do(kMira, CaseAct::kBeginSession);
  log.Pass();
  const Absence second{left_again, log.head()};
  content::v1::Content lie;
  *lie.mutable_case_overview() = log.Play().MakeOverview(Everybody(), log.head());
  auto& history = *lie.mutable_case_overview()->mutable_history();
  history.DeleteSubrange(history.size() - 2, 2);  // the suspension, and what goes on after it
  log.Say(kTomas, lie);
  EXPECT_FALSE(log.PlayAway({first, second}).has_begun());
  EXPECT_THAT(log.PlayAway({first, second}).steps().back().refused, HasSubstr("another history"));
  log.List(kMira, Everybody());
  EXPECT_EQ(log.PlayAway({first, second}).procedure(), log.Play().procedure());
}

// As a profile that was restored from an old copy reads: all but what it said itself since.
TEST(ProcedureLog, WhoHasReadSomeOfWhatTheyMissedTakesTheRest) {
  Log log;
  Engage(log);
  const JointPosition left = log.head();
  const DocumentHash amended = log.Propose(kMira, "We agree, by May.");
  for (const Actor& person : Everybody()) log.Sign(person, amended);
  log.Pass();
  const Absence away{left, log.head()};
  log.List(kMira, Everybody());
  std::vector<LoggedRecord> read;
  for (const LoggedRecord& record : log.records()) {
    if (record.at <= left || record.author.id != kAna.id) read.push_back(record);
  }
  const ProcedureLog played = ProcedureLog::Play(log.case_id(), read, {1, 0}, {away});
  EXPECT_EQ(played.procedure(), log.Play().procedure());
  EXPECT_EQ(played.Signatures().size(), 12u);
  size_t told = 0;
  for (const ProcedureLog::Step& step : played.steps()) told += step.told_at.position != 0 ? 1 : 0;
  EXPECT_EQ(told, 1u);
}

// A neutral tells who comes back another past than they have lived: what they signed last is left
// out, or the case had long ended.
TEST(ProcedureLog, WhoWasAwayIsToldNothingElseThanTheyHaveRead) {
  Log log;
  Engage(log);
  log.Pass();
  const JointPosition made_up = log.head();
  const DocumentHash amended = log.Propose(kMira, "We agree, by May.");
  for (const Actor& person : Everybody()) log.Sign(person, amended);
  const JointPosition left = log.head();
  log.Pass();
  const Absence away{left, log.head()};
  const content::v1::CaseOverview truth = log.Play().MakeOverview(Everybody(), log.head());
  content::v1::Content without;
  *without.mutable_case_overview() = truth;
  auto& history = *without.mutable_case_overview()->mutable_history();
  history.DeleteSubrange(history.size() - 7, 7);
  log.Say(kMira, without);
  content::v1::Content with;
  content::v1::CaseOverview& overview = *with.mutable_case_overview();
  overview = truth;
  overview.clear_history();
  for (const auto& past : truth.history()) {
    if (past.position() > made_up.position) break;
    *overview.add_history() = past;
  }
  content::v1::Content end;
  end.mutable_case_act()->set_act(static_cast<uint32_t>(CaseAct::kTerminate));
  end.set_message_id(std::string(16, 'x'));
  content::v1::CaseOverview::Past& last = *overview.add_history();
  last = truth.history(0);  // by Mira
  last.set_position(made_up.position);
  last.set_content(end.SerializeAsString());
  log.Say(kMira, with);
  for (const bool honest : {false, true}) {
    if (honest) log.List(kTomas, Everybody());
    const ProcedureLog played = log.PlayAway({away});
    EXPECT_EQ(played.has_begun(), honest);
    std::vector<std::string> refused;
    for (const ProcedureLog::Step& step : played.steps()) {
      if (!step.refused.empty()) refused.push_back(step.refused);
    }
    EXPECT_THAT(refused, ElementsAre(HasSubstr("another history"), HasSubstr("another history")));
  }
  EXPECT_EQ(log.PlayAway({away}).procedure(), log.Play().procedure());
}

// An overview of what was done, and at last of an act that nobody did, where nothing stands.
content::v1::Content Lie(const Log& log, const JointPosition& made_up, CaseAct act) {
  content::v1::Content made;
  made.mutable_case_act()->set_act(static_cast<uint32_t>(act));
  made.set_message_id(std::string(16, 'x'));
  content::v1::Content lie;
  content::v1::CaseOverview& overview = *lie.mutable_case_overview();
  overview = log.Play().MakeOverview(Everybody(), log.head());
  content::v1::CaseOverview::Past invented = overview.history(0);  // by Mira
  invented.set_position(made_up.position);
  invented.set_content(made.SerializeAsString());
  *overview.add_history() = invented;
  return lie;
}

std::vector<ParticipantId> PassedOver(const ProcedureLog& played) {
  std::vector<ParticipantId> authors;
  for (const ProcedureLog::Step& step : played.steps()) {
    if (!step.refused.empty()) authors.push_back(step.record.author.id);
  }
  return authors;
}

// Who let them in told them what nobody did. Others' true overviews are false to them then, until
// they are let in anew.
TEST(ProcedureLog, WhoWasToldALieIsHealedByTheNextComingBack) {
  for (const bool is_new : {true, false}) {
    Log log;
    Engage(log);
    log.Do(kMira, CaseAct::kBeginSession);
    const JointPosition left = log.head();
    log.Pass();
    const JointPosition made_up = log.head();
    log.Pass();
    const JointPosition in = log.head();
    log.Say(kMira, Lie(log, made_up, CaseAct::kDeclareImpasse));
    log.List(kTomas, Everybody());
    const JointPosition out_again = log.head();
    log.Do(kMira, CaseAct::kSuspend);
    log.Pass();
    const Absence again{out_again, log.head()};
    const auto play = [&] {
      std::vector<LoggedRecord> read;
      for (const LoggedRecord& record : log.records()) {
        const bool before = is_new ? record.at > in : record.at <= left || record.at > in;
        if (before && (record.at <= again.left || record.at > again.back)) read.push_back(record);
      }
      std::vector<Absence> absences = {again};
      if (!is_new) absences.insert(absences.begin(), {left, in});
      return ProcedureLog::Play(log.case_id(), read, is_new ? in : JointPosition{1, 0}, absences);
    };
    EXPECT_EQ(PassedOver(play()), std::vector<ParticipantId>{kTomas.id}) << "the lie is believed";
    log.List(kTomas, Everybody());
    const ProcedureLog played = play();
    EXPECT_TRUE(played.has_begun());
    EXPECT_EQ(played.procedure(), log.Play().procedure());
    EXPECT_EQ(PassedOver(played), std::vector<ParticipantId>{kMira.id});
  }
}

// What somebody has read, and couldn't judge before they were told what went before, isn't known
// earlier than they were told.
TEST(ProcedureLog, WhatWasReadWithoutABeginningIsKnownFromTheOverviewOn) {
  for (const bool is_new : {true, false}) {
    Log log;
    Engage(log);
    const JointPosition left = log.head();
    log.Pass();
    const JointPosition made_up = log.head();
    log.Pass();
    const Absence away{left, log.head()};
    const content::v1::Content lie = Lie(log, made_up, CaseAct::kBeginSession);
    log.Do(kMira, CaseAct::kDeclareImpasse);  // passed over: nobody had begun a session
    const JointPosition impasse = log.head();
    log.Say(kMira, lie);
    const JointPosition told = log.head();
    const ProcedureLog played = is_new ? log.PlayFrom(away.back) : log.PlayAway({away});
    ASSERT_EQ(played.procedure().state(), CaseState::kImpasse);
    for (const ProcedureLog::Step& step : played.steps()) {
      const bool was_known = !is_new && step.record.at <= left;
      EXPECT_EQ(step.known_at, was_known ? step.record.at : told) << step.record.at.position;
      if (step.record.at == impasse) {
        EXPECT_EQ(step.told_at.position, 0u);
      }
    }
  }
}

TEST(ProcedureLog, OnlyAHistoryTellsAndAsFarAsItReaches) {
  Log log;
  log.Do(kMira, CaseAct::kOpen);
  EXPECT_EQ(log.Play().ToldThrough(), log.head());
  log.Pass();
  const JointPosition made = log.head();
  content::v1::Content late;
  *late.mutable_case_overview() = log.Play().MakeOverview(Everybody(), made);
  log.Pass(3);
  log.Say(kMira, late);
  EXPECT_EQ(log.Play().ToldThrough(), made);
  content::v1::Content empty = late;
  empty.mutable_case_overview()->clear_history();
  empty.mutable_case_overview()->set_through_position(log.head().position);
  log.Say(kMira, empty);
  content::v1::Content beyond;
  *beyond.mutable_case_overview() = log.Play().MakeOverview(Everybody(), {1, 1000});
  log.Say(kMira, beyond);
  EXPECT_EQ(log.Play().ToldThrough(), made);
  log.List(kMira, Everybody());
  EXPECT_EQ(log.Play().ToldThrough().position, log.head().position - 1);
}

TEST(ProcedureLog, ASignatureMustVerifyAndBeOfWhatWasProposed) {
  Log log;
  log.Do(kMira, CaseAct::kOpen);
  log.List(kMira, Everybody());
  log.Do(kAna, CaseAct::kRequest);
  log.Do(kBen, CaseAct::kAccept);
  const DocumentHash document = log.Propose(kMira, "We agree.");
  log.Sign(kAna, document, /*well=*/false);
  EXPECT_EQ(log.LastRefusal(), "may not sign: the signature doesn't verify");
  log.Sign(kAna, AgreementHash(log.case_id(), "Something else.", "caucus: open"));
  EXPECT_THAT(log.LastRefusal(), HasSubstr("another text than was proposed"));
  log.Sign(kAna, document);
  EXPECT_THAT(log.LastRefusal(), IsEmpty());
  log.Sign(kAna, document);
  EXPECT_THAT(log.LastRefusal(), HasSubstr("has signed it already"));
}

TEST(ProcedureLog, ShowsTheStateAtAPosition) {
  Log log;
  Engage(log);
  const JointPosition engaged = log.head();
  log.Pass(5);
  log.Do(kMira, CaseAct::kBeginSession);
  const ProcedureLog played = log.Play();
  EXPECT_EQ(played.At({1, 0}).state(), CaseState::kNone);
  EXPECT_EQ(played.At({1, 1}).state(), CaseState::kOpened);
  EXPECT_EQ(played.At(engaged).state(), CaseState::kEngaged);
  EXPECT_EQ(played.At({1, engaged.position + 5}).state(), CaseState::kEngaged);
  EXPECT_EQ(played.At(log.head()).state(), CaseState::kInSession);
  EXPECT_EQ(played.At({2, 1}).state(), CaseState::kInSession);
}

TEST(ProcedureLog, WhatIsNoActOrIsDamagedIsPassedOver) {
  Log log;
  log.Do(kMira, CaseAct::kOpen);
  content::v1::Content text;
  text.mutable_text()->set_text("hello");
  log.Say(kAna, text);
  EXPECT_EQ(log.Play().steps().size(), 1u);
  content::v1::Content list;
  content::v1::CaseOverview::Participant& nobody =
      *list.mutable_case_overview()->add_participants();
  nobody.set_participant_id("short");
  log.Say(kMira, list);
  EXPECT_THAT(log.LastRefusal(), HasSubstr("lists somebody"));
  // An act that has a record of its own can't be done by a bare one.
  log.Do(kMira, CaseAct::kListParticipants);
  EXPECT_THAT(log.LastRefusal(), HasSubstr("of another kind"));
  std::vector<LoggedRecord> garbage = log.records();
  garbage.push_back({{1, 99}, kMira, {0xff, 0xff, 0xff}});
  EXPECT_EQ(ProcedureLog::Play(log.case_id(), garbage, {1, 0}).procedure(), log.Play().procedure());
}

}  // namespace
}  // namespace parley::client
