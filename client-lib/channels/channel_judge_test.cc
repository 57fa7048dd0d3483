// The policy by itself, without a channel: what it says of credentials, foundings, forms.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client-lib/channels/channel_policy.h"
#include "client-lib/channels/credential.h"

namespace parley::client {
namespace {

using ::testing::HasSubstr;

ParleyCredential SomeDevice() {
  return {RandomId<ParticipantId>(), RandomId<DeviceId>(), crypto::RandomArray<32>(), {}};
}

mls::Credential AsLeaf(const ParleyCredential& who) {
  return mls::Credential::Basic(SerializeCredential(who));
}

TEST(ChannelJudge, TakesNothingButOurCredentials) {
  const ChannelPolicy& policy = StandardPolicy();
  EXPECT_TRUE(policy.Judge(AsLeaf(SomeDevice()), {}).ok());
  const mls::Credential others[] = {mls::Credential::Basic(crypto::ToBytes("Lee")),
                                    mls::Credential::Basic({}), mls::Credential::X509({})};
  for (const mls::Credential& other : others) {
    EXPECT_EQ(policy.Judge(other, {}).code(), absl::StatusCode::kPermissionDenied);
  }
}

TEST(ChannelJudge, ALeafStaysTheSamePersonsDevice) {
  const ChannelPolicy& policy = StandardPolicy();
  const ParleyCredential lee = SomeDevice();
  ParleyCredential extended = lee;
  extended.extensions.push_back({mls::ExtensionType(0xF0A7), {1}});
  EXPECT_TRUE(policy.JudgeSuccessor(AsLeaf(lee), AsLeaf(lee)).ok());
  EXPECT_TRUE(policy.JudgeSuccessor(AsLeaf(lee), AsLeaf(extended)).ok());
  ParleyCredential other = lee;
  other.participant_id = RandomId<ParticipantId>();
  EXPECT_FALSE(policy.JudgeSuccessor(AsLeaf(lee), AsLeaf(other)).ok());
  EXPECT_NE(policy.ClientOf(AsLeaf(lee)), policy.ClientOf(AsLeaf(other)));
  other = lee;
  other.device_id = RandomId<DeviceId>();
  EXPECT_FALSE(policy.JudgeSuccessor(AsLeaf(lee), AsLeaf(other)).ok());
  EXPECT_NE(policy.ClientOf(AsLeaf(lee)), policy.ClientOf(AsLeaf(other)));
  // Another identity key makes no other client of it, and no client that may go on.
  other = lee;
  other.identity_key[0] ^= 1;
  EXPECT_FALSE(policy.JudgeSuccessor(AsLeaf(lee), AsLeaf(other)).ok());
  EXPECT_EQ(policy.ClientOf(AsLeaf(lee)), policy.ClientOf(AsLeaf(other)));
  EXPECT_FALSE(policy.JudgeSuccessor(AsLeaf(lee), mls::Credential::Basic({1, 2})).ok());
  EXPECT_NE(policy.ClientOf(AsLeaf(lee)), policy.ClientOf(mls::Credential::X509({})));
}

// MLS itself asks it: of a commit that adds, before anything is sent.
TEST(ChannelJudge, KeepsStrangersOutOfOwnCommits) {
  const ChannelPolicy& policy = StandardPolicy();
  mls::GroupOptions options;
  options.group_id = crypto::RandomBytes(32);
  options.identity = SerializeCredential(SomeDevice());
  mls::Group group = *mls::Group::Create(options);
  const auto commit = [&](const Bytes& identity) {
    mls::KeyPackageBundle bundle = *mls::KeyPackageBundle::Create(
        {.suite = mls::CipherSuiteId::kParley, .identity = identity});
    return group.PrepareCommit({.adds = {bundle.message()}, .checks = {.judge = &policy}}).status();
  };
  EXPECT_TRUE(commit(SerializeCredential(SomeDevice())).ok());
  const absl::Status refused = commit(crypto::ToBytes("somebody"));
  EXPECT_EQ(refused.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("no valid credential of a participant"));
}

TEST(ChannelJudge, CommittersAndTheCaucusRuleFoundChannels) {
  const ChannelPolicy& policy = StandardPolicy();
  const ParleyCredential self = SomeDevice();
  ChannelState state;
  state.case_id = RandomId<CaseId>();
  state.channel_id = RandomId<ChannelId>();
  state.kind = ChannelKind::kCaucus;
  state.side = "Harbor";
  state.members = {
      {self.participant_id, "Mira", Role::kMediator, "", {{self.device_id, self.identity_key}}}};
  EXPECT_TRUE(policy.CheckFounding(state, self.participant_id).ok());
  EXPECT_TRUE(policy.MayCommit(state, self.participant_id));
  EXPECT_EQ(policy.CheckFounding(state, RandomId<ParticipantId>()).code(),
            absl::StatusCode::kPermissionDenied);
  state.members[0].role = Role::kParty;
  state.members[0].side = "Harbor";
  EXPECT_FALSE(policy.MayCommit(state, self.participant_id));
  const absl::Status party = policy.CheckFounding(state, self.participant_id);
  EXPECT_THAT(std::string(party.message()), HasSubstr("Mira (party, Harbor) may not open"));
  state.members[0].side = "Northline";
  EXPECT_THAT(std::string(policy.CheckFounding(state, self.participant_id).message()),
              HasSubstr("may not be in the channel caucus:Harbor"));
}

TEST(ChannelJudge, NothingTravelsButPrivateMessages) {
  const ChannelPolicy& policy = StandardPolicy();
  mls::MessageHead head;
  head.wire_format = mls::WireFormat::kPrivateMessage;
  EXPECT_TRUE(policy.CheckWireForm(head).ok());
  for (const mls::WireFormat other : {mls::WireFormat::kPublicMessage, mls::WireFormat::kWelcome,
                                      mls::WireFormat::kGroupInfo, mls::WireFormat::kKeyPackage}) {
    head.wire_format = other;
    EXPECT_EQ(policy.CheckWireForm(head).code(), absl::StatusCode::kPermissionDenied);
  }
}

}  // namespace
}  // namespace parley::client
