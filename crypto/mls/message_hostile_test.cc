// Messages by a hostile member or relay: refused, nothing changed, no key burned.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/mls/external_proposal.h"
#include "crypto/mls/forging.h"
#include "crypto/mls/group_records.h"
#include "crypto/mls/testing.h"

namespace parley::mls {
namespace {

using namespace testing;  // NOLINT
using ::testing::HasSubstr;

bool SameState(const Secret& before, const Group& group) {
  return crypto::ConstantTimeEquals(before.Reveal(), group.Serialize().Reveal());
}

TEST(HostileMessage, AnyFlippedBitIsRefusedAndBurnsNothing) {
  std::vector<Group> groups = NewGroups(3);
  std::vector<Bytes> messages;
  messages.push_back(Must(groups[0].Protect(ViewOf("the real one"), ViewOf("data"), 5)));
  messages.push_back(Must(groups[0].ProposeRemove(LeafIndex(1))));
  messages.push_back(Must(groups[0].PrepareCommit()).message);
  messages.push_back(Must(groups[0].PrepareCommit({.public_message = true})).message);
  const Secret before = groups[2].Serialize();
  for (const Bytes& message : messages) {
    for (size_t i = 0; i < message.size(); ++i) {
      Bytes damaged = message;
      damaged[i] ^= static_cast<uint8_t>(1u << (i % 8));
      ASSERT_FALSE(groups[2].Process(damaged).ok()) << i;
    }
    for (size_t size = 0; size < message.size(); ++size) {
      ASSERT_FALSE(groups[2].Process(ByteView(message).first(size)).ok());
    }
    ASSERT_TRUE(SameState(before, groups[2]));
  }
  for (const Bytes& message : messages) EXPECT_TRUE(groups[2].Process(message).ok());
}

TEST(HostileMessage, MemberSpeaksAsAnother) {
  std::vector<Group> groups = NewGroups(3);
  const Bytes forged = ForgeApplication(groups[1], LeafIndex(0), 0, "I am Mira");
  const Secret before = groups[2].Serialize();
  EXPECT_EQ(groups[2].Process(forged).status().code(), absl::StatusCode::kUnauthenticated);
  EXPECT_TRUE(SameState(before, groups[2]));
  // The real one, with the very same key, is still readable.
  ExpectHeard(groups, 0, "no, I am");
}

TEST(HostileMessage, LeafThatIsNotThere) {
  std::vector<Group> groups = NewGroups(3);
  const Bytes forged = ForgeApplication(groups[1], LeafIndex(3), 0, "nobody");
  const absl::Status status = groups[2].Process(forged).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("not there"));
}

TEST(HostileMessage, JumpsAreBoundedBeforeAnyDerivation) {
  std::vector<Group> groups = NewGroups(2);
  const Bytes at_bound = ForgeApplication(groups[1], LeafIndex(1), kMaxRatchetJump, "far");
  const Bytes beyond = ForgeApplication(groups[1], LeafIndex(1), kMaxRatchetJump + 1, "too far");
  const Secret before = groups[0].Serialize();
  EXPECT_EQ(groups[0].Process(beyond).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(SameState(before, groups[0]));
  const Bytes first = Must(groups[1].Protect(ViewOf("first")));
  EXPECT_TRUE(groups[0].Process(at_bound).ok());
  // 1,024 keys were skipped and kept; the oldest of them opens what came late.
  EXPECT_TRUE(groups[0].Process(first).ok());
  EXPECT_TRUE(groups[0].Process(beyond).ok());
}

TEST(HostileMessage, SkippedKeysAreBounded) {
  std::vector<Group> groups = NewGroups(2);
  const Bytes first = Must(groups[1].Protect(ViewOf("first")));
  const Bytes second = Must(groups[1].Protect(ViewOf("second")));
  for (uint32_t generation : {kMaxRatchetJump, 2 * kMaxRatchetJump}) {
    ASSERT_TRUE(groups[0].Process(ForgeApplication(groups[1], LeafIndex(1), generation, "x")).ok());
  }
  EXPECT_EQ(groups[0].Process(first).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(groups[0].Process(second).status().code(), absl::StatusCode::kFailedPrecondition);
  // Two ratchets' worth of keys, no more.
  EXPECT_LT(groups[0].Serialize().size(), 2 * kMaxSkippedKeys * 60);
}

TEST(HostileMessage, ReplaysAreRefused) {
  std::vector<Group> groups = NewGroups(3);
  const Bytes text = Must(groups[0].Protect(ViewOf("once")));
  const Bytes proposal = Must(groups[0].ProposeRemove(LeafIndex(1)));
  for (const Bytes& message : {text, proposal}) {
    ASSERT_TRUE(groups[2].Process(message).ok());
    const Secret before = groups[2].Serialize();
    EXPECT_EQ(groups[2].Process(message).status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_TRUE(SameState(before, groups[2]));
  }
  PreparedCommit commit = Must(groups[0].PrepareCommit({.include = ProposalsToInclude::kNone}));
  const Bytes message = commit.message;
  CommitToAll(groups, 0, std::move(commit));
  EXPECT_EQ(groups[2].Process(message).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(groups[2].Process(text).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(HostileMessage, PaddingMustBeZero) {
  std::vector<Group> groups = NewGroups(2);
  EXPECT_TRUE(
      groups[0].Process(ForgeApplication(groups[1], LeafIndex(1), 0, "x", Bytes(9, 0))).ok());
  const absl::Status status =
      groups[0].Process(ForgeApplication(groups[1], LeafIndex(1), 1, "x", {0, 0, 1})).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("padding"));
}

TEST(HostileMessage, AnotherGroupsMessage) {
  std::vector<Group> groups = NewGroups(2);
  Group other = Must(Group::Create({.suite = CipherSuiteId::k0x0003,
                                    .group_id = ToBytes("another group"),
                                    .identity = ToBytes("0")}));
  other = std::move(Must(other.PrepareCommit()).next);
  ASSERT_EQ(other.epoch(), groups[0].epoch());
  const absl::Status status = groups[0].Process(Must(other.Protect(ViewOf("x")))).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("of another group"));
  // The same name, other keys.
  std::vector<Group> namesakes = NewGroups(2);
  EXPECT_EQ(groups[0].Process(Must(namesakes[1].Protect(ViewOf("x")))).status().code(),
            absl::StatusCode::kUnauthenticated);
}

TEST(HostileMessage, UpdatesMustBeNewAndMadeForTheirPlace) {
  std::vector<Group> groups = NewGroups(3);
  const GroupState& state = groups[1].state();
  const auto propose = [&](const std::function<void(LeafNode&)>& change, LeafIndex place) {
    LeafNode leaf = state.own_leaf_node();
    leaf.source = LeafNodeSource::kUpdate;
    leaf.encryption_key = state.suite->kem().GenerateKeyPair().public_key;
    change(leaf);
    SignLeafNode(state.signature_key, state.place(place), leaf);
    FramedContent content = NewContent(state, {});
    content.body = Proposal{Update{leaf}};
    return groups[0]
        .Process(crypto::Serialize(MlsMessage{
            ProtectPublic(*state.suite, state.secrets.membership, state.context,
                          SignAs(state, WireFormat::kPublicMessage, std::move(content)))}))
        .status();
  };
  const LeafIndex own(1);
  EXPECT_FALSE(
      propose([&](LeafNode& leaf) { leaf.encryption_key = state.own_leaf_node().encryption_key; },
              own)
          .ok());
  EXPECT_FALSE(propose([](LeafNode& leaf) { leaf.source = LeafNodeSource::kCommit; }, own).ok());
  EXPECT_FALSE(
      propose([](LeafNode& leaf) { leaf.source = LeafNodeSource::kKeyPackage; }, own).ok());
  EXPECT_FALSE(propose([](LeafNode& leaf) { leaf.encryption_key = Bytes(32, 0); }, own).ok());
  EXPECT_FALSE(propose([](LeafNode&) {}, LeafIndex(2)).ok());
  EXPECT_TRUE(propose([](LeafNode&) {}, own).ok());
}

// Somebody else's Update with the public key of the own one says nothing about the own private key.
TEST(HostileMessage, CopyOfAnUpdatesKeyTakesNothingAlong) {
  std::vector<Group> groups = NewGroups(3);
  const Bytes own = Must(groups[0].ProposeUpdate({.new_signature_key = true}));
  const auto& update = std::get<Update>(groups[0].pending_proposals()[0].proposal.body);
  const GroupState& mallory = groups[1].state();
  LeafNode leaf = mallory.own_leaf_node();
  leaf.source = LeafNodeSource::kUpdate;
  leaf.encryption_key = update.leaf_node->encryption_key;
  SignLeafNode(mallory.signature_key, mallory.place(mallory.own_leaf), leaf);
  Must(groups[0].Process(ForgeProposal(groups[1], Proposal{Update{leaf}})));
  ASSERT_EQ(groups[0].pending_proposals().size(), 2u);
  for (size_t i : {1u, 2u}) Must(groups[i].Process(own));

  // The private key is stored once, with the own proposal.
  GroupRecords records;
  for (auto& [name, record] : ChangedRecords(groups[0]).put) {
    records.insert_or_assign(name, std::move(record));
  }
  EXPECT_EQ(Must(LoadGroup(records)).state().pending_updates.size(), 1u);
  EXPECT_LT(records.at("pending/1").size(), records.at("pending/0").size());
  EXPECT_TRUE(SameState(groups[0].Serialize(), Must(LoadGroup(records))));

  EXPECT_EQ(groups[0].DropPendingProposals({groups[0].pending_proposals()[1].ref}), 1u);
  CommitToAll(groups, 2, Must(groups[2].PrepareCommit()));
  ExpectAgreement(groups);
  ExpectHeard(groups, 0, "with the new keys");
}

// With a limit over all members, one could keep the others' proposals out, and, since members count
// their own at different times, make a commit that some of them can't follow.
TEST(HostileMessage, OneMembersProposalsCrowdOutNobodyElses) {
  std::vector<Group> groups = NewGroups(3);
  size_t accepted = 0;
  while (true) {
    const absl::StatusOr<Bytes> flood = groups[1].ProposeUpdate();
    if (!flood.ok()) {
      EXPECT_EQ(flood.status().code(), absl::StatusCode::kResourceExhausted);
      break;
    }
    ASSERT_LT(++accepted, 1000u);
    for (size_t i : {0u, 2u}) ASSERT_TRUE(groups[i].Process(*flood).ok());
  }
  const Bytes honest = Must(groups[2].ProposeUpdate());
  EXPECT_TRUE(groups[0].Process(honest).ok());
  EXPECT_TRUE(groups[1].Process(honest).ok());
}

TEST(HostileMessage, ProposalsThatWaitAreBoundedInBytes) {
  std::vector<Group> groups = NewGroups(3);
  const auto of_size = [](uint8_t number, size_t size) {
    return Proposal{GroupContextExtensions{{{kRosterExtension, Bytes(size, number)}}}};
  };
  EXPECT_EQ(
      groups[0].Process(ForgeProposal(groups[1], of_size(0, kMaxPendingBytes))).status().code(),
      absl::StatusCode::kResourceExhausted);
  size_t accepted = 0;
  for (uint8_t i = 1; i <= kMaxPendingProposals; ++i) {
    const absl::Status status =
        groups[0].Process(ForgeProposal(groups[1], of_size(i, kMaxPendingBytes / 4))).status();
    accepted += status.ok() ? 1 : 0;
    EXPECT_TRUE(status.ok() || absl::IsResourceExhausted(status)) << status;
  }
  EXPECT_EQ(accepted, 3u);
  EXPECT_TRUE(groups[0].Process(ForgeProposal(groups[2], of_size(1, 9))).ok());
}

// Of who isn't a member yet, each has a place of its own.
TEST(HostileMessage, OneNewcomerCrowdsOutNobodyElse) {
  std::vector<Group> groups = NewGroups(2);
  const GroupAddress address{groups[0].group_id(), groups[0].epoch()};
  const SignatureKey eve = SignatureKey::Generate();
  size_t accepted = 0;
  for (size_t i = 0; i < kMaxPendingProposals; ++i) {
    const KeyPackageBundle again = Must(KeyPackageBundle::Create(
        {.suite = CipherSuiteId::k0x0003, .identity = ToBytes("eve"), .signature_key = &eve}));
    if (groups[0].Process(Must(ProposeToJoin(again, address))).ok()) ++accepted;
  }
  EXPECT_EQ(accepted, kMaxPendingOfNewcomer);
  EXPECT_TRUE(groups[0].Process(Must(ProposeToJoin(NewKeyPackage("dora"), address))).ok());
  // All of them together are bounded too, whatever keys they make up.
  for (size_t i = 0; i < kMaxPendingOfNewcomers; ++i) {
    (void)groups[0].Process(Must(ProposeToJoin(NewKeyPackage("mob"), address)));
  }
  EXPECT_EQ(groups[0].pending_proposals().size(), kMaxPendingOfNewcomers);
  // Which no member has to bear.
  EXPECT_TRUE(groups[0].Process(Must(groups[1].ProposeUpdate())).ok());
}

// Strangers have filled every member's places for newcomers when Dora asks to join.
class FullOfStrangers : public ::testing::Test {
 protected:
  FullOfStrangers() {
    const GroupAddress address{groups_[0].group_id(), groups_[0].epoch()};
    Must(groups_[0].Process(Must(groups_[1].ProposeUpdate())));
    for (size_t i = 0; i < kMaxPendingOfNewcomers; ++i) {
      stranger_ = Must(ProposeToJoin(NewKeyPackage("mob"), address));
      for (Group& group : groups_) Must(group.Process(stranger_));
    }
    asking_ = Must(ProposeToJoin(dora_, address));
    for (Group& group : groups_) {
      EXPECT_EQ(group.Process(asking_).status().code(), absl::StatusCode::kResourceExhausted);
    }
  }

  // Drops them in one member's group.
  static void Drop(Group& group) {
    std::vector<ProposalRef> strangers;
    for (const PendingProposal& pending : group.pending_proposals()) {
      if (pending.sender.type == SenderType::kNewMemberProposal) strangers.push_back(pending.ref);
    }
    strangers.push_back(Bytes(32, 1));  // of nothing
    EXPECT_EQ(group.DropPendingProposals(strangers), kMaxPendingOfNewcomers);
    EXPECT_EQ(group.DropPendingProposals(strangers), 0u);
    ASSERT_EQ(group.pending_proposals().size(), 1u) << "the member's stays";
  }

  void ExpectDoraJoins(PreparedCommit commit) {
    EXPECT_EQ(commit.added.size(), 1u);
    const Bytes welcome = *commit.welcome;
    CommitToAll(groups_, 0, std::move(commit));
    groups_.push_back(Must(Group::Join(welcome, std::move(dora_))));
    ExpectAgreement(groups_);
  }

  std::vector<Group> groups_ = NewGroups(2);
  KeyPackageBundle dora_ = NewKeyPackage("dora");
  Bytes stranger_;
  Bytes asking_;
};

// A commit by reference is of what only the committer has: it would leave the others behind. By
// value they need to have nothing.
TEST_F(FullOfStrangers, WhoDropsThemAloneCommitsNewcomersByValue) {
  Drop(groups_[0]);
  Must(groups_[0].Process(asking_));
  const PreparedCommit by_reference = Must(groups_[0].PrepareCommit());
  const absl::Status status = groups_[1].Process(by_reference.message).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("proposal"));
  Must(groups_[0].Process(stranger_));  // anybody may send it again
  ExpectDoraJoins(Must(
      groups_[0].PrepareCommit({.adds = {dora_.message()}, .include = ProposalsToInclude::kNone})));
}

TEST_F(FullOfStrangers, WhereAllDropThemTheSameWayNewcomersAreCommittedByReference) {
  for (Group& group : groups_) {
    Drop(group);
    Must(group.Process(asking_));
  }
  ExpectDoraJoins(Must(groups_[0].PrepareCommit()));
}

TEST(HostileMessage, NothingIsSentAfterAReInit) {
  std::vector<Group> groups = NewGroups(2);
  const GroupState& state = groups[1].state();
  FramedContent content = NewContent(state, {});
  content.body = Proposal{ReInit{.group_id = ToBytes("next"), .suite = CipherSuiteId::kParley}};
  ASSERT_TRUE(groups[0]
                  .Process(crypto::Serialize(MlsMessage{ProtectPublic(
                      *state.suite, state.secrets.membership, state.context,
                      SignAs(state, WireFormat::kPublicMessage, std::move(content)))}))
                  .ok());
  PreparedCommit commit = Must(groups[0].PrepareCommit());
  EXPECT_EQ(commit.next.Protect(ViewOf("x")).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(commit.next.PrepareCommit().status().code(), absl::StatusCode::kFailedPrecondition);
}

// `content` of member 1 as a PublicMessage, after `tamper` and then tagged anew.
Bytes Tagged(const Group& group, FramedContent content,
             const std::function<void(AuthenticatedContent&)>& tamper) {
  const GroupState& state = group.state();
  AuthenticatedContent authenticated =
      SignAs(state, WireFormat::kPublicMessage, std::move(content));
  tamper(authenticated);
  return crypto::Serialize(MlsMessage{ProtectPublic(*state.suite, state.secrets.membership,
                                                    state.context, std::move(authenticated))});
}

FramedContent Removal(const Group& group) {
  FramedContent content = NewContent(group.state(), {});
  content.body = Proposal{Remove{LeafIndex(2)}};
  return content;
}

TEST(HostileMessage, PublicMessagesAreSignedAndTagged) {
  std::vector<Group> groups = NewGroups(3);
  const Secret before = groups[0].Serialize();
  const auto status = [&](const std::function<void(AuthenticatedContent&)>& tamper) {
    return groups[0].Process(Tagged(groups[1], Removal(groups[1]), tamper)).status().code();
  };
  // A tag that fits, around a signature that doesn't, or a sender that isn't there.
  EXPECT_EQ(status([](AuthenticatedContent& c) { c.auth.signature[5] ^= 1; }),
            absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(status([](AuthenticatedContent& c) { c.content.sender.index = 2; }),
            absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(status([](AuthenticatedContent& c) { c.content.sender.index = 3; }),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status([](AuthenticatedContent& c) { c.content.sender.index = UINT32_MAX; }),
            absl::StatusCode::kInvalidArgument);
  // A signature that fits, under a tag that doesn't.
  MlsMessage message = Must(crypto::Parse<MlsMessage>(
      Tagged(groups[1], Removal(groups[1]), [](AuthenticatedContent&) {})));
  std::get<PublicMessage>(message.body).membership_tag[0] ^= 1;
  EXPECT_EQ(groups[0].Process(crypto::Serialize(message)).status().code(),
            absl::StatusCode::kUnauthenticated);
  EXPECT_TRUE(SameState(before, groups[0]));
  EXPECT_EQ(status([](AuthenticatedContent&) {}), absl::StatusCode::kOk);
}

TEST(HostileMessage, SignatureIsForOneWireFormat) {
  // What was signed to be encrypted, sent in the open.
  std::vector<Group> groups = NewGroups(3);
  const AuthenticatedContent secret =
      SignAs(groups[1].state(), WireFormat::kPrivateMessage, Removal(groups[1]));
  EXPECT_EQ(groups[0]
                .Process(Tagged(
                    groups[1], Removal(groups[1]),
                    [&](AuthenticatedContent& c) { c.auth.signature = secret.auth.signature; }))
                .status()
                .code(),
            absl::StatusCode::kUnauthenticated);
}

TEST(HostileMessage, ApplicationDataMustBeEncrypted) {
  std::vector<Group> groups = NewGroups(2);
  FramedContent content = NewContent(groups[1].state(), {});
  content.body = Secret::CopyOf(ViewOf("in the open"));
  const absl::Status status =
      groups[0]
          .Process(Tagged(groups[1], std::move(content), [](AuthenticatedContent&) {}))
          .status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("application data in a PublicMessage"));
}

TEST(HostileMessage, FarthestGenerationCostsNothing) {
  std::vector<Group> groups = NewGroups(2);
  const Secret before = groups[0].Serialize();
  // Both in another's name and in one's own; a hundred thousand derivations each would take
  // minutes.
  for (uint32_t generation : {UINT32_MAX, UINT32_MAX - 1, 1u << 31, kMaxRatchetJump + 1}) {
    for (LeafIndex claimed : {LeafIndex(0), LeafIndex(1)}) {
      for (ContentType type :
           {ContentType::kApplication, ContentType::kProposal, ContentType::kCommit}) {
        for (int i = 0; i < 100; ++i) {
          ASSERT_EQ(groups[0]
                        .Process(ForgeSenderData(groups[1], claimed, generation, type))
                        .status()
                        .code(),
                    absl::StatusCode::kResourceExhausted);
        }
      }
    }
  }
  EXPECT_TRUE(SameState(before, groups[0]));
  ExpectHeard(groups, 1, "the first, all the same");
}

TEST(HostileMessage, SenderDataOfALeafThatIsNotThere) {
  std::vector<Group> groups = NewGroups(3);
  for (uint32_t leaf : {3u, 4u, UINT32_MAX}) {
    EXPECT_EQ(groups[0].Process(ForgeSenderData(groups[1], LeafIndex(leaf), 0)).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST(HostileMessage, OtherVersionsAndFormats) {
  std::vector<Group> groups = NewGroups(2);
  const Bytes message = Must(groups[1].Protect(ViewOf("x")));
  for (size_t i : {0u, 1u, 2u, 3u}) {
    Bytes other = message;
    other[i] ^= 0x40;
    EXPECT_EQ(groups[0].Process(other).status().code(), absl::StatusCode::kInvalidArgument);
  }
  // Messages that are no group's to process.
  const KeyPackageBundle dora = NewKeyPackage("dora");
  EXPECT_EQ(groups[0].Process(dora.message()).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(groups[0].Process(Must(groups[1].GroupInfoMessage(true, true))).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(HostileMessage, SignedByAnotherGroupsMemberOfTheSameName) {
  // The GroupContext is signed too: a signature of one epoch serves in no other.
  std::vector<Group> groups = NewGroups(3);
  const AuthenticatedContent old =
      SignAs(groups[1].state(), WireFormat::kPublicMessage, Removal(groups[1]));
  CommitToAll(groups, 0, Must(groups[0].PrepareCommit()));
  EXPECT_EQ(
      groups[0]
          .Process(Tagged(groups[1], Removal(groups[1]),
                          [&](AuthenticatedContent& c) { c.auth.signature = old.auth.signature; }))
          .status()
          .code(),
      absl::StatusCode::kUnauthenticated);
}

}  // namespace
}  // namespace parley::mls
