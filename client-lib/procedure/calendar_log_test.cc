// Meetings and reminders, played without a relay: who may do what, versions, answers, room, who
// comes later, and that a false word of what is on the calendar is named.
#include "client-lib/procedure/calendar_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client-lib/procedure/procedure_for_test.h"

namespace parley::client {
namespace {

using content::v1::CalendarAnswer;
using content::v1::CalendarEntry;
using content::v1::Content;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kAna;
using testing::kBen;
using testing::kEva;
using testing::kLee;
using testing::kMira;
using testing::kTomas;

constexpr uint64_t kStart = 1796374800;  // 2026-12-04 09:00 UTC

class CalendarLogTest : public ::testing::Test {
 protected:
  std::string Say(const Actor& author, Content content) {
    ++said_;
    MessageId::Bytes id{};
    for (size_t i = 0; i < 8; ++i) id[i] = static_cast<uint8_t>(said_ >> (8 * i));
    id_ = MessageId(id);
    content.set_message_id(ToField(id_));
    CalendarRecord record;
    record.at = {1, said_};
    record.record = {id_, author, static_cast<int64_t>(said_)};
    record.content = std::move(content);
    records_.push_back(std::move(record));
    return Play().steps.back().refused;
  }
  CalendarLog Play() const { return CalendarLog::Play(kind_, records_, {1, 0}); }
  CalendarLog PlayFrom(uint64_t joined) const {
    std::vector<CalendarRecord> later;
    for (const CalendarRecord& record : records_) {
      if (record.at.position > joined) later.push_back(record);
    }
    return CalendarLog::Play(kind_, later, {1, joined});
  }

  static CalendarEntry Meeting(const std::string& title = "First session") {
    CalendarEntry said;
    said.set_kind(CalendarEntry::KIND_MEETING);
    said.set_version(1);
    said.set_title(title);
    said.set_start(kStart);
    said.set_minutes(90);
    said.set_zone("Europe/Zurich");
    said.set_offset_minutes(60);
    return said;
  }
  static CalendarEntry Reminder(const std::string& title, const std::string& side = {}) {
    CalendarEntry said = Meeting(title);
    said.set_kind(CalendarEntry::KIND_REMINDER);
    said.set_minutes(0);
    said.set_side(side);
    return said;
  }
  std::string Put(const Actor& author, const CalendarEntry& said) {
    Content content;
    *content.mutable_calendar_entry() = said;
    return Say(author, std::move(content));
  }
  // The latest version's next one.
  static CalendarEntry Next(const CalendarBook::Entry& entry, bool cancel = false) {
    CalendarEntry next = entry.said;
    if (cancel) {
      next = CalendarEntry();
      next.set_kind(entry.said.kind());
      next.set_cancelled(true);
    }
    next.set_entry_id(ToField(entry.id));
    next.set_version(entry.said.version() + 1);
    next.set_replaces(ToField(entry.latest.id));
    return next;
  }
  std::string Answer(const Actor& author, const MessageId& version, CalendarAnswer::Answer answer) {
    Content content;
    content.mutable_calendar_answer()->set_version_id(ToField(version));
    content.mutable_calendar_answer()->set_answer(answer);
    return Say(author, std::move(content));
  }
  std::string Tell(const Actor& author, const content::v1::CalendarStanding& standing) {
    Content content;
    *content.mutable_calendar_standing() = standing;
    return Say(author, std::move(content));
  }
  CalendarBook::Entry Only() const {
    const CalendarLog log = Play();
    EXPECT_EQ(log.book.entries().size(), 1u);
    return log.book.entries().front();
  }

  ChannelKind kind_ = ChannelKind::kJoint;
  std::vector<CalendarRecord> records_;
  uint64_t said_ = 0;
  MessageId id_;
};

TEST_F(CalendarLogTest, OnlyTheRightPeopleMakeEntries) {
  EXPECT_THAT(Put(kAna, Meeting()),
              HasSubstr("only mediator or co-mediator may; party or counsel may in their caucus"));
  EXPECT_THAT(Put(kAna, Reminder("Pay")), HasSubstr("only mediator or co-mediator may"));
  EXPECT_THAT(Put(kTomas, Meeting()), IsEmpty());
  kind_ = ChannelKind::kCaucus;
  records_.clear();
  EXPECT_THAT(Put(kAna, Meeting()), IsEmpty());
  EXPECT_THAT(Put(kAna, Reminder("Pay")), HasSubstr("only mediator or co-mediator may"));
  EXPECT_THAT(Put(kEva, Meeting()), HasSubstr("party or counsel of a side may"));
  kind_ = ChannelKind::kTeam;
  records_.clear();
  EXPECT_THAT(Put(kLee, Reminder("Pay")), IsEmpty());
}

TEST_F(CalendarLogTest, AVersionReplacesTheLatestAndTakesItsAnswersAlong) {
  Put(kMira, Meeting());
  const CalendarBook::Entry first = Only();
  EXPECT_THAT(Answer(kAna, first.latest.id, CalendarAnswer::ANSWER_YES), IsEmpty());
  EXPECT_THAT(Answer(kAna, first.latest.id, CalendarAnswer::ANSWER_NO), IsEmpty());
  ASSERT_EQ(Only().answers.size(), 1u);
  EXPECT_EQ(Only().answers[0].reply, CalendarReply::kNo);
  CalendarEntry later = Next(first);
  later.set_start(kStart + 3600);
  EXPECT_THAT(Put(kBen, later), HasSubstr("only who made it, or a neutral, may"));
  EXPECT_THAT(Put(kTomas, later), IsEmpty());
  EXPECT_THAT(Only().answers, IsEmpty());
  EXPECT_EQ(Only().by.name, "Mira");
  EXPECT_EQ(Only().latest.by.name, "Tomas");
  // Mira hadn't seen it: the log decides, and an old answer comes too late.
  EXPECT_THAT(Put(kMira, later), HasSubstr("version 2 has come before"));
  EXPECT_TRUE(Play().steps.back().overtaken);
  EXPECT_THAT(Answer(kBen, first.latest.id, CalendarAnswer::ANSWER_YES), HasSubstr("changed"));
  EXPECT_TRUE(Play().steps.back().overtaken);
  // Who may not at all isn't excused by having come late.
  EXPECT_THAT(Put(kBen, later), HasSubstr("only who made it, or a neutral, may"));
  EXPECT_FALSE(Play().steps.back().overtaken);
  EXPECT_EQ(Only().said.start(), kStart + 3600);
}

TEST_F(CalendarLogTest, ACancelledMeetingStaysSo) {
  Put(kMira, Meeting());
  CalendarEntry sly = Next(Only(), true);
  sly.set_title("Something else");
  EXPECT_THAT(Put(kMira, sly), HasSubstr("changes what it cancels"));
  const CalendarBook::Entry before = Only();
  EXPECT_THAT(Put(kMira, Next(before, true)), IsEmpty());
  EXPECT_TRUE(Only().said.cancelled());
  EXPECT_EQ(Only().said.title(), "First session");
  EXPECT_EQ(Only().said.version(), 2u);
  EXPECT_THAT(Put(kMira, Next(Only())), HasSubstr("cancelled already"));
  EXPECT_THAT(Answer(kAna, Only().latest.id, CalendarAnswer::ANSWER_YES), HasSubstr("cancelled"));
}

TEST_F(CalendarLogTest, WhatIsNoMeetingDoesntCount) {
  const auto refuse = [&](auto change, const std::string& why) {
    CalendarEntry said = Meeting();
    change(said);
    EXPECT_THAT(Put(kMira, said), HasSubstr(why));
  };
  refuse([](CalendarEntry& said) { said.set_title(" \n"); }, "says nothing");
  refuse([](CalendarEntry& said) { said.set_title(std::string(201, 'a')); }, "too long");
  refuse([](CalendarEntry& said) { said.set_place(std::string(401, 'a')); }, "too long");
  refuse([](CalendarEntry& said) { said.set_start(0); }, "its time is none");
  refuse([](CalendarEntry& said) { said.set_start(UINT64_MAX); }, "its time is none");
  refuse([](CalendarEntry& said) { said.set_offset_minutes(INT32_MIN); }, "its time is none");
  refuse([](CalendarEntry& said) { said.set_zone("../../etc/passwd"); }, "its time is none");
  refuse([](CalendarEntry& said) { said.set_minutes(UINT32_MAX); }, "its length is none");
  refuse([](CalendarEntry& said) { said.set_side("Harbor"); }, "for everybody");
  refuse([](CalendarEntry& said) { said.set_version(2); }, "there isn't");
  refuse([](CalendarEntry& said) { said.set_cancelled(true); }, "no first version");
  refuse([](CalendarEntry& said) { said.set_kind(CalendarEntry::KIND_UNSPECIFIED); },
         "neither a meeting nor a reminder");
  refuse(
      [](CalendarEntry& said) {
        said.set_kind(CalendarEntry::KIND_REMINDER);
        said.set_minutes(1);
      },
      "only a meeting has");
  EXPECT_THAT(Play().book.entries(), IsEmpty());
}

TEST_F(CalendarLogTest, ARemindersSideAloneIsAskedAndSaysThatItIsDone) {
  Put(kMira, Reminder("Answer the agenda", "Harbor"));
  const CalendarBook book = Play().book;
  EXPECT_TRUE(book.IsAsked(Only(), kLee));
  EXPECT_FALSE(book.IsAsked(Only(), kBen));
  EXPECT_FALSE(book.IsAsked(Only(), kMira));
  EXPECT_THAT(Answer(kBen, Only().latest.id, CalendarAnswer::ANSWER_DONE),
              HasSubstr("aren't asked"));
  EXPECT_THAT(Answer(kLee, Only().latest.id, CalendarAnswer::ANSWER_YES), HasSubstr("no answer"));
  EXPECT_THAT(Answer(kLee, Only().latest.id, CalendarAnswer::ANSWER_DONE), IsEmpty());
  EXPECT_EQ(Only().answers.size(), 1u);
}

TEST_F(CalendarLogTest, NobodyTakesTheRoomFromOthers) {
  kind_ = ChannelKind::kCaucus;
  Put(kMira, Meeting("Mira's"));
  for (size_t i = 0; i < 3 * kMostEntriesOfOne; ++i) {
    CalendarEntry said = Meeting("Ana's");
    said.set_start(kStart + i);
    Put(kAna, said);
  }
  const CalendarLog log = Play();
  EXPECT_EQ(log.book.entries().size(), kMostEntriesOfOne + 1);
  EXPECT_EQ(log.book.entries().front().said.title(), "Mira's");
  EXPECT_EQ(log.book.entries().back().said.start(), kStart + 3 * kMostEntriesOfOne - 1);
}

TEST_F(CalendarLogTest, WhoComesLaterIsToldAndGoesOn) {
  Put(kMira, Meeting());
  Answer(kAna, Only().latest.id, CalendarAnswer::ANSWER_YES);
  Put(kMira, Meeting("Over by then"));
  const uint64_t joined = said_;
  const CalendarBook::Entry first = Play().book.entries().front();
  // Until they are told, nobody is accused of what they can't know.
  Answer(kBen, first.latest.id, CalendarAnswer::ANSWER_MAYBE);
  EXPECT_TRUE(PlayFrom(joined).steps.back().undecided);
  const auto standing = Play().book.Standing({1, said_}, kStart);
  EXPECT_THAT(Tell(kMira, standing), IsEmpty());
  Answer(kEva, first.latest.id, CalendarAnswer::ANSWER_NO);
  const CalendarLog mine = PlayFrom(joined);
  ASSERT_EQ(mine.book.entries().size(), 2u);
  EXPECT_EQ(mine.book.entries()[0].answers.size(), 3u);
  EXPECT_EQ(mine.book.Standing({1, said_}, 0).SerializeAsString(),
            Play().book.Standing({1, said_}, 0).SerializeAsString());
  for (const CalendarLog::Step& step : mine.steps) EXPECT_THAT(step.refused, IsEmpty());
  // What is over isn't told.
  EXPECT_THAT(Play().book.Standing({1, said_}, kStart + 90 * 60).entries(), IsEmpty());
}

TEST_F(CalendarLogTest, AFalseWordOfWhatIsOnTheCalendarIsNamed) {
  Put(kMira, Meeting());
  auto standing = Play().book.Standing({1, said_}, 0);
  EXPECT_THAT(Tell(kAna, standing), HasSubstr("only mediator or co-mediator may"));
  standing.mutable_entries(0)->mutable_entry()->set_start(kStart + 60);
  EXPECT_THAT(Tell(kTomas, standing), HasSubstr("it isn't so"));
  standing = Play().book.Standing({1, said_ + 9}, 0);
  EXPECT_THAT(Tell(kTomas, standing), HasSubstr("still to come"));
  // One of what was at an earlier place, which has changed since.
  standing = Play().book.Standing({1, said_}, 0);
  Put(kMira, Next(Only(), true));
  EXPECT_THAT(Tell(kTomas, standing), IsEmpty());
  EXPECT_TRUE(Only().said.cancelled());
  // One that can't be read begins nothing.
  standing.mutable_entries(0)->mutable_by()->set_name("");
  standing.set_through_position(said_);
  Tell(kTomas, standing);
  EXPECT_THAT(PlayFrom(said_ - 2).book.entries(), IsEmpty());
}

TEST_F(CalendarLogTest, WhoHasSeenItBeginsWithNothingElse) {
  Put(kMira, Meeting("Before"));
  const uint64_t joined = said_;
  Put(kMira, Meeting("Since"));
  Answer(kAna, id_, CalendarAnswer::ANSWER_YES);
  const auto standing = Play().book.Standing({1, said_}, 0);
  auto forged = standing;
  forged.mutable_entries(1)->mutable_entry()->set_start(kStart + 60);
  Tell(kTomas, forged);
  forged = standing;
  forged.mutable_entries(1)->mutable_answers(0)->set_answer(CalendarAnswer::ANSWER_NO);
  Tell(kTomas, forged);
  CalendarLog mine = PlayFrom(joined);
  ASSERT_EQ(mine.steps.size(), 4u);
  EXPECT_THAT(mine.steps[2].refused, HasSubstr("it isn't so"));
  EXPECT_THAT(mine.steps[3].refused, HasSubstr("it isn't so"));
  ASSERT_EQ(mine.book.entries().size(), 1u);
  EXPECT_EQ(mine.book.entries()[0].said.start(), kStart);
  EXPECT_EQ(mine.book.entries()[0].answers[0].reply, CalendarReply::kYes);
  // A true one adds what they don't know.
  Tell(kMira, standing);
  mine = PlayFrom(joined);
  EXPECT_EQ(mine.steps.size(), 5u);
  EXPECT_THAT(mine.steps.back().refused, IsEmpty());
  ASSERT_EQ(mine.book.entries().size(), 2u);
  EXPECT_EQ(mine.book.entries()[0].said.title(), "Before");
  // And none that is told later takes its place, whatever it reaches to.
  forged = standing;
  forged.set_through_position(joined);
  forged.mutable_entries()->RemoveLast();
  forged.mutable_entries(0)->mutable_entry()->set_title("Another");
  Tell(kTomas, forged);
  EXPECT_EQ(PlayFrom(joined).book.entries()[0].said.title(), "Before");
}

TEST_F(CalendarLogTest, AnIdOfAnothersIsNoNewEntry) {
  Put(kMira, Meeting());
  CalendarRecord twin = records_.front();
  twin.at.position = ++said_;
  twin.record.by = kTomas;
  records_.push_back(twin);
  EXPECT_THAT(Play().steps.back().refused, HasSubstr("its id is another's"));
  EXPECT_EQ(Only().by.name, "Mira");
}

TEST_F(CalendarLogTest, AnIdOfAnothersIsNoVersion) {
  Put(kMira, Meeting("First"));
  const MessageId first = id_;
  Put(kTomas, Meeting("Second"));
  for (const bool cancel : {false, true}) {
    Put(kTomas, Next(Play().book.entries()[1], cancel));
    records_.back().record.id = first;
    EXPECT_THAT(Play().steps.back().refused, HasSubstr("its id is another's"));
    records_.pop_back();
  }
  // A standing that tells it so begins nothing either.
  auto standing = Play().book.Standing({1, said_}, 0);
  standing.mutable_entries(1)->set_id(ToField(first));
  EXPECT_FALSE(CalendarBook(kind_).Merge(standing));
  Answer(kAna, first, CalendarAnswer::ANSWER_YES);
  EXPECT_EQ(Play().book.entries()[0].answers.size(), 1u);
  EXPECT_THAT(Play().book.entries()[1].answers, IsEmpty());
}

}  // namespace
}  // namespace parley::client
