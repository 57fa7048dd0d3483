// The file for calendar programs: what RFC 5545 asks of it, and what it must not tell.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client-lib/api/calendar_view.h"

namespace parley::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const ParticipantId kOwner({1});

CalendarEntry Meeting() {
  CalendarEntry meeting;
  meeting.id = MessageId({7});
  meeting.version = 1;
  meeting.by.name = "Mira Voss";
  meeting.title = "First session";
  meeting.place = "Room 3";
  meeting.start = 1796374800;
  meeting.minutes = 90;
  meeting.changed = 1795860000;
  meeting.zone = "Europe/Zurich";
  meeting.start_there = "2026-12-04 10:00";
  meeting.offset_there = "UTC+01:00";
  meeting.channel_name = "caucus:Harbor";
  return meeting;
}

// The lines, unfolded; each must end with CR and LF and have at most 75 bytes.
std::vector<std::string> Lines(const std::string& file) {
  std::vector<std::string> lines;
  size_t begin = 0;
  while (begin < file.size()) {
    const size_t end = file.find("\r\n", begin);
    if (end == std::string::npos) {
      ADD_FAILURE() << "a line without an end";
      break;
    }
    const std::string line = file.substr(begin, end - begin);
    EXPECT_LE(line.size(), 75u);
    EXPECT_EQ(line.find_first_of("\r\n"), std::string::npos);
    // No character of UTF-8 is cut: a line never begins with the rest of one.
    const size_t first = line.starts_with(' ') ? 1 : 0;
    const bool begins = line.size() <= first || (static_cast<uint8_t>(line[first]) & 0xC0) != 0x80;
    EXPECT_TRUE(begins) << line;
    if (first == 1) {
      lines.back() += line.substr(1);
    } else {
      lines.push_back(line);
    }
    begin = end + 2;
  }
  return lines;
}

TEST(CalendarFileTest, SaysWhenAndNothingElse) {
  const std::string file = WriteCalendarFile(Meeting(), kOwner, false);
  const std::vector<std::string> lines = Lines(file);
  ASSERT_EQ(lines.size(), 14u);
  EXPECT_THAT(lines[4], ::testing::StartsWith("UID:"));
  const std::string uid = lines[4];
  EXPECT_THAT(lines,
              ElementsAre("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Calendar//Meeting 1.0//EN",
                          "BEGIN:VEVENT", uid, "DTSTAMP:20261128T100000Z", "SEQUENCE:0",
                          "DTSTART:20261204T090000Z", "DTEND:20261204T103000Z", "STATUS:TENTATIVE",
                          "CLASS:PRIVATE", "SUMMARY:Meeting", "END:VEVENT", "END:VCALENDAR"));
  for (const char* const told : {"First", "Room", "Mira", "Zurich", "Harbor", "arley", "ediat"}) {
    EXPECT_THAT(file, Not(HasSubstr(told)));
  }
}

TEST(CalendarFileTest, TwoPeoplesFilesHaveNoIdInCommonAndEachKeepsTheirs) {
  const auto uid = [](const CalendarEntry& meeting, const ParticipantId& owner) {
    return Lines(WriteCalendarFile(meeting, owner, false))[4];
  };
  CalendarEntry changed = Meeting();
  changed.version = 2;
  changed.version_id = MessageId({8});
  changed.start += 3600;
  EXPECT_EQ(uid(Meeting(), kOwner), uid(changed, kOwner));
  EXPECT_NE(uid(Meeting(), kOwner), uid(Meeting(), ParticipantId({2})));
  EXPECT_THAT(uid(Meeting(), kOwner), Not(HasSubstr(Meeting().id.ToString().substr(0, 8))));
  CalendarEntry other = Meeting();
  other.id = MessageId({9});
  EXPECT_NE(uid(Meeting(), kOwner), uid(other, kOwner));
}

TEST(CalendarFileTest, VersionsAndCancellationsReplaceWhatWasBefore) {
  CalendarEntry meeting = Meeting();
  meeting.version = 3;
  meeting.own = CalendarReply::kYes;
  std::string file = WriteCalendarFile(meeting, kOwner, false);
  EXPECT_THAT(file, HasSubstr("\r\nSEQUENCE:2\r\n"));
  EXPECT_THAT(file, HasSubstr("\r\nSTATUS:CONFIRMED\r\n"));
  meeting.rests = "the case is suspended";
  EXPECT_THAT(WriteCalendarFile(meeting, kOwner, false), HasSubstr("\r\nSTATUS:TENTATIVE\r\n"));
  meeting.version = 4;
  meeting.cancelled = true;
  file = WriteCalendarFile(meeting, kOwner, false);
  EXPECT_THAT(file, HasSubstr("\r\nSEQUENCE:3\r\n"));
  EXPECT_THAT(file, HasSubstr("\r\nSTATUS:CANCELLED\r\n"));
}

TEST(CalendarFileTest, WhatSomebodyWritesIsNeverALineOfItsOwn) {
  CalendarEntry meeting = Meeting();
  meeting.title = "a,b;c\\d\r\nBEGIN:VALARM\rATTENDEE:mailto:x\nX:\x01\x7f\t";
  meeting.place = std::string(70, 'x') + "éééééééééééé" + std::string(200, 'y');
  meeting.by.name = "Mira\nATTACH:file:///etc/passwd";
  const std::string file = WriteCalendarFile(meeting, kOwner, true);
  const std::vector<std::string> lines = Lines(file);
  ASSERT_EQ(lines.size(), 16u);
  EXPECT_EQ(lines[11], R"(SUMMARY:a\,b\;c\\d\nBEGIN:VALARM\nATTENDEE:mailto:x\nX:   )");
  EXPECT_EQ(lines[12], "LOCATION:" + meeting.place);
  EXPECT_THAT(lines[13], HasSubstr("2026-12-04 10:00 Europe/Zurich (UTC+01:00)\\nProposed by "));
  EXPECT_THAT(lines[13], HasSubstr("Mira\\nATTACH"));
}

TEST(CalendarFileTest, TimesAtTheEdgesStayTimes) {
  CalendarEntry meeting = Meeting();
  meeting.start = 253402300799;
  meeting.minutes = 10080;
  meeting.changed = -5;
  const std::string file = WriteCalendarFile(meeting, kOwner, false);
  EXPECT_THAT(file, HasSubstr("DTEND:99991231T235959Z"));
  EXPECT_THAT(file, HasSubstr("DTSTAMP:19700101T000000Z"));
}

}  // namespace
}  // namespace parley::client
