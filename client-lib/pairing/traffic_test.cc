// Counters, repeats, gaps, and the bounds of what another end can make this one keep and send.
#include "client-lib/pairing/traffic.h"

#include <gtest/gtest.h>

namespace parley::client {
namespace {

constexpr uint64_t kDay = 24 * 60 * 60;

TEST(TrafficTest, NumbersAreTakenInOrderAndOnce) {
  Traffic traffic;
  EXPECT_EQ(TakeNumber(traffic, 1, 100), Arrival::kNext);
  EXPECT_TRUE(OwesWord(traffic));
  NoteWord(traffic, false, 100);
  EXPECT_FALSE(OwesWord(traffic));
  EXPECT_EQ(TakeNumber(traffic, 1, 101), Arrival::kRepeat);
  EXPECT_TRUE(OwesWord(traffic));  // the first word may have been lost
  EXPECT_EQ(TakeNumber(traffic, 4, 102), Arrival::kEarly);
  EXPECT_EQ(traffic.gap_since, 102u);
  EXPECT_EQ(TakeNumber(traffic, 3, 103), Arrival::kEarly);
  EXPECT_EQ(traffic.received, 1u);
  EXPECT_EQ(TakeNumber(traffic, 2, 104), Arrival::kNext);
  EXPECT_EQ(traffic.gap_since, 102u);
  EXPECT_EQ(TakeNumber(traffic, 3, 104), Arrival::kNext);
  EXPECT_EQ(TakeNumber(traffic, 4, 104), Arrival::kNext);
  EXPECT_EQ(traffic.gap_since, 0u);
  EXPECT_EQ(TakeNumber(traffic, 0, 105), Arrival::kRepeat);
  EXPECT_EQ(TakeNumber(traffic, UINT64_MAX, 105), Arrival::kEarly);
  EXPECT_EQ(traffic.received, 4u);
}

TEST(TrafficTest, OnlyWhatWasSentCanBeConfirmed) {
  Traffic traffic;
  EXPECT_EQ(NumberMessage(traffic, 10), 1u);
  EXPECT_EQ(NumberMessage(traffic, 10), 2u);
  NoteSent(traffic, 100);
  EXPECT_TRUE(absl::IsInvalidArgument(TakeWord(traffic, 3, 1, 110)));
  EXPECT_EQ(traffic.confirmed, 0u);
  EXPECT_TRUE(TakeWord(traffic, 1, 1, 110).ok());
  EXPECT_EQ(traffic.unconfirmed(), 1u);
  EXPECT_EQ(traffic.waiting_since, 110u);
  EXPECT_TRUE(TakeWord(traffic, 2, 1, 120).ok());
  EXPECT_EQ(traffic.waiting_since, 0u);
  // What the relay shows again takes nothing back.
  EXPECT_TRUE(TakeWord(traffic, 1, 1, 130).ok());
  EXPECT_EQ(traffic.confirmed, 2u);
}

TEST(TrafficTest, WhoConfirmsNothingMakesNobodyKeepMuch) {
  Traffic traffic;
  for (uint64_t i = 1; i <= kMostUnconfirmed; ++i) EXPECT_EQ(NumberMessage(traffic, 1), i);
  EXPECT_EQ(NumberMessage(traffic, 1), 0u);
  EXPECT_EQ(traffic.not_sent, 1u);
  EXPECT_EQ(traffic.numbered, kMostUnconfirmed);
  // That something was lost isn't forgotten when the rest has come.
  EXPECT_TRUE(TakeWord(traffic, kMostUnconfirmed, 1, 100).ok());
  EXPECT_EQ(traffic.unconfirmed(), 0u);
  EXPECT_EQ(traffic.not_sent, 1u);
  Traffic large;
  EXPECT_EQ(NumberMessage(large, kMostUnconfirmedBytes), 1u);
  EXPECT_EQ(NumberMessage(large, 1), 0u);
}

TEST(TrafficTest, AClockThatWasAheadHoldsNothingUp) {
  constexpr uint64_t kAhead = 1000 + 300 * kDay;
  Traffic traffic;
  NumberMessage(traffic, 10);
  NoteSent(traffic, kAhead);
  NoteResent(traffic, kAhead);
  NoteWord(traffic, /*asks=*/true, kAhead);
  EXPECT_TRUE(IsResendDue(traffic, 1000));
  NoteResent(traffic, 1000);
  EXPECT_FALSE(IsResendDue(traffic, 1001));
  EXPECT_TRUE(IsResendDue(traffic, 1000 + kDay));
  for (int i = 0; i < 8; ++i) NoteWord(traffic, /*asks=*/true, kAhead);
  EXPECT_TRUE(MayAsk(traffic, 1000));
}

// How often something is sent again in a year of syncs each ten seconds.
uint64_t ResendsInAYear(Traffic& traffic, bool asks) {
  uint64_t resends = 0;
  for (uint64_t now = 1000; now < 1000 + 365 * kDay; now += 10) {
    if (asks) TakeRequest(traffic);
    if (!IsResendDue(traffic, now)) continue;
    NoteResent(traffic, now);
    ++resends;
  }
  return resends;
}

TEST(TrafficTest, WhatNobodyConfirmsIsSentAgainSeldomAndNotForEver) {
  Traffic silent;
  EXPECT_FALSE(IsResendDue(silent, kDay));
  NumberMessage(silent, 10);
  EXPECT_FALSE(IsResendDue(silent, kDay));  // it has not gone out at all
  NoteSent(silent, 1000);
  EXPECT_FALSE(IsResendDue(silent, 1014));
  EXPECT_TRUE(IsResendDue(silent, 1015));
  EXPECT_EQ(ResendsInAYear(silent, false), kMostResends);
}

TEST(TrafficTest, WhoAsksWithoutEndIsAnsweredOnceADayInTheEnd) {
  Traffic greedy;
  NumberMessage(greedy, 10);
  NoteSent(greedy, 1000);
  const uint64_t resends = ResendsInAYear(greedy, true);
  EXPECT_GE(resends, 365u);
  EXPECT_LE(resends, 365u + 12 + 4 + kMostResends);
  // A confirmation begins anew.
  EXPECT_TRUE(TakeWord(greedy, 1, 1, 2000).ok());
  NumberMessage(greedy, 10);
  NoteSent(greedy, 400 * kDay);
  TakeRequest(greedy);
  EXPECT_TRUE(IsResendDue(greedy, 400 * kDay));
}

TEST(TrafficTest, ARequestWithNothingToSendIsOnlyAnswered) {
  Traffic traffic;
  TakeRequest(traffic);
  EXPECT_TRUE(OwesWord(traffic));
  EXPECT_FALSE(IsResendDue(traffic, kDay));
  EXPECT_FALSE(IsKeptFromPeer(traffic));
}

TEST(TrafficTest, RequestsAreSpacedAndBeginAnewWhenSomethingComes) {
  Traffic traffic;
  uint64_t asked = 0;
  for (uint64_t now = 1000; now < 1000 + 10 * kDay; now += 10) {
    if (!MayAsk(traffic, now)) continue;
    NoteWord(traffic, true, now);
    ++asked;
  }
  EXPECT_GE(asked, 4u);
  EXPECT_LE(asked, 4u + 12 + 10);
  EXPECT_EQ(TakeNumber(traffic, 1, 20 * kDay), Arrival::kNext);
  EXPECT_TRUE(MayAsk(traffic, 20 * kDay));
}

TEST(TrafficTest, WhoIsAwayIsNoAlarmAndWhoIsHeardWithoutConfirmingIs) {
  Traffic traffic;
  NumberMessage(traffic, 10);
  NoteSent(traffic, 1000);
  EXPECT_FALSE(IsKeptFromPeer(traffic));
  // One word may have crossed the message; one an hour later can't have.
  EXPECT_TRUE(TakeWord(traffic, 0, 1, 2000).ok());
  EXPECT_FALSE(IsKeptFromPeer(traffic));
  EXPECT_TRUE(TakeWord(traffic, 0, 1, 2000 + 3600).ok());
  EXPECT_TRUE(IsKeptFromPeer(traffic));
  EXPECT_TRUE(TakeWord(traffic, 1, 1, 6000).ok());
  EXPECT_FALSE(IsKeptFromPeer(traffic));
  // Or they say so.
  NumberMessage(traffic, 10);
  NoteSent(traffic, 7000);
  TakeRequest(traffic);
  EXPECT_TRUE(IsKeptFromPeer(traffic));
}

TEST(TrafficTest, AnInboxGenerationGoesOnlyForward) {
  Traffic traffic;
  EXPECT_TRUE(TakeWord(traffic, 0, 5, 1).ok());
  EXPECT_TRUE(TakeWord(traffic, 0, 3, 1).ok());
  EXPECT_TRUE(TakeWord(traffic, 0, UINT64_MAX, 1).ok());
  EXPECT_EQ(traffic.peer_generation, 5u);
}

}  // namespace
}  // namespace parley::client
