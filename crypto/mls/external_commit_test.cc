// Joining from outside (RFC 9420 section 12.4.3.2), by friend and foe.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/mls/forging.h"
#include "crypto/mls/testing.h"

namespace parley::mls {
namespace {

using namespace testing;  // NOLINT
using ::testing::HasSubstr;

class ExternalCommit : public ::testing::Test {
 protected:
  void SetUp() override {
    groups_ = NewGroups(3);
    info_ = Must(groups_[0].GroupInfoMessage(true, true));
  }

  static GroupOptions Options(std::string_view name) {
    return {.identity = ToBytes(name),
            .capabilities = Capabilities::Default(CipherSuiteId::k0x0003, {kRosterExtension})};
  }
  static PreparedCommit JoinBy(const Bytes& info) {
    return Must(Group::JoinExternally(info, Options("dora")));
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

  // The same with the path's leaf signed anew too, after a resync of `replaced`, if any.
  absl::Status TryPath(const std::function<void(Commit&)>& tamper,
                       std::optional<LeafIndex> replaced) {
    PreparedCommit honest = Must(
        Group::JoinExternally(info_, Options("dora"), ExternalJoinOptions{.replaces = replaced}));
    MlsMessage message = Must(crypto::Parse<MlsMessage>(honest.message));
    auto& in_public = std::get<PublicMessage>(message.body);
    Commit& commit = std::get<Commit>(in_public.content.body);
    tamper(commit);
    const GroupState& joined = honest.next.state();
    SignLeafNode(joined.signature_key, joined.place(joined.own_leaf), commit.path->leaf_node);
    in_public.auth.signature = SignContent(joined.signature_key, WireFormat::kPublicMessage,
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

TEST_F(ExternalCommit, ResyncTakesTheOldLeafsPlace) {
  PreparedCommit joining = Must(Group::JoinExternally(
      info_, Options("2 again"), ExternalJoinOptions{.replaces = LeafIndex(2)}));
  groups_.pop_back();
  for (Group& group : groups_) {
    Received received = Must(group.Process(joining.message));
    StagedCommit& staged = std::get<StagedCommit>(received);
    EXPECT_EQ(staged.changes().removes.at(0).leaf, LeafIndex(2));
    EXPECT_EQ(staged.sender(), LeafIndex(2));
    group = Must(std::move(staged).Next());
  }
  groups_.push_back(std::move(joining.next));
  ExpectAgreement(groups_);
  EXPECT_EQ(groups_[0].members().size(), 3u);
  ExpectHeard(groups_, 2, "back again");
}

TEST_F(ExternalCommit, ResyncTellsTheOldLeafThatItIsOut) {
  PreparedCommit joining = Must(Group::JoinExternally(
      info_, Options("2 again"), ExternalJoinOptions{.replaces = LeafIndex(2)}));
  Received received = Must(groups_[2].Process(joining.message));
  EXPECT_TRUE(std::get<StagedCommit>(received).changes().removes_self);
}

TEST_F(ExternalCommit, ResyncNeedsANewEncryptionKey) {
  // Section 12.2: the criteria of an Update for the removed leaf.
  const absl::Status status = TryPath(
      [&](Commit& commit) {
        commit.path->leaf_node.encryption_key = groups_[0].FindMember(LeafIndex(2))->encryption_key;
      },
      LeafIndex(2));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  // Nothing else is wrong with it.
  EXPECT_TRUE(TryPath([](Commit&) {}, LeafIndex(2)).ok());
}

TEST_F(ExternalCommit, ResyncOfNobody) {
  EXPECT_FALSE(
      Group::JoinExternally(info_, Options("x"), ExternalJoinOptions{.replaces = LeafIndex(7)})
          .ok());
  EXPECT_EQ(Try([](Commit& commit) {
              commit.proposals.push_back({Proposal{Remove{LeafIndex(7)}}});
            }).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(ExternalCommit, PsksAreMixedIn) {
  const PreSharedKeyId id = PreSharedKeyId::External(*groups_[0].state().suite, ToBytes("pass"));
  const PskLookup known = [](const PreSharedKeyId&) { return Secret::CopyOf(Bytes(32, 3)); };
  EXPECT_EQ(Group::JoinExternally(info_, Options("dora"), ExternalJoinOptions{.psks = {id}})
                .status()
                .code(),
            absl::StatusCode::kFailedPrecondition);
  PreparedCommit joining = Must(Group::JoinExternally(
      info_, Options("dora"), ExternalJoinOptions{.join = {.psks = known}, .psks = {id}}));
  EXPECT_EQ(groups_[0].Process(joining.message).status().code(),
            absl::StatusCode::kFailedPrecondition);
  const PskLookup wrong = [](const PreSharedKeyId&) { return Secret::CopyOf(Bytes(32, 4)); };
  EXPECT_EQ(groups_[0].Process(joining.message, {.psks = wrong}).status().code(),
            absl::StatusCode::kUnauthenticated);
  EXPECT_TRUE(groups_[0].Process(joining.message, {.psks = known}).ok());
}

// Sections 11.2 and 11.3: a group is linked to another by its founder's own first commit, not by
// who joins from outside before it.
TEST_F(ExternalCommit, LinkPskInEpochZero) {
  Group alone = NewGroup("alone");
  const Bytes info = Must(alone.GroupInfoMessage(true, true));
  const PskLookup known = [](const PreSharedKeyId&) { return Secret::CopyOf(Bytes(32, 3)); };
  PreSharedKeyId id{.type = PskType::kResumption,
                    .usage = ResumptionPskUsage::kApplication,
                    .psk_group_id = ToBytes("another"),
                    .psk_nonce = Bytes(32, 5)};
  const auto join = [&] {
    return Group::JoinExternally(info, Options("dora"),
                                 ExternalJoinOptions{.join = {.psks = known}, .psks = {id}});
  };
  PreparedCommit honest = Must(join());
  EXPECT_TRUE(alone.Process(honest.message, {.psks = known}).ok());
  for (ResumptionPskUsage usage : {ResumptionPskUsage::kReinit, ResumptionPskUsage::kBranch}) {
    id.usage = usage;
    EXPECT_EQ(join().status().code(), absl::StatusCode::kInvalidArgument);
    MlsMessage message = Must(crypto::Parse<MlsMessage>(honest.message));
    auto& in_public = std::get<PublicMessage>(message.body);
    std::get<Commit>(in_public.content.body).proposals.back() = {Proposal{PreSharedKey{id}}};
    in_public.auth.signature =
        SignContent(honest.next.state().signature_key, WireFormat::kPublicMessage,
                    in_public.content, alone.state().context);
    const absl::Status status = alone.Process(crypto::Serialize(message), {.psks = known}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("for another use"));
  }
}

TEST_F(ExternalCommit, TreeComesFromElsewhere) {
  const Bytes bare = Must(groups_[0].GroupInfoMessage(false, true));
  PreparedCommit joining = Must(Group::JoinExternally(
      bare, Options("dora"), JoinOptions{.ratchet_tree = groups_[1].RatchetTreeExtension()}));
  EXPECT_TRUE(groups_[1].Process(joining.message).ok());
  CommitToAll(groups_, 0, Must(groups_[0].PrepareCommit()));
  EXPECT_EQ(Group::JoinExternally(bare, Options("dora"),
                                  JoinOptions{.ratchet_tree = groups_[1].RatchetTreeExtension()})
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(ExternalCommit, GroupIdInUseIsRefused) {
  const auto in_use = [](ByteView id) { return crypto::PublicEquals(id, ViewOf("a group")); };
  EXPECT_EQ(
      Group::JoinExternally(info_, Options("dora"), JoinOptions{.in_use = in_use}).status().code(),
      absl::StatusCode::kAlreadyExists);
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
  };
  for (size_t i = 0; i < forbidden.size(); ++i) {
    EXPECT_EQ(Try(forbidden[i]).code(), absl::StatusCode::kInvalidArgument) << i;
  }
}

TEST_F(ExternalCommit, MustHaveAPath) {
  // Its leaf's key is the only one that could have signed it.
  const absl::Status status = Try([](Commit& commit) { commit.path.reset(); });
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("isn't an external commit"));
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

TEST_F(ExternalCommit, KemOutputThatDoesNotOpen) {
  for (const Bytes& kem_output : {Bytes(32, 0), Bytes(31, 9), Bytes{}}) {
    const absl::Status status = Try([&](Commit& commit) {
      std::get<ExternalInit>(std::get<Proposal>(commit.proposals[0].body).body).kem_output =
          kem_output;
    });
    EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated) << status;
  }
}

TEST_F(ExternalCommit, MustBeSignedByItsOwnLeaf) {
  MlsMessage message = Must(crypto::Parse<MlsMessage>(JoinBy(info_).message));
  auto& in_public = std::get<PublicMessage>(message.body);
  in_public.auth.signature = SignContent(SignatureKey::Generate(), WireFormat::kPublicMessage,
                                         in_public.content, groups_[0].state().context);
  EXPECT_EQ(groups_[1].Process(crypto::Serialize(message)).status().code(),
            absl::StatusCode::kUnauthenticated);
}

TEST_F(ExternalCommit, LeafMustBeGoodForTheGroup) {
  EXPECT_EQ(Try([](Commit& commit) { commit.path->leaf_node.signature[3] ^= 1; }).code(),
            absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(
      Try([](Commit& commit) { commit.path->leaf_node.source = LeafNodeSource::kUpdate; }).code(),
      absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Try([](Commit& commit) { commit.path->nodes.pop_back(); }).code(),
            absl::StatusCode::kInvalidArgument);
  const absl::Status unsupported = TryPath(
      [](Commit& commit) {
        commit.path->leaf_node.extensions.push_back({ExtensionType{0xF0FF}, {}});
      },
      std::nullopt);
  EXPECT_EQ(unsupported.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(unsupported.message()), HasSubstr("extension it doesn't support"));
  EXPECT_TRUE(TryPath([](Commit&) {}, std::nullopt).ok());
  // With the signature key of who is there already.
  const SignatureKey taken = groups_[2].state().signature_key.Clone();
  GroupOptions own = Options("twin");
  own.signature_key = &taken;
  EXPECT_EQ(Group::JoinExternally(info_, own).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(ExternalCommit, GroupInfoOfNobody) {
  MlsMessage message = Must(crypto::Parse<MlsMessage>(info_));
  auto& info = std::get<GroupInfo>(message.body);
  info.signer = 3;
  SignGroupInfo(groups_[0].state().signature_key, info);
  EXPECT_EQ(Group::JoinExternally(crypto::Serialize(message), Options("dora")).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace parley::mls
