// How meetings, reminders and what waits are printed: as JSON, and for people.
#ifndef PARLEY_TOOLS_PARLEY_OUTPUT_CALENDAR_H_
#define PARLEY_TOOLS_PARLEY_OUTPUT_CALENDAR_H_

#include <string>

#include "parley/calendar.h"
#include "tools/parley/output/json.h"

namespace parley::cli {

JsonObject ToJson(const CalendarEntry& entry);

// Several lines, each with its end. All that others wrote is made harmless.
std::string ToText(const CalendarEntry& entry);

// Whether ToText shows somebody with a "*", which wants kNotComparedNote below it.
bool AnyNotCompared(const CalendarEntry& entry);

// "2026-12-04 10:00 your time".
std::string YourTime(int64_t time);

// Whether it has ended, or for a reminder whether it is due, by this machine's clock.
bool IsPast(const CalendarEntry& entry);

}  // namespace parley::cli

#endif  // PARLEY_TOOLS_PARLEY_OUTPUT_CALENDAR_H_
