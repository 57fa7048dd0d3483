// Meetings and reminders as the public values show them. Nothing here uses the network.
//
// Threading: functions on a transaction.
// Errors: the store's; NotFound for an unknown case.
#ifndef PARLEY_CLIENT_LIB_API_CALENDAR_VIEW_H_
#define PARLEY_CLIENT_LIB_API_CALENDAR_VIEW_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client-lib/cases/calendar_work.h"
#include "parley/calendar.h"

namespace parley::client {

// Of all channels, by time.
absl::StatusOr<std::vector<CalendarEntry>> ViewCalendar(const ReadTransaction& step,
                                                        const CaseContext& context);

// A record in words; empty for one that isn't shown.
std::string DescribeCalendar(const content::v1::Content& content);

// An iCalendar file (RFC 5545) with this meeting alone, for the calendar program of the profile's
// owner. Unless `with_details`, it says nothing but when: no name, no title, no place, and no id
// that another participant's file of it has, too. Its times are in UTC.
std::string WriteCalendarFile(const CalendarEntry& meeting, const ParticipantId& owner,
                              bool with_details);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_API_CALENDAR_VIEW_H_
