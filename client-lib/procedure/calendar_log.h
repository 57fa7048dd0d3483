// From a channel's records to its calendar: the same records give the same result on every device
// that was there from the beginning.
//
// A neutral's client tells who has come into the channel since what is on its calendar. Who has
// come later begins with the first such standing that reaches at least as far as where they came
// in and tells nothing else than what they have seen since: it adds what they don't know, and
// replaces nothing. It leaves out what is over, so records about what they don't know accuse
// nobody. A standing that tells what isn't so is named by who knows better.
//
// Threading: plain values and free functions. Nothing here reads the profile.
#ifndef PARLEY_CLIENT_LIB_PROCEDURE_CALENDAR_LOG_H_
#define PARLEY_CLIENT_LIB_PROCEDURE_CALENDAR_LOG_H_

#include <string>
#include <vector>

#include "client-lib/procedure/calendar_book.h"

namespace parley::client {

// What stands in the log.
struct CalendarRecord {
  JointPosition at;
  SessionRecord record;
  content::v1::Content content;
  // Why it counts for nothing, whatever it says; and whether nobody is accused of that.
  std::string fault;
  bool pending = false;
};

struct CalendarLog {
  struct Step {
    JointPosition at;
    SessionRecord record;
    bool standing = false;
    std::string refused;     // empty: it counts
    bool undecided = false;  // it is passed over here, and may well count
    bool overtaken = false;  // it came too late: nobody is to be warned of its author
  };

  // Plays `records`, which are in order. `joined`: where this device has come into the channel;
  // position 0 for who has created it.
  static CalendarLog Play(ChannelKind kind, const std::vector<CalendarRecord>& records,
                          const JointPosition& joined);

  CalendarBook book;
  std::vector<Step> steps;  // but for those that a standing has decided here

  // Null where there is no such record.
  const Step* At(const JointPosition& at) const;
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_PROCEDURE_CALENDAR_LOG_H_
