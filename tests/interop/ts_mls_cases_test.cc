// Single cases between our members and ts-mls's, those among them where ts-mls departs from RFC
// 9420.
#include "crypto/mls/group.h"
#include "tests/interop/ts_mls_members.h"

namespace parley::interop {
namespace {

// One of each, ours having created the group.
class TsMlsCasesTest : public TsMlsTest {
 protected:
  void SetUp() override {
    TsMlsTest::SetUp();
    ours_.Create(ToBytes("a group"));
    const Commit commit =
        ours_.MakeCommit({{.kind = Wanted::kAdd, .bytes = theirs_.KeyPackage()}}, true, true);
    ours_.Accept();
    ASSERT_TRUE(theirs_.Join(commit.welcome, {}).ok());
  }

  OurMember ours_ = Ours("ours");
  TheirMember theirs_ = Theirs("theirs");
};

TEST_P(TsMlsCasesTest, ResumptionSecretsOfEarlierEpochs) {
  for (int i = 0; i < 2; ++i) {
    const Commit commit = ours_.MakeCommit({}, true, true);
    ASSERT_TRUE(theirs_.Process(commit.message).ok());
    ours_.Accept();
  }
  const Bytes by_us = ours_.Propose({.kind = Wanted::kResumption, .epoch = 2}, false);
  ASSERT_TRUE(theirs_.Process(by_us).ok());
  const Commit commit =
      theirs_.MakeCommit({{.kind = Wanted::kResumption, .epoch = 3}}, false, true);
  const absl::StatusOr<std::string> taken = ours_.Process(commit.message);
  ASSERT_TRUE(taken.ok()) << taken.status();
  theirs_.Accept();
  EXPECT_TRUE(ours_.Look() == theirs_.Look());
}

// ---- Where ts-mls 1.6.4 departs from RFC 9420 -------------------------------------------------

// Section 12.4: a commit of a GroupContextExtensions proposal needs a path; ts-mls sends none.
TEST_P(TsMlsCasesTest, TheirExtensionsComeWithoutAPath) {
  const Commit commit = theirs_.MakeCommit({{.kind = Wanted::kExtensions}}, true, true);
  EXPECT_EQ(ours_.Process(commit.message).status().code(), absl::StatusCode::kInvalidArgument);
}

// Section 12.1.7: the proposal's list replaces the group's; ts-mls keeps the old one when the new
// one is empty.
TEST_P(TsMlsCasesTest, TheyKeepExtensionsThatWereTakenAway) {
  Commit commit = ours_.MakeCommit({{.kind = Wanted::kExtensions}}, true, true);
  ASSERT_TRUE(theirs_.Process(commit.message).ok());
  ours_.Accept();
  ASSERT_TRUE(ours_.Look() == theirs_.Look());
  const absl::StatusOr<mls::PreparedCommit> without =
      ours_.group().PrepareCommit({.extensions = mls::Extensions(), .public_message = true});
  ASSERT_TRUE(without.ok()) << without.status();
  EXPECT_FALSE(theirs_.Process(without->message).ok());
}

// Section 12.4.3.1 wants each unmerged leaf to be listed by the nodes between; ts-mls wants these
// nodes to have the same list as a whole, and so refuses to join a group with unmerged leaves on
// both sides of a node.
TEST_P(TsMlsCasesTest, TheyRefuseTreesWithUnmergedLeavesHereAndThere) {
  std::vector<OurMember> members;
  std::vector<Wanted> adds;
  for (int i = 0; i < 8; ++i) {
    members.push_back(Ours(std::to_string(i)));
    if (i > 0) adds.push_back({.kind = Wanted::kAdd, .bytes = members.back().KeyPackage()});
  }
  members[0].Create(ToBytes("a group of eight"));
  const Commit first = members[0].MakeCommit(adds, true, true);
  members[0].Accept();
  for (size_t i = 1; i < 8; ++i) ASSERT_TRUE(members[i].Join(first.welcome, {}).ok());
  // Leaf 0 fills the nodes above leaf 1, and leaf 4 those above leaf 5, which have gone.
  const Commit removal = members[0].MakeCommit(
      {{.kind = Wanted::kRemove, .leaf = 1}, {.kind = Wanted::kRemove, .leaf = 5}}, true, true);
  members[0].Accept();
  ASSERT_TRUE(members[4].Process(removal.message).ok());
  members[4].MakeCommit({}, true, true);
  members[4].Accept();
  OurMember ours = Ours("another");
  TheirMember theirs = Theirs("newcomer");
  const Commit adding = members[4].MakeCommit({{.kind = Wanted::kAdd, .bytes = theirs.KeyPackage()},
                                               {.kind = Wanted::kAdd, .bytes = ours.KeyPackage()}},
                                              true, true);
  EXPECT_TRUE(ours.Join(adding.welcome, {}).ok());
  const absl::Status joined = theirs.Join(adding.welcome, {});
  EXPECT_TRUE(HasUnmergedLeavesFault(joined)) << joined;
}

// Its processMessage() forgets the pre-shared keys on the way to a PrivateMessage; the sessions
// call the two functions behind it.
TEST_P(TsMlsCasesTest, TheirCommonFunctionLosesPreSharedKeys) {
  for (const bool as_public : {true, false}) {
    const Commit commit =
        ours_.MakeCommit({{.kind = Wanted::kPsk, .bytes = NewPsk()}}, as_public, true);
    EXPECT_EQ(peer_.Try("process-either", {"theirs", Hex(commit.message)}).ok(), as_public);
    EXPECT_TRUE(theirs_.Process(commit.message).ok());
    ours_.Accept();
    EXPECT_TRUE(ours_.Look() == theirs_.Look());
  }
}

// Section 12.4.3.2: `struct { HPKEPublicKey external_pub; }`, and HPKEPublicKey is opaque<V>;
// ts-mls writes and reads the key without its length, so that nobody can join the other's group
// from outside.
TEST_P(TsMlsCasesTest, TheirExternalKeyHasNoLength) {
  const Bytes theirs = FromHex(peer_.Must("group-info", {"theirs"})[0]);
  EXPECT_EQ(
      Group::JoinExternally(theirs, {.suite = suite(), .identity = ToBytes("new")}).status().code(),
      absl::StatusCode::kInvalidArgument);
  const Bytes ours = *ours_.group().GroupInfoMessage(true, true);
  const absl::StatusOr<Words> joined = peer_.Try("join-externally", {"new", Hex(ours)});
  if (joined.ok()) {
    EXPECT_FALSE(ours_.Process(FromHex((*joined)[0])).ok());
  }
}

INSTANTIATE_TEST_SUITE_P(Suites, TsMlsCasesTest, ::testing::Values(0x0003, 0x0054));

}  // namespace
}  // namespace parley::interop
