// A side of a case, whose people open a team channel.
#ifndef PARLEY_CLIENT_LIB_API_TEAM_FOR_TEST_H_
#define PARLEY_CLIENT_LIB_API_TEAM_FOR_TEST_H_

#include <string>
#include <vector>

#include "client-lib/api/attacker_for_test.h"

namespace parley::testing {

class TeamCase : public Mediation {
 protected:
  Attacker As(const std::string& name) {
    profiles_.erase(name);
    return Attacker(folder_ / name, relay_, case_);
  }

  // After As(), by its own program again.
  void Resume(const std::string& name) { profiles_.emplace(name, Another(name)); }

  ChannelRef OpenTeam(const std::string& name, const std::vector<ParticipantId>& members = {},
                      const std::vector<ParticipantId>& stewards = {}) {
    return Must(Of(name).CreateChannel(
                    case_, {.kind = ChannelKind::kTeam, .members = members, .stewards = stewards}),
                "team")
        .ref;
  }

  std::vector<std::string> Stewards(const std::string& name) {
    std::vector<std::string> names;
    for (const Person& steward : Find(name, "team", 0).stewards) names.push_back(steward.name);
    return names;
  }

  std::vector<SearchResult> Found(const std::string& name, const std::string& text) {
    SearchRequest request;
    request.text = text;
    return Must(Of(name).Search(request), "searching");
  }

  // A steward's own program lets somebody into the team under a role and side that they don't have.
  void LetInDisguised(const std::string& steward, const ChannelRef& team, const ChannelRef& joint,
                      const ParticipantId& who) {
    profiles_.erase(steward);
    const auto store = Have(client::ProfileStore::Open(folder_ / steward));
    const auto relay =
        Have(client::RelayClient::Connect({relay_.address(), relay_.identity_key()}));
    client::RelayMailboxes mailboxes(*relay);
    client::CaseContext context;
    context.store = store.get();
    context.relay = relay.get();
    context.mailboxes = &mailboxes;
    context.now_seconds = [] { return static_cast<uint64_t>(time(nullptr)); };
    context.id = case_;
    {
      client::Transaction step = Have(store->Begin());
      const client::ChannelInfo info = Have(context.Channel(joint.channel_id).Info(step));
      const client::RosterMember& member = *info.state.FindMember(who);
      client::ParleyCredential credential;
      credential.participant_id = who;
      credential.device_id = member.devices[0].device_id;
      credential.identity_key = member.devices[0].identity_key;
      client::MembershipChange change;
      change.adds.push_back({who,
                             member.name,
                             Role::kSupportPerson,
                             "Harbor",
                             {crypto::ToBytes(Attacker::KeyPackage(credential))}});
      Have(context.Channel(team.channel_id).PrepareCommit(step, change));
      Have(step.Commit());
    }
    Have(context.Channel(team.channel_id).Exchange().status());
  }

  // That all of them are in one and the same team, and hear each other.
  void ExpectOneTeam(const std::vector<std::string>& names) {
    const ChannelRef team = Ref(names.front(), "team");
    for (const std::string& name : names) {
      EXPECT_EQ(Ref(name, "team"), team) << name;
      EXPECT_THAT(Readers(name, "team"), ::testing::UnorderedElementsAreArray(names)) << name;
      EXPECT_EQ(Must(Of(name).GetChannel(team), "team").status, ChannelStatus::kActive) << name;
      Say(name, "team", "One team is enough for " + name + ".");
    }
    for (const std::string& name : names) {
      Sync(name);
      EXPECT_THAT(Texts(name, "team"), ::testing::SizeIs(names.size())) << name;
    }
  }

  // The side's three, with a team that Lee has opened.
  void OpenTeamOfThree() {
    LetEverybodyIn();
    LetIn("Kim", Role::kCounsel, "Harbor");
    SyncAll({"Mira", "Lee", "Ana", "Kim"});
    OpenTeam("Lee");
    SyncAll({"Ana", "Kim", "Lee"}, 3);
  }
};

}  // namespace parley::testing

#endif  // PARLEY_CLIENT_LIB_API_TEAM_FOR_TEST_H_
