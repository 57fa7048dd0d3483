// What leads a session, played without a relay: who may do what, versions, the floor, who comes
// later, and that the same log gives the same result whatever modified clients put into it.
#include "client-lib/procedure/session_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "client-lib/procedure/procedure_for_test.h"

namespace parley::client {
namespace {

using content::v1::Content;
using content::v1::FloorGrant;
using content::v1::IssueRecord;
using content::v1::SessionText;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kAna;
using testing::kBen;
using testing::kEva;
using testing::kLee;
using testing::kMira;
using testing::kTomas;

class SessionLogTest : public ::testing::Test {
 protected:
  // Why the record doesn't count.
  std::string Say(const Actor& author, Content content) {
    id_ = log_.Say(author, std::move(content));
    const SessionLog played = Play();
    return played.steps().back().refused;
  }
  SessionLog Play() const { return SessionLog::Play(log_.records(), {}, NoGate()); }
  SessionLog PlayFrom(const JointPosition& joined) const {
    std::vector<LoggedRecord> later;
    for (const LoggedRecord& record : log_.records()) {
      if (record.at > joined) later.push_back(record);
    }
    return SessionLog::Play(later, joined, NoGate());
  }

  std::string Set(const Actor& author, SessionText::Kind kind, const std::string& text,
                  uint32_t version = 1, const MessageId& replaces = {}, uint32_t number = 1) {
    Content content;
    SessionText& said = *content.mutable_session_text();
    said.set_kind(kind);
    said.set_number(number);
    said.set_version(version);
    if (!replaces.is_zero()) said.set_replaces(ToField(replaces));
    said.set_text(text);
    return Say(author, std::move(content));
  }
  std::string Answer(const Actor& author, const MessageId& text, bool confirmed,
                     const std::string& words = {}) {
    Content content;
    content.mutable_session_answer()->set_text_id(ToField(text));
    content.mutable_session_answer()->set_confirmed(confirmed);
    content.mutable_session_answer()->set_words(words);
    return Say(author, std::move(content));
  }
  std::string Give(const Actor& author, FloorGrant::To to, const std::string& side = {},
                   const Actor& participant = {}) {
    Content content;
    FloorGrant& grant = *content.mutable_floor_grant();
    grant.set_to(to);
    grant.set_side(side);
    if (!participant.id.is_zero()) {
      grant.set_participant_id(ToField(participant.id));
      grant.set_name(participant.name);
    }
    return Say(author, std::move(content));
  }
  std::string Hand(const Actor& author, bool lowered = false) {
    Content content;
    content.mutable_raised_hand()->set_lowered(lowered);
    return Say(author, std::move(content));
  }
  std::string Issue(const Actor& author, IssueRecord::Deed deed, const MessageId& issue,
                    const std::string& text) {
    Content content;
    content.mutable_issue()->set_deed(deed);
    if (!issue.is_zero()) content.mutable_issue()->set_issue_id(ToField(issue));
    content.mutable_issue()->set_text(text);
    return Say(author, std::move(content));
  }
  std::string Tell(const Actor& author) {
    Content content;
    *content.mutable_session_standing() = Play().state().Standing(log_.head());
    return Say(author, std::move(content));
  }

  testing::Log log_;
  MessageId id_;  // of the latest record
};

TEST_F(SessionLogTest, TextsAreSetByNeutralsInVersionsAndAnsweredBySides) {
  EXPECT_THAT(Set(kAna, SessionText::KIND_AGENDA, "Mine."), HasSubstr("only mediator or co-"));
  EXPECT_THAT(Set(kMira, SessionText::KIND_AGENDA, " \n"), HasSubstr("nothing in it"));
  EXPECT_THAT(Set(kMira, SessionText::KIND_AGENDA, "x", 2), HasSubstr("none to replace yet"));
  EXPECT_THAT(Set(kMira, SessionText::KIND_AGENDA, "x", 1, {}, 2), HasSubstr("number"));
  EXPECT_THAT(Set(kMira, SessionText::KIND_UNSPECIFIED, "x"), HasSubstr("no text of a session"));
  EXPECT_EQ(Set(kMira, SessionText::KIND_AGENDA, "1. The conveyor."), "");
  const MessageId first = id_;
  EXPECT_EQ(Answer(kAna, first, true), "");
  EXPECT_THAT(Answer(kMira, first, true), HasSubstr("only party or counsel"));
  EXPECT_THAT(Answer(kEva, first, true), HasSubstr("only party or counsel"));
  EXPECT_THAT(Answer(kBen, first, false), HasSubstr("says what is wrong"));
  EXPECT_EQ(Answer(kBen, first, false, "Add the delay."), "");
  // Two neutrals at once: the log's order decides.
  EXPECT_EQ(Set(kTomas, SessionText::KIND_AGENDA, "1. The conveyor. 2. The delay.", 2, first), "");
  const MessageId second = id_;
  EXPECT_THAT(Set(kMira, SessionText::KIND_AGENDA, "Another.", 2, first),
              HasSubstr("version 2 of the agenda has come before"));
  EXPECT_THAT(Answer(kAna, first, true), HasSubstr("was replaced by version 2"));
  EXPECT_EQ(Answer(kBen, second, true), "");
  EXPECT_EQ(Answer(kBen, second, false, "No, rather not."), "");
  const SessionLog played = Play();
  const SessionTexts::Series* const agenda = played.state().texts.Find(SessionTextKind::kAgenda, 1);
  ASSERT_NE(agenda, nullptr);
  ASSERT_EQ(agenda->versions.size(), 2u);
  EXPECT_EQ(agenda->versions[0].answers.size(), 2u);
  ASSERT_EQ(agenda->versions[1].answers.size(), 1u);
  EXPECT_FALSE(agenda->versions[1].answers[0].confirmed);
  EXPECT_EQ(agenda->versions[1].answers[0].words, "No, rather not.");
}

TEST_F(SessionLogTest, ThereAreSeveralSummariesButOneSetOfRules) {
  EXPECT_EQ(Set(kMira, SessionText::KIND_SUMMARY, "One."), "");
  const MessageId one = id_;
  EXPECT_EQ(Set(kTomas, SessionText::KIND_SUMMARY, "Two.", 1, {}, 2), "");
  EXPECT_THAT(Set(kMira, SessionText::KIND_SUMMARY, "Two, too.", 1, {}, 2),
              HasSubstr("version 1 of summary 2 has come before"));
  EXPECT_EQ(Set(kMira, SessionText::KIND_SUMMARY, "One, better.", 2, one, 1), "");
  EXPECT_EQ(Set(kMira, SessionText::KIND_GROUND_RULES, "No shouting."), "");
  EXPECT_THAT(Set(kMira, SessionText::KIND_GROUND_RULES, "More.", 1, {}, 2), HasSubstr("number"));
  EXPECT_EQ(Play().state().texts.series().size(), 3u);
}

TEST_F(SessionLogTest, TheFloorIsTheNeutralsToGive) {
  const auto may = [this](const Actor& who) { return Play().state().floor.MaySpeak(who); };
  EXPECT_TRUE(may(kAna) && may(kBen) && may(kEva));
  EXPECT_THAT(Give(kBen, FloorGrant::TO_PARTICIPANT, {}, kBen), HasSubstr("only mediator"));
  EXPECT_EQ(Give(kMira, FloorGrant::TO_SIDE, "Harbor"), "");
  EXPECT_TRUE(may(kAna) && may(kLee) && may(kMira) && may(kTomas));
  EXPECT_FALSE(may(kBen) || may(kEva));
  EXPECT_EQ(Hand(kBen), "");
  EXPECT_THAT(Hand(kBen), HasSubstr("up already"));
  EXPECT_THAT(Hand(kAna), HasSubstr("theirs to speak already"));
  EXPECT_THAT(Hand(kTomas), HasSubstr("theirs to speak already"));
  EXPECT_EQ(Hand(kEva), "");
  EXPECT_EQ(Give(kTomas, FloorGrant::TO_PARTICIPANT, {}, kEva), "");
  EXPECT_TRUE(may(kEva));
  EXPECT_FALSE(may(kAna) || may(kBen));
  ASSERT_EQ(Play().state().floor.hands().size(), 1u);  // Eva's is down
  EXPECT_EQ(Hand(kBen, true), "");
  EXPECT_THAT(Hand(kBen, true), HasSubstr("isn't up"));
  EXPECT_EQ(Give(kMira, FloorGrant::TO_NEUTRALS), "");
  EXPECT_FALSE(may(kEva) || may(kAna));
  for (const auto to :
       {FloorGrant::TO_SIDE, FloorGrant::TO_PARTICIPANT, FloorGrant::TO_UNSPECIFIED}) {
    EXPECT_NE(Give(kMira, to), "");
  }
  EXPECT_FALSE(may(kEva));
  EXPECT_EQ(Give(kMira, FloorGrant::TO_ALL), "");
  EXPECT_TRUE(may(kAna) && may(kBen) && may(kEva));
}

TEST_F(SessionLogTest, WhoHadTheFloorIsKnownForEachPlace) {
  log_.Pass(3);
  Give(kMira, FloorGrant::TO_SIDE, "Harbor");
  const JointPosition given = log_.head();
  log_.Pass(5);
  Give(kMira, FloorGrant::TO_ALL);
  const SessionLog played = Play();
  EXPECT_TRUE(played.FloorAt({1, given.position - 1})->MaySpeak(kBen));
  EXPECT_FALSE(played.FloorAt(given)->MaySpeak(kBen));
  EXPECT_FALSE(played.FloorAt({1, given.position + 5})->MaySpeak(kBen));
  EXPECT_TRUE(played.FloorAt({2, 1})->MaySpeak(kBen));
}

TEST_F(SessionLogTest, SidesProposeIssuesAndNeutralsKeepTheList) {
  EXPECT_EQ(Issue(kAna, IssueRecord::DEED_PROPOSE, {}, "The gearbox"), "");
  const MessageId gearbox = id_;
  EXPECT_THAT(Issue(kEva, IssueRecord::DEED_PROPOSE, {}, "x"), HasSubstr("only the neutrals and"));
  EXPECT_THAT(Issue(kBen, IssueRecord::DEED_ADMIT, gearbox, {}), HasSubstr("only mediator"));
  EXPECT_THAT(Issue(kBen, IssueRecord::DEED_DROP, gearbox, {}), HasSubstr("only mediator"));
  EXPECT_FALSE(Play().state().issues.issues()[0].listed);
  EXPECT_EQ(Issue(kMira, IssueRecord::DEED_ADMIT, gearbox, {}), "");
  EXPECT_THAT(Issue(kAna, IssueRecord::DEED_DROP, gearbox, {}), HasSubstr("only mediator"));
  EXPECT_EQ(Issue(kMira, IssueRecord::DEED_REWORD, gearbox, "Defects"), "");
  EXPECT_EQ(Issue(kTomas, IssueRecord::DEED_PROPOSE, {}, "Interest"), "");
  EXPECT_EQ(Issue(kBen, IssueRecord::DEED_PROPOSE, {}, "The claim"), "");
  EXPECT_EQ(Issue(kBen, IssueRecord::DEED_DROP, id_, {}), "");
  EXPECT_THAT(Issue(kMira, IssueRecord::DEED_REWORD, id_, "x"), HasSubstr("no such issue"));
  const auto issues = Play().state().issues.issues();
  ASSERT_EQ(issues.size(), 2u);
  EXPECT_EQ(issues[0].text, "Defects");
  EXPECT_TRUE(issues[0].listed && issues[1].listed);
}

TEST_F(SessionLogTest, WhoComesLaterIsToldAndAFalseTaleIsNamed) {
  Set(kMira, SessionText::KIND_AGENDA, "1. The conveyor.");
  const MessageId agenda = id_;
  Answer(kAna, agenda, true, "Fine.");
  Give(kMira, FloorGrant::TO_SIDE, "Harbor");
  Hand(kBen);
  Issue(kAna, IssueRecord::DEED_PROPOSE, {}, "The gearbox");
  log_.Pass();
  const JointPosition joined = log_.head();
  EXPECT_FALSE(PlayFrom(joined).is_based());
  EXPECT_EQ(PlayFrom(joined).FloorAt(joined), nullptr);
  EXPECT_THAT(Tell(kAna), HasSubstr("only mediator"));
  EXPECT_FALSE(PlayFrom(joined).is_based());
  EXPECT_EQ(Tell(kMira), "");
  Answer(kBen, agenda, true);
  const SessionLog before = Play();
  const SessionLog later = PlayFrom(joined);
  ASSERT_TRUE(later.is_based());
  EXPECT_EQ(later.state().Standing({}).SerializeAsString(),
            before.state().Standing({}).SerializeAsString());
  EXPECT_FALSE(later.FloorAt(log_.head())->MaySpeak(kBen));
  // A neutral who tells another session than there was, to who knows it.
  Content lie;
  *lie.mutable_session_standing() = Play().state().Standing(log_.head());
  lie.mutable_session_standing()->mutable_floor()->set_to(FloorGrant::TO_ALL);
  EXPECT_THAT(Say(kTomas, lie), HasSubstr("it isn't so"));
  EXPECT_FALSE(Play().state().floor.MaySpeak(kBen));
  EXPECT_FALSE(PlayFrom(joined).state().floor.MaySpeak(kBen));
  lie.mutable_session_standing()->set_through_position(log_.head().position + 100);
  EXPECT_THAT(Say(kTomas, lie), HasSubstr("still to come"));
}

TEST_F(SessionLogTest, NothingCountsBeforeTheAgreementNorWhileTheCaseIsSuspended) {
  using Deed = CaseAct;
  log_.Do(kMira, Deed::kOpen);
  log_.List(kMira, testing::Everybody());
  log_.Do(kAna, Deed::kRequest);
  log_.Do(kBen, Deed::kAccept);
  const auto last = [this] {
    std::vector<LoggedRecord> records;
    for (const LoggedRecord& record : log_.records()) {
      Content content;
      if (content.ParseFromString(crypto::ToString(record.content)) && content.has_session_text()) {
        records.push_back(record);
      }
    }
    const ProcedureLog procedure = log_.Play();
    return SessionLog::Play(records, {}, GateOf(procedure)).steps().back().refused;
  };
  Set(kMira, SessionText::KIND_AGENDA, "Early.");
  EXPECT_THAT(last(), HasSubstr("a neutral proposes the agreement to mediate"));
  const DocumentHash document = log_.Propose(kMira, "We agree.");
  for (const Actor& person : testing::Everybody()) log_.Sign(person, document);
  Set(kMira, SessionText::KIND_AGENDA, "Now.");
  EXPECT_EQ(last(), "");
  const MessageId agenda = id_;
  log_.Do(kMira, Deed::kBeginSession);
  log_.Do(kMira, Deed::kSuspend);
  Set(kMira, SessionText::KIND_AGENDA, "Then.", 2, agenda);
  EXPECT_THAT(last(), HasSubstr("the case is suspended"));
  log_.Do(kMira, Deed::kBeginSession);
  Set(kMira, SessionText::KIND_AGENDA, "Then.", 2, agenda);
  EXPECT_EQ(last(), "");
}

// Nobody could give it to anybody else then, so nobody would ever speak again.
TEST_F(SessionLogTest, NobodyIsKeptFromSpeakingByAFloorWhileTheCaseRests) {
  testing::Engage(log_);
  Give(kMira, FloorGrant::TO_SIDE, "Harbor");
  const JointPosition given = log_.head();
  log_.Do(kBen, CaseAct::kWithdraw);
  const ProcedureLog procedure = log_.Play();
  ASSERT_EQ(procedure.procedure().state(), CaseState::kWithdrawn);
  std::vector<LoggedRecord> records;
  for (const LoggedRecord& record : log_.records()) {
    Content content;
    if (content.ParseFromString(crypto::ToString(record.content)) && content.has_floor_grant()) {
      records.push_back(record);
    }
  }
  const SessionLog played = SessionLog::Play(records, {}, GateOf(procedure), RestsOf(procedure));
  EXPECT_FALSE(played.FloorAt(given)->MaySpeak(kBen));
  EXPECT_TRUE(played.FloorAt(log_.head())->MaySpeak(kBen));
  EXPECT_EQ(played.FloorAt(log_.head())->Holder(), "all");
}

TEST_F(SessionLogTest, NobodyFillsTheSessionSoThatItCantBeTold) {
  const std::string long_issue(kMostIssueBytes, 'x');
  for (size_t i = 0; i < kMostProposedIssues; ++i) {
    EXPECT_EQ(Issue(kAna, IssueRecord::DEED_PROPOSE, {}, "x"), "");
  }
  EXPECT_THAT(Issue(kAna, IssueRecord::DEED_PROPOSE, {}, "x"), HasSubstr("too many of theirs"));
  for (int i = 0; i < 7; ++i) EXPECT_EQ(Issue(kBen, IssueRecord::DEED_PROPOSE, {}, long_issue), "");
  EXPECT_THAT(Issue(kBen, IssueRecord::DEED_PROPOSE, {}, long_issue),
              HasSubstr("said too much there already"));
  // The neutrals have room of their own, and leave the others theirs.
  for (uint32_t i = 1; i <= 6; ++i) {
    EXPECT_EQ(Set(kMira, SessionText::KIND_SUMMARY, std::string(60 * 1024, 's'), 1, {}, i), "");
  }
  const MessageId summary = id_;
  std::string refused;
  for (int i = 0; i < 40 && refused.empty(); ++i) {
    refused = Issue(kMira, IssueRecord::DEED_PROPOSE, {}, long_issue);
  }
  EXPECT_THAT(refused, HasSubstr("couldn't be told to who comes later"));
  EXPECT_LE(Play().state().Standing({}).ByteSizeLong(), size_t{512} * 1024);
  EXPECT_EQ(Answer(kAna, summary, false, std::string(kMostAnswerBytes, 'a')), "");
  EXPECT_EQ(Answer(kBen, summary, true), "");
  // Who must shorten something can.
  EXPECT_EQ(Set(kMira, SessionText::KIND_SUMMARY, "Shorter.", 2, summary, 6), "");
  EXPECT_EQ(Issue(kMira, IssueRecord::DEED_PROPOSE, {}, long_issue), "");
  EXPECT_EQ(Tell(kMira), "");
}

// Ids are their authors' own: one that is on the list already would be changed in its place.
TEST_F(SessionLogTest, NoIssueTakesTheIdOfAnother) {
  Issue(kBen, IssueRecord::DEED_PROPOSE, {}, "The claim");
  const LoggedRecord first = log_.records().back();
  std::vector<LoggedRecord> records = {first, first};
  records[1].at.position += 1;
  records[1].author = kAna;
  const SessionLog played = SessionLog::Play(records, {}, NoGate());
  EXPECT_THAT(played.steps().back().refused, HasSubstr("its id is another's"));
  EXPECT_EQ(played.state().issues.issues().size(), 1u);
}

// Whatever anybody says, all who were there come to the same, and only what the roles allow changes
// anything.
TEST_F(SessionLogTest, NoSequenceOfRecordsGivesAnybodyMoreThanTheirRole) {
  const std::vector<Actor> people = {kMira, kTomas, kAna, kLee, kBen, kEva};
  std::mt19937 random(20261128);
  for (int round = 0; round < 40; ++round) {
    testing::Log log;
    std::vector<MessageId> ids = {MessageId()};
    for (int i = 0; i < 60; ++i) {
      const Actor& author = people[random() % people.size()];
      const MessageId about = ids[random() % ids.size()];
      Content content;
      switch (random() % 6) {
        case 0: {
          SessionText& text = *content.mutable_session_text();
          text.set_kind(static_cast<SessionText::Kind>(random() % 5));
          text.set_number(static_cast<uint32_t>(random() % 3));
          text.set_version(static_cast<uint32_t>(random() % 3));
          if (!about.is_zero()) text.set_replaces(ToField(about));
          text.set_text("text");
          break;
        }
        case 1:
          content.mutable_session_answer()->set_text_id(ToField(about));
          content.mutable_session_answer()->set_confirmed(random() % 2 == 0);
          content.mutable_session_answer()->set_words("words");
          break;
        case 2:
          content.mutable_floor_grant()->set_to(static_cast<FloorGrant::To>(random() % 6));
          content.mutable_floor_grant()->set_side(random() % 2 == 0 ? "Harbor" : "");
          content.mutable_floor_grant()->set_participant_id(ToField(author.id));
          content.mutable_floor_grant()->set_name(author.name);
          break;
        case 3:
          content.mutable_raised_hand()->set_lowered(random() % 2 == 0);
          break;
        case 4:
          content.mutable_issue()->set_deed(static_cast<IssueRecord::Deed>(random() % 6));
          content.mutable_issue()->set_issue_id(ToField(about));
          content.mutable_issue()->set_text("issue");
          break;
        default:
          content.mutable_session_standing()->set_through_incarnation(1);
          content.mutable_session_standing()->set_through_position(random() % 70);
          content.mutable_session_standing()->mutable_floor()->set_to(FloorGrant::TO_ALL);
          break;
      }
      const SessionLog before = SessionLog::Play(log.records(), {}, NoGate());
      const bool allowed = RoleAllows(author, content);
      ids.push_back(log.Say(author, content));
      const SessionLog after = SessionLog::Play(log.records(), {}, NoGate());
      const bool changed = before.state().Standing({}).SerializeAsString() !=
                           after.state().Standing({}).SerializeAsString();
      EXPECT_TRUE(allowed || !changed) << author.name << ": " << content.ShortDebugString();
      EXPECT_TRUE(!changed || after.steps().back().refused.empty());
      EXPECT_TRUE(after.state().floor.MaySpeak(kMira) && after.state().floor.MaySpeak(kTomas));
    }
    // The honest tale of any of them is taken by who comes later.
    Content told;
    *told.mutable_session_standing() =
        SessionLog::Play(log.records(), {}, NoGate()).state().Standing(log.head());
    const JointPosition joined = log.head();
    log.Say(kMira, told);
    const SessionLog all = SessionLog::Play(log.records(), {}, NoGate());
    EXPECT_EQ(all.steps().back().refused, "");
    const SessionLog later = SessionLog::Play({log.records().back()}, joined, NoGate());
    EXPECT_EQ(later.state().Standing({}).SerializeAsString(),
              all.state().Standing({}).SerializeAsString());
  }
}

}  // namespace
}  // namespace parley::client
