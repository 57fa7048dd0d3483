// Meetings and reminders on this device: reading a channel's calendar, and what neutrals' clients
// tell by themselves to who comes into the channel later.
//
// Threading: functions on a transaction.
// Errors: the store's.
#ifndef PARLEY_CLIENT_LIB_CASES_CALENDAR_WORK_H_
#define PARLEY_CLIENT_LIB_CASES_CALENDAR_WORK_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "client-lib/cases/case_context.h"
#include "client-lib/cases/procedure_work.h"
#include "client-lib/procedure/calendar_log.h"

namespace parley::client {

struct LoadedCalendar {
  ChannelId channel;
  std::string name;  // "caucus:Harbor"
  bool is_active = false;
  std::vector<Actor> roster;  // sorted
  Actor self;
  CalendarLog log;
  // Numbers of the records that were passed over, in order, with the author and why. Those that
  // accuse nobody are not among them.
  struct PassedOver {
    uint64_t number = 0;
    Actor by;
    std::string text;
  };
  std::vector<PassedOver> passed_over;
  // Above this message number who came in was told nothing of the calendar yet; 0: there is nothing
  // to tell.
  uint64_t told_number = 0;
};

// `procedure`: the case's; null where it keeps none.
absl::StatusOr<LoadedCalendar> LoadCalendar(const ReadTransaction& step, const CaseContext& context,
                                            const LoadedProcedure* procedure,
                                            const ChannelId& channel);
// Of all channels of the case that have something for it.
absl::StatusOr<std::vector<LoadedCalendar>> LoadCalendars(const ReadTransaction& step,
                                                          const CaseContext& context);

// Why nothing on the calendar takes place now: the case is suspended, or over. Empty: it does.
std::string WhyCalendarRests(const LoadedProcedure* procedure);

// Of neutrals: tells who has come into a channel since what is on its calendar. Whether anything
// was done.
absl::StatusOr<bool> RunCalendarErrands(Transaction& step, const CaseContext& context);

// Records that were passed over and that the owner hasn't seen: a line for each channel and author.
absl::StatusOr<std::vector<std::pair<ChannelId, std::string>>> RefusedCalendar(
    const ReadTransaction& step, const CaseContext& context);
// They have been seen.
absl::Status SettleCalendar(Transaction& step, const CaseContext& context);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CASES_CALENDAR_WORK_H_
