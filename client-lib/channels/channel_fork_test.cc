// Forks: members who are shown different logs notice it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "client-lib/channels/test_lying_relay.h"

namespace parley::client {
namespace {

using ::testing::IsEmpty;

// Two logs that share a beginning: Ben is shown one of them, the others another.
class ForkTest : public RelayTest {
 protected:
  ForkTest() { ben.context.mailboxes = &other; }
  void SetUp() override {
    ben.context.mailboxes = &relay;
    RelayTest::SetUp();
    other.mailboxes = relay.mailboxes;
    ben.context.mailboxes = &other;
  }
  // The relay joins the logs again, as far as Ben's client lets it: what Ben says is put into the
  // others' log.
  void ShowToOthers(const Entry& entry) {
    relay.Only().entries.push_back(entry);
    relay.Only().entries.back().position = relay.Only().head();
  }

  TestRelay other;
};

TEST_F(ForkTest, AtAMessageIsSeenInTheNextContent) {
  Must(mira.Say(id, "to Ana only"));
  Must(ben.Say(id, "something else at that position"));
  Must(ben.Say(id, "and more"));
  // Both of Ben's entries come later in the others' log.
  ShowToOthers(other.Only().entries.end()[-2]);
  ShowToOthers(other.Only().entries.end()[-1]);
  Must(ana.In(id).Sync());
  const ChannelInfo info = ana.Info(id);
  EXPECT_EQ(info.standing, Standing::kActive) << "a member can't halt a channel by lying";
  ASSERT_EQ(info.alarms.size(), 1u);
  EXPECT_EQ(info.alarms[0].kind, ChannelAlarmKind::kFork);
  EXPECT_EQ(info.alarms[0].author, ben.self.participant_id);
  EXPECT_THAT(info.alarms[0].text, HasSubstr("Ben (party, Northline) saw another log up to"));
  EXPECT_THAT(info.alarms[0].text,
              HasSubstr("position " + std::to_string(other.Only().head() - 1)));
}

TEST_F(ForkTest, AnAuthorWhoSawTheFuture) {
  Insider insider = InsiderOf(ana, id);
  content::v1::Content content = TextContent("prophecy");
  content.set_message_id(std::string(16, 'p'));
  content.mutable_seen()->set_position(relay.Only().head() + 1);
  content.mutable_seen()->set_transcript_hash(std::string(32, 'x'));
  Must(AppendMessage(relay, insider,
                     Must(insider.group.Protect(crypto::ViewOf(content.SerializeAsString())))));
  Must(mira.In(id).Sync());
  ASSERT_EQ(mira.Info(id).alarms.size(), 1u);
  EXPECT_EQ(mira.Info(id).alarms[0].author, ana.self.participant_id);
  EXPECT_EQ(mira.Heard(id).back(), "Ana: prophecy");
}

TEST_F(ForkTest, AtACommitIsSeenInTheHeadsOfTheNeutrals) {
  // Tomas joins; then each of the two is shown the own commit only.
  ben.context.mailboxes = &relay;
  Add(mira, {&tomas});
  ShareControl(mira, tomas);
  Settle({&mira, &tomas, &ana, &ben});
  other.mailboxes = relay.mailboxes;
  tomas.context.mailboxes = &other;
  Must(mira.Prepare(id, {}));
  Must(mira.In(id).Exchange());
  Must(tomas.Prepare(id, {}));
  Must(tomas.In(id).Exchange());
  content::v1::ChannelHeads heads;
  {
    Transaction tx = Must(tomas.store->Begin());
    const auto due = Must(Channel::DueHeads(tx, {id}));
    ASSERT_TRUE(due.has_value());
    heads = *due;
    Must(tx.Commit());
    Transaction again = Must(tomas.store->Begin());
    EXPECT_FALSE(Must(Channel::DueHeads(again, {id})).has_value()) << "announced once";
  }
  const RosterMember author = *mira.Info(id).state.FindMember(tomas.self.participant_id);
  Transaction tx = Must(mira.store->Begin());
  Must(Channel::CompareHeads(tx, heads, author, clock.now));
  Must(tx.Commit());
  ASSERT_EQ(mira.Info(id).alarms.size(), 1u);
  EXPECT_EQ(mira.Info(id).alarms[0].kind, ChannelAlarmKind::kFork);
  EXPECT_THAT(mira.Info(id).alarms[0].text, HasSubstr("Tomas (co-mediator)"));
}

TEST_F(ForkTest, AMemberWhoIsFrozenOutIsNoticed) {
  // Mira's log goes on; Ben's doesn't, and he hears of hers.
  Must(mira.Say(id, "four"));
  content::v1::ChannelHeads heads;
  {
    Transaction tx = Must(mira.store->Begin());
    heads = *Must(Channel::DueHeads(tx, {id}));
    Must(tx.Commit());
  }
  const RosterMember author = *ben.Info(id).state.FindMember(mira.self.participant_id);
  Transaction tx = Must(ben.store->Begin());
  Must(Channel::CompareHeads(tx, heads, author, clock.now));
  Must(tx.Commit());
  EXPECT_THAT(ben.Info(id).alarms, IsEmpty());
  Must(ben.In(id).Sync());
  ASSERT_EQ(ben.Info(id).alarms.size(), 1u);
  EXPECT_THAT(ben.Info(id).alarms[0].text, HasSubstr("has seen the log up to position"));
}

TEST_F(ForkTest, HonestHeadsRaiseNothing) {
  ben.context.mailboxes = &relay;
  Must(mira.Say(id, "four"));
  content::v1::ChannelHeads heads;
  {
    Transaction tx = Must(mira.store->Begin());
    heads = *Must(Channel::DueHeads(tx, {id}));
    Must(tx.Commit());
  }
  const RosterMember author = *ben.Info(id).state.FindMember(mira.self.participant_id);
  Transaction tx = Must(ben.store->Begin());
  Must(Channel::CompareHeads(tx, heads, author, clock.now));
  Must(tx.Commit());
  Must(ben.In(id).Sync());
  EXPECT_THAT(ben.Info(id).alarms, IsEmpty());
  EXPECT_EQ(ben.Info(id).confirmed_at, clock.now);
}

}  // namespace
}  // namespace parley::client
