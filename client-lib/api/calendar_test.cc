// Meetings and reminders among people and a relay: who sees and answers them, who comes later, the
// suspended case, and that nothing of them leaves their channel.
#include "client-lib/api/session_for_test.h"
#include "parley/procedure.h"
#include "parley/record.h"

namespace parley {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Must;
using ::testing::Not;
using ::testing::Pair;

class CalendarTest : public testing::SessionTest {
 protected:
  CalendarTest() { LetEverybodyIn(); }

  static CalendarRequest Request(const std::string& title) {
    CalendarRequest request;
    request.title = title;
    request.start = "2036-12-04 10:00";
    request.zone = "Europe/Zurich";
    request.minutes = 90;
    return request;
  }
  CalendarEntry Add(const std::string& name, const std::string& channel, CalendarKind kind,
                    const CalendarRequest& request) {
    return Must(Of(name).AddToCalendar(Ref(name, channel), kind, request), "adding");
  }
  std::vector<CalendarEntry> Calendar(const std::string& name) {
    return Must(Of(name).Calendar(case_), "the calendar");
  }
  CalendarEntry Meeting(const std::string& name, const std::string& title) {
    return Must(Of(name).FindInCalendar(case_, CalendarKind::kMeeting, title), "finding");
  }
  void Answer(const std::string& name, const std::string& title, CalendarReply reply) {
    Must(Of(name).AnswerInCalendar(Meeting(name, title), reply), "answering");
  }
};

TEST_F(CalendarTest, AMeetingIsProposedAnsweredChangedAndCancelled) {
  CalendarRequest request = Request("First session");
  request.place = "Room 3";
  const CalendarEntry made = Add("Mira", "joint", CalendarKind::kMeeting, request);
  EXPECT_EQ(made.start, 2111994000);  // 09:00 UTC
  EXPECT_TRUE(made.may_change);
  Everybody(1);
  Answer("Ana", "First session", CalendarReply::kYes);
  Answer("Ben", "first SESSION", CalendarReply::kNo);
  Everybody();
  for (const char* const name : {"Mira", "Tomas", "Ana", "Lee", "Ben"}) {
    const CalendarEntry seen = Meeting(name, "First session");
    EXPECT_EQ(seen.start_there, "2036-12-04 10:00") << name;
    EXPECT_EQ(seen.offset_there, "UTC+01:00") << name;
    EXPECT_EQ(seen.place, "Room 3") << name;
    EXPECT_THAT(seen.zone_note, IsEmpty()) << name;
    ASSERT_EQ(seen.answers.size(), 5u) << name;
    std::map<std::string, CalendarReply> said;
    for (const CalendarAnswer& answer : seen.answers) said[answer.by.name] = answer.reply;
    EXPECT_EQ(said["Ana"], CalendarReply::kYes) << name;
    EXPECT_EQ(said["Ben"], CalendarReply::kNo) << name;
    EXPECT_EQ(said["Lee"], CalendarReply::kNone) << name;
    EXPECT_EQ(seen.may_change, std::string(name) == "Mira" || std::string(name) == "Tomas");
  }
  EXPECT_THAT(Last("Lee").text, HasSubstr("be there"));
  CalendarChange change;
  change.start = "2036-12-04 14:00";
  EXPECT_EQ(Of("Ana").ChangeInCalendar(Meeting("Ana", "First session"), change).status().code(),
            StatusCode::kPermissionDenied);
  const CalendarEntry stale = Meeting("Ben", "First session");
  EXPECT_EQ(Must(Of("Tomas").ChangeInCalendar(Meeting("Tomas", "First session"), change), "moving")
                .version,
            2u);
  // What was answered is what was seen.
  EXPECT_EQ(Of("Ben").AnswerInCalendar(stale, CalendarReply::kYes).status().code(),
            StatusCode::kFailedPrecondition);
  Everybody(1);
  EXPECT_EQ(Meeting("Ben", "First session").own, CalendarReply::kNone);
  EXPECT_THAT(Must(Of("Ben").MeetingFile(Meeting("Ben", "First session")), "the file"),
              HasSubstr("SEQUENCE:1\r\nDTSTART:20361204T130000Z"));
  Must(Of("Mira").CancelInCalendar(Meeting("Mira", "First session")), "cancelling");
  Everybody(1);
  EXPECT_TRUE(Meeting("Ben", "First session").cancelled);
  EXPECT_THAT(Must(Of("Ben").MeetingFile(Meeting("Ben", "First session")), "the file"),
              HasSubstr("STATUS:CANCELLED"));
  for (const char* const name : {"Ana", "Ben", "Tomas"}) {
    EXPECT_THAT(AlarmTexts(name), Not(HasSubstr("passed it over"))) << name;
  }
}

TEST_F(CalendarTest, ACaucusMeetingLeavesNoTraceOnTheOtherSide) {
  const uint64_t head = Find("Ben", "joint", 0).head;
  Add("Ana", "caucus", CalendarKind::kMeeting, Request("About our figures for the gearbox"));
  Everybody();
  EXPECT_THAT(Calendar("Ben"), IsEmpty());
  EXPECT_EQ(Find("Ben", "joint", 0).head, head);
  EXPECT_EQ(Calendar("Tomas").size(), 1u);
  EXPECT_EQ(Of("Ana")
                .AddToCalendar(Ref("Ana", "joint"), CalendarKind::kMeeting, Request("Everybody"))
                .status()
                .code(),
            StatusCode::kPermissionDenied);
  // A neutral doesn't carry Ana's words on in another meeting's title.
  EXPECT_EQ(Of("Mira")
                .AddToCalendar(Ref("Mira", "joint"), CalendarKind::kMeeting,
                               Request("About our figures for the gearbox"))
                .status()
                .code(),
            StatusCode::kPermissionDenied);
}

TEST_F(CalendarTest, WhoComesLaterIsToldWhatIsStillToCome) {
  Add("Mira", "joint", CalendarKind::kMeeting, Request("First session"));
  Everybody(1);
  Answer("Ana", "First session", CalendarReply::kYes);
  Everybody(1);
  LetIn("Eva", Role::kObserver);
  PARLEY_ASSERT_OK(Of("Mira").Admit(Ref("Mira", "joint"), Id("Mira", "Eva")));
  SyncAll({"Mira", "Eva", "Tomas", "Mira", "Eva"}, 2);
  const CalendarEntry seen = Meeting("Eva", "First session");
  EXPECT_EQ(seen.by.name, "Mira");
  EXPECT_TRUE(seen.asked);
  Answer("Eva", "First session", CalendarReply::kMaybe);
  Everybody();
  std::map<std::string, CalendarReply> said;
  for (const CalendarAnswer& answer : Meeting("Ben", "First session").answers) {
    said[answer.by.name] = answer.reply;
  }
  EXPECT_EQ(said["Eva"], CalendarReply::kMaybe);
  EXPECT_EQ(said["Ana"], CalendarReply::kYes);
  for (const char* const name : {"Mira", "Ben", "Eva"}) {
    EXPECT_THAT(AlarmTexts(name), Not(HasSubstr("passed it over"))) << name;
  }
}

TEST_F(CalendarTest, WhatAModifiedProgramSendsIsPassedOverByAllAndNamed) {
  Add("Mira", "joint", CalendarKind::kMeeting, Request("First session"));
  Everybody(1);
  content::v1::Content forged;
  content::v1::CalendarEntry& said = *forged.mutable_calendar_entry();
  const CalendarEntry seen = Meeting("Ben", "First session");
  said.set_kind(content::v1::CalendarEntry::KIND_MEETING);
  said.set_entry_id(client::ToField(seen.id));
  said.set_replaces(client::ToField(seen.version_id));
  said.set_version(2);
  said.set_cancelled(true);
  Inject("Ben", "joint", forged);
  Everybody();
  for (const char* const name : {"Mira", "Tomas", "Ana", "Lee"}) {
    EXPECT_FALSE(Meeting(name, "First session").cancelled) << name;
    EXPECT_THAT(AlarmTexts(name), HasSubstr("in joint, Ben may not cancel this meeting")) << name;
    EXPECT_TRUE(Last(name).refused) << name;
    PARLEY_ASSERT_OK(Of(name).MarkSeen(case_));
    EXPECT_THAT(AlarmTexts(name), Not(HasSubstr("cancel this meeting"))) << name;
  }
}

TEST_F(CalendarTest, AReminderWaitsUntilTheSideSaysThatItIsDone) {
  CalendarRequest request = Request("Answer the agenda");
  request.side = "harbor";
  Add("Mira", "joint", CalendarKind::kReminder, request);
  Everybody(1);
  const auto of = [&](const char* name) { return Calendar(name).at(0); };
  EXPECT_TRUE(of("Ana").asked);
  EXPECT_FALSE(of("Ben").asked);
  EXPECT_EQ(Of("Ben").AnswerInCalendar(of("Ben"), CalendarReply::kDone).status().code(),
            StatusCode::kPermissionDenied);
  Must(Of("Lee").AnswerInCalendar(of("Lee"), CalendarReply::kDone), "done");
  Everybody(1);
  EXPECT_EQ(of("Ana").own, CalendarReply::kDone);
  // It is told who has said so, and that Ana hasn't.
  std::map<std::string, std::string> by;
  for (const CalendarAnswer& answer : of("Mira").answers) {
    by[answer.by.name] = answer.answered_by.has_value() ? answer.answered_by->name : "";
  }
  EXPECT_THAT(by, ElementsAre(Pair("Ana", "Lee"), Pair("Lee", "")));
  EXPECT_EQ(Of("Mira").MeetingFile(of("Mira")).status().code(), StatusCode::kInvalidArgument);
}

class CalendarInProcedureTest : public testing::SessionTest {
 protected:
  static CalendarRequest Request(const std::string& title) {
    CalendarRequest request;
    request.title = title;
    request.start = "2036-12-04 10:00";
    request.zone = "UTC";
    return request;
  }
  Status Propose(const std::string& name, const std::string& channel, const std::string& title) {
    return Of(name)
        .AddToCalendar(Ref(name, channel), CalendarKind::kMeeting, Request(title))
        .status();
  }
  CalendarEntry Meeting(const std::string& name, const std::string& title) {
    return Must(Of(name).FindInCalendar(case_, CalendarKind::kMeeting, title), "finding");
  }
  std::string Todo(const std::string& name) {
    std::string text;
    for (const TodoItem& item : Must(Of(name).Todo(case_), "todo")) {
      text += std::string(TodoKindName(item.kind)) + ": " + item.text + "\n";
    }
    return text;
  }
};

TEST_F(CalendarInProcedureTest, NothingBeforeTheAgreementNorWhileTheCaseIsSuspended) {
  case_ = Must(
      Of("Mira").CreateCase("Harbor v Northline", connection_, CaseOptions{.with_procedure = true}),
      "case");
  LetIn("Ana", Role::kParty, "Harbor");
  PARLEY_ASSERT_OK(Of("Ana").Act(case_, CaseAct::kRequest, "The conveyor."));
  LetIn("Ben", Role::kParty, "Northline");
  const std::vector<std::string> all = {"Mira", "Ana", "Ben"};
  SyncAll(all);
  EXPECT_THAT(Todo("Ben"), HasSubstr("act: Northline"));
  PARLEY_ASSERT_OK(Of("Ben").Act(case_, CaseAct::kAccept));
  SyncAll(all);
  EXPECT_EQ(Propose("Mira", "joint", "Early").code(), StatusCode::kFailedPrecondition);
  const std::string hash = Must(
      Of("Mira").ProposeAgreement(case_, "We agree.", AgreementTemplates()[0].policy), "proposing");
  SyncAll(all, 1);
  EXPECT_THAT(Todo("Ben"), HasSubstr("sign: sign the agreement to mediate, version 1"));
  for (const std::string& name : all) PARLEY_ASSERT_OK(Of(name).SignAgreement(case_, hash));
  SyncAll(all);
  EXPECT_THAT(Todo("Ben"), IsEmpty());
  PARLEY_ASSERT_OK(Propose("Mira", "joint", "First"));
  PARLEY_ASSERT_OK(Propose("Ana", "caucus", "Ours"));
  PARLEY_ASSERT_OK(Of("Mira").Act(case_, CaseAct::kBeginSession));
  Must(Of("Mira").SetSessionText(case_, SessionTextKind::kAgenda, "1. The conveyor."), "agenda");
  SyncAll(all);
  EXPECT_THAT(Todo("Ben"), HasSubstr("text: answer the agenda, version 1"));
  EXPECT_THAT(Todo("Ben"), HasSubstr("meeting: say whether you come: First"));
  EXPECT_THAT(Todo("Ben"), Not(HasSubstr("Ours")));
  EXPECT_THAT(Todo("Mira"), HasSubstr("Ours"));
  // Who proposed it needn't say that they come.
  EXPECT_THAT(Todo("Ana"), Not(HasSubstr("Ours")));
  PARLEY_ASSERT_OK(Of("Mira").Act(case_, CaseAct::kSuspend, "A pause."));
  SyncAll(all);
  EXPECT_EQ(Meeting("Ben", "First").rests, "the case is suspended");
  EXPECT_THAT(Todo("Ben"), IsEmpty());
  for (const char* const channel : {"joint", "caucus:Harbor"}) {
    const Status refused = Propose("Mira", channel, "Now");
    EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition) << channel;
    EXPECT_THAT(refused.message(), HasSubstr("the case is suspended")) << channel;
  }
  // What a modified program says all the same counts for nobody.
  content::v1::Content forged;
  content::v1::CalendarEntry& said = *forged.mutable_calendar_entry();
  said.set_kind(content::v1::CalendarEntry::KIND_MEETING);
  said.set_version(1);
  said.set_title("All the same");
  said.set_start(2000000000);
  said.set_minutes(60);
  said.set_zone("UTC");
  Inject("Mira", "joint", forged);
  Must(Of("Mira").CancelInCalendar(Meeting("Mira", "First")), "cancelling");
  SyncAll(all);
  EXPECT_TRUE(Meeting("Ben", "First").cancelled);
  EXPECT_FALSE(Of("Ben").FindInCalendar(case_, CalendarKind::kMeeting, "All the same").ok());
  EXPECT_THAT(AlarmTexts("Ben"), HasSubstr("the case is suspended"));
  for (const ChannelTimeline& channel : Must(Of("Ben").Timeline(case_), "timeline").channels) {
    std::vector<bool> counts;
    for (const TimelineEvent& event : channel.events) {
      if (event.kind == TimelineKind::kMeeting) counts.push_back(event.counts.value());
    }
    if (channel.channel_name == "joint") {
      EXPECT_THAT(counts, ::testing::ElementsAre(true, false, true));
    }
  }
}

}  // namespace
}  // namespace parley
