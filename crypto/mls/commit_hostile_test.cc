// Commits by a hostile member: each breaks one rule, with everything else in order, and must be
// refused by that rule, leaving the group as it was.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/mls/hostile_commit_testing.h"

namespace parley::mls {
namespace {

using namespace testing;  // NOLINT
using ::testing::HasSubstr;

TEST_F(HostileCommit, HonestOneIsAccepted) {
  const Bytes message = Forge([](Commit&) {});
  EXPECT_TRUE(groups_[1].Process(message).ok());
}

TEST_F(HostileCommit, WrongPathSecret) {
  // To members 2 and 3 another secret than the path's keys come from.
  const Bytes message = Forge([&](Commit& commit) {
    std::vector<HpkeCiphertext>& sealed = commit.path->nodes[1].encrypted_path_secret;
    const auto steps = groups_[0].state().tree.FilteredDirectPath(LeafIndex(0));
    RatchetTree after = groups_[0].state().tree;
    ASSERT_TRUE(MergeUpdatePath(suite(), *commit.path, LeafIndex(0), {}, after).ok());
    GroupContext context = groups_[0].state().context;
    ++context.epoch;
    context.tree_hash = after.TreeHash();
    const auto resolution = after.Resolution(steps[1].copath_child);
    for (size_t i = 0; i < sealed.size(); ++i) {
      sealed[i] =
          Must(EncryptWithLabel(suite(), *after.EncryptionKey(resolution[i]), "UpdatePathNode",
                                crypto::Serialize(context), Bytes(32, 9)));
    }
  });
  for (size_t i : {2, 3}) {
    const absl::Status status = groups_[i].Process(message).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("doesn't fit the tree's public keys"));
  }
}

TEST_F(HostileCommit, PathSecretOfTheWrongSize) {
  const Bytes message = Forge([&](Commit& commit) {
    RatchetTree after = groups_[0].state().tree;
    ASSERT_TRUE(MergeUpdatePath(suite(), *commit.path, LeafIndex(0), {}, after).ok());
    GroupContext context = groups_[0].state().context;
    ++context.epoch;
    context.tree_hash = after.TreeHash();
    commit.path->nodes[0].encrypted_path_secret[0] =
        Must(EncryptWithLabel(suite(), after.leaf(LeafIndex(1))->encryption_key, "UpdatePathNode",
                              crypto::Serialize(context), Bytes(5, 9)));
  });
  const absl::Status status = groups_[1].Process(message).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("wrong size"));
}

TEST_F(HostileCommit, CiphertextThatDoesNotOpen) {
  const Bytes message = Forge([&](Commit& commit) {
    for (UpdatePathNode& node : commit.path->nodes) {
      for (HpkeCiphertext& sealed : node.encrypted_path_secret) sealed.ciphertext[3] ^= 1;
    }
  });
  ExpectRefused(message, absl::StatusCode::kUnauthenticated, "");
}

TEST_F(HostileCommit, WrongParentHash) {
  ExpectInvalid(Forge([&](Commit& commit) {
                  commit.path->leaf_node.parent_hash[0] ^= 1;
                  MendPath(groups_[0], *commit.path, false);
                }),
                "wrong parent hash");
}

TEST_F(HostileCommit, LeafSignatureDoesNotFit) {
  ASSERT_TRUE(groups_[1].Process(ForgeWholeCommit(groups_[0], {})).ok());
  ExpectRefused(
      ForgeWholeCommit(groups_[0], {.leaf = [](LeafNode& leaf) { leaf.signature[9] ^= 1; }}),
      absl::StatusCode::kUnauthenticated, "signature doesn't verify");
}

TEST_F(HostileCommit, PathTooShortOrTooLong) {
  ExpectInvalid(Forge([](Commit& commit) { commit.path->nodes.pop_back(); }), "wrong length");
  ExpectInvalid(
      Forge([](Commit& commit) { commit.path->nodes.push_back(commit.path->nodes.back()); }),
      "wrong length");
}

TEST_F(HostileCommit, WrongNumberOfCiphertexts) {
  ExpectInvalid(
      Forge([](Commit& commit) { commit.path->nodes[1].encrypted_path_secret.pop_back(); }),
      "wrong number of ciphertexts");
}

TEST_F(HostileCommit, PathKeyThatTheKemRefuses) {
  ExpectInvalid(Forge([&](Commit& commit) {
                  commit.path->nodes[0].encryption_key = Bytes(32, 0);
                  MendPath(groups_[0], *commit.path);
                }),
                "");
}

TEST_F(HostileCommit, PathKeyThatIsInTheTreeAlready) {
  ExpectInvalid(Forge([&](Commit& commit) {
                  commit.path->nodes[0].encryption_key =
                      groups_[0].FindMember(LeafIndex(3))->encryption_key;
                  MendPath(groups_[0], *commit.path);
                }),
                "appears twice");
  ExpectInvalid(Forge([&](Commit& commit) {
                  commit.path->nodes[0].encryption_key = commit.path->nodes[1].encryption_key;
                  MendPath(groups_[0], *commit.path);
                }),
                "appears twice");
}

TEST_F(HostileCommit, LeafThatKeepsItsKey) {
  ExpectInvalid(Forge([&](Commit& commit) {
                  commit.path->leaf_node.encryption_key =
                      groups_[0].FindMember(LeafIndex(0))->encryption_key;
                  MendPath(groups_[0], *commit.path);
                }),
                "keeps its leaf's encryption key");
}

TEST_F(HostileCommit, LeafWithAnothersSignatureKey) {
  // Member 0 and member 3 are in league and share a signature key.
  ExpectInvalid(Forge([&](Commit& commit) {
                  LeafNode& leaf = commit.path->leaf_node;
                  leaf.signature_key = groups_[3].FindMember(LeafIndex(3))->signature_key;
                  SignLeafNode(groups_[3].state().signature_key,
                               groups_[0].state().place(LeafIndex(0)), leaf);
                }),
                "appears twice");
}

TEST_F(HostileCommit, LeafOfAnotherSource) {
  ExpectInvalid(Forge([&](Commit& commit) {
                  commit.path->leaf_node.source = LeafNodeSource::kUpdate;
                  MendPath(groups_[0], *commit.path, false);
                }),
                "wasn't made for a commit");
}

TEST_F(HostileCommit, LeafWithAnExtensionItDoesNotSupport) {
  ExpectInvalid(Forge([&](Commit& commit) {
                  commit.path->leaf_node.extensions.push_back({ExtensionType{0xF0FF}, {}});
                  MendPath(groups_[0], *commit.path);
                }),
                "extension it doesn't support");
}

TEST_F(HostileCommit, LeafThatNoLongerSupportsWhatIsInUse) {
  ExpectInvalid(Forge([&](Commit& commit) {
                  commit.path->leaf_node.capabilities.credentials = {CredentialType::kX509};
                  MendPath(groups_[0], *commit.path);
                }),
                "credential it doesn't support");
}

TEST_F(HostileCommit, NoPathWhereOneIsNeeded) {
  ExpectInvalid(Forge([](Commit& commit) { commit.path.reset(); }), "without the path");
  ExpectInvalid(Forge([](Commit& commit) { commit.path.reset(); }, {.removes = {LeafIndex(3)}}),
                "without the path");
}

TEST_F(HostileCommit, RemovesItself) {
  ExpectInvalid(ForgeProposals({{Remove{LeafIndex(0)}}}), "its own committer");
}

TEST_F(HostileCommit, UpdatesItself) {
  LeafNode leaf = groups_[0].state().own_leaf_node();
  leaf.encryption_key = suite().kem().GenerateKeyPair().public_key;
  leaf.source = LeafNodeSource::kUpdate;
  SignLeafNode(groups_[0].state().signature_key, groups_[0].state().place(LeafIndex(0)), leaf);
  ExpectInvalid(ForgeProposals({{Update{leaf}}}), "its own committer");
}

TEST_F(HostileCommit, RemovesWhoIsNotThere) {
  ExpectInvalid(ForgeProposals({{Remove{LeafIndex(77)}}}), "not there");
  ExpectInvalid(ForgeProposals({{Remove{LeafIndex(UINT32_MAX)}}}), "not there");
}

TEST_F(HostileCommit, ChangesOneLeafTwice) {
  ExpectInvalid(ForgeProposals({{Remove{LeafIndex(2)}}, {Remove{LeafIndex(2)}}}), "twice");
}

TEST_F(HostileCommit, SetsExtensionsTwice) {
  ExpectInvalid(ForgeProposals({{GroupContextExtensions{}}, {GroupContextExtensions{}}}), "twice");
}

TEST_F(HostileCommit, SetsAnExtensionThatIsNotSupported) {
  ExpectInvalid(Forge(
                    [](Commit& commit) {
                      auto& proposal = std::get<Proposal>(commit.proposals[0].body);
                      std::get<GroupContextExtensions>(proposal.body).extensions = {
                          {ExtensionType{0xF0FF}, {}}};
                    },
                    {.extensions = Extensions{}}),
                "doesn't support");
}

TEST_F(HostileCommit, RepeatsAnExtension) {
  ExpectInvalid(ForgeProposals(
                    {{GroupContextExtensions{{{kRosterExtension, {1}}, {kRosterExtension, {2}}}}}}),
                "one type twice");
}

TEST_F(HostileCommit, FloodsTheGroupWithExtensions) {
  GroupContextExtensions many;
  for (uint16_t i = 0; i < 300; ++i) many.extensions.push_back({ExtensionType(0xF100 + i), {}});
  ExpectInvalid(ForgeProposals({{many}}), "too long");
}

TEST_F(HostileCommit, ReInitWithSomethingElse) {
  ReInit reinit{.group_id = ToBytes("next"), .suite = CipherSuiteId::k0x0003};
  ExpectInvalid(ForgeProposals({{reinit}, {Remove{LeafIndex(2)}}}), "ReInit");
}

TEST_F(HostileCommit, ExternalInitByAMember) {
  ExpectInvalid(ForgeProposals({{ExternalInit{Bytes(32, 9)}}}), "ExternalInit");
}

TEST_F(HostileCommit, PskTwiceOrWithAShortNonce) {
  PreSharedKeyId id = PreSharedKeyId::External(suite(), ToBytes("id"));
  ExpectInvalid(ForgeProposals({{PreSharedKey{id}}, {PreSharedKey{id}}}), "one PSK twice");
  id.psk_nonce.pop_back();
  ExpectInvalid(ForgeProposals({{PreSharedKey{id}}}), "nonce");
}

TEST_F(HostileCommit, ResumptionPskForAnotherUse) {
  PreSharedKeyId id{.type = PskType::kResumption, .usage = ResumptionPskUsage::kBranch};
  id.psk_nonce = Bytes(32, 1);
  ExpectInvalid(ForgeProposals({{PreSharedKey{id}}}), "for another use");
}

TEST_F(HostileCommit, AddsWhoIsThereAlready) {
  // Key packages of one leaf, twice in one commit.
  KeyPackageBundle dora = NewKeyPackage("dora");
  ExpectInvalid(Forge(
                    [&](Commit& commit) {
                      commit.proposals.push_back({Proposal{Add{dora.key_package()}}});
                      commit.path.reset();
                    },
                    {.adds = {dora.message()}}),
                "appears twice");
}

TEST_F(HostileCommit, AddsWithADamagedKeyPackage) {
  KeyPackageBundle dora = NewKeyPackage("dora");
  const auto with = [&](const std::function<void(KeyPackage&)>& damage) {
    KeyPackage damaged = dora.key_package();
    damage(damaged);
    return ForgeProposals({{Add{damaged}}});
  };
  ExpectRefused(with([](KeyPackage& k) { k.signature[0] ^= 1; }),
                absl::StatusCode::kUnauthenticated, "");
  ExpectRefused(with([](KeyPackage& k) { k.leaf_node.signature[0] ^= 1; }),
                absl::StatusCode::kUnauthenticated, "");
  ExpectInvalid(with([](KeyPackage& k) { k.suite = CipherSuiteId::kParley; }),
                "another cipher suite");
  ExpectInvalid(with([](KeyPackage& k) { k.init_key = k.leaf_node.encryption_key; }),
                "two purposes");
  ExpectInvalid(with([](KeyPackage& k) { k.version = ProtocolVersion{2}; }), "version");
  ExpectInvalid(with([](KeyPackage& k) { k.leaf_node.source = LeafNodeSource::kUpdate; }),
                "wasn't made for a key package");
}

TEST_F(HostileCommit, NamesAProposalThatNobodySaw) {
  ExpectRefused(Forge([](Commit& commit) { commit.proposals.push_back({ProposalRef(32, 5)}); }),
                absl::StatusCode::kFailedPrecondition, "was not received");
}

TEST_F(HostileCommit, WrongConfirmationTag) {
  PreparedCommit honest = Must(groups_[0].PrepareCommit({.public_message = true}));
  MlsMessage message = Must(crypto::Parse<MlsMessage>(honest.message));
  auto& in_public = std::get<PublicMessage>(message.body);
  in_public.auth.confirmation_tag[0] ^= 1;
  const GroupState& state = groups_[0].state();
  AuthenticatedContent content{.wire_format = WireFormat::kPublicMessage,
                               .content = std::move(in_public.content),
                               .auth = std::move(in_public.auth)};
  const Bytes forged = crypto::Serialize(MlsMessage{
      ProtectPublic(suite(), state.secrets.membership, state.context, std::move(content))});
  ExpectRefused(forged, absl::StatusCode::kUnauthenticated, "");
}

TEST_F(HostileCommit, ByWhoHasBeenRemoved) {
  PreparedCommit removal = Must(groups_[1].PrepareCommit({.removes = {LeafIndex(0)}}));
  // What member 0 sends after the removal, still in the old epoch, by its own keys of then.
  const Bytes late = Must(groups_[0].PrepareCommit()).message;
  const Bytes late_text = Must(groups_[0].Protect(ViewOf("still here?")));
  groups_.erase(groups_.begin());
  CommitToAll(groups_, 0, std::move(removal));
  for (Group& group : groups_) {
    for (const Bytes& message : {late, late_text}) {
      const absl::Status status = group.Process(message).status();
      EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
      EXPECT_THAT(std::string(status.message()), HasSubstr("a message of epoch"));
    }
  }
}

// Whoever makes a group chooses its epoch for those whom it invites. After the last comes none, and
// not the first again.
TEST_F(HostileCommit, TheLastEpochHasNoNext) {
  std::vector<Group>& groups = groups_;
  for (Group& group : groups) group.mutable_state().context.epoch = UINT64_MAX;
  const Secret before = groups[1].Serialize();
  EXPECT_EQ(groups[1].Process(ForgeWholeCommit(groups[0], {})).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(groups[1].PrepareCommit().status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Group::JoinExternally(Must(groups[0].GroupInfoMessage(true, true)),
                                  {.identity = ToBytes("dora")})
                .status()
                .code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(crypto::ConstantTimeEquals(before.Reveal(), groups[1].Serialize().Reveal()));
}

}  // namespace
}  // namespace parley::mls
