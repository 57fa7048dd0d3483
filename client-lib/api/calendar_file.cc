// A meeting as an iCalendar file: RFC 5545.
#include <algorithm>
#include <string>
#include <string_view>

#include "client-lib/api/calendar_view.h"
#include "client-lib/procedure/time_zone.h"
#include "crypto/base/codec.h"
#include "crypto/primitives/hash.h"

namespace parley::client {
namespace {

// RFC 5545 section 3.1: "Lines of text SHOULD NOT be longer than 75 octets, excluding the line
// break. Long content lines SHOULD be split […] by inserting a CRLF immediately followed by a
// single linear white-space character". Never within a character of UTF-8.
constexpr size_t kMostLineBytes = 75;
constexpr size_t kUidBytes = 16;
constexpr int64_t kSecondsPerMinute = 60;

bool BeginsCharacter(char byte) { return (static_cast<uint8_t>(byte) & 0xC0) != 0x80; }

void AddLine(std::string& file, std::string_view line) {
  size_t room = kMostLineBytes;
  while (line.size() > room) {
    size_t end = room;
    while (end > 0 && !BeginsCharacter(line[end])) --end;
    if (end == 0) end = room;  // no UTF-8, which nobody can make of a record
    file.append(line.substr(0, end)).append("\r\n ");
    line.remove_prefix(end);
    room = kMostLineBytes - 1;
  }
  file.append(line).append("\r\n");
}

// Section 3.3.11: backslash, semicolon and comma are escaped, ends of lines become "\n"; no other
// control character may be in a text. So nothing that somebody writes begins a line of its own.
std::string Escaped(std::string_view text) {
  std::string escaped;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\r') {
      if (i + 1 == text.size() || text[i + 1] != '\n') escaped += "\\n";
    } else if (c == '\n') {
      escaped += "\\n";
    } else if (static_cast<uint8_t>(c) < 0x20 || c == 0x7F) {
      escaped += ' ';
    } else {
      if (c == '\\' || c == ';' || c == ',') escaped += '\\';
      escaped += c;
    }
  }
  return escaped;
}

// Stays the same over all versions, and is each participant's own: two calendars that somebody else
// can look into don't show that they have this in common.
std::string Uid(const CalendarEntry& meeting, const ParticipantId& owner) {
  crypto::Writer writer;
  writer.WriteOpaque(crypto::ViewOf(std::string_view("parley calendar uid v1")));
  writer.WriteRaw(meeting.channel.channel_id.bytes());
  writer.WriteRaw(meeting.id.bytes());
  writer.WriteRaw(owner.bytes());
  crypto::Bytes hash = crypto::Hash(crypto::HashAlgorithm::kSha256, std::move(writer).Take());
  hash.resize(kUidBytes);
  return crypto::ToHex(hash);
}

// The owner's own view of it.
const char* StatusOf(const CalendarEntry& meeting) {
  if (meeting.cancelled) return "CANCELLED";
  const bool certain =
      (meeting.own == CalendarReply::kYes || meeting.by.self) && meeting.rests.empty();
  return certain ? "CONFIRMED" : "TENTATIVE";
}

}  // namespace

std::string WriteCalendarFile(const CalendarEntry& meeting, const ParticipantId& owner,
                              bool with_details) {
  std::string file;
  const auto add = [&file](std::string_view name, const std::string& value) {
    AddLine(file, std::string(name) + ":" + value);
  };
  const int64_t end = std::min(meeting.start + meeting.minutes * kSecondsPerMinute, kLatestTime);
  add("BEGIN", "VCALENDAR");
  add("VERSION", "2.0");
  // A name that says what the program is for would say what the meeting is.
  add("PRODID", "-//Calendar//Meeting 1.0//EN");
  add("BEGIN", "VEVENT");
  add("UID", Uid(meeting, owner));
  // Section 3.8.7.2, without METHOD: when it was last revised. That is the author's claim, and a
  // clock that is wrong, or lies, must not keep a later version back: SEQUENCE decides (3.8.7.4).
  add("DTSTAMP", CalendarTimeText(std::clamp<int64_t>(meeting.changed, 0, kLatestTime)));
  add("SEQUENCE", std::to_string(meeting.version - 1));
  add("DTSTART", CalendarTimeText(meeting.start));
  add("DTEND", CalendarTimeText(end));
  add("STATUS", StatusOf(meeting));
  add("CLASS", "PRIVATE");
  add("SUMMARY", with_details ? Escaped(meeting.title) : std::string("Meeting"));
  if (with_details && !meeting.place.empty()) add("LOCATION", Escaped(meeting.place));
  if (with_details) {
    add("DESCRIPTION", Escaped(meeting.start_there + " " + meeting.zone + " (" +
                               meeting.offset_there + ")\nProposed by " + meeting.by.name));
  }
  add("END", "VEVENT");
  add("END", "VCALENDAR");
  return file;
}

}  // namespace parley::client
