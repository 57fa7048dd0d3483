#include "client-lib/procedure/time_zone.h"

#include <algorithm>
#include <cctype>
#include <cstdio>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

constexpr size_t kMostZoneBytes = 64;
constexpr int64_t kEarliestYear = 1970;
constexpr int64_t kLatestYear = 9999;

bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsZoneCharacter(char c) {
  return IsUpper(c) || IsDigit(c) || (c >= 'a' && c <= 'z') || c == '_' || c == '+' || c == '-';
}

// Of digits alone.
int64_t Number(std::string_view digits) {
  int64_t number = 0;
  for (const char digit : digits) number = number * 10 + (digit - '0');
  return number;
}

// "YYYY-MM-DD HH:MM", or with a T between. Nothing for a date that isn't in the calendar.
std::optional<absl::CivilSecond> ParseLocal(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00 00:00";
  if (text.size() != kForm.size()) return std::nullopt;
  for (size_t i = 0; i < kForm.size(); ++i) {
    const bool fits = kForm[i] == '0'   ? IsDigit(text[i])
                      : kForm[i] == ' ' ? text[i] == ' ' || text[i] == 'T'
                                        : text[i] == kForm[i];
    if (!fits) return std::nullopt;
  }
  const int64_t year = Number(text.substr(0, 4));
  const int64_t month = Number(text.substr(5, 2));
  const int64_t day = Number(text.substr(8, 2));
  const int64_t hour = Number(text.substr(11, 2));
  const int64_t minute = Number(text.substr(14, 2));
  const absl::CivilSecond civil(year, month, day, hour, minute, 0);
  const bool exists = civil.year() == year && civil.month() == month && civil.day() == day &&
                      civil.hour() == hour && civil.minute() == minute;
  if (!exists || year < kEarliestYear || year > kLatestYear) return std::nullopt;
  return civil;
}

std::optional<absl::TimeZone> LoadZone(std::string_view zone) {
  absl::TimeZone loaded;
  if (!IsZoneName(zone)) return std::nullopt;
  if (!absl::LoadTimeZone({zone.data(), zone.size()}, &loaded)) return std::nullopt;
  return loaded;
}

std::string ClockText(const absl::CivilSecond& local) {
  char text[16];
  std::snprintf(text, sizeof text, "%02d:%02d", local.hour(), local.minute());
  return text;
}

int32_t OffsetAt(const absl::TimeZone& zone, absl::Time time) { return zone.At(time).offset / 60; }

absl::Status Skipped(std::string_view local, std::string_view zone, const absl::TimeZone& rules,
                     const absl::TimeZone::TimeInfo& info) {
  const absl::CivilSecond from = rules.At(info.trans - absl::Seconds(1)).cs + 1;
  const absl::CivilSecond to = rules.At(info.trans).cs;
  return absl::InvalidArgumentError("there is no " + std::string(local) + " in " +
                                    std::string(zone) + ": the clocks go from " + ClockText(from) +
                                    " to " + ClockText(to) + " then. Choose another time");
}

absl::Status Repeated(std::string_view local, std::string_view zone, const absl::TimeZone& rules,
                      const absl::TimeZone::TimeInfo& info) {
  return absl::InvalidArgumentError(
      std::string(local) + " comes twice in " + std::string(zone) +
      ", where the clocks are put back then. Say which one: --occurrence first (" +
      OffsetText(OffsetAt(rules, info.pre)) + ") or --occurrence second (" +
      OffsetText(OffsetAt(rules, info.post)) + ")");
}

absl::CivilSecond LocalAt(int64_t time, int32_t offset_minutes) {
  return absl::ToCivilSecond(absl::FromUnixSeconds(time) + absl::Minutes(offset_minutes),
                             absl::UTCTimeZone());
}

}  // namespace

bool IsZoneName(std::string_view zone) {
  if (zone == "UTC") return true;
  if (zone.size() > kMostZoneBytes || zone.find('/') == std::string_view::npos) return false;
  // Each part begins with a capital letter, and so is neither empty nor "..".
  bool begins = true;
  for (const char c : zone) {
    if (begins && !IsUpper(c)) return false;
    if (!begins && c != '/' && !IsZoneCharacter(c)) return false;
    begins = c == '/';
  }
  return !begins;
}

absl::StatusOr<ResolvedTime> ResolveTime(std::string_view local, std::string_view zone,
                                         Occurrence occurrence) {
  const std::optional<absl::CivilSecond> civil = ParseLocal(local);
  if (!civil.has_value()) {
    return absl::InvalidArgumentError("\"" + std::string(local) +
                                      "\" is no time: write it as \"2026-12-04 10:00\"");
  }
  const std::optional<absl::TimeZone> rules = LoadZone(zone);
  if (!rules.has_value()) {
    return absl::InvalidArgumentError(
        "\"" + std::string(zone) +
        "\" is no time zone that this machine knows: name it by a place, as Europe/Zurich or "
        "America/New_York (capital letters matter), or UTC");
  }
  const absl::TimeZone::TimeInfo info = rules->At(*civil);
  absl::Time time = info.pre;
  switch (info.kind) {
    case absl::TimeZone::TimeInfo::UNIQUE:
      if (occurrence == Occurrence::kOnly) break;
      return absl::InvalidArgumentError(std::string(local) + " comes only once in " +
                                        std::string(zone) + "; leave --occurrence out");
    case absl::TimeZone::TimeInfo::SKIPPED:
      return Skipped(local, zone, *rules, info);
    case absl::TimeZone::TimeInfo::REPEATED:
      if (occurrence == Occurrence::kOnly) return Repeated(local, zone, *rules, info);
      if (occurrence == Occurrence::kSecond) time = info.post;
      break;
  }
  const int64_t seconds = absl::ToUnixSeconds(time);
  if (seconds < 0 || seconds > kLatestTime) {
    return absl::InvalidArgumentError("\"" + std::string(local) + "\" is too far away");
  }
  return ResolvedTime{seconds, OffsetAt(*rules, time)};
}

std::optional<int32_t> OffsetMinutesAt(std::string_view zone, int64_t time) {
  const std::optional<absl::TimeZone> rules = LoadZone(zone);
  if (!rules.has_value()) return std::nullopt;
  return OffsetAt(*rules, absl::FromUnixSeconds(time));
}

std::string LocalTimeText(int64_t time, int32_t offset_minutes) {
  const absl::CivilSecond local = LocalAt(time, offset_minutes);
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02d-%02d %02d:%02d", static_cast<int>(local.year()),
                local.month(), local.day(), local.hour(), local.minute());
  return text;
}

std::string OffsetText(int32_t offset_minutes) {
  const int32_t minutes = offset_minutes < 0 ? -offset_minutes : offset_minutes;
  char text[24];
  std::snprintf(text, sizeof text, "UTC%c%02d:%02d", offset_minutes < 0 ? '-' : '+', minutes / 60,
                minutes % 60);
  return text;
}

std::string CalendarTimeText(int64_t time) {
  const absl::CivilSecond utc = LocalAt(time, 0);
  char text[40];
  std::snprintf(text, sizeof text, "%04d%02d%02dT%02d%02d%02dZ", static_cast<int>(utc.year()),
                utc.month(), utc.day(), utc.hour(), utc.minute(), utc.second());
  return text;
}

}  // namespace parley::client
