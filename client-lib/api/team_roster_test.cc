// What the case's other channels say of a team's roster.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client-lib/cases/team_records.h"

namespace parley {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A steward who lets somebody in under another role deceives nobody who sees them elsewhere.
TEST(TeamRosterTest, WhoIsSomebodyElseElsewhereIsFound) {
  const client::RosterMember ana{ParticipantId(ParticipantId::Bytes{1}),
                                 "Ana",
                                 Role::kParty,
                                 "Harbor",
                                 {{client::DeviceId(client::DeviceId::Bytes{1}), {1}}}};
  const client::RosterMember mira{ParticipantId(ParticipantId::Bytes{2}),
                                  "Mira",
                                  Role::kMediator,
                                  "",
                                  {{client::DeviceId(client::DeviceId::Bytes{2}), {2}}}};
  client::CaseChannel joint;
  joint.info.state.kind = ChannelKind::kJoint;
  joint.info.state.members = {mira, ana};
  client::ChannelState team;
  team.kind = ChannelKind::kTeam;
  team.side = "Harbor";
  team.members = {ana};
  EXPECT_THAT(client::CheckTeam(team, {joint}).contradiction, IsEmpty());
  EXPECT_THAT(client::CheckTeam(team, {joint}).unknown, IsEmpty());
  client::RosterMember disguised = mira;
  disguised.role = Role::kSupportPerson;
  disguised.side = "Harbor";
  team.members = {ana, disguised};
  EXPECT_THAT(client::CheckTeam(team, {joint}).contradiction,
              HasSubstr("Mira (support person, Harbor), who is Mira (mediator) in joint"));
  // Under an id of her own making, but from her device, or with its key.
  disguised.participant_id = ParticipantId(ParticipantId::Bytes{3});
  disguised.name = "Noor";
  team.members = {ana, disguised};
  EXPECT_THAT(client::CheckTeam(team, {joint}).contradiction, HasSubstr("Mira (mediator)"));
  disguised.devices[0].device_id = client::DeviceId(client::DeviceId::Bytes{3});
  team.members = {ana, disguised};
  EXPECT_THAT(client::CheckTeam(team, {joint}).contradiction, HasSubstr("Mira (mediator)"));
  // A device that nobody has seen: that can only be said.
  disguised.devices[0].identity_key = {3};
  team.members = {ana, disguised};
  EXPECT_THAT(client::CheckTeam(team, {joint}).contradiction, IsEmpty());
  EXPECT_THAT(client::CheckTeam(team, {joint}).unknown,
              ElementsAre("Noor (support person, Harbor)"));
  // Ana under a key that isn't hers.
  client::RosterMember other = ana;
  other.devices[0] = {client::DeviceId(client::DeviceId::Bytes{4}), {4}};
  team.members = {other};
  EXPECT_THAT(client::CheckTeam(team, {joint}).contradiction, HasSubstr("Ana (party, Harbor)"));
}

// One neutral says something else of Ana, in a group that they alone have opened.
TEST(TeamRosterTest, WhatAnUnrelatedChannelSaysOfAMemberEndsNoTeam) {
  const client::RosterMember ana{ParticipantId(ParticipantId::Bytes{1}),
                                 "Ana",
                                 Role::kParty,
                                 "Harbor",
                                 {{client::DeviceId(client::DeviceId::Bytes{1}), {1}}}};
  client::RosterMember slandered = ana;
  slandered.side = "Northline";
  client::CaseChannel joint;
  joint.info.state.kind = ChannelKind::kJoint;
  joint.info.state.members = {ana};
  client::CaseChannel group;
  group.info.state.kind = ChannelKind::kGroup;
  group.info.state.side = "Yard";
  group.info.state.members = {slandered};
  client::ChannelState team;
  team.kind = ChannelKind::kTeam;
  team.side = "Harbor";
  team.members = {ana};
  const client::TeamCheck check = client::CheckTeam(team, {group, joint});
  EXPECT_THAT(check.contradiction, IsEmpty());
  EXPECT_THAT(check.doubts, ElementsAre(HasSubstr("Ana (party, Northline) in group:Yard")));
  // Where neither the joint channel nor the caucus shows them, any other channel counts.
  EXPECT_THAT(client::CheckTeam(team, {group}).contradiction, HasSubstr("in group:Yard"));
  // A joint channel that is over says nothing.
  joint.info.standing = client::Standing::kHalted;
  joint.info.state.members = {slandered};
  EXPECT_THAT(client::CheckTeam(team, {joint}).contradiction, IsEmpty());
}

}  // namespace
}  // namespace parley
