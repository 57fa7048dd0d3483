// Whatever others propose, valid by itself, a commit of all that goes together can be made, and
// everybody follows it.
#include <gtest/gtest.h>

#include "crypto/mls/external_proposal.h"
#include "crypto/mls/forging.h"
#include "crypto/mls/testing.h"

namespace parley::mls {
namespace {

using namespace testing;  // NOLINT

class ProposalSelection : public ::testing::Test {
 protected:
  void SetUp() override { groups_ = NewGroups(4); }

  // `proposal`, made by member `from` without its own checks, to everybody else.
  void Say(size_t from, const Proposal& proposal) {
    const Bytes message = ForgeProposal(groups_[from], proposal);
    for (size_t i = 0; i < groups_.size(); ++i) {
      if (i == from) continue;
      const absl::Status status = groups_[i].Process(message).status();
      ASSERT_TRUE(status.ok()) << status;
    }
  }
  // An Update of member `from` with `change` applied to its leaf, signed by `key`.
  void SayUpdate(size_t from, const std::function<void(LeafNode&)>& change,
                 const SignatureKey* key = nullptr) {
    const GroupState& state = groups_[from].state();
    LeafNode leaf = state.own_leaf_node();
    leaf.source = LeafNodeSource::kUpdate;
    leaf.encryption_key = state.suite->kem().GenerateKeyPair().public_key;
    change(leaf);
    SignLeafNode(key != nullptr ? *key : state.signature_key, state.place(state.own_leaf), leaf);
    Say(from, Proposal{Update{leaf}});
  }
  // Member 0 commits what it can; member 3 must be able to follow. Returns what was done.
  CommitChanges Commit(const CommitOptions& options = {}) {
    absl::StatusOr<PreparedCommit> commit = groups_[0].PrepareCommit(options);
    EXPECT_TRUE(commit.ok()) << commit.status();
    if (!commit.ok()) return {};
    Received received = Must(groups_[3].Process(commit->message));
    return std::get<StagedCommit>(received).changes();
  }

  std::vector<Group> groups_;
};

TEST_F(ProposalSelection, UpdateWithAnothersEncryptionKey) {
  SayUpdate(1, [&](LeafNode& leaf) {
    leaf.encryption_key = groups_[2].state().own_leaf_node().encryption_key;
  });
  EXPECT_EQ(Commit().updates.size(), 1u);  // the committer's own
}

TEST_F(ProposalSelection, UpdateWithAnothersSignatureKey) {
  // Members 1 and 2 are in league.
  const SignatureKey shared = groups_[2].state().signature_key.Clone();
  SayUpdate(
      1,
      [&](LeafNode& leaf) {
        leaf.signature_key.assign(shared.public_key().begin(), shared.public_key().end());
      },
      &shared);
  EXPECT_EQ(Commit().updates.size(), 1u);
}

TEST_F(ProposalSelection, TwoUpdatesWithOneKey) {
  const Bytes key = groups_[0].state().suite->kem().GenerateKeyPair().public_key;
  for (size_t from : {1, 2}) {
    SayUpdate(from, [&](LeafNode& leaf) { leaf.encryption_key = key; });
  }
  EXPECT_EQ(Commit().updates.size(), 2u);
}

TEST_F(ProposalSelection, LaterUpdateThatDoesNotFitLeavesTheEarlierOne) {
  SayUpdate(1, [](LeafNode& leaf) { leaf.extensions = {}; });
  SayUpdate(1, [&](LeafNode& leaf) {
    leaf.encryption_key = groups_[2].state().own_leaf_node().encryption_key;
  });
  EXPECT_EQ(Commit().updates.size(), 2u);
}

TEST_F(ProposalSelection, UpdateToACredentialThatOthersDoNotKnow) {
  SayUpdate(1, [](LeafNode& leaf) {
    leaf.credential = Credential::X509({});
    leaf.capabilities.credentials = {CredentialType::kBasic, CredentialType::kX509};
  });
  EXPECT_EQ(Commit().updates.size(), 1u);
}

TEST_F(ProposalSelection, UpdateThatForgetsWhatIsInUse) {
  SayUpdate(1, [](LeafNode& leaf) {
    leaf.credential = Credential::X509({});
    leaf.capabilities.credentials = {CredentialType::kX509};
  });
  SayUpdate(2, [](LeafNode& leaf) { leaf.capabilities.extensions.clear(); });
  const Extensions extensions = {{kRosterExtension, {}}};
  EXPECT_EQ(Commit({.extensions = extensions}).updates.size(), 1u);
}

TEST_F(ProposalSelection, PskThatNobodyHas) {
  const PreSharedKeyId id =
      PreSharedKeyId::External(*groups_[0].state().suite, ToBytes("never heard of"));
  Say(1, Proposal{PreSharedKey{id}});
  EXPECT_TRUE(Commit().psks.empty());
}

TEST_F(ProposalSelection, PskThatTheCallerBringsToo) {
  const PreSharedKeyId id = PreSharedKeyId::External(*groups_[0].state().suite, ToBytes("known"));
  Say(1, Proposal{PreSharedKey{id}});
  CommitOptions options;
  options.psks.push_back({id, Secret::CopyOf(Bytes(32, 1))});
  options.psk_lookup = [](const PreSharedKeyId&) { return Secret::CopyOf(Bytes(32, 1)); };
  EXPECT_TRUE(groups_[0].PrepareCommit(options).ok());
}

TEST_F(ProposalSelection, AddsOfWhoIsThereAlready) {
  const KeyPackageBundle dora = NewKeyPackage("dora");
  for (size_t from : {1, 2}) Say(from, Proposal{Add{dora.key_package()}});
  EXPECT_EQ(Commit().adds.size(), 1u);
  EXPECT_EQ(Commit({.adds = {dora.message()}}).adds.size(), 1u);
  // And when she is a member.
  PreparedCommit commit = Must(groups_[0].PrepareCommit());
  Received received = Must(groups_[3].Process(commit.message));
  groups_[3] = Must(std::move(std::get<StagedCommit>(received)).Next());
  groups_[0] = std::move(commit.next);
  ASSERT_TRUE(
      groups_[0].Process(ForgeProposal(groups_[3], Proposal{Add{dora.key_package()}})).ok());
  EXPECT_TRUE(Must(groups_[0].PrepareCommit()).added.empty());
}

TEST_F(ProposalSelection, ExtensionsThatTheCallersNewMemberLacks) {
  Say(1, Proposal{GroupContextExtensions{{{kRosterExtension, {1}}}}});
  const KeyPackageBundle plain =
      Must(KeyPackageBundle::Create({.suite = CipherSuiteId::k0x0003, .identity = ToBytes("p")}));
  const CommitChanges changes = Commit({.adds = {plain.message()}});
  EXPECT_EQ(changes.adds.size(), 1u);
  EXPECT_FALSE(changes.extensions.has_value());
}

TEST_F(ProposalSelection, ReInitWaitsForEverythingElse) {
  const ReInit reinit{.group_id = ToBytes("next"), .suite = CipherSuiteId::k0x0003};
  Say(1, Proposal{reinit});
  Say(2, Proposal{Remove{LeafIndex(1)}});
  EXPECT_FALSE(Commit().reinit.has_value());
  // By the caller it is meant.
  CommitOptions options;
  options.reinit = reinit;
  EXPECT_EQ(Commit(options).reinit, reinit);
}

TEST_F(ProposalSelection, ReInitAlone) {
  const ReInit reinit{.group_id = ToBytes("next"), .suite = CipherSuiteId::k0x0003};
  Say(1, Proposal{reinit});
  EXPECT_EQ(Commit().reinit, reinit);
}

// The group would have ended, and no other could take its place.
TEST_F(ProposalSelection, ReInitThatNobodyCouldFollowStaysOut) {
  const ReInit good{.group_id = ToBytes("next"), .suite = CipherSuiteId::k0x0003};
  ReInit other_suite = good;
  other_suite.suite = CipherSuiteId{0x0001};
  ReInit later_version = good;
  later_version.version = ProtocolVersion{2};
  for (const ReInit& reinit : {other_suite, later_version}) {
    // By the RFC's rules it is valid: others may be able to follow it.
    Say(1, Proposal{reinit});
    EXPECT_FALSE(Commit().reinit.has_value());
    CommitOptions options{.include = ProposalsToInclude::kListed};
    options.listed = {groups_[0].pending_proposals().back().ref};
    EXPECT_EQ(groups_[0].PrepareCommit(options).status().code(),
              absl::StatusCode::kInvalidArgument);
    options = {};
    options.reinit = reinit;
    EXPECT_EQ(groups_[0].PrepareCommit(options).status().code(),
              absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(groups_[2].Propose(Proposal{reinit}).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
  // One that can be followed is found behind them.
  Say(2, Proposal{good});
  EXPECT_EQ(Commit().reinit, good);
}

TEST_F(ProposalSelection, FloodOfEveryKind) {
  // As much as two members are allowed, all of it valid by itself.
  for (size_t from : {1u, 2u}) {
    for (size_t i = 0; i < kMaxPendingProposals / 2; ++i) {
      SayUpdate(from, [](LeafNode&) {});
      Say(from, Proposal{Add{NewKeyPackage(std::to_string(from * 1000 + i)).key_package()}});
    }
  }
  EXPECT_EQ(Commit().adds.size(), kMaxPendingProposals);
}

}  // namespace
}  // namespace parley::mls
