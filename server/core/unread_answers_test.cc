#include "server/core/unread_answers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace parley::server {
namespace {

TEST(UnreadAnswersTest, TicketsCountForAsLongAsTheyExist) {
  UnreadAnswers unread(100);
  auto never = [] { ADD_FAILURE() << "given up within the bound"; };
  UnreadAnswers::Ticket first = unread.Add("a", 60, never);
  {
    UnreadAnswers::Ticket second = unread.Add("b", 40, never);
    EXPECT_EQ(unread.BytesForTest(), 100u);
  }
  EXPECT_EQ(unread.BytesForTest(), 60u);
  UnreadAnswers::Ticket moved = std::move(first);
  EXPECT_EQ(unread.BytesForTest(), 60u);
  moved = unread.Add("a", 40, never);
  EXPECT_EQ(unread.BytesForTest(), 40u);
  moved = {};
  EXPECT_EQ(unread.BytesForTest(), 0u);
}

TEST(UnreadAnswersTest, WhoHoldsMostLosesWhatHasWaitedLongest) {
  UnreadAnswers unread(100);
  std::vector<int> given_up;
  auto add = [&](const char* holder, size_t bytes, int number) {
    return unread.Add(holder, bytes, [&given_up, number] { given_up.push_back(number); });
  };
  // The honest one's answer is the oldest of all.
  UnreadAnswers::Ticket honest = add("honest", 30, 0);
  std::vector<UnreadAnswers::Ticket> attack;
  for (int i = 1; i <= 3; ++i) attack.push_back(add("attacker", 20, i));
  EXPECT_TRUE(given_up.empty());
  attack.push_back(add("attacker", 20, 4));
  EXPECT_EQ(given_up, std::vector<int>({1}));
  // Another one who comes pays with the attacker's, too.
  UnreadAnswers::Ticket late = add("late", 30, 5);
  EXPECT_EQ(given_up, std::vector<int>({1, 2}));
  EXPECT_EQ(unread.BytesForTest(), 100u);
  // What was given up is counted once.
  attack.clear();
  EXPECT_EQ(unread.BytesForTest(), 60u);
}

TEST(UnreadAnswersTest, AnAnswerThatIsTooLargeAloneIsGivenUp) {
  UnreadAnswers unread(100);
  bool given_up = false;
  UnreadAnswers::Ticket ticket = unread.Add("a", 101, [&] { given_up = true; });
  EXPECT_TRUE(given_up);
  EXPECT_EQ(unread.BytesForTest(), 0u);
}

TEST(UnreadAnswersTest, ManyThreadsKeepTheBound) {
  UnreadAnswers unread(1000);
  std::atomic<int> given_up = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const std::string holder = t % 2 == 0 ? "even" : "odd";
      std::vector<UnreadAnswers::Ticket> tickets;
      for (int i = 0; i < 2000; ++i) {
        tickets.push_back(unread.Add(holder, 10, [&] { ++given_up; }));
        EXPECT_LE(unread.BytesForTest(), 1000u);
        if (i % 3 == 0) tickets.erase(tickets.begin());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(given_up, 0);
  EXPECT_EQ(unread.BytesForTest(), 0u);
}

}  // namespace
}  // namespace parley::server
