// Groups that continue others (RFC 9420 sections 11.2 and 11.3).
#include "crypto/mls/continuation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/mls/forging.h"
#include "crypto/mls/testing.h"

namespace parley::mls {
namespace {

using namespace testing;  // NOLINT
using ::testing::HasSubstr;

class Continuation : public ::testing::Test {
 protected:
  void SetUp() override { old_ = NewGroups(3); }

  static GroupOptions Own(std::string_view name, std::string_view group_id) {
    return {.suite = CipherSuiteId::k0x0003,
            .group_id = ToBytes(group_id),
            .identity = ToBytes(name),
            .capabilities = Capabilities::Default(CipherSuiteId::k0x0003, {kRosterExtension})};
  }
  static GroupOptions OwnFor(CipherSuiteId suite, std::string_view name) {
    return {.suite = suite,
            .identity = ToBytes(name),
            .capabilities = Capabilities::Default(suite, {kRosterExtension})};
  }

  // A commit that ends the old group, taken by all.
  void End(const ReInit& reinit) {
    CommitToAll(old_, 0, Must(old_[0].PrepareCommit({.reinit = reinit})));
  }

  // A first commit like Group::Branch's, with anything in it.
  PreparedCommit ForgeFirst(const GroupOptions& own, const std::vector<Bytes>& adds,
                            std::vector<PreSharedKeyId> links) {
    Group group = Must(Group::Create(own));
    CommitOptions options{.adds = adds};
    for (PreSharedKeyId& link : links) {
      link.psk_nonce = Bytes(group.state().suite->hash_size(), 7);
      link.psk_group_id = old_[0].group_id();
      options.psks.push_back({link, old_[0].ResumptionPsk()});
    }
    group.mutable_state().starts_continuation = true;
    return Must(group.PrepareCommit(options));
  }
  PreSharedKeyId Link(ResumptionPskUsage usage) {
    return {.type = PskType::kResumption, .usage = usage, .psk_epoch = old_[0].epoch()};
  }

  static absl::Status JoinStatus(const PreparedCommit& first, const KeyPackageBundle& bundle,
                                 const Group* continues) {
    KeyPackageBundle copy = Must(KeyPackageBundle::Parse(bundle.SerializeSecret().Reveal()));
    return Group::Join(*first.welcome, std::move(copy), {.continues = continues}).status();
  }

  std::vector<Group> old_;
};

TEST_F(Continuation, SomeMembersBranchOff) {
  KeyPackageBundle one = NewKeyPackage("1");
  PreparedCommit first =
      Must(old_[0].Branch({.group = Own("0", "a branch"), .adds = {one.message()}}));
  Group joined = Must(Group::Join(*first.welcome, std::move(one), {.continues = &old_[1]}));
  EXPECT_EQ(joined.epoch(), 1u);
  EXPECT_EQ(joined.group_id(), ToBytes("a branch"));
  std::vector<Group> branch;
  branch.push_back(std::move(first.next));
  branch.push_back(std::move(joined));
  ExpectAgreement(branch);
  ExpectHeard(branch, 1, "between us");
  // The group that it comes from goes on.
  ExpectHeard(old_, 2, "where are they?");
}

TEST_F(Continuation, BranchAfterTheGroupHasMovedOn) {
  KeyPackageBundle one = NewKeyPackage("1");
  PreparedCommit first =
      Must(old_[0].Branch({.group = Own("0", "a branch"), .adds = {one.message()}}));
  for (size_t i : {0, 1, 2}) CommitToAll(old_, i, Must(old_[i].PrepareCommit()));
  EXPECT_TRUE(JoinStatus(first, one, &old_[1]).ok());
}

TEST_F(Continuation, BranchOfAStrangerIsRefused) {
  KeyPackageBundle eve = NewKeyPackage("eve");
  EXPECT_EQ(
      old_[0].Branch({.group = Own("0", "a branch"), .adds = {eve.message()}}).status().code(),
      absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(old_[0].Branch({.group = Own("0", "a group")}).status().code(),
            absl::StatusCode::kInvalidArgument);
  // By a member that doesn't care.
  KeyPackageBundle one = NewKeyPackage("1");
  PreparedCommit forged = ForgeFirst(Own("0", "a branch"), {one.message(), eve.message()},
                                     {Link(ResumptionPskUsage::kBranch)});
  EXPECT_EQ(JoinStatus(forged, one, &old_[1]).code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(Continuation, BranchOfAnotherSuiteIsRefused) {
  KeyPackageBundle one = NewKeyPackage("1", CipherSuiteId::kParley);
  GroupOptions own = OwnFor(CipherSuiteId::kParley, "0");
  own.group_id = ToBytes("a branch");
  PreparedCommit forged = ForgeFirst(own, {one.message()}, {Link(ResumptionPskUsage::kBranch)});
  EXPECT_THAT(std::string(JoinStatus(forged, one, &old_[1]).message()),
              HasSubstr("another version or cipher suite"));
}

TEST_F(Continuation, NewGroupMustBeInEpochOne) {
  KeyPackageBundle one = NewKeyPackage("1");
  Group group = Must(Group::Create(Own("0", "a branch")));
  PreparedCommit first = Must(group.PrepareCommit());
  group = std::move(first.next);
  // Only a first commit may have such a PSK.
  PreSharedKeyId link = Link(ResumptionPskUsage::kBranch);
  link.psk_group_id = old_[0].group_id();
  link.psk_nonce = Bytes(32, 7);
  CommitOptions options{.adds = {one.message()}};
  options.psks.push_back({link, old_[0].ResumptionPsk()});
  EXPECT_FALSE(group.PrepareCommit(options).ok());
  GroupContext context = group.state().context;
  ASSERT_EQ(context.epoch, 1u);
  EXPECT_TRUE(CheckContinuation(old_[0].state(), link, context, group.state().tree, {}).ok());
  context.epoch = 2;
  EXPECT_EQ(CheckContinuation(old_[0].state(), link, context, group.state().tree, {}).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(Continuation, OnlyOneGroupIsContinued) {
  KeyPackageBundle one = NewKeyPackage("1");
  PreSharedKeyId other = Link(ResumptionPskUsage::kBranch);
  other.psk_epoch = 0;
  PreparedCommit forged =
      ForgeFirst(Own("0", "a branch"), {one.message()}, {Link(ResumptionPskUsage::kBranch), other});
  EXPECT_THAT(std::string(JoinStatus(forged, one, &old_[1]).message()), HasSubstr("two groups"));
}

TEST_F(Continuation, GroupThatIsContinuedMustBeAtHand) {
  KeyPackageBundle one = NewKeyPackage("1");
  PreparedCommit first =
      Must(old_[0].Branch({.group = Own("0", "a branch"), .adds = {one.message()}}));
  EXPECT_EQ(JoinStatus(first, one, nullptr).code(), absl::StatusCode::kFailedPrecondition);
  const Group stranger = Must(Group::Create(Own("1", "quite another")));
  EXPECT_EQ(JoinStatus(first, one, &stranger).code(), absl::StatusCode::kFailedPrecondition);
  // The same group by name, but not its secrets.
  std::vector<Group> namesakes = NewGroups(3);
  EXPECT_EQ(JoinStatus(first, one, &namesakes[1]).code(), absl::StatusCode::kUnauthenticated);
}

TEST_F(Continuation, AllMembersReinitializeWithAnotherSuite) {
  const CipherSuiteId suite = CipherSuiteId::kParley;
  const ReInit reinit{.group_id = ToBytes("next"),
                      .suite = suite,
                      .extensions = {{kRosterExtension, ToBytes("who")}}};
  EXPECT_EQ(old_[0].Reinitialize({}).status().code(), absl::StatusCode::kFailedPrecondition);
  // Proposed by one, committed by another, recreated by a third.
  const Bytes proposal = Must(old_[1].Propose(Proposal{reinit}, {.public_message = true}));
  for (size_t i : {0, 2}) ASSERT_TRUE(old_[i].Process(proposal).ok());
  CommitToAll(old_, 0, Must(old_[0].PrepareCommit()));
  for (Group& group : old_) {
    ASSERT_NE(group.ended_by(), nullptr);
    EXPECT_EQ(*group.ended_by(), reinit);
    EXPECT_FALSE(group.Protect(ViewOf("too late")).ok());
    EXPECT_FALSE(group.ProposeUpdate().ok());
    EXPECT_FALSE(group.PrepareCommit().ok());
  }
  KeyPackageBundle zero = NewKeyPackage("0", suite);
  KeyPackageBundle one = NewKeyPackage("1", suite);
  PreparedCommit first = Must(
      old_[2].Reinitialize({.group = OwnFor(suite, "2"), .adds = {zero.message(), one.message()}}));
  std::vector<Group> next;
  next.push_back(std::move(first.next));
  next.push_back(Must(Group::Join(*first.welcome, std::move(zero), {.continues = &old_[0]})));
  next.push_back(Must(Group::Join(*first.welcome, std::move(one), {.continues = &old_[1]})));
  ExpectAgreement(next);
  ExpectHeard(next, 2, "here we are again");
  EXPECT_EQ(next[1].suite(), suite);
  EXPECT_EQ(next[1].extensions(), reinit.extensions);
}

TEST_F(Continuation, ReinitializedGroupMustBeWhatWasAgreed) {
  const ReInit reinit{.group_id = ToBytes("next"), .suite = CipherSuiteId::k0x0003};
  KeyPackageBundle one = NewKeyPackage("1");
  KeyPackageBundle two = NewKeyPackage("2");
  const std::vector<Bytes> both = {one.message(), two.message()};
  // Before it was agreed.
  PreparedCommit early = ForgeFirst(Own("0", "next"), both, {Link(ResumptionPskUsage::kReinit)});
  EXPECT_EQ(JoinStatus(early, one, &old_[1]).code(), absl::StatusCode::kFailedPrecondition);
  const uint64_t before = old_[0].epoch();
  End(reinit);
  const PreSharedKeyId link = Link(ResumptionPskUsage::kReinit);
  EXPECT_TRUE(JoinStatus(ForgeFirst(Own("0", "next"), both, {link}), one, &old_[1]).ok());

  const auto expect_another = [&](const PreparedCommit& first, const KeyPackageBundle& joiner) {
    const absl::Status status = JoinStatus(first, joiner, &old_[1]);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("what the ReInit said"));
  };
  expect_another(ForgeFirst(Own("0", "another"), both, {link}), one);
  GroupOptions extended = Own("0", "next");
  extended.extensions = {{kRosterExtension, {}}};
  expect_another(ForgeFirst(extended, both, {link}), one);
  // With all the members, for a suite that is as good.
  const CipherSuiteId suite = CipherSuiteId::kParley;
  KeyPackageBundle other_one = NewKeyPackage("1", suite);
  GroupOptions other = OwnFor(suite, "0");
  other.group_id = reinit.group_id;
  expect_another(
      ForgeFirst(other, {other_one.message(), NewKeyPackage("2", suite).message()}, {link}),
      other_one);
  // Without one of the members.
  EXPECT_EQ(JoinStatus(ForgeFirst(Own("0", "next"), {one.message()}, {link}), one, &old_[1]).code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(old_[0].Reinitialize({.group = Own("0", ""), .adds = {one.message()}}).status().code(),
            absl::StatusCode::kPermissionDenied);
  // Of an epoch before the end.
  PreSharedKeyId late = link;
  late.psk_epoch = before;
  EXPECT_EQ(JoinStatus(ForgeFirst(Own("0", "next"), both, {late}), one, &old_[1]).code(),
            absl::StatusCode::kFailedPrecondition);
}

// Whoever has a member's key package can make a group of the agreed name; only members have the
// PSK.
TEST_F(Continuation, WelcomeMustContinueTheGroupThatItShould) {
  const KeyPackageBundle one = NewKeyPackage("1");
  const PreparedCommit before = ForgeFirst(Own("0", "next"), {one.message()}, {});
  EXPECT_TRUE(JoinStatus(before, one, nullptr).ok());
  EXPECT_THAT(std::string(JoinStatus(before, one, &old_[1]).message()),
              HasSubstr("doesn't continue the group"));
  End({.group_id = ToBytes("next"), .suite = CipherSuiteId::k0x0003});
  const std::vector<Bytes> both = {one.message(), NewKeyPackage("2").message()};
  EXPECT_THAT(
      std::string(JoinStatus(ForgeFirst(Own("0", "next"), both, {}), one, &old_[1]).message()),
      HasSubstr("doesn't continue the group"));
  // A branch needn't have all the members.
  EXPECT_THAT(std::string(JoinStatus(ForgeFirst(Own("0", "next"), {one.message()},
                                                {Link(ResumptionPskUsage::kBranch)}),
                                     one, &old_[1])
                              .message()),
              HasSubstr("in place of the group"));
}

TEST_F(Continuation, ReinitializedGroupMustBeOfTheAgreedVersion) {
  // A later version, which others may have agreed on and nobody speaks yet, and a group of the
  // present one.
  End({.group_id = ToBytes("next"), .suite = CipherSuiteId::k0x0003});
  old_[1].mutable_state().reinit->version = ProtocolVersion{2};
  KeyPackageBundle one = NewKeyPackage("1");
  const absl::Status status =
      JoinStatus(ForgeFirst(Own("0", "next"), {one.message(), NewKeyPackage("2").message()},
                            {Link(ResumptionPskUsage::kReinit)}),
                 one, &old_[1]);
  EXPECT_THAT(std::string(status.message()), HasSubstr("what the ReInit said"));
}

TEST_F(Continuation, LinksAreForFirstCommitsOnly) {
  for (ResumptionPskUsage usage : {ResumptionPskUsage::kBranch, ResumptionPskUsage::kReinit}) {
    PreSharedKeyId id = Link(usage);
    id.psk_group_id = old_[0].group_id();
    id.psk_nonce = Bytes(32, 7);
    EXPECT_EQ(old_[0].ProposePsk(id).status().code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST_F(Continuation, ResumptionPskOfAnotherGroupIsMixedIn) {
  // Not a continuation: usage application, for members of both groups.
  std::vector<Group> other = NewGroups(3);
  PreSharedKeyId id{.type = PskType::kResumption,
                    .psk_group_id = ToBytes("the other"),
                    .psk_epoch = other[0].epoch()};
  id.psk_nonce = Bytes(32, 7);
  CommitOptions options;
  options.psks.push_back({id, other[0].ResumptionPsk()});
  PreparedCommit commit = Must(old_[0].PrepareCommit(options));
  EXPECT_EQ(old_[1].Process(commit.message).status().code(), absl::StatusCode::kFailedPrecondition);
  for (size_t i : {1u, 2u}) {
    const PskLookup lookup = [&, i](const PreSharedKeyId& asked) -> std::optional<Secret> {
      if (!(asked == id)) return std::nullopt;
      return other[i].ResumptionPsk();
    };
    Received received = Must(old_[i].Process(commit.message, {.psks = lookup}));
    old_[i] = Must(std::move(std::get<StagedCommit>(received)).Next());
  }
  old_[0] = std::move(commit.next);
  ExpectAgreement(old_);
}

}  // namespace
}  // namespace parley::mls
