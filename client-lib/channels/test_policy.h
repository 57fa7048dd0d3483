// A channel and a member in it who breaks the rules of docs/protocol.md section 5, using MLS
// directly and with the control key. Only tests include it.
#ifndef PARLEY_CLIENT_LIB_CHANNELS_TEST_POLICY_H_
#define PARLEY_CLIENT_LIB_CHANNELS_TEST_POLICY_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "client-lib/channels/channel_policy.h"
#include "client-lib/channels/test_insider.h"
#include "gmock/gmock.h"

namespace parley::client {

using ::testing::HasSubstr;

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
        StandardPolicy()
            .CheckCommit(witness.state, witness.group, std::get<mls::StagedCommit>(received), {})
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

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_CHANNELS_TEST_POLICY_H_
