// Meetings and reminders: what the people in a channel have on their calendar together.
//
// A meeting has a time in a named time zone, which its members answer; a neutral makes it, or, in a
// caucus or team channel, a party or counsel. A reminder asks everybody in a channel, or a side,
// for something by some time, until they say that it is done. Either stands in one channel and is
// read by its members alone. Who made an entry, or a neutral, changes and cancels it; a change
// takes the answers before it with it.
//
//   parley::CalendarRequest request;
//   request.title = "First session";
//   request.start = "2026-12-04 10:00";
//   request.zone = "Europe/Zurich";
//   request.minutes = 90;
//   auto meeting = profile.AddToCalendar(channel, parley::CalendarKind::kMeeting, request);
//   auto file = profile.MeetingFile(*meeting);   // for a calendar program; names nobody
//
// No decision depends on a clock: an entry stands until somebody cancels it. Whether it is over or
// due is each device's own view (see time and minutes).
#ifndef PARLEY_CALENDAR_H_
#define PARLEY_CALENDAR_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "parley/export.h"
#include "parley/ids.h"
#include "parley/types.h"

namespace parley {

// The numbers are those of the protocol.
enum class CalendarKind : uint8_t {
  kMeeting = 1,
  kReminder = 2,
};
// "meeting", "reminder". Lives as long as the program.
PARLEY_EXPORT const char* CalendarKindName(CalendarKind kind);

// The numbers are those of the protocol.
enum class CalendarReply : uint8_t {
  kNone = 0,  // nothing has been said yet
  kYes = 1,
  kMaybe = 2,
  kNo = 3,
  kDone = 4,  // of a reminder
};
// "none", "yes", "maybe", "no", "done". Lives as long as the program.
PARLEY_EXPORT const char* CalendarReplyName(CalendarReply reply);

// Which of two equal times, where the clocks are put back.
enum class Occurrence : uint8_t {
  kOnly = 0,
  kFirst,
  kSecond,
};

struct CalendarRequest {
  std::string title;      // at most 200 bytes
  std::string place;      // of a meeting; at most 400 bytes
  std::string start;      // "2026-12-04 10:00" in `zone`; of a reminder: when it is due
  std::string zone;       // "Europe/Zurich"
  uint32_t minutes = 60;  // of a meeting: up to a week
  Occurrence occurrence = Occurrence::kOnly;
  std::string side;  // of a reminder in the joint channel: this side alone
};

// What is not given stays.
struct CalendarChange {
  std::optional<std::string> title;
  std::optional<std::string> place;
  std::optional<std::string> start;
  std::optional<std::string> zone;  // with `start` alone
  std::optional<uint32_t> minutes;
  Occurrence occurrence = Occurrence::kOnly;
};

struct CalendarAnswer {
  Person by;
  CalendarReply reply = CalendarReply::kNone;
  int64_t time = 0;  // the claim of who has answered; 0 for kNone
  // Of a reminder that somebody else of the side has answered for all of it, and `by` hasn't: who.
  std::optional<Person> answered_by = std::nullopt;
};

struct CalendarEntry {
  ChannelRef channel;
  std::string channel_name;  // "caucus:Harbor"
  CalendarKind kind = CalendarKind::kMeeting;
  MessageId id;          // stays over all versions
  MessageId version_id;  // of this version: what is answered
  uint32_t version = 1;
  bool cancelled = false;
  Person by;          // who made it
  Person changed_by;  // who made this version
  std::string title;
  std::string place;
  std::string side;     // of a reminder: who is asked; empty: everybody
  int64_t changed = 0;  // when this version was made; the author's claim
  int64_t start = 0;    // in seconds since 1970-01-01T00:00:00Z
  uint32_t minutes = 0;
  std::string zone;
  // As it reads on the clocks there, by who made this version: "2026-12-04 10:00", "UTC+01:00".
  std::string start_there;
  std::string offset_there;
  // Where this device's rules for the zone are others: one line for people, saying what it reads on
  // the clocks there by these. One of the two systems is out of date.
  std::string zone_note;
  // Why nothing takes place as long as it stays so: the case is suspended, or over. One line.
  std::string rests;
  // Of a meeting: of everybody in the channel. Of a reminder: of those who are asked; one who
  // answers for a side does so for all of it.
  std::vector<CalendarAnswer> answers;
  CalendarReply own = CalendarReply::kNone;
  bool asked = false;       // whether the owner is to answer
  bool may_change = false;  // whether the owner may change and cancel it
};

// ---- How far the others have read ----

struct ReadReceipt {
  Person reader;
  uint64_t position = 0;  // as Message::position, of the latest that they have read; 0: no word
  int64_t time = 0;       // when they said so; their claim. To some minutes only
};

// ---- What waits for the owner ----

enum class TodoKind : uint8_t {
  kSign = 0,    // the agreement to mediate
  kAct,         // an act on the case's state
  kApprove,     // of neutrals: somebody waits to be let in
  kText,        // an agenda, ground rules or a summary waits for the owner's side
  kOffer,       // an offer waits for the owner's answer
  kOfferEnds,   // an offer of the owner's side is about to expire
  kDisclosure,  // of neutrals: leave to carry something that hasn't been used
  kMeeting,     // a meeting wants an answer
  kReminder,
  kRetention,  // records that aren't to be kept any longer
};
// "sign", "act", "approve", "text", "offer", "offer-ends", "disclosure", "meeting", "reminder",
// "retention".
PARLEY_EXPORT const char* TodoKindName(TodoKind kind);

struct TodoItem {
  TodoKind kind = TodoKind::kSign;
  std::string channel_name;  // empty: it concerns the case as a whole
  std::string text;          // one line for people
  std::string about;         // the id, or the name, by which it is found
  int64_t due = 0;           // 0: whenever
  bool overdue = false;      // by this device's clock
  // The whole id of what it is about: the participant, text, offer, authorisation, meeting or
  // reminder; the agreement's hash. Empty for acts on the case's state and for records.
  std::string id = {};
};

}  // namespace parley

#endif  // PARLEY_CALENDAR_H_
