// Buckets of calls: what they hold, how they fill, whose they are, and how many there may be.
#include "server/core/rate_limits.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "parley/relay/v1/relay.pb.h"
#include "server/core/metrics.h"
#include "server/core/relay_fixture_for_test.h"
#include "server/core/sponsors.h"

namespace parley::server {
namespace {

using std::chrono::milliseconds;

class RateLimitsTest : public testing::Test {
 protected:
  static Limits Narrow() {
    Limits limits;
    limits.connection_calls_per_second = 100;
    limits.session_calls_per_second = 10;
    return limits;
  }

  const Limits limits_ = Narrow();
  RateLimits::Time now_{std::chrono::hours(1)};
  RateLimits rates_{limits_, [this] { return now_; }};
};

TEST_F(RateLimitsTest, ABurstThenTheRate) {
  // A new connection begins with a second's worth.
  for (int i = 0; i < 100; ++i) ASSERT_EQ(rates_.OfConnection("one"), milliseconds(0)) << i;
  EXPECT_EQ(rates_.OfConnection("one"), milliseconds(10));
  EXPECT_EQ(rates_.OfConnection("two"), milliseconds(0));
  now_ += milliseconds(10);
  EXPECT_EQ(rates_.OfConnection("one"), milliseconds(0));
  EXPECT_EQ(rates_.OfConnection("one"), milliseconds(10));
  // Who has been away for long may have a burst again, and no more.
  now_ += std::chrono::hours(1);
  int taken = 0;
  while (rates_.OfConnection("one") == milliseconds(0)) ++taken;
  EXPECT_EQ(taken, 1000);
}

TEST_F(RateLimitsTest, TheWaitThatIsSaidIsEnough) {
  while (rates_.OfConnection("one") == milliseconds(0)) {
  }
  const milliseconds wait = rates_.OfConnection("one", RateLimits::kSignatureCalls);
  EXPECT_EQ(wait, milliseconds(110));  // behind the one that was refused before it
  now_ += wait;
  EXPECT_EQ(rates_.OfConnection("one", RateLimits::kSignatureCalls), milliseconds(0));
}

TEST_F(RateLimitsTest, EachThatIsRefusedGetsATurnOfItsOwn) {
  std::vector<milliseconds> waits;
  for (int i = 0; i < 150; ++i) {
    const milliseconds wait = rates_.OfConnection("one");
    if (wait != milliseconds(0)) waits.push_back(wait);
  }
  ASSERT_EQ(waits.size(), 50u);
  const RateLimits::Time begin = now_;
  for (size_t i = 0; i < waits.size(); ++i) {
    EXPECT_EQ(waits[i], milliseconds(10) * (i + 1));
    now_ = begin + waits[i];
    EXPECT_EQ(rates_.OfConnection("one"), milliseconds(0)) << "whoever waited has its turn";
  }
}

TEST_F(RateLimitsTest, WhoCallsOnWithoutWaitingIsNamed) {
  std::vector<std::string> named;
  rates_.Tell({.not_waiting = [&](const std::string& connection,
                                  bool /*is_proven*/) { named.push_back(connection); },
               .proven = {}});
  // As many as a connection may have under way, each waiting for its turn, for a long time.
  std::vector<RateLimits::Time> turns(128, now_);
  for (int round = 0; round < 100'000; ++round) {
    auto next = std::min_element(turns.begin(), turns.end());
    now_ = std::max(now_, *next);
    *next = now_ + rates_.OfConnection("patient", RateLimits::kSignatureCalls);
  }
  EXPECT_TRUE(named.empty());
  for (int i = 0; i < 10'000 && named.empty(); ++i) rates_.OfConnection("greedy");
  EXPECT_EQ(named, std::vector<std::string>{"greedy"});
}

// Those that are given up before they have come in full included, which are never refused.
TEST_F(RateLimitsTest, WhoHasCallsArriveWithoutEndIsNamed) {
  std::vector<std::string> named;
  rates_.Tell({.not_waiting = [&](const std::string& connection,
                                  bool /*is_proven*/) { named.push_back(connection); },
               .proven = {}});
  // As often as it may, each refused once before its turn comes.
  for (int i = 0; i < 100'000; ++i) {
    now_ += milliseconds(10);
    rates_.Arrived("patient");
    rates_.Arrived("patient");
    EXPECT_EQ(rates_.OfConnection("patient"), milliseconds(0));
  }
  EXPECT_TRUE(named.empty());
  for (int i = 0; i < 10'000 && named.empty(); ++i) rates_.Arrived("greedy");
  EXPECT_EQ(named, std::vector<std::string>{"greedy"});
}

TEST_F(RateLimitsTest, ItIsToldWhetherAKeyWasShown) {
  std::vector<std::string> proven;
  std::vector<bool> named;
  rates_.Tell({.not_waiting = [&](const std::string& /*connection*/,
                                  bool is_proven) { named.push_back(is_proven); },
               .proven =
                   [&](const std::string& connection) {
                     proven.push_back(connection);
                     return true;
                   }});
  rates_.OfConnection("member");
  EXPECT_FALSE(rates_.IsProven("member"));
  for (int i = 0; i < 3; ++i) rates_.MarkProven("member");
  EXPECT_TRUE(rates_.IsProven("member"));
  EXPECT_EQ(proven, std::vector<std::string>{"member"});
  for (int i = 0; i < 10'000 && named.empty(); ++i) rates_.OfConnection("member");
  for (int i = 0; i < 10'000 && named.size() < 2; ++i) rates_.OfConnection("stranger");
  EXPECT_EQ(named, (std::vector<bool>{true, false}));
}

TEST_F(RateLimitsTest, CallsWithoutASessionAreBoundedForAnAddress) {
  limits_.address_calls_per_second.Change(50);
  for (int i = 0; i < 50; ++i) ASSERT_EQ(rates_.OfAddress("here", "one"), milliseconds(0)) << i;
  EXPECT_GE(rates_.OfAddress("here", "two"), milliseconds(20));
  EXPECT_EQ(rates_.OfAddress("there", "one"), milliseconds(0));
}

// Whatever others ask for meanwhile, nobody is told to come later because of them; and not all come
// at the same time.
TEST_F(RateLimitsTest, NeighboursDoNotPutATurnOff) {
  limits_.address_calls_per_second.Change(50);
  while (rates_.OfAddress("here", "one") == milliseconds(0)) {
  }
  milliseconds least = std::chrono::hours(1);
  milliseconds most(0);
  for (int i = 0; i < 10'000; ++i) {
    const milliseconds wait = rates_.OfAddress("here", "one");
    least = std::min(least, wait);
    most = std::max(most, wait);
  }
  EXPECT_GE(least, milliseconds(20));
  EXPECT_LE(most, milliseconds(20) + RateLimits::kMostJitter);
  EXPECT_GT(most - least, RateLimits::kMostJitter / 2);
  limits_.sponsor_creations_per_second.Change(50);
  while (rates_.OfSponsor("sponsor") == milliseconds(0)) {
  }
  for (int i = 0; i < 1000; ++i) {
    EXPECT_LE(rates_.OfSponsor("sponsor"), milliseconds(20) + RateLimits::kMostJitter);
  }
}

// Calls that count one would else take each of ten before there are ten.
TEST_F(RateLimitsTest, FloodsOfCheapCallsLeaveANeighbourDearOnes) {
  limits_.address_calls_per_second.Change(50);
  int sessions = 0;
  uint64_t taken = 0;
  for (int tick = 0; tick < 2000; ++tick) {
    now_ += milliseconds(5);
    // The neighbours come three times as often as there is something.
    if (tick % 4 == 0 &&
        rates_.OfAddress("here", "honest", RateLimits::kSignatureCalls) == milliseconds(0)) {
      ++sessions;
      taken += RateLimits::kSignatureCalls;
    }
    if (tick % 4 != 0 && rates_.OfAddress("here", "flood") == milliseconds(0)) ++taken;
  }
  EXPECT_GE(sessions, 10);
  // What they have together is no more for that.
  EXPECT_LE(taken, 50u + 500 + RateLimits::kSignatureCalls);
}

TEST_F(RateLimitsTest, ConnectionsThatHaveShownAKeyShareNothingWithThoseThatHaveNot) {
  limits_.address_calls_per_second.Change(50);
  ASSERT_EQ(rates_.OfConnection("member"), milliseconds(0));
  rates_.MarkProven("member");
  while (rates_.OfAddress("here", "stranger") == milliseconds(0)) {
  }
  int taken = 0;
  while (rates_.OfAddress("here", "member") == milliseconds(0)) ++taken;
  EXPECT_EQ(taken, 50);  // but have their own bound
}

// Its address and port have been used before, perhaps by somebody else.
TEST_F(RateLimitsTest, WhatIsKnownOfANameIsNotTrueOfItsNextConnection) {
  for (const uint64_t calls : {uint64_t{100}, uint64_t{0}}) {
    limits_.connection_calls_per_second.Change(calls);
    std::vector<std::string> proven;
    rates_.Tell({.not_waiting = {}, .proven = [&](const std::string& connection) {
                   proven.push_back(connection);
                   return true;
                 }});
    for (int i = 0; i < 2; ++i) {
      rates_.MarkUnproven("here");
      EXPECT_FALSE(rates_.IsProven("here"));
      rates_.OfConnection("here");
      rates_.MarkProven("here");
    }
    EXPECT_EQ(proven, (std::vector<std::string>{"here", "here"}));
  }
  // Nobody has more calls for coming again.
  limits_.connection_calls_per_second.Change(100);
  while (rates_.OfConnection("here") == milliseconds(0)) {
  }
  rates_.MarkUnproven("here");
  EXPECT_GT(rates_.OfConnection("here"), milliseconds(0));
  const size_t known = rates_.buckets();
  rates_.MarkUnproven("nobody's");
  EXPECT_EQ(rates_.buckets(), known);
}

// A call may end after its connection was found to be gone, of which nobody is told once more.
TEST_F(RateLimitsTest, OfAConnectionThatIsGoneNothingStaysMarked) {
  bool is_there = false;
  rates_.Tell(
      {.not_waiting = {}, .proven = [&](const std::string& /*connection*/) { return is_there; }});
  rates_.MarkProven("here");
  EXPECT_FALSE(rates_.IsProven("here"));
  now_ += RateLimits::kRemembered + milliseconds(1);
  rates_.ForgetOld();
  EXPECT_EQ(rates_.buckets(), 0u);
  is_there = true;
  rates_.MarkProven("here");
  EXPECT_TRUE(rates_.IsProven("here"));
}

// Their addresses are nobody's business then.
TEST_F(RateLimitsTest, WhoIsGoneIsForgotten) {
  for (const char* connection : {"member", "gone", "stranger"}) {
    rates_.Arrived(connection);
    rates_.OfConnection(connection);
    rates_.OfAddress("there", connection);
    rates_.OfSession(connection, std::string(60, 't'));
  }
  rates_.MarkProven("member");
  rates_.MarkProven("gone");
  rates_.ForgetOld();
  EXPECT_GT(rates_.buckets(), 9u);  // not yet
  rates_.MarkUnproven("gone");
  now_ += RateLimits::kRemembered + milliseconds(1);
  rates_.ForgetOld();
  EXPECT_EQ(rates_.buckets(), 1u);
  EXPECT_TRUE(rates_.IsProven("member"));  // for hours, on a quiet subscription
}

// Else members behind one address would share a bound with strangers after all.
TEST_F(RateLimitsTest, AlsoWhereAConnectionHasNoBound) {
  limits_.connection_calls_per_second.Change(0);
  limits_.address_calls_per_second.Change(50);
  int told = 0;
  rates_.Tell({.not_waiting = {},
               .proven = [&](const std::string& /*connection*/) { return ++told != 0; }});
  for (int i = 0; i < 3; ++i) {
    rates_.OfConnection("member");
    rates_.MarkProven("member");
  }
  EXPECT_EQ(told, 1);
  while (rates_.OfAddress("here", "stranger") == milliseconds(0)) {
  }
  EXPECT_EQ(rates_.OfAddress("here", "member"), milliseconds(0));
  for (int i = 0; i < 300'000; ++i) rates_.MarkProven(std::to_string(i));
  EXPECT_LE(rates_.buckets(), size_t{65536});
  // It has the usual bound once there is one.
  rates_.MarkProven("another");
  limits_.connection_calls_per_second.Change(100);
  now_ += std::chrono::seconds(1);
  int taken = 0;
  while (rates_.OfConnection("another") == milliseconds(0)) ++taken;
  EXPECT_EQ(taken, 100);
}

// A flood may have had them forgotten between their calls and what became of these.
TEST_F(RateLimitsTest, ConnectionsAreProvenWhereTheirBucketsAreForgotten) {
  const auto newcomer = [](int i) { return "newcomer " + std::to_string(i); };
  for (int i = 0; i < 100; ++i) ASSERT_EQ(rates_.OfConnection(newcomer(i)), milliseconds(0));
  for (int i = 0; i < 300'000; ++i) rates_.OfConnection("stranger " + std::to_string(i));
  for (int i = 0; i < 100; ++i) {
    rates_.MarkProven(newcomer(i));
    EXPECT_TRUE(rates_.IsProven(newcomer(i))) << i;
  }
}

TEST_F(RateLimitsTest, ClockStepsBackTakeNothing) {
  while (rates_.OfConnection("one") == milliseconds(0)) {
  }
  now_ -= std::chrono::minutes(5);
  EXPECT_EQ(rates_.OfConnection("one"), milliseconds(20));
  now_ += milliseconds(20);
  EXPECT_EQ(rates_.OfConnection("one"), milliseconds(0));
}

// A hostile member of a channel has the same keys as the others, and so may have the same token.
TEST_F(RateLimitsTest, NobodyUsesUpAnothersSession) {
  const std::string token(60, 't');
  while (rates_.OfSession("attacker", token) == milliseconds(0)) {
  }
  EXPECT_EQ(rates_.OfSession("honest", token), milliseconds(0));
  EXPECT_EQ(rates_.OfSession("attacker", std::string(60, 'u')), milliseconds(0));
}

TEST_F(RateLimitsTest, FollowWhatIsSet) {
  limits_.connection_calls_per_second.Change(0);
  for (int i = 0; i < 5000; ++i) ASSERT_EQ(rates_.OfConnection("one"), milliseconds(0));
  limits_.connection_calls_per_second.Change(1);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(rates_.OfConnection("two"), milliseconds(1000 * i));
}

// Whoever makes up connections or tokens doesn't make the relay remember all of them.
TEST_F(RateLimitsTest, ManyKeysTakeBoundedMemory) {
  for (int i = 0; i < 300'000; ++i) rates_.OfSession("c", std::to_string(i) + std::string(32, 'x'));
  EXPECT_LE(rates_.buckets(), size_t{65536});
  for (int i = 0; i < 100; ++i) rates_.OfSession("c", "the latest");
  EXPECT_GT(rates_.OfSession("c", "the latest"), milliseconds(0));
}

// Else a flood from many addresses had members taken for strangers, and their neighbours kept out.
TEST_F(RateLimitsTest, StrangersDoNotHaveMembersForgotten) {
  std::vector<std::string> members;
  for (int i = 0; i < 2048; ++i) {
    members.push_back("member " + std::to_string(i));
    rates_.OfConnection(members.back());
    rates_.MarkProven(members.back());
  }
  now_ += std::chrono::minutes(1);  // their buckets are full, which are forgotten first
  for (int i = 0; i < 300'000; ++i) rates_.OfConnection("stranger " + std::to_string(i));
  EXPECT_EQ(std::count_if(members.begin(), members.end(),
                          [&](const std::string& member) { return rates_.IsProven(member); }),
            2048);
  EXPECT_LE(rates_.buckets(), size_t{65536});
}

TEST_F(RateLimitsTest, OfVeryManyMembersTheLatestAreRemembered) {
  const auto call = [&](const std::string& connection) {
    now_ += std::chrono::microseconds(1);
    rates_.OfConnection(connection);
    rates_.MarkProven(connection);
  };
  call("here always");
  call("gone");
  for (int i = 0; i < 300'000; ++i) {
    call("passing " + std::to_string(i));
    if (i % 10'000 == 0) call("here always");
  }
  EXPECT_TRUE(rates_.IsProven("here always"));
  EXPECT_FALSE(rates_.IsProven("gone"));
  int known = 0;
  for (int i = 300'000 - 20'000; i < 300'000; ++i) {
    known += rates_.IsProven("passing " + std::to_string(i));
  }
  EXPECT_EQ(known, 20'000);
  EXPECT_LE(rates_.buckets(), size_t{65536});
  // Nor do they keep strangers from being counted.
  for (int i = 0; i < 100; ++i) rates_.OfConnection("stranger");
  EXPECT_GT(rates_.OfConnection("stranger"), milliseconds(0));
}

// Those of one moment, of which none is the latest.
TEST_F(RateLimitsTest, MembersOfOneMomentTakeBoundedMemory) {
  for (int i = 0; i < 300'000; ++i) {
    rates_.OfConnection(std::to_string(i));
    rates_.MarkProven(std::to_string(i));
  }
  EXPECT_LE(rates_.buckets(), size_t{65536});
  EXPECT_TRUE(rates_.IsProven(std::to_string(299'999)));
}

TEST_F(RateLimitsTest, FromManyThreads) {
  std::atomic<int> taken = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) taken += rates_.OfConnection("one") == milliseconds(0);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken, 100);
}

TEST(TooOftenTest, SaysWhenToComeAgain) {
  const absl::Status status = TooOften(milliseconds(250), "this connection");
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(OutcomeOf(status), Outcome::kRate);
  v1::Exhausted details;
  ASSERT_TRUE(details.ParseFromString(std::string(*status.GetPayload(kExhaustedPayload))));
  EXPECT_EQ(details.what(), v1::Exhausted::WHAT_RATE);
  EXPECT_EQ(details.retry_after_ms(), 250u);
}

// A sponsor makes so many mailboxes and blobs at once; others', and what is there, go on.
TEST(SponsorRateTest, CreationsAreBoundedForEachSponsor) {
  Limits limits;
  limits.sponsor_creations_per_second = 1;
  RelayFixture relay(limits);
  const TestMailbox first = relay.NewMailbox();
  absl::Status refused;
  for (int i = 0; i < 200 && refused.ok(); ++i) {
    refused = i % 2 == 0 ? relay.Create(relay.CreateRequest(TestMailbox()))
                         : relay.Create(relay.CreateRequest(TestBlob(), 1000));
  }
  EXPECT_EQ(OutcomeOf(refused), Outcome::kRate) << refused;
  // What was made is there once, and asking again for it is no creation.
  EXPECT_TRUE(relay.Create(relay.CreateRequest(first)).ok());
  EXPECT_TRUE(relay.Append(first, "still here").ok());
  relay.sponsor_token = relay.AddSponsor("another", uint64_t{1} << 30);
  EXPECT_TRUE(relay.Create(relay.CreateRequest(TestMailbox())).ok());
}

// A voucher that is used, or has expired, is in many hands.
TEST(SponsorRateTest, WhoIsRefusedTakesNothingFromTheSponsor) {
  Limits limits;
  limits.sponsor_creations_per_second = 1;
  RelayFixture relay(limits);
  v1::IssueVouchersRequest issue;
  issue.set_sponsor_token(relay.sponsor_token);
  issue.set_count(1);
  issue.set_max_bytes(10000);
  issue.set_expires_at(relay.clock.NowSeconds() + 1000);
  v1::IssueVouchersResponse vouchers;
  ASSERT_TRUE(relay.relay->sponsors().IssueVouchers(issue, vouchers).ok());
  v1::CreateMailboxRequest first = relay.CreateRequest(TestMailbox());
  first.set_voucher(vouchers.vouchers(0));
  ASSERT_TRUE(relay.Create(first).ok());
  for (int i = 0; i < 40; ++i) {
    v1::CreateMailboxRequest mailbox = relay.CreateRequest(TestMailbox());
    mailbox.set_voucher(vouchers.vouchers(0));
    ASSERT_EQ(relay.Create(mailbox).code(), absl::StatusCode::kUnauthenticated) << i;
    v1::CreateBlobRequest blob = relay.CreateRequest(TestBlob(), 1000);
    blob.set_voucher(vouchers.vouchers(0));
    ASSERT_EQ(relay.Create(blob).code(), absl::StatusCode::kUnauthenticated) << i;
  }
  EXPECT_TRUE(relay.Create(relay.CreateRequest(TestMailbox())).ok());
}

}  // namespace
}  // namespace parley::server
