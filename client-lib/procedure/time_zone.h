// Times as people agree on them: a date and a time of day in a named time zone, and back. The
// zones' rules are the system's (the package tzdata), read by Abseil.
//
// Threading: free functions, from any thread.
#ifndef PARLEY_CLIENT_LIB_PROCEDURE_TIME_ZONE_H_
#define PARLEY_CLIENT_LIB_PROCEDURE_TIME_ZONE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "parley/calendar.h"

namespace parley::client {

// The last second of the year 9999, in seconds since 1970-01-01T00:00:00Z.
inline constexpr int64_t kLatestTime = 253402300799;
// No zone is further from UTC.
inline constexpr int32_t kMostOffsetMinutes = 18 * 60;

// Whether it looks like "Europe/Zurich" or is "UTC": never a path that leads out of the folder of
// zones, nor one of the names there that are none ("posix/…", "right/…", "localtime"), nor an
// abbreviation, which can mean several.
bool IsZoneName(std::string_view zone);

struct ResolvedTime {
  int64_t time = 0;            // in seconds since 1970-01-01T00:00:00Z
  int32_t offset_minutes = 0;  // what local time is ahead of UTC there then
};
// "2026-12-04 10:00" in the zone. Errors: InvalidArgument for what is no such time, for a zone that
// isn't known here, for a time that the clocks there skip, and for one that they show twice when
// `occurrence` is kOnly; each says what to do.
absl::StatusOr<ResolvedTime> ResolveTime(std::string_view local, std::string_view zone,
                                         Occurrence occurrence);

// What local time is ahead of UTC in the zone then, by this device's rules; nothing for a zone that
// it doesn't know.
std::optional<int32_t> OffsetMinutesAt(std::string_view zone, int64_t time);

// "2026-12-04 10:00", so many minutes ahead of UTC.
std::string LocalTimeText(int64_t time, int32_t offset_minutes);
// "UTC+01:00".
std::string OffsetText(int32_t offset_minutes);
// As in a calendar file: "20261204T090000Z".
std::string CalendarTimeText(int64_t time);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_PROCEDURE_TIME_ZONE_H_
