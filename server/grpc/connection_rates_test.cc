#include "server/grpc/connection_rates.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <queue>
#include <random>
#include <string>
#include <tuple>
#include <vector>

namespace parley::server {
namespace {

using std::chrono::milliseconds;
using Verdict = ConnectionRates::Verdict;

class ConnectionRatesTest : public testing::Test {
 protected:
  ConnectionRatesTest() : rates_(limits_, [this] { return now_; }) {}

  // From how many addresses that have never been seen before, one after the other, one is taken.
  int FromStrangers(int tries) {
    int taken = 0;
    for (int i = 0; i < tries; ++i) {
      taken += rates_.Take("stranger " + std::to_string(++strangers_)) == Verdict::kTaken;
    }
    return taken;
  }
  int From(const std::string& address, int tries) {
    int taken = 0;
    for (int i = 0; i < tries; ++i) taken += rates_.Take(address) == Verdict::kTaken;
    return taken;
  }

  // So many addresses from which somebody has shown a key.
  std::vector<std::string> MakeKnown(int count) {
    std::vector<std::string> addresses;
    for (int i = 0; i < count; ++i) {
      addresses.push_back("office " + std::to_string(i));
      EXPECT_EQ(From(addresses.back(), 1), 1);
      rates_.Proved(addresses.back());
    }
    return addresses;
  }

  Limits limits_;
  ConnectionRates::Time now_ = ConnectionRates::Time() + std::chrono::hours(1);
  ConnectionRates rates_;
  int strangers_ = 0;
};

TEST_F(ConnectionRatesTest, OfAnAddressAreBounded) {
  limits_.address_connections_per_second.Change(3);
  EXPECT_EQ(From("here", 100), 30);
  EXPECT_EQ(rates_.Take("here"), Verdict::kAddressTooOften);
  EXPECT_EQ(From("there", 100), 30);
  now_ += std::chrono::seconds(2);
  EXPECT_EQ(From("here", 100), 6);
  rates_.Proved("here");
  EXPECT_EQ(From("here", 100), 1);
  limits_.address_connections_per_second.Change(0);
  EXPECT_EQ(From("here", 500), 500);
}

TEST_F(ConnectionRatesTest, OfAllAddressesTogetherAreBounded) {
  limits_.connections_per_second.Change(20);
  EXPECT_EQ(FromStrangers(1000), 100);
  EXPECT_EQ(rates_.Take("here"), Verdict::kAllTooOften);
  now_ += std::chrono::seconds(2);
  EXPECT_EQ(FromStrangers(1000), 40);
  now_ += std::chrono::hours(2);
  EXPECT_EQ(FromStrangers(1000), 100) << "what comes in ten seconds, and no more";
  limits_.connections_per_second.Change(0);
  EXPECT_EQ(FromStrangers(1000), 1000);
  limits_.connections_per_second.Change(1);
  EXPECT_EQ(FromStrangers(1000), 5);
}

// Else a flood kept out whoever lives behind the same address, or comes back.
TEST_F(ConnectionRatesTest, AddressesOfMembersHaveTheOtherHalf) {
  limits_.connections_per_second.Change(20);
  const std::vector<std::string> offices = MakeKnown(30);
  FromStrangers(1000);
  int taken = 0;
  for (const std::string& office : offices) taken += From(office, 1000);
  EXPECT_EQ(taken, 100);
  EXPECT_EQ(rates_.Take(offices.front()), Verdict::kAllTooOften);
  now_ += std::chrono::seconds(1);
  EXPECT_EQ(FromStrangers(1000), 0) << "until there is more than half again";
  now_ += std::chrono::seconds(9);
  FromStrangers(1000);
  EXPECT_EQ(From(offices[0], 1000), 5) << "again what it may have";
}

// A member's connections without a key keep no other member out.
TEST_F(ConnectionRatesTest, OneKnownAddressHasAPartOfThatHalf) {
  limits_.connections_per_second.Change(20);
  const std::vector<std::string> offices = MakeKnown(3);
  FromStrangers(1000);
  EXPECT_EQ(From(offices[0], 1000), 5);
  EXPECT_EQ(rates_.Take(offices[0]), Verdict::kAllTooOften);
  EXPECT_EQ(From(offices[1], 1000), 5);
  now_ += std::chrono::seconds(2);
  FromStrangers(1000);
  EXPECT_EQ(From(offices[0], 1000), 1);
  // But for those without a key.
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(rates_.Take(offices[2]), Verdict::kTaken) << i;
    rates_.Proved(offices[2]);
  }
}

TEST_F(ConnectionRatesTest, AnAddressIsKnownForSomeMinutesMore) {
  limits_.connections_per_second.Change(1);
  for (const char* address : {"gone", "here"}) {
    ASSERT_EQ(From(address, 1), 1);
    rates_.Proved(address);
  }
  now_ += std::chrono::hours(3);
  rates_.ForgetOld();
  rates_.ProvenOneClosed("gone");
  now_ += ConnectionRates::kRemembered - milliseconds(1);
  rates_.ForgetOld();
  FromStrangers(100);
  EXPECT_EQ(From("gone", 1), 1);
  now_ += milliseconds(1);
  EXPECT_EQ(From("gone", 1), 0);
  EXPECT_EQ(From("here", 1), 1);
  now_ += std::chrono::hours(3);
  rates_.ForgetOld();
  EXPECT_EQ(rates_.addresses(), 1u);
  rates_.ProvenOneClosed("here");
  now_ += ConnectionRates::kRemembered;
  rates_.ForgetOld();
  EXPECT_EQ(rates_.addresses(), 0u) << "their addresses are nobody's business then";
}

TEST_F(ConnectionRatesTest, WhoShowsAKeyDoesNotCount) {
  limits_.connections_per_second.Change(1);
  limits_.address_connections_per_second.Change(1);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(rates_.Take("here"), Verdict::kTaken) << i;
    rates_.Proved("here");
    const std::string newcomer = "newcomer " + std::to_string(i);
    ASSERT_EQ(rates_.Take(newcomer), Verdict::kTaken) << i;
    rates_.Proved(newcomer);
  }
}

// An office that comes back during a flood must not have used up what its address may.
TEST_F(ConnectionRatesTest, WhoIsRefusedHasUsedUpNothing) {
  limits_.connections_per_second.Change(1);
  FromStrangers(100);
  EXPECT_EQ(From("office", 10'000), 0);
  limits_.connections_per_second.Change(0);
  EXPECT_EQ(From("office", 640), 640);
  rates_.Bar("barred");
  limits_.connections_per_second.Change(1);
  now_ += std::chrono::seconds(9);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(rates_.Take("barred"), Verdict::kBarred);
  now_ += std::chrono::seconds(1);
  EXPECT_EQ(rates_.Take("barred"), Verdict::kTaken);
}

TEST_F(ConnectionRatesTest, ManyAddressesTakeBoundedMemory) {
  limits_.connections_per_second.Change(0);
  for (int i = 0; i < 300'000; ++i) {
    const std::string address = std::to_string(i);
    rates_.Take(address);
    rates_.Proved(address);
    if (i % 1000 != 0) rates_.ProvenOneClosed(address);
  }
  EXPECT_LE(rates_.addresses(), 2 * size_t{65536} + 300);
}

// A relay that was started again knows nobody: ten thousand clients, each from an address of its
// own, all come within a second, while it finishes no more than a thousand handshakes and sessions
// a second. They come again as gRPC's channels do. That all are there soon is one thing; the other
// is that few enough are under way that none is ended for the others.
TEST_F(ConnectionRatesTest, TenThousandComeBackAfterARestart) {
  constexpr int kClients = 10'000;
  constexpr double kEach = 0.001;
  using Event = std::tuple<double, int, double>;  // when, who, how long it waits if refused
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events;
  std::mt19937 random;
  for (int i = 0; i < kClients; ++i) {
    events.emplace(std::uniform_real_distribution(0.0, 1.0)(random), i, 1.0);
  }
  const ConnectionRates::Time begin = now_;
  const auto at = [&](double seconds) {
    now_ = begin + std::chrono::duration_cast<ConnectionRates::Time::duration>(
                       std::chrono::duration<double>(seconds));
  };
  std::queue<std::pair<double, int>> under_way;  // until when
  size_t most = 0;
  double over = 0;
  const auto finish_until = [&](double time) {
    while (!under_way.empty() && under_way.front().first <= time) {
      at(under_way.front().first);
      rates_.Proved("client " + std::to_string(under_way.front().second));
      under_way.pop();
    }
  };
  while (!events.empty()) {
    const auto [time, client, wait] = events.top();
    events.pop();
    finish_until(time);
    at(time);
    if (rates_.Take("client " + std::to_string(client)) == Verdict::kTaken) {
      over = std::max(over, time) + kEach;
      under_way.emplace(over, client);
      most = std::max(most, under_way.size());
    } else {
      const double spread = std::uniform_real_distribution(0.8, 1.2)(random);
      events.emplace(time + wait * spread, client, std::min(1.6 * wait, 120.0));
    }
  }
  EXPECT_LT(over, 25) << "where the handshakes alone take ten seconds";
  EXPECT_LT(most, size_t{limits_.max_unproven_connections});
}

}  // namespace
}  // namespace parley::server
