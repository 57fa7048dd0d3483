// Joining from outside (RFC 9420 section 12.4.3.2), by friend and foe.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/mls/forging.h"
#include "crypto/mls/testing.h"

namespace parley::mls {
namespace {

using namespace testing;  // NOLINT

class ExternalCommit : public ::testing::Test {
 protected:
  void SetUp() override {
    groups_ = NewGroups(3);
    info_ = Must(groups_[0].GroupInfoMessage(true, true));
  }

  static PreparedCommit JoinBy(const Bytes& info) {
    return Must(Group::JoinExternally(
        info, {.identity = ToBytes("dora"),
               .capabilities = Capabilities::Default(CipherSuiteId::k0x0003, {kRosterExtension})}));
  }

  // An external commit with `tamper` applied to it and signed anew by the joiner.
  absl::Status Try(const std::function<void(Commit&)>& tamper) {
    PreparedCommit honest = JoinBy(info_);
    MlsMessage message = Must(crypto::Parse<MlsMessage>(honest.message));
    auto& in_public = std::get<PublicMessage>(message.body);
    tamper(std::get<Commit>(in_public.content.body));
    in_public.auth.signature =
        SignContent(honest.next.state().signature_key, WireFormat::kPublicMessage,
                    in_public.content, groups_[0].state().context);
    return groups_[1].Process(crypto::Serialize(message)).status();
  }

  std::vector<Group> groups_;
  Bytes info_;
};

TEST_F(ExternalCommit, HonestOneIsAcceptedByAll) {
  EXPECT_TRUE(Try([](Commit&) {}).ok());
  PreparedCommit joining = JoinBy(info_);
  for (Group& group : groups_) {
    Received received = Must(group.Process(joining.message));
    group = Must(std::move(std::get<StagedCommit>(received)).Next());
  }
  groups_.push_back(std::move(joining.next));
  ExpectAgreement(groups_);
  // And the newcomer commits in turn.
  PreparedCommit removal = Must(groups_[3].PrepareCommit({.removes = {LeafIndex(0)}}));
  groups_.erase(groups_.begin());
  CommitToAll(groups_, 2, std::move(removal));
  ExpectAgreement(groups_);
}

TEST_F(ExternalCommit, ResyncRemovesTheOldLeaf) {
  const absl::Status status =
      Try([](Commit& commit) { commit.proposals.push_back({Proposal{Remove{LeafIndex(2)}}}); });
  // The honest tag doesn't fit any more: every rule before it was passed.
  EXPECT_NE(status.code(), absl::StatusCode::kFailedPrecondition) << status;
}

TEST_F(ExternalCommit, HasOneExternalInitAndNothingForbidden) {
  const KeyPackageBundle eve = NewKeyPackage("eve");
  const std::vector<std::function<void(Commit&)>> forbidden = {
      [](Commit& commit) { commit.proposals.clear(); },
      [](Commit& commit) { commit.proposals.push_back(commit.proposals[0]); },
      [&](Commit& commit) { commit.proposals.push_back({Proposal{Add{eve.key_package()}}}); },
      [](Commit& commit) { commit.proposals.push_back({Proposal{GroupContextExtensions{}}}); },
      [](Commit& commit) {
        commit.proposals.push_back({Proposal{Remove{LeafIndex(1)}}});
        commit.proposals.push_back({Proposal{Remove{LeafIndex(2)}}});
      },
      [](Commit& commit) { commit.proposals.push_back({ProposalRef(32, 1)}); },
      [](Commit& commit) { commit.path.reset(); },
  };
  for (size_t i = 0; i < forbidden.size(); ++i) {
    EXPECT_EQ(Try(forbidden[i]).code(), absl::StatusCode::kInvalidArgument) << i;
  }
}

TEST_F(ExternalCommit, GroupInfoMustBeWhole) {
  for (size_t i = 0; i < info_.size(); i += 5) {
    Bytes damaged = info_;
    damaged[i] ^= 4;
    EXPECT_FALSE(Group::JoinExternally(damaged, {.identity = ToBytes("dora")}).ok()) << i;
  }
  EXPECT_FALSE(Group::JoinExternally(Must(groups_[0].GroupInfoMessage(true, false)),
                                     {.identity = ToBytes("dora")})
                   .ok());
  EXPECT_FALSE(Group::JoinExternally(Must(groups_[0].GroupInfoMessage(false, true)),
                                     {.identity = ToBytes("dora")})
                   .ok());
}

TEST_F(ExternalCommit, OfAnEarlierEpochComesTooLate) {
  PreparedCommit joining = JoinBy(info_);
  CommitToAll(groups_, 0, Must(groups_[0].PrepareCommit()));
  EXPECT_EQ(groups_[1].Process(joining.message).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace parley::mls
