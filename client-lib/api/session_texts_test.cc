// Agendas, ground rules and summaries, and what keeps them from being misused.
#include "client-lib/api/session_for_test.h"

namespace parley {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Must;
using ::testing::Not;

class SessionTextsTest : public testing::SessionTest {
 protected:
  std::vector<SessionText> Texts(const std::string& name,
                                 SessionTextKind kind = SessionTextKind::kAgenda) {
    return Must(Of(name).SessionTexts(case_, kind), "texts");
  }
  SessionText Latest(const std::string& name, SessionTextKind kind = SessionTextKind::kAgenda) {
    return Texts(name, kind).back();
  }
  MessageId Set(const std::string& name, const std::string& text,
                SessionTextKind kind = SessionTextKind::kAgenda, uint32_t number = 0) {
    return Must(Of(name).SetSessionText(case_, kind, text, number), "setting");
  }
};

TEST_F(SessionTextsTest, EachSideAcknowledgesTheAgendaAndANewVersionAsksAgain) {
  LetEverybodyIn();
  const MessageId first = Set("Mira", "1. The conveyor.");
  Everybody(1);
  for (const char* name : {"Mira", "Tomas", "Ana", "Lee", "Ben"}) {
    const SessionText agenda = Latest(name);
    EXPECT_EQ(agenda.text, "1. The conveyor.") << name;
    EXPECT_EQ(agenda.id, first);
    EXPECT_THAT(agenda.unanswered, ElementsAre("Harbor", "Northline"));
  }
  Must(Of("Lee").AnswerSessionText(case_, first, true), "acknowledging");
  Must(Of("Ben").AnswerSessionText(case_, first, false, "Add the delay."), "correcting");
  EXPECT_EQ(Of("Tomas").AnswerSessionText(case_, first, true).status().code(),
            StatusCode::kPermissionDenied);
  EXPECT_EQ(Of("Ana").SetSessionText(case_, SessionTextKind::kAgenda, "Mine.").status().code(),
            StatusCode::kPermissionDenied);
  Everybody(1);
  EXPECT_THAT(Latest("Ana").unanswered, IsEmpty());
  ASSERT_EQ(Latest("Ana").answers.size(), 2u);
  EXPECT_EQ(Latest("Ana").answers[1].words, "Add the delay.");
  const MessageId second = Set("Tomas", "1. The conveyor. 2. The delay.");
  const Result<MessageId> late = Of("Ana").AnswerSessionText(case_, first, true);
  if (late.ok()) Sync("Ana");  // she may not have read of it
  Everybody();
  EXPECT_EQ(Latest("Ben").version, 2u);
  EXPECT_EQ(Latest("Ben").id, second);
  EXPECT_THAT(Latest("Ben").unanswered, ElementsAre("Harbor", "Northline"));
  EXPECT_EQ(Texts("Ben").size(), 2u);
  EXPECT_THAT(Of("Ana").AnswerSessionText(case_, first, true).status().message(),
              HasSubstr("replaced by version 2"));
  // All of it is in the joint channel's messages, too.
  EXPECT_THAT(Read("Ben").front().text, HasSubstr("sets the agenda:\n1. The conveyor."));
}

TEST_F(SessionTextsTest, SummariesAreManyAndConfirmedOrCorrected) {
  LetEverybodyIn();
  Set("Mira", "The parties met.", SessionTextKind::kSummary);
  Set("Mira", "They agreed on an expert.", SessionTextKind::kSummary);
  Set("Mira", "The parties met on 3 May.", SessionTextKind::kSummary, 1);
  Set("Mira", "No interruptions.", SessionTextKind::kGroundRules);
  Everybody(1);
  const std::vector<SessionText> all = Texts("Ana", SessionTextKind::kSummary);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].number, 1u);
  EXPECT_FALSE(all[0].latest);
  EXPECT_EQ(all[1].version, 2u);
  EXPECT_EQ(all[2].number, 2u);
  EXPECT_EQ(Texts("Ana", SessionTextKind::kGroundRules).size(), 1u);
  EXPECT_THAT(Texts("Ana"), IsEmpty());
  EXPECT_EQ(Of("Ana").AnswerSessionText(case_, all[0].id, true).status().code(),
            StatusCode::kFailedPrecondition);
  EXPECT_EQ(Of("Ana").AnswerSessionText(case_, all[1].id, false).status().code(),
            StatusCode::kInvalidArgument);
  Must(Of("Ana").AnswerSessionText(case_, all[1].id, true), "confirming");
}

TEST_F(SessionTextsTest, WhatRepeatsACaucusIsRefusedWithTheChannelAndThePeople) {
  LetEverybodyIn();
  const std::string secret = "Our floor is 690 thousand, and the covenant falls due on 30 June.";
  Say("Ana", "caucus", secret);
  Everybody(1);
  const auto expect_refused = [&](const Status& status) {
    EXPECT_EQ(status.code(), StatusCode::kPermissionDenied) << status.message();
    EXPECT_THAT(status.message(), HasSubstr("caucus:Harbor"));
    EXPECT_THAT(status.message(), HasSubstr("Ana"));
    EXPECT_THAT(status.message(), HasSubstr("Ben"));
    EXPECT_THAT(status.message(), Not(HasSubstr("690")));
  };
  for (const auto kind :
       {SessionTextKind::kAgenda, SessionTextKind::kGroundRules, SessionTextKind::kSummary}) {
    expect_refused(Of("Mira").SetSessionText(case_, kind, "As was said: " + secret).status());
  }
  expect_refused(Of("Tomas").AddIssue(case_, secret).status());
  const MessageId issue = Must(Of("Mira").AddIssue(case_, "The price"), "adding");
  expect_refused(Of("Mira").RewordIssue(case_, issue, "The price: " + secret).status());
  Everybody();
  EXPECT_THAT(Texts("Ben"), IsEmpty());
  for (const Message& message : Read("Ben")) EXPECT_THAT(message.text, Not(HasSubstr("690")));
  // Ana may.
  Must(Of("Ana").AddIssue(case_, secret), "adding");
}

TEST_F(SessionTextsTest, RecordsByModifiedProgramsArePassedOverAndNamed) {
  LetEverybodyIn();
  const MessageId first = Set("Mira", "1. The conveyor.");
  Everybody(1);
  content::v1::Content agenda;
  agenda.mutable_session_text()->set_kind(content::v1::SessionText::KIND_AGENDA);
  agenda.mutable_session_text()->set_number(1);
  agenda.mutable_session_text()->set_version(2);
  agenda.mutable_session_text()->set_replaces(client::ToField(first));
  agenda.mutable_session_text()->set_text("1. What Ben wants.");
  Inject("Ben", "joint", agenda);
  content::v1::Content tale;
  tale.mutable_session_standing()->set_through_incarnation(1);
  tale.mutable_session_standing()->set_through_position(1);
  tale.mutable_session_standing()->mutable_floor()->set_to(content::v1::FloorGrant::TO_PARTICIPANT);
  tale.mutable_session_standing()->mutable_floor()->set_participant_id(
      client::ToField(Id("Ben", "Ben")));
  tale.mutable_session_standing()->mutable_floor()->set_name("Ben");
  Inject("Ben", "joint", tale);
  Inject("Ben", "caucus", agenda);
  Everybody();
  for (const char* name : {"Mira", "Tomas", "Ana", "Lee", "Ben"}) {
    EXPECT_EQ(Latest(name).text, "1. The conveyor.") << name;
    EXPECT_THAT(AlarmTexts(name), HasSubstr("Ben may not set the agenda: only mediator or "
                                            "co-mediator may"));
    EXPECT_TRUE(Must(Of(name).GetFloor(case_), "floor").may_speak);
    const Message shown = Last(name);
    EXPECT_TRUE(shown.refused);
    EXPECT_THAT(shown.note, HasSubstr("may not set the agenda"));
  }
  EXPECT_TRUE(Last("Mira", "caucus:Northline").refused);
  PARLEY_ASSERT_OK(Of("Mira").MarkSeen(case_));
  EXPECT_THAT(AlarmTexts("Mira"), Not(HasSubstr("may not set")));
}

TEST_F(SessionTextsTest, WhoComesLaterLearnsWhatStands) {
  LetEverybodyIn();
  Set("Mira", "Old.");
  const MessageId agenda = Set("Mira", "1. The conveyor.");
  Must(Of("Mira").AddIssue(case_, "The gearbox"), "adding");
  Everybody(1);
  Must(Of("Ana").AnswerSessionText(case_, agenda, true, "Fine."), "acknowledging");
  Must(Of("Mira").GiveFloor(case_, {.to = FloorTo::kSide, .side = "harbor"}), "giving");
  LetIn("Nora", Role::kParty, "Northline");
  Everybody();
  Sync("Nora");
  const SessionText told = Latest("Nora");
  EXPECT_EQ(told.text, "1. The conveyor.");
  EXPECT_EQ(told.version, 2u);
  ASSERT_EQ(told.answers.size(), 1u);
  EXPECT_EQ(told.answers[0].by.name, "Ana");
  EXPECT_THAT(told.unanswered, ElementsAre("Northline"));
  EXPECT_EQ(Must(Of("Nora").Issues(case_), "issues").size(), 1u);
  EXPECT_FALSE(Must(Of("Nora").GetFloor(case_), "floor").may_speak);
  Must(Of("Nora").AnswerSessionText(case_, agenda, true), "acknowledging");
  Everybody(1);
  EXPECT_THAT(Latest("Ana").unanswered, IsEmpty());
  for (const char* name : {"Mira", "Tomas", "Ana", "Ben"}) {
    EXPECT_THAT(AlarmTexts(name), Not(HasSubstr("passed it over"))) << name;
  }
}

TEST_F(SessionTextsTest, NothingIsSetBeforeTheAgreementIsSigned) {
  case_ = Must(
      Of("Mira").CreateCase("Harbor v Northline", connection_, CaseOptions{.with_procedure = true}),
      "case");
  LetIn("Ana", Role::kParty, "Harbor");
  PARLEY_ASSERT_OK(Of("Ana").Act(case_, CaseAct::kRequest, "The conveyor."));
  LetIn("Ben", Role::kParty, "Northline");
  const std::vector<std::string> all = {"Mira", "Ana", "Ben"};
  SyncAll(all);
  PARLEY_ASSERT_OK(Of("Ben").Act(case_, CaseAct::kAccept));
  SyncAll(all);
  const Result<MessageId> early =
      Of("Mira").SetSessionText(case_, SessionTextKind::kAgenda, "1. The conveyor.");
  EXPECT_EQ(early.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(early.status().message(), HasSubstr("a neutral proposes the agreement to mediate"));
  EXPECT_EQ(Of("Ana").AddIssue(case_, "The gearbox").status().code(),
            StatusCode::kFailedPrecondition);
  EXPECT_EQ(Of("Ben").AskForFloor(case_).status().code(), StatusCode::kFailedPrecondition);
  const std::string hash = Must(
      Of("Mira").ProposeAgreement(case_, "We agree.", AgreementTemplates()[0].policy), "proposing");
  SyncAll(all, 1);
  for (const std::string& name : all) PARLEY_ASSERT_OK(Of(name).SignAgreement(case_, hash));
  SyncAll(all);
  Set("Mira", "1. The conveyor.");
  PARLEY_ASSERT_OK(Of("Mira").Act(case_, CaseAct::kBeginSession));
  PARLEY_ASSERT_OK(Of("Mira").Act(case_, CaseAct::kSuspend, "A pause."));
  SyncAll(all);
  const Result<MessageId> suspended = Of("Ana").AnswerSessionText(case_, Latest("Ana").id, true);
  EXPECT_EQ(suspended.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(suspended.status().message(), HasSubstr("the case is suspended"));
}

}  // namespace
}  // namespace parley
