// Every rule of docs/protocol.md section 5, broken by a member who uses MLS directly and has the
// control key: each honest member refuses, halts and says who did what.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client-lib/channels/commit_policy.h"
#include "client-lib/channels/test_insider.h"

namespace parley::client {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PolicyTest : public Room {
 protected:
  void SetUp() override { OpenWith(ChannelKind::kCaucus, "Harbor", {&tomas, &ana, &lee}); }

  void OpenWith(ChannelKind kind, const std::string& side, const std::vector<Person*>& members) {
    Open(kind, side, members);
    std::vector<Person*> all = members;
    all.insert(all.begin(), &mira);
    Settle(all);
    control_.emplace(ControlKeyOf(mira, id));
  }

  const crypto::SignatureKey& control() { return *control_; }

  // Everybody of `witnesses` halts for a reason that has these words, and sends nothing more.
  void ExpectHalted(const std::vector<Person*>& witnesses, const std::string& words) {
    for (Person* witness : witnesses) {
      const absl::StatusOr<ExchangeResult> result = witness->In(id).Exchange();
      ASSERT_TRUE(result.ok()) << result.status();
      EXPECT_TRUE(result->standing_changed) << witness->name;
      const ChannelInfo info = witness->Info(id);
      EXPECT_EQ(info.standing, Standing::kHalted) << witness->name;
      EXPECT_THAT(info.reason, HasSubstr(words)) << witness->name;
      EXPECT_EQ(info.head.position, relay.Only().head() - 1) << "the refused entry isn't accepted";
      ASSERT_FALSE(info.alarms.empty());
      EXPECT_EQ(info.alarms.back().kind, ChannelAlarmKind::kHalted);
      const absl::Status refused = witness->Queue(id, TextContent("?")).status();
      EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
      EXPECT_THAT(std::string(refused.message()), HasSubstr(words));
      // It stays so.
      witness->Restart();
      ASSERT_TRUE(witness->In(id).Exchange().ok());
      EXPECT_EQ(witness->Info(id).standing, Standing::kHalted);
    }
  }

  // `committer` closes the generation with a commit of these options.
  void Close(Person& committer, const mls::CommitOptions& options, const ChannelState& after,
             const std::function<void(GenerationKeys&)>& spoil = {}) {
    Insider insider = InsiderOf(committer, id);
    const mls::PreparedCommit commit = Must(insider.group.PrepareCommit(options));
    Must(AppendClosing(relay, insider, control(), commit.message, commit.next, after, spoil));
  }

  // Whether the rule by itself refuses what `committer` makes of `proposal`, which a hostile client
  // keeps although honest ones pass it over. Such a commit halts them, too.
  void CommitProposal(Person& committer, const Bytes& proposal, const mls::CommitOptions& options,
                      const ChannelState& after, const std::string& words) {
    Insider insider = InsiderOf(committer, id);
    ASSERT_TRUE(insider.group.Process(proposal).ok());
    const mls::PreparedCommit commit = Must(insider.group.PrepareCommit(options));
    Insider witness = InsiderOf(mira, id);
    ASSERT_TRUE(witness.group.Process(proposal).ok());
    const mls::Received received = Must(witness.group.Process(commit.message));
    const absl::Status refused =
        CheckCommit(witness.state, witness.group, std::get<mls::StagedCommit>(received), {})
            .status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kPermissionDenied);
    EXPECT_THAT(std::string(refused.message()), HasSubstr(words));
    Must(AppendClosing(relay, insider, control(), commit.message, commit.next, after));
    ExpectHalted({&mira, &lee}, "with a commit that is not valid");
  }

  // Everybody goes on, keeps nothing of what stands there, and says who did what.
  void ExpectPassedOver(uint64_t entries, const std::string& words) {
    for (Person* witness : {&mira, &tomas, &lee}) {
      Must(witness->In(id).Exchange());
      const ChannelInfo info = witness->Info(id);
      EXPECT_EQ(info.standing, Standing::kActive) << witness->name << ": " << info.reason;
      EXPECT_EQ(info.passed_over, entries) << witness->name;
      EXPECT_EQ(InsiderOf(*witness, id).group.pending_proposals().size(), 0u) << witness->name;
      ASSERT_FALSE(info.alarms.empty()) << witness->name;
      EXPECT_EQ(info.alarms.back().kind, ChannelAlarmKind::kRefused);
      EXPECT_EQ(info.alarms.back().author, ana.self.participant_id);
      EXPECT_THAT(info.alarms.back().text, HasSubstr(words)) << witness->name;
    }
  }

  // Options that add `person`, with the state after it.
  mls::CommitOptions Adding(const Insider& insider, Person& person, ChannelState& after) {
    const NewMember member = person.AsNewMember();
    after = insider.state;
    after.members.push_back({person.self.participant_id,
                             person.name,
                             person.role,
                             person.side,
                             {{person.self.device_id, person.self.identity_key}}});
    mls::CommitOptions options;
    options.adds = member.key_packages;
    options.extensions = WithChannelState(insider.group.extensions(), after);
    return options;
  }

  mls::LeafIndex LeafOf(const Insider& insider, const Person& person) {
    for (const mls::Member& member : insider.group.members()) {
      if (Must(CredentialOf(member.credential)).device_id == person.self.device_id) {
        return member.leaf;
      }
    }
    ADD_FAILURE() << person.name << " is not in the group";
    return {};
  }

  std::optional<crypto::SignatureKey> control_;
};

// ---- Rule 1 ----

TEST_F(PolicyTest, APartyAddsSomebody) {
  Person eve("Eve", Role::kCounsel, "Harbor", relay, clock);
  ChannelState after;
  const mls::CommitOptions options = Adding(InsiderOf(ana, id), eve, after);
  Close(ana, options, after);
  ExpectHalted({&mira, &tomas, &lee},
               "Ana (party, Harbor), who is no neutral, tried to add Eve (counsel, Harbor)");
}

TEST_F(PolicyTest, ACounselRemovesSomebody) {
  const Insider insider = InsiderOf(lee, id);
  ChannelState after = insider.state;
  std::erase_if(after.members, [&](const RosterMember& m) { return m.name == "Ana"; });
  mls::CommitOptions options;
  options.removes = {LeafOf(insider, ana)};
  options.extensions = WithChannelState(insider.group.extensions(), after);
  Close(lee, options, after);
  ExpectHalted({&mira, &tomas},
               "Lee (counsel, Harbor), who is no neutral, tried to remove Ana (party, Harbor)");
  // Who was to be removed halts too, instead of going.
  ExpectHalted({&ana}, "Lee (counsel, Harbor), who is no neutral, tried to remove");
}

TEST_F(PolicyTest, WithoutTheControlKeyTheRelayRefuses) {
  Insider insider = InsiderOf(ana, id);
  const mls::PreparedCommit commit = Must(insider.group.PrepareCommit());
  const crypto::SignatureKey wrong = crypto::SignatureKey::Generate();
  EXPECT_EQ(AppendClosing(relay, insider, wrong, commit.message, commit.next, insider.state).code(),
            absl::StatusCode::kUnauthenticated);
}

TEST_F(PolicyTest, ARelayThatForgesAClosingIsNamedAndNobodyHalts) {
  Insider insider = InsiderOf(ana, id);
  const mls::PreparedCommit commit = Must(insider.group.PrepareCommit());
  const EpochKeys keys = Must(DeriveEpochKeys(commit.next, insider.state.mailbox_id));
  Entry forged;
  forged.position = relay.Only().head() + 1;
  forged.generation = insider.generation;
  forged.append_id = crypto::RandomArray<16>();
  forged.payload =
      SealEntry(insider.entry_key, insider.state.mailbox_id, insider.generation, commit.message);
  forged.closing =
      SignClosing(crypto::SignatureKey::Generate(), insider.state.mailbox_id, insider.generation,
                  forged.payload, Must(PublicKeysOf(keys, insider.state.control_key)));
  const TestRelay::Mailbox honest = relay.Only();
  relay.Only().entries.push_back(forged);
  relay.Only().generations.back().last = forged.position;
  for (Person* witness : {&mira, &lee}) {
    const absl::Status status = witness->In(id).Sync().status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(status.message()), HasSubstr("control key has not signed"));
    EXPECT_EQ(witness->Info(id).standing, Standing::kActive);
    EXPECT_EQ(witness->Info(id).alarms.back().kind, ChannelAlarmKind::kRelayLog);
  }
  // An honest relay again: everything goes on.
  relay.Only() = honest;
  Must(lee.Say(id, "still here"));
  Settle({&mira, &tomas, &ana, &lee});
  EXPECT_EQ(mira.Heard(id), std::vector<std::string>{"Lee: still here"});
}

TEST_F(PolicyTest, SomebodyJoinsFromOutside) {
  Insider insider = InsiderOf(ana, id);
  Person eve("Eve", Role::kCounsel, "Harbor", relay, clock);
  mls::GroupOptions own;
  own.suite = mls::CipherSuiteId::kParley;
  own.identity = SerializeCredential(eve.self);
  own.capabilities = ChannelCapabilities();
  const mls::PreparedCommit commit =
      Must(mls::Group::JoinExternally(Must(insider.group.GroupInfoMessage(true, true)), own));
  Must(AppendClosing(relay, insider, control(), commit.message, commit.next, insider.state));
  ExpectHalted({&mira, &lee}, "an entry that doesn't open");
}

// ---- Rule 2 ----

TEST_F(PolicyTest, ANeutralCommitsAPartysAdd) {
  Person eve("Eve", Role::kCounsel, "Harbor", relay, clock);
  Insider party = InsiderOf(ana, id);
  const NewMember member = eve.AsNewMember();
  const Bytes proposal = Must(party.group.ProposeAdd(member.key_packages[0]));
  Must(AppendMessage(relay, party, proposal));
  ChannelState after = party.state;
  after.members.push_back({eve.self.participant_id,
                           "Eve",
                           Role::kCounsel,
                           "Harbor",
                           {{eve.self.device_id, eve.self.identity_key}}});
  mls::CommitOptions options;
  options.extensions = WithChannelState(party.group.extensions(), after);
  CommitProposal(tomas, proposal, options, after,
                 "Ana (party, Harbor), who is no neutral, tried to add somebody, and Tomas "
                 "(co-mediator) committed it");
}

TEST_F(PolicyTest, ANeutralCommitsAPartysRemoveOfAnother) {
  Insider party = InsiderOf(ana, id);
  const Bytes proposal = Must(party.group.ProposeRemove(LeafOf(party, lee)));
  Must(AppendMessage(relay, party, proposal));
  ChannelState after = party.state;
  std::erase_if(after.members, [&](const RosterMember& m) { return m.name == "Lee"; });
  mls::CommitOptions options;
  options.extensions = WithChannelState(party.group.extensions(), after);
  CommitProposal(tomas, proposal, options, after,
                 "Ana (party, Harbor), who is no neutral, tried to remove Lee");
}

TEST_F(PolicyTest, ANeutralCommitsAPartysChangeOfTheState) {
  Insider party = InsiderOf(ana, id);
  ChannelState after = party.state;
  after.control_key = control().public_key();
  after.stewards.clear();
  const Bytes proposal =
      Must(party.group.ProposeExtensions(WithChannelState(party.group.extensions(), after)));
  Must(AppendMessage(relay, party, proposal));
  CommitProposal(tomas, proposal, {}, after,
                 "Ana (party, Harbor), who is no neutral, tried to change the channel's");
}

TEST_F(PolicyTest, AnUpdateBecomesSomebodyElse) {
  Insider party = InsiderOf(ana, id);
  mls::LeafRenewal renewal;
  ParleyCredential other = ana.self;
  other.participant_id = lee.self.participant_id;
  renewal.identity = SerializeCredential(other);
  const Bytes proposal = Must(party.group.ProposeUpdate(renewal));
  Must(AppendMessage(relay, party, proposal));
  CommitProposal(tomas, proposal, {}, party.state,
                 "Ana (party, Harbor) tried to become another participant");
}

// ---- Proposals that no commit may hold ----

TEST_F(PolicyTest, APartysProposalsAboutOthersArePassedOver) {
  Person eve("Eve", Role::kCounsel, "Harbor", relay, clock);
  Insider party = InsiderOf(ana, id);
  const auto propose = [&](const Bytes& message) { Must(AppendMessage(relay, party, message)); };
  propose(Must(party.group.ProposeAdd(eve.AsNewMember().key_packages[0])));
  ExpectPassedOver(1, "Ana (party, Harbor), who is no neutral, proposed to add somebody");
  propose(Must(party.group.ProposeRemove(LeafOf(party, lee))));
  ExpectPassedOver(2, "who is no neutral, proposed to remove Lee (counsel, Harbor)");
  // Two alarms say enough about one member.
  propose(Must(party.group.ProposeExtensions({})));
  ExpectPassedOver(3, "proposed to remove Lee");
  mls::LeafRenewal renewal;
  ParleyCredential other = ana.self;
  other.participant_id = lee.self.participant_id;
  renewal.identity = SerializeCredential(other);
  propose(Must(party.group.ProposeUpdate(renewal)));
  ExpectPassedOver(4, "proposed to remove Lee");
}

TEST_F(PolicyTest, APartysChangeOfTheStateIsPassedOver) {
  Insider party = InsiderOf(ana, id);
  Must(AppendMessage(relay, party, Must(party.group.ProposeExtensions({}))));
  ExpectPassedOver(1, "who is no neutral, proposed to change the channel's state");
}

TEST_F(PolicyTest, AProposalToBecomeSomebodyElseIsPassedOver) {
  Insider party = InsiderOf(ana, id);
  mls::LeafRenewal renewal;
  ParleyCredential other = ana.self;
  other.identity_key = crypto::RandomArray<32>();
  renewal.identity = SerializeCredential(other);
  Must(AppendMessage(relay, party, Must(party.group.ProposeUpdate(renewal))));
  ExpectPassedOver(1, "Ana (party, Harbor) proposed to become another participant");
}

TEST_F(PolicyTest, AProposedPskIsPassedOverWhoeverProposesIt) {
  mls::PreSharedKeyId psk;
  psk.type = mls::PskType::kExternal;
  psk.psk_id = {1, 2, 3};
  psk.psk_nonce = crypto::RandomBytes(32);
  Insider neutral = InsiderOf(tomas, id);
  Must(AppendMessage(relay, neutral, Must(neutral.group.ProposePsk(psk))));
  for (Person* witness : {&mira, &ana, &lee}) {
    Must(witness->In(id).Sync());
    EXPECT_EQ(witness->Info(id).standing, Standing::kActive);
    EXPECT_EQ(witness->Info(id).passed_over, 1u) << witness->name;
    EXPECT_EQ(InsiderOf(*witness, id).group.pending_proposals().size(), 0u);
    EXPECT_THAT(witness->Info(id).alarms.back().text,
                HasSubstr("Tomas (co-mediator) proposed what no commit may hold"));
  }
}

TEST_F(PolicyTest, ManySuchProposalsKeepNobodyFromWhatTheyMay) {
  Insider party = InsiderOf(ana, id);
  for (int i = 0; i < 80; ++i) {  // more than wait of one member
    Must(AppendMessage(relay, party, Must(party.group.ProposeRemove(LeafOf(party, lee)))));
  }
  ExpectPassedOver(80, "proposed to remove Lee");
  // Ana's own proposal after them, Lee's, and a neutral's commit all get through.
  Must(AppendMessage(relay, party, Must(party.group.ProposeUpdate())));
  Must(lee.In(id).Sync());
  {
    Transaction tx = Must(lee.store->Begin());
    Must(lee.In(id).Leave(tx));
    Must(tx.Commit());
  }
  Must(lee.In(id).Exchange());
  Must(tomas.In(id).Sync());
  EXPECT_EQ(InsiderOf(tomas, id).group.pending_proposals().size(), 2u);
  EXPECT_TRUE(Must(mira.In(id).Exchange()).commit_merged);
  Must(tomas.In(id).Exchange());
  EXPECT_EQ(tomas.Info(id).standing, Standing::kActive) << tomas.Info(id).reason;
  EXPECT_EQ(tomas.Info(id).state.members.size(), 3u);
}

TEST_F(PolicyTest, ACommitterBecomesSomebodyElse) {
  mls::CommitOptions options;
  ParleyCredential other = tomas.self;
  other.identity_key = crypto::RandomArray<32>();
  options.renewal.identity = SerializeCredential(other);
  options.force_path = true;
  Close(tomas, options, InsiderOf(tomas, id).state);
  ExpectHalted({&mira, &lee}, "Tomas (co-mediator) tried to become another participant");
}

TEST_F(PolicyTest, ACommitChangesWhatTheGroupRequires) {
  const Insider insider = InsiderOf(tomas, id);
  mls::CommitOptions options;
  options.extensions =
      mls::Extensions{{kChannelStateExtension, SerializeChannelState(insider.state)}};
  Close(tomas, options, insider.state);
  ExpectHalted({&mira, &ana}, "Tomas (co-mediator) tried to change what the group requires");
}

TEST_F(PolicyTest, ACommitHasAuthenticatedData) {
  mls::CommitOptions options;
  options.authenticated_data = {1, 2, 3};
  options.force_path = true;
  Close(tomas, options, InsiderOf(tomas, id).state);
  ExpectHalted({&mira, &ana}, "authenticated data");
}

// ---- Rule 3 ----

class StateChangeTest : public PolicyTest {
 protected:
  // Tomas commits a state that `change` has spoiled; `adding` somebody besides, or nobody.
  void Commit(const std::function<void(ChannelState&)>& change, Person* adding = nullptr) {
    const Insider insider = InsiderOf(tomas, id);
    ChannelState after = insider.state;
    mls::CommitOptions options;
    if (adding != nullptr) options = Adding(insider, *adding, after);
    change(after);
    options.extensions = WithChannelState(insider.group.extensions(), after);
    Close(tomas, options, after);
  }
};

TEST_F(StateChangeTest, AnotherCase) {
  Commit([](ChannelState& state) { state.case_id = RandomId<CaseId>(); });
  ExpectHalted({&mira, &ana}, "Tomas (co-mediator) breaks the rules: the channel would become");
}
TEST_F(StateChangeTest, AnotherKind) {
  Commit([](ChannelState& state) { state.kind = ChannelKind::kJoint, state.side = ""; });
  ExpectHalted({&mira, &ana}, "the channel would become another one");
}
TEST_F(StateChangeTest, AnotherMailbox) {
  Commit([](ChannelState& state) { state.mailbox_id[0] ^= 1; });
  ExpectHalted({&mira, &ana}, "the channel would become another one");
}
TEST_F(StateChangeTest, AnotherIncarnation) {
  Commit([](ChannelState& state) { ++state.incarnation; });
  ExpectHalted({&mira, &ana}, "the channel would become another one");
}
TEST_F(StateChangeTest, ARoleAlone) {
  Commit([](ChannelState& state) { state.members.back().role = Role::kParty; });
  ExpectHalted({&mira, &ana}, "without anybody coming or going");
}
TEST_F(StateChangeTest, ARoleBesideAnAdd) {
  Person eve("Eve", Role::kCounsel, "Harbor", relay, clock);
  Commit(
      [](ChannelState& state) {
        for (RosterMember& member : state.members) {
          if (member.name == "Lee") member.role = Role::kParty;
        }
      },
      &eve);
  ExpectHalted({&mira, &ana}, "Lee (counsel, Harbor) would become Lee (party, Harbor)");
}
TEST_F(StateChangeTest, ANameBesideAnAdd) {
  Person eve("Eve", Role::kCounsel, "Harbor", relay, clock);
  Commit(
      [](ChannelState& state) {
        for (RosterMember& member : state.members) {
          if (member.name == "Lee") member.name = "Ana";
        }
      },
      &eve);
  ExpectHalted({&mira}, "Lee (counsel, Harbor) would become Ana (counsel, Harbor)");
}
TEST_F(StateChangeTest, NoStateAtAll) {
  const Insider insider = InsiderOf(tomas, id);
  mls::Extensions extensions = insider.group.extensions();
  std::erase_if(extensions,
                [](const mls::Extension& e) { return e.type == kChannelStateExtension; });
  mls::CommitOptions options;
  options.extensions = extensions;
  Close(tomas, options, insider.state);
  ExpectHalted({&mira, &ana}, "the group has none");
}
TEST_F(StateChangeTest, AStateThatDoesNotParse) {
  const Insider insider = InsiderOf(tomas, id);
  mls::Extensions extensions = insider.group.extensions();
  for (mls::Extension& extension : extensions) {
    if (extension.type == kChannelStateExtension) extension.data.push_back(0xFF);
  }
  mls::CommitOptions options;
  options.extensions = extensions;
  Close(tomas, options, insider.state);
  ExpectHalted({&mira, &ana}, "the channel's state is not valid");
}
TEST_F(StateChangeTest, TheControlKeyAloneMayChange) {
  const crypto::Secret seed = crypto::Secret::Random(32);
  MembershipChange change;
  change.new_control_seed = seed.Clone();
  Must(tomas.Prepare(id, change));
  EXPECT_TRUE(Must(tomas.In(id).Exchange()).commit_merged);
  Settle({&mira, &ana, &lee});
  EXPECT_EQ(mira.Info(id).standing, Standing::kActive);
  EXPECT_FALSE(mira.Info(id).has_control_key);
  EXPECT_EQ(mira.Prepare(id, {}).code(), absl::StatusCode::kFailedPrecondition);
  ShareControl(tomas, mira);
  EXPECT_TRUE(mira.Info(id).has_control_key);
  Must(mira.Prepare(id, {}));
  EXPECT_TRUE(Must(mira.In(id).Exchange()).commit_merged);
}

// ---- Rule 4 ----

TEST_F(PolicyTest, ALeafWithoutARosterEntry) {
  Person eve("Eve", Role::kCounsel, "Harbor", relay, clock);
  mls::CommitOptions options;
  options.adds = eve.AsNewMember().key_packages;
  Close(tomas, options, InsiderOf(tomas, id).state);
  ExpectHalted({&mira, &ana}, "that is not in the roster");
}

TEST_F(PolicyTest, ARosterEntryWithoutALeaf) {
  Person eve("Eve", Role::kCounsel, "Harbor", relay, clock);
  Person joe("Joe", Role::kCounsel, "Harbor", relay, clock);
  const Insider insider = InsiderOf(tomas, id);
  ChannelState after;
  mls::CommitOptions options = Adding(insider, eve, after);
  after.members.push_back({joe.self.participant_id,
                           "Joe",
                           Role::kCounsel,
                           "Harbor",
                           {{joe.self.device_id, joe.self.identity_key}}});
  options.extensions = WithChannelState(insider.group.extensions(), after);
  Close(tomas, options, after);
  ExpectHalted({&mira, &ana}, "the roster names Joe (counsel, Harbor), whose leaf is not in");
}

TEST_F(PolicyTest, ALeafWithAnotherIdentityKeyThanTheRoster) {
  Person eve("Eve", Role::kCounsel, "Harbor", relay, clock);
  const Insider insider = InsiderOf(tomas, id);
  ChannelState after;
  mls::CommitOptions options = Adding(insider, eve, after);
  after.members.back().devices[0].identity_key[0] ^= 1;
  options.extensions = WithChannelState(insider.group.extensions(), after);
  Close(tomas, options, after);
  ExpectHalted({&mira, &ana}, "not in the roster");
}

TEST_F(PolicyTest, TwoLeavesForOneDevice) {
  Person eve("Eve", Role::kCounsel, "Harbor", relay, clock);
  const Insider insider = InsiderOf(tomas, id);
  ChannelState after;
  mls::CommitOptions options = Adding(insider, eve, after);
  options.adds.push_back(eve.AsNewMember().key_packages[0]);
  Close(tomas, options, after);
  ExpectHalted({&mira, &ana}, "is in it twice");
}

// ---- Rule 5 ----

TEST_F(PolicyTest, TheOtherSideInACaucus) {
  const Insider insider = InsiderOf(tomas, id);
  ChannelState after;
  const mls::CommitOptions options = Adding(insider, ben, after);
  Close(tomas, options, after);
  ExpectHalted({&mira, &ana, &lee},
               "Tomas (co-mediator) breaks the rules: Ben (party, Northline) may not be in the "
               "channel caucus:Harbor");
}

TEST_F(PolicyTest, TheOwnClientRefusesItBeforeSending) {
  MembershipChange change;
  change.adds = {ben.AsNewMember()};
  const absl::Status refused = mira.Prepare(id, change);
  EXPECT_EQ(refused.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("Ben (party, Northline) may not be in"));
  EXPECT_FALSE(mira.Info(id).commit_in_flight);

  change.adds = {ana.AsNewMember()};
  EXPECT_EQ(mira.Prepare(id, change).code(), absl::StatusCode::kInvalidArgument) << "twice";
  change.adds = {ben.AsNewMember()};
  change.adds[0].participant_id = RandomId<ParticipantId>();
  EXPECT_EQ(mira.Prepare(id, change).code(), absl::StatusCode::kInvalidArgument);
  change.adds[0].key_packages = {{1, 2, 3}};
  EXPECT_FALSE(mira.Prepare(id, change).ok());
  change.adds.clear();
  change.removes = {ben.self.participant_id};
  EXPECT_EQ(mira.Prepare(id, change).code(), absl::StatusCode::kNotFound);
  change.removes = {mira.self.participant_id};
  EXPECT_EQ(mira.Prepare(id, change).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ana.Prepare(id, {}).code(), absl::StatusCode::kFailedPrecondition);
  Must(mira.Prepare(id, {}));
  EXPECT_EQ(mira.Prepare(id, {}).code(), absl::StatusCode::kFailedPrecondition) << "one waits";
}

// ---- Rule 6 ----

TEST_F(PolicyTest, ANextReadKeyOfNobodys) {
  mls::CommitOptions options;
  options.force_path = true;
  Close(tomas, options, InsiderOf(tomas, id).state,
        [](GenerationKeys& keys) { keys.read_key[0] ^= 1; });
  ExpectHalted({&mira, &ana}, "the mailbox's next keys are not those of the group");
}

TEST_F(PolicyTest, ASecondAppendKey) {
  mls::CommitOptions options;
  options.force_path = true;
  Close(tomas, options, InsiderOf(tomas, id).state, [](GenerationKeys& keys) {
    keys.append_keys.push_back(crypto::SignatureKey::Generate().public_key());
  });
  ExpectHalted({&mira, &ana}, "the mailbox's next keys are not those of the group");
}

TEST_F(PolicyTest, AnotherControlKeyThanTheStates) {
  mls::CommitOptions options;
  options.force_path = true;
  Close(tomas, options, InsiderOf(tomas, id).state, [](GenerationKeys& keys) {
    keys.control_key = crypto::SignatureKey::Generate().public_key();
  });
  ExpectHalted({&mira, &ana}, "next control key is not the one in the channel's state");
}

// ---- Closing entries that hold no commit ----

TEST_F(PolicyTest, AClosingWithAMessage) {
  Insider insider = InsiderOf(tomas, id);
  const mls::PreparedCommit commit = Must(insider.group.PrepareCommit());
  const Bytes message = Must(insider.group.Protect(crypto::ViewOf("hello")));
  Must(AppendClosing(relay, insider, control(), message, commit.next, insider.state));
  ExpectHalted({&mira, &ana}, "without a commit");
}

TEST_F(PolicyTest, AClosingThatDoesNotOpen) {
  const Insider insider = InsiderOf(tomas, id);
  const Bytes payload(300, 7);
  const Closing closing = SignClosing(control(), insider.state.mailbox_id, insider.generation,
                                      payload, relay.Only().current().keys);
  Must(AppendPayload(relay, insider, payload, closing));
  ExpectHalted({&mira, &ana}, "doesn't open");
}

TEST_F(PolicyTest, AClosingWithACommitOfNoMember) {
  Insider insider = InsiderOf(tomas, id);
  mls::Group other = insider.group.Clone();
  other = Must(other.PrepareCommit()).next;  // an epoch ahead
  const mls::PreparedCommit commit = Must(other.PrepareCommit());
  Must(AppendClosing(relay, insider, control(), commit.message, commit.next, insider.state));
  ExpectHalted({&mira, &ana}, "a commit that is not valid");
}

// ---- Entries that don't close ----

TEST_F(PolicyTest, WhatNobodyCanUseIsPassedOver) {
  Insider insider = InsiderOf(ana, id);
  const Bytes later = Must(insider.group.Protect(crypto::ViewOf("not a Content")));
  Must(AppendPayload(relay, insider, Bytes(300, 1)));  // doesn't open
  Must(AppendMessage(relay, insider, {1, 2, 3}));      // no MLSMessage
  Must(AppendMessage(relay, insider, Must(insider.group.PrepareCommit()).message));
  Must(AppendMessage(relay, insider, later));
  Must(AppendMessage(relay, insider, later));  // twice
  const Entry replayed = relay.Only().entries.back();
  relay.Only().entries.push_back(replayed);
  relay.Only().entries.back().position = relay.Only().head();
  const uint64_t epoch = mira.Info(id).epoch;
  for (Person* person : {&mira, &tomas, &lee}) {
    Must(person->In(id).Exchange());
    EXPECT_EQ(person->Info(id).standing, Standing::kActive);
    EXPECT_EQ(person->Info(id).passed_over, 6u) << person->name;
    EXPECT_EQ(person->Info(id).epoch, epoch);
    EXPECT_THAT(person->Heard(id), IsEmpty());
  }
  Must(lee.Say(id, "and on"));
  Settle({&mira, &tomas, &lee});
  EXPECT_EQ(mira.Heard(id), std::vector<std::string>{"Lee: and on"});
}

TEST_F(PolicyTest, AForgeryBurnsNoKey) {
  // Ana alters a message of Lee's that she has intercepted, and appends hers first.
  Insider honest = InsiderOf(lee, id);
  const Insider hostile = InsiderOf(ana, id);
  content::v1::Content content = TextContent("the real one");
  content.set_message_id(std::string(16, 'm'));
  const Bytes real = Must(honest.group.Protect(crypto::ViewOf(content.SerializeAsString())));
  Bytes altered = real;
  altered.back() ^= 1;
  Must(AppendMessage(relay, hostile, altered));
  Must(AppendMessage(relay, honest, real));
  Must(mira.In(id).Sync());
  EXPECT_EQ(mira.Info(id).passed_over, 1u);
  EXPECT_EQ(mira.Heard(id), std::vector<std::string>{"Lee: the real one"});
}

TEST_F(PolicyTest, AnUnknownBodyIsKept) {
  Insider insider = InsiderOf(ana, id);
  content::v1::Content content;
  content.set_message_id(std::string(16, 'n'));
  content.GetReflection()->MutableUnknownFields(&content)->AddLengthDelimited(41, "new");
  Must(AppendMessage(relay, insider,
                     Must(insider.group.Protect(crypto::ViewOf(content.SerializeAsString())))));
  Must(mira.In(id).Sync());
  MessageQuery query;
  query.kinds = {ContentKind::kUnknown};
  const std::vector<ChannelMessage> kept = mira.Messages(id, query);
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept[0].author.name, "Ana");
  EXPECT_THAT(crypto::ToString(kept[0].content.Reveal()), HasSubstr("new"));
}

// ---- Alarms ----

// One member says again and again that they saw another log: that doesn't drown what others raise,
// nor that the channel is halted.
TEST_F(PolicyTest, OneMembersAlarmsDrownNoOthers) {
  const auto lie = [&](Person& liar, int times) {
    Insider insider = InsiderOf(liar, id);
    for (int i = 0; i < times; ++i) {
      content::v1::Content content = TextContent("?");
      content.set_message_id(crypto::ToString(crypto::RandomBytes(16)));
      content.mutable_seen()->set_position(relay.Only().head());
      content.mutable_seen()->set_transcript_hash(crypto::ToString(crypto::RandomBytes(32)));
      Must(AppendMessage(relay, insider,
                         Must(insider.group.Protect(crypto::ViewOf(content.SerializeAsString())))));
    }
  };
  const auto forks_by = [&](const Person& author) {
    size_t count = 0;
    for (const ChannelAlarm& alarm : mira.Info(id).alarms) {
      if (alarm.kind == ChannelAlarmKind::kFork && alarm.author == author.self.participant_id) {
        ++count;
      }
    }
    return count;
  };
  lie(ana, 200);
  Must(mira.In(id).Sync());
  EXPECT_EQ(forks_by(ana), 2u);
  lie(lee, 1);
  Must(mira.In(id).Sync());
  EXPECT_EQ(forks_by(lee), 1u);
  Must(tomas.In(id).Sync());
  mls::CommitOptions options;
  options.force_path = true;
  Close(tomas, options, InsiderOf(tomas, id).state,
        [](GenerationKeys& keys) { keys.read_key[0] ^= 1; });
  ExpectHalted({&mira}, "the mailbox's next keys are not those of the group");
}

// A neutral announces head after head of which the relay has nothing: what the relay really does is
// still heard.
TEST_F(PolicyTest, ANeutralsClaimsDrownNoAlarmAboutTheRelay) {
  for (uint64_t i = 1; i <= 200; ++i) {
    content::v1::ChannelHeads heads;
    content::v1::ChannelHeads::Head& head = *heads.add_heads();
    head.set_channel_id(ToField(id));
    head.set_incarnation(1);
    head.mutable_head()->set_position(relay.Only().head() + i);
    head.mutable_head()->set_transcript_hash(std::string(32, 'h'));
    head.set_epoch(99);
    head.set_epoch_authenticator(std::string(32, 'a'));
    Transaction tx = Must(mira.store->Begin());
    const ChannelInfo info = mira.Info(id);
    Must(Channel::CompareHeads(tx, heads, *info.state.FindMember(tomas.self.participant_id), 1));
    Must(tx.Commit());
    Must(mira.In(id).Sync());
  }
  const std::vector<ChannelAlarm> alarms = mira.Info(id).alarms;
  EXPECT_EQ(std::count_if(alarms.begin(), alarms.end(),
                          [](const ChannelAlarm& alarm) {
                            return alarm.kind == ChannelAlarmKind::kRelayLog;
                          }),
            2);
}

// ---- Welcomes ----

class WelcomeTest : public Room {
 protected:
  void SetUp() override {
    Open(ChannelKind::kCaucus, "Harbor", {&ana});
    Settle({&mira, &ana});
    MembershipChange change;
    change.adds = {lee.AsNewMember()};
    Must(mira.Prepare(id, change));
    Must(mira.In(id).Exchange());
    const ReadTransaction tx = Must(mira.store->Read());
    std::vector<WelcomeDelivery> pending = Must(mira.In(id).PendingWelcomes(tx));
    ASSERT_EQ(pending.size(), 1u);
    EXPECT_EQ(pending[0].participant_id, lee.self.participant_id);
    PARLEY_CHECK(wrapper.ParseFromArray(pending[0].wrapper.data(),
                                        static_cast<int>(pending[0].wrapper.size())));
  }

  absl::Status Join() {
    return lee.Join(case_id, adder, crypto::ToBytes(wrapper.SerializeAsString())).status();
  }

  content::v1::WelcomeWrapper wrapper;
  ParticipantId adder = mira.self.participant_id;
};

TEST_F(WelcomeTest, IsTakenOnce) {
  Must(Join());
  EXPECT_EQ(lee.Info(id).standing, Standing::kActive);
  lee.AsNewMember();
  EXPECT_EQ(Join().code(), absl::StatusCode::kNotFound) << "the key package is used up";
}

TEST_F(WelcomeTest, FromSomebodyWhoMayNotAdd) {
  adder = ana.self.participant_id;
  const absl::Status status = Join();
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(status.message()), HasSubstr("Ana (party, Harbor), who may not add"));
  adder = RandomId<ParticipantId>();
  EXPECT_EQ(Join().code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(WelcomeTest, ToAnotherCaseOrChannel) {
  EXPECT_EQ(lee.Join(RandomId<CaseId>(), adder, crypto::ToBytes(wrapper.SerializeAsString()))
                .status()
                .code(),
            absl::StatusCode::kPermissionDenied);
  wrapper.set_channel_id(ToField(RandomId<ChannelId>()));
  EXPECT_EQ(Join().code(), absl::StatusCode::kPermissionDenied);
}

// The committer's roster makes another of the recipient than the inviter's approval did.
TEST_F(WelcomeTest, WithAnotherRoleOrSideThanApproved) {
  const auto join = [&](Role role, const std::string& side) {
    mls::KeyPackageBundle bundle =
        Must(mls::KeyPackageBundle::Parse(lee.packages.back().SerializeSecret().Reveal()));
    Transaction tx = Must(lee.store->Begin());
    JoinExpectations expected{case_id, adder, lee.self};
    expected.role = role;
    expected.side = side;
    return Channel::Join(tx, lee.context, wrapper, std::move(bundle), expected).status();
  };
  EXPECT_EQ(join(Role::kParty, "Harbor").code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(join(Role::kCounsel, "Northline").code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(join(Role::kMediator, "").code(), absl::StatusCode::kPermissionDenied);
  const absl::Status right = join(Role::kCounsel, "Harbor");
  EXPECT_TRUE(right.ok()) << right;
}

TEST_F(WelcomeTest, WithAWrapperThatIsNotRight) {
  const content::v1::WelcomeWrapper good = wrapper;
  wrapper.set_generation(good.generation() + 1);
  EXPECT_EQ(Join().code(), absl::StatusCode::kInvalidArgument);
  wrapper = good;
  wrapper.mutable_joined()->set_transcript_hash("short");
  EXPECT_EQ(Join().code(), absl::StatusCode::kInvalidArgument);
  wrapper = good;
  wrapper.mutable_joined()->set_position(0);
  EXPECT_EQ(Join().code(), absl::StatusCode::kInvalidArgument);
  wrapper = good;
  wrapper.set_channel_id("x");
  EXPECT_EQ(Join().code(), absl::StatusCode::kInvalidArgument);
  wrapper = good;
  (*wrapper.mutable_welcome())[wrapper.welcome().size() / 2] ^= 1;
  EXPECT_FALSE(Join().ok());
  const ReadTransaction tx = Must(lee.store->Read());
  EXPECT_THAT(Must(Channel::List(tx)), IsEmpty()) << "nothing of it is kept";
}

TEST_F(WelcomeTest, ForAnotherDeviceOfTheSameKeyPackage) {
  lee.self.device_id = RandomId<DeviceId>();
  EXPECT_EQ(Join().code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(WelcomeTest, IntoAGroupThatBreaksTheCaucusRule) {
  // Mira's client is honest; a hostile one adds Ben to Harbor's caucus.
  Insider insider = InsiderOf(mira, id);
  ChannelState after = insider.state;
  after.members.push_back({ben.self.participant_id,
                           "Ben",
                           Role::kParty,
                           "Northline",
                           {{ben.self.device_id, ben.self.identity_key}}});
  mls::CommitOptions options;
  options.adds = ben.AsNewMember().key_packages;
  options.extensions = WithChannelState(insider.group.extensions(), after);
  const mls::PreparedCommit commit = Must(insider.group.PrepareCommit(options));
  wrapper.set_welcome(crypto::ToString(*commit.welcome));
  wrapper.set_generation(GenerationOf(commit.next.epoch()));
  const absl::Status status =
      ben.Join(case_id, adder, crypto::ToBytes(wrapper.SerializeAsString())).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(status.message()), HasSubstr("Ben (party, Northline) may not be in"));
}

}  // namespace
}  // namespace parley::client
