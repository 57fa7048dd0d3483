// Local times in named zones: those that there are, those that the clocks skip or show twice, and
// names that would lead elsewhere.
#include "client-lib/procedure/time_zone.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::client {
namespace {

using ::testing::HasSubstr;

std::string Refusal(const std::string& local, const std::string& zone,
                    Occurrence occurrence = Occurrence::kOnly) {
  return std::string(ResolveTime(local, zone, occurrence).status().message());
}

ResolvedTime Resolved(const std::string& local, const std::string& zone,
                      Occurrence occurrence = Occurrence::kOnly) {
  const absl::StatusOr<ResolvedTime> time = ResolveTime(local, zone, occurrence);
  EXPECT_TRUE(time.ok()) << time.status().message();
  return time.value_or(ResolvedTime());
}

TEST(TimeZoneTest, ReadsWinterAndSummerTimes) {
  const ResolvedTime winter = Resolved("2026-12-04 10:00", "Europe/Zurich");
  EXPECT_EQ(winter.offset_minutes, 60);
  EXPECT_EQ(CalendarTimeText(winter.time), "20261204T090000Z");
  const ResolvedTime summer = Resolved("2026-07-04T10:00", "Europe/Zurich");
  EXPECT_EQ(summer.offset_minutes, 120);
  EXPECT_EQ(CalendarTimeText(summer.time), "20260704T080000Z");
  EXPECT_EQ(CalendarTimeText(Resolved("2026-12-31 23:30", "America/New_York").time),
            "20270101T043000Z");
  EXPECT_EQ(Resolved("2026-12-04 10:00", "Asia/Kolkata").offset_minutes, 330);
  EXPECT_EQ(Resolved("2026-12-04 10:00", "UTC").offset_minutes, 0);
  EXPECT_EQ(LocalTimeText(winter.time, winter.offset_minutes), "2026-12-04 10:00");
  EXPECT_EQ(OffsetText(330), "UTC+05:30");
  EXPECT_EQ(OffsetText(-300), "UTC-05:00");
  EXPECT_EQ(OffsetMinutesAt("Europe/Zurich", winter.time), 60);
}

TEST(TimeZoneTest, ATimeThatTheClocksSkipIsRefusedInWords) {
  EXPECT_EQ(Refusal("2026-03-29 02:30", "Europe/Zurich"),
            "there is no 2026-03-29 02:30 in Europe/Zurich: the clocks go from 02:00 to 03:00 "
            "then. Choose another time");
  EXPECT_EQ(Resolved("2026-03-29 03:00", "Europe/Zurich").offset_minutes, 120);
  EXPECT_EQ(Resolved("2026-03-29 01:59", "Europe/Zurich").offset_minutes, 60);
}

TEST(TimeZoneTest, ATimeThatComesTwiceMustBeTold) {
  EXPECT_THAT(Refusal("2026-10-25 02:30", "Europe/Zurich"),
              HasSubstr("--occurrence first (UTC+02:00) or --occurrence second (UTC+01:00)"));
  const ResolvedTime first = Resolved("2026-10-25 02:30", "Europe/Zurich", Occurrence::kFirst);
  const ResolvedTime second = Resolved("2026-10-25 02:30", "Europe/Zurich", Occurrence::kSecond);
  EXPECT_EQ(second.time - first.time, 3600);
  EXPECT_EQ(first.offset_minutes, 120);
  EXPECT_EQ(second.offset_minutes, 60);
  EXPECT_THAT(Refusal("2026-10-25 10:00", "Europe/Zurich", Occurrence::kFirst),
              HasSubstr("comes only once"));
}

TEST(TimeZoneTest, WhatIsNoTimeIsRefused) {
  for (const char* const text :
       {"", "tomorrow", "2026-02-30 10:00", "2026-13-01 10:00", "2026-12-04 24:00",
        "2026-12-04 10:60", "2026-12-04", "2026-12-04 10:00:00", "2026-12-04  10:0",
        "1969-12-31 23:00", "-026-12-04 10:00", "2026-12-04 +9:00", "2026-12-04\t10:00"}) {
    EXPECT_THAT(Refusal(text, "UTC"), HasSubstr("is no time")) << text;
  }
}

TEST(TimeZoneTest, OnlyNamesOfPlacesAreZones) {
  for (const char* const zone :
       {"", "CET", "EST", "localtime", "posixrules", "Europe", "Europe/", "/Europe/Zurich",
        "europe/zurich", "Europe//Zurich", "../../../etc/passwd", "Europe/../Asia/Tokyo",
        "posix/Europe/Zurich", "right/Europe/Zurich", "file:Europe/Zurich", "Europe/Zurich\n",
        "Fixed/UTC+05:00:00"}) {
    EXPECT_FALSE(IsZoneName(zone)) << zone;
    EXPECT_THAT(Refusal("2026-12-04 10:00", zone), HasSubstr("no time zone")) << zone;
    EXPECT_FALSE(OffsetMinutesAt(zone, 0).has_value()) << zone;
  }
  EXPECT_FALSE(IsZoneName("A/" + std::string(100, 'A')));
  EXPECT_THAT(Refusal("2026-12-04 10:00", "Europe/Atlantis"), HasSubstr("no time zone"));
  EXPECT_TRUE(IsZoneName("America/Argentina/Buenos_Aires"));
}

}  // namespace
}  // namespace parley::client
