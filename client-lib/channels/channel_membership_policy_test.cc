// Rules 3 to 5 of docs/protocol.md section 5 (the channel's state, the roster, who may be in),
// broken by a member who uses MLS directly and has the control key: each honest member refuses,
// halts and says who did what.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client-lib/channels/test_policy.h"

namespace parley::client {
namespace {

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

// From it the one who adds it could speak as Lee.
TEST_F(PolicyTest, ASecondDeviceOfAMember) {
  Person eve("Eve", Role::kCounsel, "Harbor", relay, clock);
  const Insider insider = InsiderOf(tomas, id);
  for (const RosterMember& member : insider.state.members) {
    if (member.name == "Lee") eve.self.participant_id = member.participant_id;
  }
  ChannelState after;
  mls::CommitOptions options = Adding(insider, eve, after);
  after = insider.state;
  for (RosterMember& member : after.members) {
    if (member.participant_id != eve.self.participant_id) continue;
    member.devices.push_back({eve.self.device_id, eve.self.identity_key});
  }
  options.extensions = WithChannelState(insider.group.extensions(), after);
  Close(tomas, options, after);
  ExpectHalted({&mira, &ana}, "Lee (counsel, Harbor) would have another device");
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

}  // namespace
}  // namespace parley::client
