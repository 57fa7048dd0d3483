// Who was away while a channel was opened anew, or let in again, more than once; and whose
// reopening of a team counts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "client-lib/channels/credential.h"
#include "client-lib/channels/test_lying_relay.h"

namespace parley::client {
namespace {

class ReopeningTest : public RelayTest {
 protected:
  // A committer's client makes an entry that everybody must refuse.
  void Halt(Person& committer) {
    const Insider insider = InsiderOf(committer, id);
    const Bytes payload(300, 7);
    const GenerationKeys keys = relay.mailboxes.at(insider.state.mailbox_id).current().keys;
    Must(AppendPayload(relay, insider, payload,
                       SignClosing(ControlKeyOf(committer, id), insider.state.mailbox_id,
                                   insider.generation, payload, keys)));
    Must(committer.In(id).Exchange());
    ASSERT_EQ(committer.Info(id).standing, Standing::kHalted);
  }
  void HaltAndReopen() {
    Halt(mira);
    Reopen(mira, id);
  }

  // Lets Ana in by a Welcome that `change` has altered.
  void AddByAltered(const std::function<void(content::v1::WelcomeWrapper&)>& change) {
    MembershipChange adding;
    adding.adds = {ana.AsNewMember()};
    Must(mira.Prepare(id, adding));
    Must(mira.In(id).Exchange());
    Transaction tx = Must(mira.store->Begin());
    const std::vector<WelcomeDelivery> pending = Must(mira.In(id).PendingWelcomes(tx));
    ASSERT_EQ(pending.size(), 1u);
    content::v1::WelcomeWrapper wrapper;
    ASSERT_TRUE(wrapper.ParseFromArray(pending[0].wrapper.data(),
                                       static_cast<int>(pending[0].wrapper.size())));
    change(wrapper);
    Must(ana.Join(case_id, mira.self.participant_id, crypto::ToBytes(wrapper.SerializeAsString())));
    Must(mira.In(id).WelcomeDelivered(tx, pending[0].id));
    Must(tx.Commit());
  }

  std::vector<ChannelAlarm> Forks() {
    std::vector<ChannelAlarm> forks = ana.Info(id).alarms;
    std::erase_if(forks,
                  [](const ChannelAlarm& alarm) { return alarm.kind != ChannelAlarmKind::kFork; });
    return forks;
  }

  std::vector<std::string> LastHeard(size_t n) {
    std::vector<std::string> heard = ana.Heard(id);
    heard.erase(heard.begin(),
                heard.end() - static_cast<std::ptrdiff_t>(std::min(n, heard.size())));
    return heard;
  }
};

TEST_F(ReopeningTest, WhoWasAwayOverTwoReopeningsReadsAllThatWasSaid) {
  Must(mira.Say(id, "in the first"));
  HaltAndReopen();
  Add(mira, {&ana});
  Must(mira.Say(id, "in the second"));
  HaltAndReopen();
  Add(mira, {&ana});
  Must(mira.Say(id, "in the third"));
  ASSERT_EQ(ana.Info(id).state.incarnation, 1u);
  ana.Restart();
  Must(ana.Say(id, "back"));
  EXPECT_EQ(ana.Info(id).state.incarnation, 3u);
  EXPECT_EQ(ana.Info(id).standing, Standing::kActive);
  EXPECT_EQ(LastHeard(4), (std::vector<std::string>{"Mira: in the first", "Mira: in the second",
                                                    "Mira: in the third", "Ana: back"}));
  EXPECT_TRUE(Forks().empty());
  EXPECT_TRUE(ComingsBackIn(ana, id).empty()) << "nothing was missed";
  Settle({&mira, &ana});
  EXPECT_EQ(mira.Heard(id).back(), "Ana: back");
  // Nothing of what waited is left behind.
  const ReadTransaction tx = Must(ana.store->Read());
  EXPECT_FALSE(Must(tx.Has(RecordClass::kRatchet, ChannelNames(id).Successors())));
}

// The second incarnation was opened without her: what the third one says of its end is compared
// with nothing of the first.
TEST_F(ReopeningTest, WhoWasLetInAfterTwoReopeningsIsToldOfNoFork) {
  const uint64_t read = ana.Info(id).head.position;
  HaltAndReopen();
  Add(mira, {&ben});
  Must(mira.Say(id, "without Ana"));
  const uint64_t end = mira.Info(id).head.position;
  ASSERT_LT(end, read) << "a place that her log of the first one has, too";
  HaltAndReopen();
  Add(mira, {&ana});
  Must(ana.Say(id, "back"));
  EXPECT_EQ(ana.Info(id).state.incarnation, 3u);
  EXPECT_TRUE(Forks().empty());
  const std::vector<ComingBack> again = ComingsBackIn(ana, id);
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].left_incarnation, 1u);
  EXPECT_EQ(again[0].incarnation, 3u);
  Settle({&mira, &ana});
  EXPECT_EQ(mira.Heard(id).back(), "Ana: back");
}

TEST_F(ReopeningTest, OfTwoReopeningsEachFromAnotherLogIsToldAsAFork) {
  for (const uint32_t forked : {1u, 2u}) {
    const size_t before = Forks().size();
    const uint32_t first = ana.Info(id).state.incarnation;
    for (const uint32_t turn : {1u, 2u}) {
      HaltAndReopen();
      AddByAltered([&](content::v1::WelcomeWrapper& wrapper) {
        if (turn != forked) return;
        (*wrapper.mutable_previous()->mutable_transcript_hash())[0] ^= 1;
      });
      Must(mira.Say(id, "in turn " + std::to_string(turn)));
    }
    ASSERT_EQ(ana.Info(id).state.incarnation, first);
    Must(ana.Say(id, "back"));
    EXPECT_EQ(ana.Info(id).state.incarnation, first + 2);
    const std::vector<ChannelAlarm> forks = Forks();
    ASSERT_EQ(forks.size(), before + 1) << forked;
    EXPECT_EQ(forks.back().incarnation, first + forked - 1);
    EXPECT_THAT(forks.back().text, HasSubstr("had another log up to position"));
    Settle({&mira, &ana});
  }
}

TEST_F(ReopeningTest, WhoWasPutOutAndLetInTwiceWhileAwayReadsEachStay) {
  Must(mira.Say(id, "in the first stay"));
  for (const char* stay : {"second", "third"}) {
    Must(Remove(mira, ana));
    Must(mira.Say(id, std::string("before the ") + stay));
    Add(mira, {&ana});
    Must(mira.Say(id, std::string("in the ") + stay + " stay"));
  }
  Must(ana.Say(id, "back"));
  EXPECT_EQ(LastHeard(4),
            (std::vector<std::string>{"Mira: in the first stay", "Mira: in the second stay",
                                      "Mira: in the third stay", "Ana: back"}));
  EXPECT_EQ(ComingsBackIn(ana, id).size(), 2u);
  Settle({&mira, &ana, &ben});
  EXPECT_EQ(ben.Heard(id).back(), "Ana: back");
}

// The relay has lost the log in which her second stay was to begin.
TEST_F(ReopeningTest, AWelcomeWhoseTurnCantComeHoldsUpNoLaterOne) {
  Must(Remove(mira, ana));
  Add(mira, {&ana});
  relay.mailboxes.clear();
  Reopen(mira, id, true);
  Add(mira, {&ana});
  Must(ana.Say(id, "back"));
  EXPECT_EQ(ana.Info(id).state.incarnation, 2u);
  Settle({&mira, &ana});
  EXPECT_EQ(mira.Heard(id).back(), "Ana: back");
}

// ---- Teams ----

class TeamReopeningTest : public ReopeningTest {
 protected:
  void SetUp() override {
    NewChannel options = lee.Founding(case_id, ChannelKind::kTeam, "Harbor");
    options.stewards = {lee.self.participant_id};
    {
      Transaction tx = Must(lee.store->Begin());
      Must(lee.In(id).Create(tx, std::move(options)));
      Must(tx.Commit());
    }
    Must(lee.In(id).Exchange());
    Add(lee, {&ana, &kim});
    Settle({&lee, &ana, &kim});
  }

  // Kim, who is no steward, makes a next incarnation of which she is one, and lets Ana in.
  absl::Status LetInByKim() {
    Insider insider = InsiderOf(kim, id);
    ChannelState after = insider.state;
    after.incarnation = 2;
    after.stewards = {kim.self.participant_id};
    mls::CommitOptions options;
    for (const mls::Member& member : insider.group.members()) {
      const ParleyCredential credential = Must(CredentialOf(member.credential));
      if (credential.participant_id == ana.self.participant_id) {
        options.removes.push_back(member.leaf);
      }
    }
    options.adds = ana.AsNewMember().key_packages;
    options.extensions = WithChannelState(insider.group.extensions(), after);
    const mls::PreparedCommit commit = Must(insider.group.PrepareCommit(options));
    content::v1::WelcomeWrapper wrapper;
    wrapper.set_channel_id(ToField(id));
    wrapper.set_welcome(crypto::ToString(*commit.welcome));
    wrapper.set_generation(GenerationOf(commit.next.epoch()));
    wrapper.mutable_joined()->set_position(1);
    wrapper.mutable_joined()->set_transcript_hash(std::string(32, 'h'));
    return ana.Join(case_id, kim.self.participant_id, crypto::ToBytes(wrapper.SerializeAsString()))
        .status();
  }

  Person kim{"Kim", Role::kCounsel, "Harbor", relay, clock};
};

TEST_F(TeamReopeningTest, WhoIsNoStewardLeadsNobodyAwayFromAHaltedTeam) {
  // Once before Ana has read that it is halted, and once after.
  Must(LetInByKim());
  Halt(lee);
  Must(ana.In(id).Exchange());
  EXPECT_EQ(ana.Info(id).standing, Standing::kHalted);
  EXPECT_EQ(ana.Info(id).state.incarnation, 1u);
  ASSERT_FALSE(ana.Info(id).alarms.empty());
  EXPECT_EQ(ana.Info(id).alarms.back().kind, ChannelAlarmKind::kRefused);
  EXPECT_THAT(ana.Info(id).alarms.back().text,
              HasSubstr("Kim (counsel, Harbor), who may not open it anew"));
  const absl::Status again = LetInByKim();
  EXPECT_EQ(again.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(again.message()), HasSubstr("who may not open it anew"));
  Reopen(lee, id);
  Add(lee, {&ana});
  Must(ana.Say(id, "with the steward"));
  EXPECT_EQ(ana.Info(id).state.incarnation, 2u);
}

}  // namespace
}  // namespace parley::client
