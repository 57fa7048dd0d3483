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

TEST(TrafficTest, ConfirmationsGoOnlyForward) {
  Traffic traffic;
  EXPECT_EQ(NumberMessage(traffic, 10), 1u);
  EXPECT_EQ(NumberMessage(traffic, 10), 2u);
  NoteSent(traffic, 100);
  TakeWord(traffic, 1, 1, true, 110);
  EXPECT_EQ(traffic.unconfirmed(), 1u);
  EXPECT_EQ(traffic.waiting_since, 110u);
  TakeWord(traffic, 2, 1, true, 120);
  EXPECT_EQ(traffic.waiting_since, 0u);
  // What the relay shows again takes nothing back.
  TakeWord(traffic, 1, 1, true, 130);
  EXPECT_EQ(traffic.confirmed, 2u);
}

// As after an old copy of the profile was put back.
TEST(TrafficTest, WhoConfirmsMoreThanWasNumberedHasOvertakenThisEnd) {
  Traffic traffic;
  for (int i = 0; i < 2; ++i) NumberMessage(traffic, 10);
  NoteSent(traffic, 100);
  TakeWord(traffic, 2, 1, true, 105);
  EXPECT_FALSE(IsOvertaken(traffic));
  TakeWord(traffic, 5, 3, true, 110);
  EXPECT_TRUE(IsOvertaken(traffic));
  EXPECT_FALSE(HasRoom(traffic));
  EXPECT_FALSE(IsFull(traffic));
  EXPECT_EQ(traffic.claimed, 5u);
  EXPECT_EQ(traffic.unconfirmed(), 0u);
  EXPECT_EQ(traffic.waiting_since, 0u);
  EXPECT_EQ(traffic.peer_generation, 3u);
  EXPECT_FALSE(IsResendDue(traffic, kDay));
  // It takes in what comes; and what was said before takes nothing back.
  EXPECT_EQ(TakeNumber(traffic, 1, 110), Arrival::kNext);
  TakeWord(traffic, 2, 1, true, 120);
  EXPECT_EQ(traffic.claimed, 5u);
  TakeWord(traffic, UINT64_MAX, 1, true, 130);
  EXPECT_EQ(traffic.unconfirmed(), 0u);
}

TEST(TrafficTest, WhoConfirmsNothingMakesNobodyKeepMuch) {
  Traffic traffic;
  for (uint64_t i = 1; i <= kMostUnconfirmed; ++i) {
    EXPECT_TRUE(HasRoom(traffic));
    EXPECT_EQ(NumberMessage(traffic, 1), i);
  }
  EXPECT_FALSE(HasRoom(traffic));
  EXPECT_TRUE(IsFull(traffic));
  TakeWord(traffic, 1, 1, true, 100);
  EXPECT_TRUE(HasRoom(traffic));
  EXPECT_EQ(NumberMessage(traffic, 1), kMostUnconfirmed + 1);
  EXPECT_FALSE(HasRoom(traffic));
  Traffic large;
  EXPECT_EQ(NumberMessage(large, kMostUnconfirmedBytes - 1), 1u);
  EXPECT_TRUE(HasRoom(large));
  EXPECT_EQ(NumberMessage(large, 1), 2u);
  EXPECT_FALSE(HasRoom(large));
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
  TakeWord(greedy, 1, 1, true, 2000);
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
  TakeWord(traffic, 0, 1, true, 2000);
  EXPECT_FALSE(IsKeptFromPeer(traffic));
  TakeWord(traffic, 0, 1, true, 2000 + 3600);
  EXPECT_TRUE(IsKeptFromPeer(traffic));
  TakeWord(traffic, 1, 1, true, 6000);
  EXPECT_FALSE(IsKeptFromPeer(traffic));
}

// Where they ask, a minute is enough; and what they asked for before they could have it is none.
TEST(TrafficTest, ARequestThatCrossedAMessageIsNoAlarmAndOneThatComesAfterIs) {
  Traffic traffic;
  NumberMessage(traffic, 10);
  NoteSent(traffic, 1000);
  const auto hear_request = [&traffic](uint64_t now) {
    TakeWord(traffic, 0, 1, true, now);
    TakeRequest(traffic);
  };
  // However late it is heard: it may have been made before.
  hear_request(90000);
  EXPECT_TRUE(IsResendDue(traffic, 90000));  // it is met all the same
  EXPECT_FALSE(IsKeptFromPeer(traffic));
  hear_request(90059);
  EXPECT_FALSE(IsKeptFromPeer(traffic));
  // What is heard a minute later was said after the message was there.
  hear_request(90060);
  EXPECT_TRUE(IsKeptFromPeer(traffic));
  TakeWord(traffic, 1, 1, true, 90070);
  EXPECT_FALSE(IsKeptFromPeer(traffic));
  // With the next message it begins anew.
  NumberMessage(traffic, 10);
  NoteSent(traffic, 95000);
  hear_request(96000);
  EXPECT_FALSE(IsKeptFromPeer(traffic));
}

// A relay can show an old word at any time: it says nothing of when its sender was there.
TEST(TrafficTest, AWordThatIsShownAgainIsNoAlarm) {
  Traffic traffic;
  NumberMessage(traffic, 10);
  NumberMessage(traffic, 10);
  NoteSent(traffic, 1000);
  const crypto::Bytes first(16, 1);
  const crypto::Bytes second(16, 2);
  EXPECT_TRUE(IsNewWord(traffic, 1, first));
  TakeWord(traffic, 1, 1, true, 1100);
  NoteWordId(traffic, first);
  for (const uint64_t now : {2000, 9000}) {
    EXPECT_FALSE(IsNewWord(traffic, 1, first));
    EXPECT_FALSE(IsNewWord(traffic, 0, second));  // from before that
    TakeWord(traffic, 1, 1, false, now);
    TakeWord(traffic, 0, 1, true, now);  // in a numbered message that was on its way
    EXPECT_FALSE(IsKeptFromPeer(traffic));
    EXPECT_EQ(traffic.heard_at, 1100u);
  }
  EXPECT_TRUE(IsNewWord(traffic, 1, second));
  // Nobody makes this end keep ids without end.
  for (size_t i = 0; i < 2 * kMostWords; ++i) {
    const crypto::Bytes id(16, static_cast<uint8_t>(10 + i));
    if (IsNewWord(traffic, 1, id)) NoteWordId(traffic, id);
  }
  EXPECT_EQ(traffic.words.size(), kMostWords);
  TakeWord(traffic, 2, 1, true, 9500);
  EXPECT_TRUE(traffic.words.empty());
}

TEST(TrafficTest, AnInboxGenerationGoesOnlyForward) {
  Traffic traffic;
  TakeWord(traffic, 0, 5, true, 1);
  TakeWord(traffic, 0, 3, true, 1);
  TakeWord(traffic, 0, UINT64_MAX, true, 1);
  EXPECT_EQ(traffic.peer_generation, 5u);
}

}  // namespace
}  // namespace parley::client
