#include "server/grpc/held_connections.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <string>
#include <vector>

namespace parley::server {
namespace {

using Marked = HeldConnections::Marked;

class HeldConnectionsTest : public testing::Test {
 protected:
  HeldConnectionsTest()
      : held_([this](const HeldConnections::Gone& gone) {
          gone_.push_back(gone.name + (gone.is_proven ? " proven" : "") +
                          (gone.is_name_free ? "" : " (another's)"));
        }) {}
  ~HeldConnectionsTest() override {
    for (const Ends& ends : open_) Close(ends);
  }

  struct Ends {
    int client;
    int relay;
  };
  static Ends NewEnds() {
    std::array<int, 2> pair{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()), 0);
    return {pair[0], pair[1]};
  }
  void Hold(const Ends& ends, const std::string& name) {
    struct stat status {};
    EXPECT_EQ(::fstat(ends.relay, &status), 0);
    held_.Add(ends.relay, status.st_ino, "address of " + name, name);
  }
  Ends Add(const std::string& name) {
    open_.push_back(NewEnds());
    Hold(open_.back(), name);
    return open_.back();
  }
  static void Close(const Ends& ends) {
    ::close(ends.client);
    ::close(ends.relay);
  }
  void AddClosed(const std::string& name) {
    const Ends ends = NewEnds();
    Hold(ends, name);
    Close(ends);
  }
  static bool IsOpen(const Ends& ends) {
    char byte = 0;
    return ::recv(ends.client, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
  }

  std::vector<std::string> gone_;
  HeldConnections held_;
  std::vector<Ends> open_;
};

TEST_F(HeldConnectionsTest, AKeyIsShownTheFirstTimeOnce) {
  const Ends first = Add("a");
  Add("b");
  EXPECT_EQ(held_.unproven(), 2u);
  std::string address;
  EXPECT_EQ(held_.MarkProven("a", &address), Marked::kFirstTime);
  EXPECT_EQ(address, "address of a");
  EXPECT_EQ(held_.MarkProven("a", &address), Marked::kAgain);
  EXPECT_EQ(held_.MarkProven("c", &address), Marked::kNotHeld);
  EXPECT_EQ(held_.unproven(), 1u);
  EXPECT_EQ(held_.size(), 2u);
  EXPECT_EQ(held_.OfAddress("address of a"), 1u);
  EXPECT_EQ(held_.OfAddress("address of c"), 0u);
  EXPECT_TRUE(IsOpen(first));
}

TEST_F(HeldConnectionsTest, TheOldestWithoutAKeyGoesFirst) {
  std::string address;
  const Ends member = Add("member");
  const Ends first = Add("first");
  const Ends second = Add("second");
  held_.MarkProven("member", &address);
  std::optional<EndingConnection> ending;
  EXPECT_TRUE(held_.RemoveOldestUnproven(ending));
  ASSERT_TRUE(ending.has_value());
  EXPECT_EQ(ending->address(), "address of first");
  EXPECT_TRUE(IsOpen(first)) << "whoever sees the end finds all done that follows from it";
  ending.reset();
  EXPECT_FALSE(IsOpen(first));
  EXPECT_TRUE(held_.RemoveOldestUnproven(ending));
  EXPECT_FALSE(held_.RemoveOldestUnproven(ending));
  ending.reset();
  EXPECT_FALSE(IsOpen(second));
  EXPECT_TRUE(IsOpen(member));
  EXPECT_EQ(held_.size(), 3u) << "until they are closed";
}

TEST_F(HeldConnectionsTest, OneThatIsClosedIsRemovedInItsPlace) {
  const Ends closed = NewEnds();
  Hold(closed, "closed");
  const Ends open = Add("open");
  Close(closed);
  std::optional<EndingConnection> ending;
  EXPECT_TRUE(held_.RemoveOldestUnproven(ending));
  EXPECT_FALSE(ending.has_value());
  EXPECT_EQ(gone_, std::vector<std::string>{"closed"});
  EXPECT_TRUE(IsOpen(open));
  EXPECT_EQ(held_.unproven(), 1u);
}

TEST_F(HeldConnectionsTest, AreEndedOnce) {
  Add("a");
  EXPECT_TRUE(held_.End("a").has_value());
  EXPECT_FALSE(held_.End("a").has_value());
  EXPECT_FALSE(held_.End("b").has_value());
  EXPECT_EQ(held_.unproven(), 0u);
  std::string address;
  EXPECT_EQ(held_.MarkProven("a", &address), Marked::kFirstTime);  // by a call that was under way
  EXPECT_EQ(held_.size(), 1u);
}

TEST_F(HeldConnectionsTest, ClosedOnesAreFound) {
  Add("open");
  AddClosed("closed");
  Close(Add("member"));
  std::string address;
  held_.MarkProven("member", &address);
  open_.pop_back();
  held_.ForgetClosed();
  EXPECT_EQ(gone_, (std::vector<std::string>{"closed", "member proven"}));
  EXPECT_EQ(held_.size(), 1u);
  EXPECT_EQ(held_.OfAddress("address of closed"), 0u);
  held_.ForgetClosed();
  EXPECT_EQ(gone_.size(), 2u);
}

// Its descriptor is the lowest that is free, and so the next one's.
TEST_F(HeldConnectionsTest, WhatHadTheDescriptorBeforeIsGone) {
  AddClosed("a");
  Add("b");
  EXPECT_EQ(gone_, std::vector<std::string>{"a"});
  EXPECT_EQ(held_.size(), 1u);
  held_.ForgetClosed();
  EXPECT_EQ(held_.size(), 1u);
}

TEST_F(HeldConnectionsTest, ANameIsItsLatestConnections) {
  const Ends earlier = NewEnds();
  Hold(earlier, "a");
  Add("a");
  Close(earlier);
  std::string address;
  EXPECT_EQ(held_.MarkProven("a", &address), Marked::kFirstTime);
  held_.ForgetClosed();
  EXPECT_EQ(gone_, std::vector<std::string>{"a (another's)"});
  EXPECT_EQ(held_.MarkProven("a", &address), Marked::kAgain);
  EXPECT_TRUE(held_.End("a").has_value());
}

}  // namespace
}  // namespace parley::server
