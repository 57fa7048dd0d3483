// The meetings and reminders of one channel as a state machine: records in the order of the
// channel's log go in, what counts or a refusal comes out.
//
// A version counts when it replaces the latest one by its message id, so that of two people who
// change an entry at once the log decides; an answer counts for the latest version only. Nothing
// here looks at a clock.
//
// Threading: a plain value. Refusals are one line, from "may not" on; empty: it counts.
#ifndef PARLEY_CLIENT_LIB_PROCEDURE_CALENDAR_BOOK_H_
#define PARLEY_CLIENT_LIB_PROCEDURE_CALENDAR_BOOK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "client-lib/procedure/procedure_log.h"
#include "client-lib/procedure/session_texts.h"
#include "parley/calendar.h"

namespace parley::client {

inline constexpr size_t kMostCalendarTitle = 200;
inline constexpr size_t kMostCalendarPlace = 400;
inline constexpr uint32_t kMostMeetingMinutes = 7 * 24 * 60;
// Of one kind by one author. Where another one comes, the oldest cancelled one of theirs goes, or
// else the one that begins first: nobody can take the room from others.
inline constexpr size_t kMostEntriesOfOne = 50;
// What a standing takes at most; what begins first comes first.
inline constexpr size_t kMostCalendarStandingBytes = 256 * 1024;

class CalendarBook {
 public:
  struct Answer {
    Actor by;
    CalendarReply reply = CalendarReply::kNone;
    int64_t time = 0;  // claimed
  };
  struct Entry {
    MessageId id;                     // of its first version
    SessionRecord latest;             // the version that counts: its id, who made it, when
    Actor by;                         // who made the first
    content::v1::CalendarEntry said;  // of one that is cancelled: as it was
    std::vector<Answer> answers;      // each participant's latest
  };

  explicit CalendarBook(ChannelKind kind) : kind_(kind) {}

  std::string Take(const SessionRecord& record, const content::v1::Content& content);

  // In the order in which they were made.
  const std::vector<Entry>& entries() const { return entries_; }
  const Entry* Find(const MessageId& id) const;
  // Whether it is about an entry that isn't here: to a device that came later it may be from
  // before.
  bool IsAboutUnknown(const content::v1::Content& content) const;
  // Whether it changes, cancels or answers, by who may, a version that has been replaced or
  // cancelled: somebody else was faster, and there is nothing wrong with it.
  bool IsOvertaken(const SessionRecord& record, const content::v1::Content& content) const;

  // Whether somebody is to answer the entry.
  bool IsAsked(const Entry& entry, const Actor& member) const;
  // Whether somebody may change and cancel it.
  static bool MayChange(const Entry& entry, const Actor& member);

  // As a neutral tells it to who comes later: what isn't cancelled and ends after `now`.
  content::v1::CalendarStanding Standing(const JointPosition& through, uint64_t now) const;
  // The other direction: adds what isn't known here, as older than what is. False, and nothing is
  // added, for one that can't be read.
  bool Merge(const content::v1::CalendarStanding& standing);
  // Whether everything in it is as it is here; it may leave things out. `knows_all`: and nothing in
  // it is unknown here.
  bool Agrees(const content::v1::CalendarStanding& standing, bool knows_all) const;

 private:
  bool Read(const content::v1::CalendarStanding& standing);
  // Whether another entry than `own`, or a version of one, has this id.
  bool IsTaken(const MessageId& id, const Entry* own) const;
  std::string Set(const SessionRecord& record, const content::v1::CalendarEntry& said);
  std::string Change(Entry& entry, const SessionRecord& record,
                     const content::v1::CalendarEntry& said);
  std::string Reply(const SessionRecord& record, const content::v1::CalendarAnswer& said);
  std::string FaultOf(const content::v1::CalendarEntry& said) const;
  bool MayMake(content::v1::CalendarEntry::Kind kind, const Actor& author) const;
  void MakeRoom(const content::v1::CalendarEntry& said, const ParticipantId& author);

  ChannelKind kind_;
  std::vector<Entry> entries_;
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_PROCEDURE_CALENDAR_BOOK_H_
