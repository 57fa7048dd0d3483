// Rules 1, 2 and 6 of docs/protocol.md section 5 (who commits, what a commit and a proposal may
// hold, the next keys), broken by a member who uses MLS directly and has the control key: each
// honest member refuses, halts and says who did what.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client-lib/channels/test_policy.h"
#include "crypto/mls/forging.h"

namespace parley::client {
namespace {

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

TEST_F(PolicyTest, AClosingInTheVictimsNameIsNoSignOfAnOldCopy) {
  Must(lee.Say(id, "mine"));
  Settle({&mira, &tomas, &ana, &lee});
  Insider insider = InsiderOf(tomas, id);
  const mls::PreparedCommit commit = Must(insider.group.PrepareCommit());
  const Bytes forged = mls::testing::ForgeSenderData(insider.group, LeafOf(insider, lee), 0,
                                                     mls::ContentType::kApplication);
  Must(AppendClosing(relay, insider, control(), forged, commit.next, insider.state));
  ExpectHalted({&mira, &ana}, "a commit that is not valid");
  ExpectHalted({&lee}, "without a commit");
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

// Two leaves with one key make a commit invalid, and the committer's answer to that is to take no
// renewals at all.
TEST_F(PolicyTest, WhoCopiesAKeyKeepsNobodyElseFromRenewing) {
  Insider party = InsiderOf(ana, id);
  Must(AppendMessage(relay, party, Must(party.group.ProposeUpdate())));
  const Bytes renewed = std::get<mls::Update>(party.group.pending_proposals()[0].proposal.body)
                            .leaf_node->encryption_key;
  Insider mallory = InsiderOf(lee, id);
  const auto propose = [&](const Bytes& encryption_key) {
    mls::GroupState& state = mallory.group.mutable_state();
    mls::LeafNode leaf = state.own_leaf_node();
    leaf.source = mls::LeafNodeSource::kUpdate;
    leaf.encryption_key = encryption_key;
    mls::SignLeafNode(state.signature_key, state.place(state.own_leaf), leaf);
    mls::FramedContent content = mls::NewContent(state, {});
    content.body = mls::Proposal{mls::Update{leaf}};
    const mls::AuthenticatedContent update =
        mls::SignAs(state, mls::WireFormat::kPrivateMessage, std::move(content));
    Must(AppendMessage(relay, mallory, Must(mls::SealPrivate(state, update, 0))));
    Must(mira.In(id).Sync());
    EXPECT_EQ(mira.Info(id).passed_over, 0u) << "each by itself is well made";
    const auto taken = StandardPolicy().AcceptableProposals(InsiderOf(mira, id).group, {});
    ASSERT_EQ(taken.size(), 1u);
    EXPECT_EQ(taken[0].sender.leaf(), party.group.own_leaf());
  };
  mallory.group.state().tree.ForEachParent(
      [&](mls::NodeIndex, const mls::ParentNode& node) { propose(node.encryption_key); });
  propose(mallory.group.FindMember(LeafOf(mallory, tomas))->encryption_key);
  propose(renewed);
  EXPECT_TRUE(Must(mira.In(id).Exchange()).commit_merged);
  Must(tomas.In(id).Exchange());
  EXPECT_EQ(tomas.Info(id).standing, Standing::kActive) << tomas.Info(id).reason;
  EXPECT_EQ(InsiderOf(tomas, id).group.FindMember(party.group.own_leaf())->encryption_key, renewed);
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

}  // namespace
}  // namespace parley::client
