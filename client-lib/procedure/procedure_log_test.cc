#include "client-lib/procedure/procedure_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client-lib/procedure/procedure_for_test.h"

namespace parley::client {
namespace {

using namespace testing;  // NOLINT: the people of the case
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
