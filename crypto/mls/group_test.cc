// The life of a group through its public face.
#include "crypto/mls/group.h"

#include <gtest/gtest.h>

#include <functional>

#include "crypto/mls/group_records.h"
#include "crypto/mls/group_state.h"
#include "crypto/mls/testing.h"

namespace parley::mls {
namespace {

using namespace testing;  // NOLINT

class EverySuite : public ::testing::TestWithParam<CipherSuiteId> {};

INSTANTIATE_TEST_SUITE_P(Suites, EverySuite,
                         ::testing::Values(CipherSuiteId::k0x0003, CipherSuiteId::k0x004D,
                                           CipherSuiteId::k0x0054, CipherSuiteId::kParley));

TEST_P(EverySuite, CreatesAddsTalksUpdatesRemoves) {
  std::vector<Group> groups = NewGroups(5, GetParam());
  ExpectAgreement(groups);
  EXPECT_EQ(groups[0].members().size(), 5u);
  for (size_t i = 0; i < groups.size(); ++i) ExpectHeard(groups, i, "hello from one of five");

  CommitToAll(groups, 2, Must(groups[2].PrepareCommit()));
  ExpectAgreement(groups);
  ExpectHeard(groups, 4, "after a path");

  // Member 3 goes; the tree shrinks from 8 to 4 leaves with member 4.
  PreparedCommit removal = Must(groups[0].PrepareCommit({.removes = {LeafIndex(3), LeafIndex(4)}}));
  Received gone = Must(groups[3].Process(removal.message));
  EXPECT_TRUE(std::get<StagedCommit>(gone).changes().removes_self);
  EXPECT_EQ(std::get<StagedCommit>(gone).next(), nullptr);
  EXPECT_FALSE(std::move(std::get<StagedCommit>(gone)).Next().ok());
  groups.pop_back();
  groups.pop_back();
  CommitToAll(groups, 0, std::move(removal));
  ExpectAgreement(groups);
  ExpectHeard(groups, 1, "without the two");
}

TEST(Group, CommitSaysWhatItChanges) {
  std::vector<Group> groups = NewGroups(3);
  KeyPackageBundle dora = NewKeyPackage("dora");
  const Extensions roster = {{kRosterExtension, ToBytes("roster 2")}};
  PreparedCommit commit = Must(groups[0].PrepareCommit(
      {.adds = {dora.message()}, .removes = {LeafIndex(2)}, .extensions = roster}));
  EXPECT_EQ(commit.added.size(), 1u);
  // A committer's next state leaves its present one as it was.
  EXPECT_EQ(groups[0].epoch(), 1u);
  EXPECT_EQ(commit.next.epoch(), 2u);

  Received received = Must(groups[1].Process(commit.message));
  StagedCommit& staged = std::get<StagedCommit>(received);
  EXPECT_EQ(staged.sender(), LeafIndex(0));
  const CommitChanges& changes = staged.changes();
  ASSERT_EQ(changes.adds.size(), 1u);
  EXPECT_EQ(changes.adds[0].leaf, LeafIndex(2));
  EXPECT_EQ(changes.adds[0].key_package, dora.key_package());
  ASSERT_EQ(changes.removes.size(), 1u);
  EXPECT_EQ(changes.removes[0].leaf_node.credential.identity, ToBytes("2"));
  ASSERT_EQ(changes.updates.size(), 1u);
  EXPECT_EQ(changes.updates[0].leaf, LeafIndex(0));
  EXPECT_NE(changes.updates[0].before.encryption_key, changes.updates[0].after.encryption_key);
  ASSERT_TRUE(changes.extensions.has_value());
  EXPECT_TRUE(changes.extensions->before.empty());
  EXPECT_EQ(changes.extensions->after, roster);
  EXPECT_TRUE(changes.has_path);
  EXPECT_FALSE(changes.external);

  // What may be asked of the next epoch before it is accepted.
  EXPECT_EQ(staged.next()->EpochAuthenticator(), commit.next.EpochAuthenticator());
  EXPECT_EQ(crypto::ToHex(Must(staged.next()->Export("keys", ViewOf("x"), 32)).Reveal()),
            crypto::ToHex(Must(commit.next.Export("keys", ViewOf("x"), 32)).Reveal()));
  // Dropping it refuses it: the group is where it was, and can still take it.
  EXPECT_EQ(groups[1].epoch(), 1u);
  Received again = Must(groups[1].Process(commit.message));
  Group bob = Must(std::move(std::get<StagedCommit>(again)).Next());
  EXPECT_EQ(bob.FindExtension(kRosterExtension)->data, ToBytes("roster 2"));

  Group dora_group = Must(Group::Join(*commit.welcome, std::move(dora)));
  EXPECT_EQ(dora_group.EpochAuthenticator(), bob.EpochAuthenticator());
  EXPECT_EQ(dora_group.own_leaf(), LeafIndex(2));
  EXPECT_EQ(dora_group.extensions(), roster);
}

TEST(Group, UpdateProposalIsCommittedByAnother) {
  std::vector<Group> groups = NewGroups(4);
  const Bytes before = groups[3].FindMember(LeafIndex(3))->signature_key;
  const Bytes proposal = Must(groups[3].ProposeUpdate({.new_signature_key = true}));
  for (size_t i : {0, 1, 2}) {
    Received received = Must(groups[i].Process(proposal));
    EXPECT_EQ(std::get<ReceivedProposal>(received).proposal.sender.leaf(), LeafIndex(3));
    EXPECT_EQ(groups[i].pending_proposals().size(), 1u);
  }
  CommitToAll(groups, 1, Must(groups[1].PrepareCommit()));
  ExpectAgreement(groups);
  EXPECT_NE(groups[0].FindMember(LeafIndex(3))->signature_key, before);
  EXPECT_TRUE(groups[0].pending_proposals().empty());
  ExpectHeard(groups, 3, "with the new signature key");
  CommitToAll(groups, 3, Must(groups[3].PrepareCommit()));
  ExpectAgreement(groups);
}

TEST(Group, RemovalProposedByOneselfIsCommittedByAnother) {
  std::vector<Group> groups = NewGroups(3);
  const Bytes proposal = Must(groups[2].ProposeRemove(LeafIndex(2)));
  for (size_t i : {0, 1}) ASSERT_TRUE(groups[i].Process(proposal).ok());
  groups.pop_back();
  CommitToAll(groups, 0, Must(groups[0].PrepareCommit()));
  EXPECT_EQ(groups[1].members().size(), 2u);
  ExpectHeard(groups, 1, "she left");
}

TEST(Group, SameRemovalProposedTwiceIsOneProposal) {
  std::vector<Group> groups = NewGroups(3);
  for (int i = 0; i < 2; ++i) {
    const Bytes proposal = Must(groups[1].ProposeRemove(LeafIndex(2)));
    EXPECT_TRUE(groups[0].Process(proposal).ok());
    EXPECT_EQ(groups[0].Process(proposal).status().code(), absl::StatusCode::kFailedPrecondition);
  }
  EXPECT_EQ(groups[0].pending_proposals().size(), 1u);
  EXPECT_EQ(groups[1].pending_proposals().size(), 1u);
  groups.pop_back();
  CommitToAll(groups, 0, Must(groups[0].PrepareCommit()));
  ExpectAgreement(groups);
  EXPECT_EQ(groups[0].members().size(), 2u);
}

TEST(Group, PendingProposalsThatConflictAreResolved) {
  std::vector<Group> groups = NewGroups(4);
  // Two Updates of one leaf, then a Remove of it; an own Update; a removal of the committer.
  std::vector<Bytes> proposals;
  proposals.push_back(Must(groups[3].ProposeUpdate()));
  proposals.push_back(Must(groups[2].ProposeUpdate()));
  proposals.push_back(Must(groups[2].ProposeUpdate()));
  proposals.push_back(Must(groups[1].ProposeRemove(LeafIndex(3))));
  proposals.push_back(Must(groups[1].ProposeRemove(LeafIndex(0))));
  proposals.push_back(Must(groups[0].ProposeUpdate()));
  for (const Bytes& proposal : proposals) {
    for (Group& group : groups) ASSERT_TRUE(group.Process(proposal).ok());
  }
  EXPECT_EQ(groups[0].pending_proposals().size(), 6u);
  PreparedCommit commit = Must(groups[0].PrepareCommit());
  groups.pop_back();
  CommitToAll(groups, 0, std::move(commit));
  ExpectAgreement(groups);
  EXPECT_EQ(groups[0].members().size(), 3u);
  ExpectHeard(groups, 2, "twice updated");
}

TEST(Group, ListedProposalsAreTakenOrRefused) {
  std::vector<Group> groups = NewGroups(3);
  const Bytes first = Must(groups[1].ProposeUpdate());
  const Bytes second = Must(groups[1].ProposeUpdate());
  for (size_t i : {0, 2}) {
    ASSERT_TRUE(groups[i].Process(first).ok());
    ASSERT_TRUE(groups[i].Process(second).ok());
  }
  const ProposalRef one = groups[0].pending_proposals()[0].ref;
  const ProposalRef two = groups[0].pending_proposals()[1].ref;
  EXPECT_EQ(groups[0]
                .PrepareCommit({.include = ProposalsToInclude::kListed, .listed = {one, two}})
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(groups[0]
                   .PrepareCommit({.include = ProposalsToInclude::kListed, .listed = {Bytes(32)}})
                   .ok());
  CommitToAll(
      groups, 0,
      Must(groups[0].PrepareCommit({.include = ProposalsToInclude::kListed, .listed = {one}})));
  ExpectAgreement(groups);
  ExpectHeard(groups, 1, "the first update");
}

TEST(Group, ExternalPskMustBeKnownToAll) {
  std::vector<Group> groups = NewGroups(2);
  const CipherSuite* suite = Must(FindCipherSuite(CipherSuiteId::k0x0003));
  std::vector<Psk> psks;
  psks.push_back({PreSharedKeyId::External(*suite, ToBytes("kit")), Secret::CopyOf(Bytes(32, 7))});
  KeyPackageBundle dora = NewKeyPackage("dora");
  CommitOptions options{.adds = {dora.message()}};
  options.psks = std::move(psks);
  PreparedCommit commit = Must(groups[0].PrepareCommit(options));
  const auto lookup_of = [](uint8_t value) {
    return [value](const PreSharedKeyId& id) -> std::optional<Secret> {
      if (id.psk_id != ToBytes("kit")) return std::nullopt;
      return Secret::CopyOf(Bytes(32, value));
    };
  };
  EXPECT_EQ(groups[1].Process(commit.message).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(groups[1].Process(commit.message, {.psks = lookup_of(8)}).status().code(),
            absl::StatusCode::kUnauthenticated);
  Received received = Must(groups[1].Process(commit.message, {.psks = lookup_of(7)}));
  groups[1] = Must(std::move(std::get<StagedCommit>(received)).Next());
  groups[0] = std::move(commit.next);
  groups.push_back(Must(Group::Join(*commit.welcome, std::move(dora), {.psks = lookup_of(7)})));
  ExpectAgreement(groups);
}

TEST(Group, ResumptionPskOfAnEarlierEpoch) {
  std::vector<Group> groups = NewGroups(2);
  PreSharedKeyId id{.type = PskType::kResumption};
  id.psk_group_id = groups[0].group_id();
  id.psk_epoch = groups[0].epoch();
  id.psk_nonce = Bytes(32, 1);
  CommitToAll(groups, 0, Must(groups[0].PrepareCommit()));
  const Bytes proposal = Must(groups[1].ProposePsk(id));
  ASSERT_TRUE(groups[0].Process(proposal).ok());
  CommitToAll(groups, 0, Must(groups[0].PrepareCommit()));
  ExpectAgreement(groups);
}

TEST(Group, JoinsExternally) {
  std::vector<Group> groups = NewGroups(3);
  const Bytes info = Must(groups[0].GroupInfoMessage(true, true));
  PreparedCommit joining = Must(
      Group::JoinExternally(info, {.identity = ToBytes("from outside"),
                                   .capabilities = Capabilities::Default(CipherSuiteId::k0x0003)}));
  for (Group& group : groups) {
    Received received = Must(group.Process(joining.message));
    StagedCommit& staged = std::get<StagedCommit>(received);
    EXPECT_TRUE(staged.changes().external);
    EXPECT_EQ(staged.sender(), LeafIndex(3));
    group = Must(std::move(staged).Next());
  }
  groups.push_back(std::move(joining.next));
  ExpectAgreement(groups);
  ExpectHeard(groups, 3, "let me in");
}

TEST(Group, OwnMessagesAreKnown) {
  std::vector<Group> groups = NewGroups(2);
  const Secret before = groups[0].Serialize();
  const Bytes message = Must(groups[0].Protect(ViewOf("echo")));
  Received own = Must(groups[0].Process(message));
  EXPECT_FALSE(std::get<OwnMessage>(own).unknown_to_this_state);
  // An old copy of the state sees that the log is ahead of it.
  Group restored = Must(Group::Parse(before.Reveal()));
  Received ahead = Must(restored.Process(message));
  EXPECT_TRUE(std::get<OwnMessage>(ahead).unknown_to_this_state);
  EXPECT_EQ(std::get<OwnMessage>(ahead).content_type, ContentType::kApplication);

  // Another member can write in the name of the own leaf, but can't sign: nobody is told by a
  // forgery that their state is an old copy.
  Group impostor = groups[1].Clone();
  impostor.mutable_state().own_leaf = groups[0].own_leaf();
  Bytes forged;
  for (int i = 0; i < 3; ++i) forged = Must(impostor.Protect(ViewOf("not me")));
  EXPECT_EQ(groups[0].Process(forged).status().code(), absl::StatusCode::kUnauthenticated);

  PreparedCommit commit = Must(groups[0].PrepareCommit({.public_message = true}));
  Received own_commit = Must(groups[0].Process(commit.message));
  EXPECT_EQ(std::get<OwnMessage>(own_commit).content_type, ContentType::kCommit);
}

TEST(Group, MessagesOutOfOrderAndOnceOnly) {
  std::vector<Group> groups = NewGroups(2);
  std::vector<Bytes> messages;
  for (int i = 0; i < 5; ++i) messages.push_back(Must(groups[0].Protect(ViewOf("m"), {}, 0)));
  for (size_t i : {4, 0, 3}) EXPECT_TRUE(groups[1].Process(messages[i]).ok());
  EXPECT_EQ(groups[1].Process(messages[4]).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(groups[1].Process(messages[0]).status().code(), absl::StatusCode::kFailedPrecondition);
  // Skipped keys survive a restart.
  groups[1] = Must(Group::Parse(groups[1].Serialize().Reveal()));
  EXPECT_TRUE(groups[1].Process(messages[1]).ok());
  EXPECT_TRUE(groups[1].Process(messages[2]).ok());
}

TEST(Group, StoredStateGoesOnWhereItWas) {
  std::vector<Group> groups = NewGroups(4, CipherSuiteId::kParley);
  const Bytes update = Must(groups[2].ProposeUpdate());
  for (size_t i : {0, 1, 3}) ASSERT_TRUE(groups[i].Process(update).ok());
  for (Group& group : groups) {
    const Secret stored = group.Serialize();
    group = Must(Group::Parse(stored.Reveal()));
    EXPECT_TRUE(crypto::ConstantTimeEquals(group.Serialize().Reveal(), stored.Reveal()));
  }
  PreparedCommit commit = Must(groups[0].PrepareCommit());
  commit = Must(PreparedCommit::Parse(commit.SerializeSecret().Reveal()));
  CommitToAll(groups, 0, std::move(commit));
  ExpectAgreement(groups);
  ExpectHeard(groups, 2, "with the keys of before the restart");
}

TEST(Group, DamagedStateIsRefused) {
  std::vector<Group> groups = NewGroups(2);
  const Secret stored = groups[0].Serialize();
  for (size_t cut = 0; cut < stored.size(); cut += 7) {
    EXPECT_EQ(Group::Parse(stored.Reveal().first(cut)).status().code(),
              absl::StatusCode::kDataLoss);
  }
  for (size_t i = 0; i < stored.size(); i += 3) {
    Secret damaged = stored.Clone();
    damaged.RevealMutable()[i] ^= 2;
    EXPECT_EQ(Group::Parse(damaged.Reveal()).status().code(), absl::StatusCode::kDataLoss);
  }
}

// A checksum that fits says nothing about what was stored.
TEST(Group, StateWithoutSomebodysKeysIsRefused) {
  std::vector<Group> groups = NewGroups(3);
  SecretTree of_another_size = SecretTree::OfParts(LeafCount(8));
  ASSERT_TRUE(of_another_size.LoadNode(7, Bytes(32, 1)).ok());
  SecretTree with_a_stranger = SecretTree::OfParts(LeafCount(4));
  for (const uint32_t node : {3u, 4095u}) {
    ASSERT_TRUE(with_a_stranger.LoadNode(node, Bytes(32, 1)).ok());
  }
  for (SecretTree* tree : {&of_another_size, &with_a_stranger}) {
    groups[0].mutable_state().secret_tree = std::move(*tree);
    EXPECT_EQ(Group::Parse(groups[0].Serialize().Reveal()).status().code(),
              absl::StatusCode::kDataLoss);
  }
  groups[0].mutable_state().secret_tree = SecretTree::OfParts(LeafCount(4));
  EXPECT_EQ(Group::Parse(groups[0].Serialize().Reveal()).status().code(),
            absl::StatusCode::kDataLoss);
}

// What derives keys takes the sizes of secrets for granted, and ends the program at another.
TEST(Group, StateWithSecretsOfTheWrongSizeIsRefused) {
  const std::vector<Group> groups = NewGroups(3);
  const auto code = [&](const std::function<void(GroupState&)>& damage) {
    Group group = groups[0].Clone();
    Must(group.ProposeUpdate({.new_signature_key = true}));
    damage(group.mutable_state());
    const absl::StatusCode whole = Group::Parse(group.Serialize().Reveal()).status().code();
    GroupRecords records;
    for (auto& [name, record] : ChangedRecords(group).put) {
      records.insert_or_assign(name, std::move(record));
    }
    EXPECT_EQ(LoadGroup(records).status().code(), whole);
    return whole;
  };
  constexpr absl::StatusCode kRefused = absl::StatusCode::kDataLoss;
  EXPECT_EQ(code([](GroupState&) {}), absl::StatusCode::kOk);
  for (const size_t size : {0u, 31u, 33u}) {
    EXPECT_EQ(code([&](GroupState& s) { s.secrets.exporter.value = Secret(size); }), kRefused);
    EXPECT_EQ(code([&](GroupState& s) { s.secrets.init.value = Secret(size); }), kRefused);
    EXPECT_EQ(code([&](GroupState& s) { s.keys.begin()->second = Secret(size); }), kRefused);
    EXPECT_EQ(code([&](GroupState& s) { s.pending_updates[0].leaf_private = Secret(size); }),
              kRefused);
    EXPECT_EQ(code([&](GroupState& s) {
                SecretTree tree = SecretTree::OfParts(s.secret_tree.leaf_count());
                EXPECT_TRUE(tree.LoadNode(3, Bytes(size, 1)).ok());
                s.secret_tree = std::move(tree);
              }),
              kRefused);
  }
  EXPECT_EQ(code([](GroupState& s) { s.pending_updates[0].signature_seed = Secret(31); }),
            kRefused);
}

TEST(Group, ProposalThatCannotBeSentIsNotKept) {
  Group group = std::move(NewGroups(2)[0]);
  GroupState& state = group.mutable_state();
  // As after 2^32 - 1 handshake messages: the ratchets' record begins with a secret and the
  // generation.
  ASSERT_TRUE(
      state.secret_tree.TakeNext(*state.suite, state.own_leaf, RatchetType::kHandshake).ok());
  Secret stored = *state.secret_tree.StoreRatchets(state.own_leaf.value);
  std::fill_n(stored.RevealMutable().begin() + 1 + 32, 4, uint8_t{0xff});
  SecretTree tree = SecretTree::OfParts(state.secret_tree.leaf_count());
  for (const uint32_t node : state.secret_tree.StoredNodes()) {
    ASSERT_TRUE(tree.LoadNode(node, state.secret_tree.StoreNode(node)->Reveal()).ok());
  }
  ASSERT_TRUE(tree.LoadRatchets(state.own_leaf.value, stored.Reveal()).ok());
  state.secret_tree = std::move(tree);
  const Secret before = group.Serialize();
  EXPECT_EQ(group.ProposeUpdate().status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(group.ProposeRemove(LeafIndex(1)).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(crypto::ConstantTimeEquals(before.Reveal(), group.Serialize().Reveal()));
}

TEST(Group, ClonesAreIndependent) {
  std::vector<Group> groups = NewGroups(2);
  Group copy = groups[1].Clone();
  const Bytes message = Must(groups[0].Protect(ViewOf("once")));
  EXPECT_TRUE(copy.Process(message).ok());
  EXPECT_TRUE(groups[1].Process(message).ok());
  EXPECT_FALSE(copy.Process(message).ok());
}

TEST(Group, WelcomeIsForItsKeyPackageOnly) {
  Group group = NewGroup("mira");
  KeyPackageBundle ana = NewKeyPackage("ana");
  PreparedCommit commit = Must(group.PrepareCommit({.adds = {ana.message()}}));
  EXPECT_EQ(Group::Join(*commit.welcome, NewKeyPackage("eve")).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_FALSE(Group::Join(commit.message, NewKeyPackage("eve")).ok());
  for (size_t i = 0; i < commit.welcome->size(); i += 11) {
    Bytes damaged = *commit.welcome;
    damaged[i] ^= 0x10;
    EXPECT_FALSE(
        Group::Join(damaged, Must(KeyPackageBundle::Parse(ana.SerializeSecret().Reveal()))).ok())
        << i;
  }
  EXPECT_TRUE(Group::Join(*commit.welcome, std::move(ana)).ok());
}

TEST(Group, LifetimesCountForSendersWithAClock) {
  Group group = NewGroup("mira");
  KeyPackageBundle late = Must(KeyPackageBundle::Create(
      {.suite = CipherSuiteId::k0x0003, .identity = ToBytes("late"), .lifetime = {100, 200}}));
  EXPECT_FALSE(
      group.PrepareCommit({.adds = {late.message()}, .checks = {.now_seconds = 201}}).ok());
  EXPECT_FALSE(group.PrepareCommit({.adds = {late.message()}, .checks = {.now_seconds = 99}}).ok());
  EXPECT_TRUE(group.PrepareCommit({.adds = {late.message()}, .checks = {.now_seconds = 150}}).ok());
  EXPECT_TRUE(group.PrepareCommit({.adds = {late.message()}}).ok());

  // It is the committer, too, who adds whom another has proposed.
  Must(group.ProposeAdd(late.message()));
  const ProposalRef ref = group.pending_proposals()[0].ref;
  const auto listed = [&](uint64_t now) {
    return group.PrepareCommit(
        {.include = ProposalsToInclude::kListed, .listed = {ref}, .checks = {.now_seconds = now}});
  };
  EXPECT_FALSE(listed(201).ok());
  EXPECT_TRUE(listed(150).ok());
  EXPECT_TRUE(Must(group.PrepareCommit({.checks = {.now_seconds = 201}})).added.empty());
}

TEST(Group, CreatorsLeafLivesAsLongAsItSays) {
  Group group = Must(
      Group::Create({.suite = CipherSuiteId::k0x0003, .group_id = {1}, .lifetime = {100, 200}}));
  EXPECT_EQ(group.FindLeafNode(LeafIndex(0))->lifetime, (Lifetime{100, 200}));
  KeyPackageBundle joiner = Must(
      KeyPackageBundle::Create({.suite = CipherSuiteId::k0x0003, .identity = ToBytes("joiner")}));
  const Secret stored = joiner.SerializeSecret();
  const PreparedCommit commit = Must(group.PrepareCommit({.adds = {joiner.message()}}));
  EXPECT_EQ(
      Group::Join(*commit.welcome, std::move(joiner), {.checks = {.now_seconds = 201}}).status(),
      absl::InvalidArgumentError("a leaf that has expired or isn't valid yet"));
  EXPECT_TRUE(Group::Join(*commit.welcome, Must(KeyPackageBundle::Parse(stored.Reveal())),
                          {.checks = {.now_seconds = 200}})
                  .ok());
}

TEST(Group, RequiredCapabilitiesAreEnforced) {
  Group group = NewGroup("mira");
  const RequiredCapabilities required{.extensions = {kRosterExtension}};
  const Extensions extensions = {
      {ExtensionType::kRequiredCapabilities, crypto::Serialize(required)}};
  PreparedCommit commit = Must(group.PrepareCommit({.extensions = extensions}));
  group = std::move(commit.next);
  KeyPackageBundle plain = Must(
      KeyPackageBundle::Create({.suite = CipherSuiteId::k0x0003, .identity = ToBytes("plain")}));
  EXPECT_FALSE(group.PrepareCommit({.adds = {plain.message()}}).ok());
  KeyPackageBundle able = NewKeyPackage("able");
  EXPECT_TRUE(group.PrepareCommit({.adds = {able.message()}}).ok());
  // An extension that nobody has declared.
  EXPECT_FALSE(group.PrepareCommit({.extensions = Extensions{{ExtensionType{0xF0FF}, {}}}}).ok());
}

TEST(Group, PeekTellsWhereAMessageBelongs) {
  std::vector<Group> groups = NewGroups(2);
  const MessageHead head = Must(PeekMessage(Must(groups[0].Protect(ViewOf("x")))));
  EXPECT_EQ(head.wire_format, WireFormat::kPrivateMessage);
  EXPECT_EQ(head.group_id, ToBytes("a group"));
  EXPECT_EQ(head.epoch, 1u);
  EXPECT_EQ(head.content_type, ContentType::kApplication);
  const MessageHead open =
      Must(PeekMessage(Must(groups[0].PrepareCommit({.public_message = true})).message));
  EXPECT_EQ(open.wire_format, WireFormat::kPublicMessage);
  EXPECT_EQ(open.content_type, ContentType::kCommit);
  EXPECT_FALSE(PeekMessage({}).ok());
}

}  // namespace
}  // namespace parley::mls
