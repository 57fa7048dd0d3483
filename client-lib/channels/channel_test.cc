#include "client-lib/channels/channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client-lib/channels/test_people.h"

namespace parley::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using ChannelTest = Room;

TEST_F(ChannelTest, MembersReadWhatIsSaid) {
  Open(ChannelKind::kJoint, "", {&ana, &ben});
  Must(mira.Say(id, "Welcome."));
  Must(ana.Say(id, "Good morning."));
  Must(ben.Say(id, "Hello."));
  Settle({&mira, &ana, &ben});
  for (Person* person : {&mira, &ana, &ben}) {
    EXPECT_THAT(person->Heard(id),
                ElementsAre("Mira: Welcome.", "Ana: Good morning.", "Ben: Hello."));
    EXPECT_EQ(person->Info(id).passed_over, 0u);
    EXPECT_THAT(person->Info(id).alarms, IsEmpty());
    EXPECT_EQ(person->Info(id).unsent, 0u);
  }
  EXPECT_EQ(ana.Info(id).head, mira.Info(id).head);
  EXPECT_EQ(ana.Info(id).head, ben.Info(id).head);
}

TEST_F(ChannelTest, EntriesDontShowWhatTheyHold) {
  Open(ChannelKind::kJoint, "", {&ana});
  Must(ana.Say(id, "MARKER-WORD"));
  for (const Entry& entry : relay.Only().entries) {
    const std::string payload = crypto::ToString(entry.payload);
    EXPECT_EQ(payload.find("MARKER-WORD"), std::string::npos);
    EXPECT_EQ(payload.find("Ana"), std::string::npos);
    EXPECT_GE(entry.payload.size(), 256u + 40);
  }
}

TEST_F(ChannelTest, MembersThatAreNotCommittersRenewTheirLeaf) {
  Open(ChannelKind::kJoint, "", {&ana, &ben});
  Settle({&mira, &ana, &ben});
  const uint64_t epoch = mira.Info(id).epoch;
  Settle({&mira, &ana, &ben});
  EXPECT_EQ(mira.Info(id).epoch, epoch) << "nothing is due";
  clock.now += kLeafRenewalSeconds;
  Settle({&ana, &mira, &ben});
  EXPECT_GT(mira.Info(id).epoch, epoch);
  EXPECT_EQ(ana.Info(id).epoch, mira.Info(id).epoch);
}

TEST_F(ChannelTest, OneWhoIsRemovedReadsNothingLater) {
  Open(ChannelKind::kCaucus, "Harbor", {&ana, &lee});
  Must(lee.Say(id, "Before."));
  Must(Remove(mira, lee));
  Must(ana.Say(id, "After."));
  const ExchangeResult result = Must(lee.In(id).Exchange());
  EXPECT_TRUE(result.standing_changed);
  const ChannelInfo info = lee.Info(id);
  EXPECT_EQ(info.standing, Standing::kRemoved);
  EXPECT_THAT(info.reason, HasSubstr("Mira (mediator)"));
  EXPECT_THAT(lee.Heard(id), ElementsAre("Lee: Before."));
  EXPECT_EQ(lee.Queue(id, TextContent("?")).status().code(), absl::StatusCode::kFailedPrecondition);
  // The keys are gone from the profile too.
  const ReadTransaction tx = Must(lee.store->Read());
  EXPECT_FALSE(Must(lee.In(id).Subscription(tx)).has_value());
  Settle({&mira, &ana});
  EXPECT_THAT(mira.Heard(id), ElementsAre("Lee: Before.", "Ana: After."));
}

TEST_F(ChannelTest, NewMembersReadNothingEarlier) {
  Open(ChannelKind::kCaucus, "Harbor", {&ana});
  Must(ana.Say(id, "Before."));
  Settle({&mira, &ana});
  Add(mira, {&lee});
  Must(ana.Say(id, "After."));
  Settle({&lee, &mira, &ana});
  EXPECT_THAT(lee.Heard(id), ElementsAre("Ana: After."));
  EXPECT_GT(lee.Info(id).joined.position, 0u);
  EXPECT_THAT(lee.Info(id).alarms, IsEmpty());
}

TEST_F(ChannelTest, AMemberWhoWasAwayWalksThroughTheEpochs) {
  Open(ChannelKind::kJoint, "", {&ana, &ben});
  Settle({&mira, &ana, &ben});
  relay.entries_per_page = 2;
  for (int i = 0; i < 5; ++i) {
    Must(mira.Say(id, "round " + std::to_string(i)));
    Must(mira.Prepare(id, {}));
    Must(mira.In(id).Exchange());
    Must(ben.Say(id, "yes " + std::to_string(i)));
  }
  Must(ana.In(id).Sync());
  EXPECT_EQ(ana.Heard(id).size(), 10u);
  Settle({&mira, &ana, &ben});
  EXPECT_EQ(ana.Heard(id), mira.Heard(id));
  EXPECT_EQ(ana.Info(id).head, mira.Info(id).head);
}

TEST_F(ChannelTest, WhatIsQueuedOfflineIsSentOnceLater) {
  Open(ChannelKind::kJoint, "", {&ana});
  Settle({&mira, &ana});
  relay.before_read = [] { return absl::UnavailableError("cut"); };
  Must(ana.Queue(id, TextContent("one")));
  Must(ana.Queue(id, TextContent("two")));
  EXPECT_EQ(ana.In(id).Exchange().status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ana.Info(id).unsent, 2u);
  {
    const ReadTransaction tx = Must(ana.store->Read());
    const std::vector<ChannelMessage> waiting = Must(ana.In(id).Unsent(tx));
    ASSERT_EQ(waiting.size(), 2u);
    EXPECT_EQ(waiting[0].number, 0u);
    EXPECT_EQ(waiting[0].author.name, "Ana");
  }
  // The group goes on meanwhile.
  relay.before_read = nullptr;
  Must(mira.Prepare(id, {}));
  Must(mira.In(id).Exchange());
  ana.Restart();
  const ExchangeResult result = Must(ana.In(id).Exchange());
  EXPECT_EQ(result.sent, 2u);
  Settle({&mira, &ana});
  EXPECT_THAT(mira.Heard(id), ElementsAre("Ana: one", "Ana: two"));
  EXPECT_EQ(ana.Heard(id), mira.Heard(id));
}

TEST_F(ChannelTest, AnAnswerThatWasLostDoublesNothing) {
  Open(ChannelKind::kJoint, "", {&ana});
  Settle({&mira, &ana});
  relay.after_append = [] { return absl::UnavailableError("cut"); };
  EXPECT_EQ(ana.Say(id, "once").code(), absl::StatusCode::kUnavailable);
  relay.after_append = nullptr;
  // The generation is closed before Ana is back: her bytes are in the old one.
  Must(mira.Prepare(id, {}));
  Must(mira.In(id).Exchange());
  ana.Restart();
  Settle({&ana, &mira});
  EXPECT_THAT(mira.Heard(id), ElementsAre("Ana: once"));
  EXPECT_THAT(ana.Heard(id), ElementsAre("Ana: once"));
}

TEST_F(ChannelTest, AStaleMessageIsEncryptedAnew) {
  Open(ChannelKind::kJoint, "", {&ana});
  Settle({&mira, &ana});
  // Between Ana's reading and her append, Mira's commit comes in.
  bool done = false;
  relay.before_append = [&]() -> absl::Status {
    if (done) return absl::OkStatus();
    done = true;
    Must(mira.Prepare(id, {}));
    return mira.In(id).Exchange().status();
  };
  Must(ana.Say(id, "late"));
  relay.before_append = nullptr;
  Settle({&ana, &mira});
  EXPECT_THAT(mira.Heard(id), ElementsAre("Ana: late"));
  EXPECT_THAT(ana.Heard(id), ElementsAre("Ana: late"));
}

TEST_F(ChannelTest, OneOfTwoCommitsWins) {
  Open(ChannelKind::kJoint, "", {&tomas});
  Settle({&mira, &tomas});
  MembershipChange by_mira;
  by_mira.adds = {ana.AsNewMember()};
  MembershipChange by_tomas;
  by_tomas.adds = {ben.AsNewMember()};
  Must(mira.Prepare(id, by_mira));
  Must(tomas.Prepare(id, by_tomas));
  bool done = false;
  relay.before_append = [&]() -> absl::Status {
    if (done) return absl::OkStatus();
    done = true;
    const ExchangeResult won = Must(tomas.In(id).Exchange());
    EXPECT_TRUE(won.commit_merged);
    return absl::OkStatus();
  };
  const ExchangeResult lost = Must(mira.In(id).Exchange());
  EXPECT_TRUE(lost.commit_lost);
  EXPECT_FALSE(lost.commit_merged);
  relay.before_append = nullptr;
  {
    const ReadTransaction tx = Must(mira.store->Read());
    EXPECT_THAT(Must(mira.In(id).PendingWelcomes(tx)), IsEmpty());
  }
  DeliverWelcomes(tomas, id, case_id, {&ben});
  Must(mira.Prepare(id, by_mira));
  EXPECT_TRUE(Must(mira.In(id).Exchange()).commit_merged);
  DeliverWelcomes(mira, id, case_id, {&ana});
  Must(ana.Say(id, "I am in."));
  Settle({&mira, &tomas, &ana, &ben});
  EXPECT_THAT(ben.Heard(id), ElementsAre("Ana: I am in."));
  EXPECT_EQ(mira.Info(id).state, ben.Info(id).state);
}

TEST_F(ChannelTest, ACommitWhoseAnswerWasLostIsMergedOnce) {
  Open(ChannelKind::kJoint, "", {});
  MembershipChange change;
  change.adds = {ana.AsNewMember()};
  Must(mira.Prepare(id, change));
  relay.after_append = [] { return absl::UnavailableError("cut"); };
  EXPECT_FALSE(mira.In(id).Exchange().ok());
  relay.after_append = nullptr;
  mira.Restart();
  EXPECT_TRUE(Must(mira.In(id).Exchange()).commit_merged);
  EXPECT_EQ(relay.Only().head(), 1u);
  DeliverWelcomes(mira, id, case_id, {&ana});
  Must(ana.Say(id, "here"));
  Settle({&mira, &ana});
  EXPECT_THAT(mira.Heard(id), ElementsAre("Ana: here"));
}

TEST_F(ChannelTest, LeavingIsCommittedByTheNextNeutral) {
  Open(ChannelKind::kCaucus, "Harbor", {&ana, &lee});
  Must(lee.Leave(id));
  Must(lee.In(id).Exchange());
  EXPECT_TRUE(lee.Info(id).leaving);
  Must(mira.In(id).Exchange());
  Must(lee.In(id).Exchange());
  EXPECT_EQ(lee.Info(id).standing, Standing::kLeft);
  Settle({&mira, &ana});
  EXPECT_EQ(mira.Info(id).state.FindMember(lee.self.participant_id), nullptr);
  EXPECT_EQ(ana.Info(id).state, mira.Info(id).state);
}

TEST_F(ChannelTest, ANeutralWhoLeavesNeedsANewControlKey) {
  Open(ChannelKind::kJoint, "", {&tomas, &ana});
  Must(tomas.Leave(id));
  Must(tomas.In(id).Exchange());
  Settle({&mira, &ana});
  EXPECT_NE(mira.Info(id).state.FindMember(tomas.self.participant_id), nullptr);
  {
    const ReadTransaction tx = Must(mira.store->Read());
    EXPECT_THAT(Must(mira.In(id).Leavers(tx)), ElementsAre(tomas.self.participant_id));
  }
  MembershipChange change;
  change.removes = {tomas.self.participant_id};
  EXPECT_EQ(mira.Prepare(id, change).code(), absl::StatusCode::kInvalidArgument);
  change.new_control_seed = crypto::Secret::Random(32);
  const PublicKey old_key = mira.Info(id).state.control_key;
  Must(mira.Prepare(id, change));
  Must(mira.In(id).Exchange());
  EXPECT_NE(mira.Info(id).state.control_key, old_key);
  Must(tomas.In(id).Exchange());
  EXPECT_EQ(tomas.Info(id).standing, Standing::kLeft);
  Must(ana.Say(id, "still here"));
  Settle({&mira, &ana});
  EXPECT_THAT(mira.Heard(id), ElementsAre("Ana: still here"));
}

TEST_F(ChannelTest, TheLimitIsNamedAndNothingIsWritten) {
  Open(ChannelKind::kJoint, "", {&ana});
  Settle({&mira, &ana});
  const absl::Status status =
      ana.Queue(id, TextContent(std::string(kMaxContentBytes, 'x'))).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("983040"));
  EXPECT_EQ(ana.Info(id).unsent, 0u);
  EXPECT_EQ(ana.Queue(id, content::v1::Content()).status().code(),
            absl::StatusCode::kInvalidArgument);
  Must(ana.Say(id, std::string(kMaxContentBytes - 100, 'x')));
  Settle({&mira, &ana});
  EXPECT_EQ(mira.Heard(id).size(), 1u);
}

TEST_F(ChannelTest, ContentsOfNewerVersionsAreKept) {
  Open(ChannelKind::kJoint, "", {&ana});
  content::v1::Content content = TextContent("placeholder");
  // A body that this version doesn't know: field 41 with three bytes.
  content.clear_body();
  content.GetReflection()->MutableUnknownFields(&content)->AddLengthDelimited(41, "new");
  // Queue() refuses what has no body that it knows, so the bytes go in beside a known one.
  content.mutable_checkpoint();
  Must(ana.Queue(id, content));
  Must(ana.In(id).Exchange());
  Settle({&mira, &ana});
  MessageQuery query;
  query.kinds = {ContentKind::kCheckpoint};
  const std::vector<ChannelMessage> messages = mira.Messages(id, query);
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_THAT(crypto::ToString(messages[0].content.Reveal()), HasSubstr("new"));
}

TEST_F(ChannelTest, AMessageIdCountsOncePerAuthor) {
  Open(ChannelKind::kJoint, "", {&ana, &ben});
  Settle({&mira, &ana, &ben});
  content::v1::Content content = TextContent("same");
  content.set_message_id(std::string(16, 'm'));
  Must(ana.Queue(id, content));
  Must(ana.Queue(id, content));
  Must(ben.Queue(id, content));
  Settle({&ana, &ben, &mira});
  EXPECT_THAT(mira.Heard(id), ElementsAre("Ana: same", "Ben: same"));
  EXPECT_THAT(ana.Heard(id), ElementsAre("Ana: same", "Ben: same"));
}

TEST_F(ChannelTest, MessagesAfterAPosition) {
  Open(ChannelKind::kJoint, "", {&ana});
  for (int i = 0; i < 20; ++i) Must(ana.Say(id, std::to_string(i)));
  Settle({&mira, &ana});
  const std::vector<ChannelMessage> all = mira.Messages(id);
  for (size_t i = 0; i < all.size(); ++i) {
    const std::vector<ChannelMessage> later = mira.Messages(id, {.after = all[i].number});
    ASSERT_EQ(later.size(), all.size() - i - 1);
    if (!later.empty()) {
      EXPECT_EQ(later[0].number, all[i + 1].number);
    }
  }
  EXPECT_EQ(mira.Messages(id, {.after = 3, .limit = 2}).size(), 2u);
}

TEST_F(ChannelTest, ACommitterRenewsAFullMailbox) {
  Open(ChannelKind::kJoint, "", {&ana});
  Settle({&mira, &ana});
  relay.allowance = 6;
  for (int i = 0; i < 20; ++i) Must(mira.Queue(id, TextContent(std::to_string(i))));
  Must(mira.In(id).Exchange());
  EXPECT_EQ(mira.Info(id).unsent, 0u);
  Settle({&mira});
  Must(ana.In(id).Sync());
  EXPECT_EQ(ana.Heard(id).size(), 20u);
  EXPECT_EQ(ana.Heard(id).back(), "Mira: 19");
}

// A closing would help nobody, and take of the room that is kept for removals.
TEST_F(ChannelTest, AUsedUpQuotaIsNoReasonToCommit) {
  Open(ChannelKind::kJoint, "", {&ana});
  Settle({&mira, &ana});
  Must(mira.Say(id, "said"));
  const size_t generations = relay.Only().generations.size();
  relay.quota_used_up = true;
  Must(mira.Queue(id, TextContent("can't be sent")));
  for (int i = 0; i < 3; ++i) {
    const absl::Status refused = mira.In(id).Exchange().status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_THAT(std::string(refused.message()), testing::HasSubstr("quota"));
  }
  EXPECT_EQ(relay.Only().generations.size(), generations);
  EXPECT_EQ(mira.Info(id).unsent, 1u);
  relay.quota_used_up = false;
  Must(mira.In(id).Exchange());
  EXPECT_EQ(mira.Info(id).unsent, 0u);
}

// What waits for room stands in no removal's way: the relay keeps room for closings.
TEST_F(ChannelTest, AUsedUpQuotaKeepsNoRemovalBack) {
  Open(ChannelKind::kJoint, "", {&ana, &ben});
  Settle({&mira, &ana, &ben});
  relay.quota_used_up = true;
  Must(mira.Queue(id, TextContent("later")));
  EXPECT_EQ(mira.In(id).Exchange().status().code(), absl::StatusCode::kResourceExhausted);
  Must(mira.Prepare(id, {.removes = {ben.self.participant_id}}));
  const absl::Status refused = mira.In(id).Exchange().status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted) << "the message still waits";
  EXPECT_EQ(mira.Info(id).state.FindMember(ben.self.participant_id), nullptr);
  EXPECT_FALSE(mira.Info(id).commit_in_flight);
  Must(ben.In(id).Sync());
  EXPECT_EQ(ben.Info(id).standing, Standing::kRemoved);
  relay.quota_used_up = false;
  Settle({&mira, &ana});
  EXPECT_EQ(ana.Heard(id).back(), "Mira: later");
  EXPECT_EQ(mira.Info(id).unsent, 0u);
}

// The same where the allowance is used up, and a commit has just renewed it in vain.
TEST_F(ChannelTest, AnAllowanceThatIsNeverThereKeepsNoRemovalBack) {
  Open(ChannelKind::kJoint, "", {&ana, &ben});
  Settle({&mira, &ana, &ben});
  relay.allowance = 0;
  Must(mira.Queue(id, TextContent("later")));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(mira.In(id).Exchange().status().code(), absl::StatusCode::kResourceExhausted);
  }
  Must(mira.Prepare(id, {.removes = {ben.self.participant_id}}));
  EXPECT_EQ(mira.In(id).Exchange().status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(mira.Info(id).state.FindMember(ben.self.participant_id), nullptr);
}

// What waited is given back, once, and goes out at no later time: not even after a return.
TEST_F(ChannelTest, WhatWaitsWhenOneIsPutOutIsNeverSent) {
  Open(ChannelKind::kJoint, "", {&ana, &ben});
  Settle({&mira, &ana, &ben});
  relay.before_append = [] { return absl::UnavailableError("cut"); };
  EXPECT_EQ(ben.Say(id, "in flight").code(), absl::StatusCode::kUnavailable);
  relay.before_append = nullptr;
  Must(ben.Queue(id, TextContent("waits")));
  Must(Remove(mira, ben));
  const ExchangeResult result = Must(ben.In(id).Exchange());
  EXPECT_EQ(result.given_up, 2u);
  EXPECT_EQ(ben.Info(id).standing, Standing::kRemoved);
  EXPECT_EQ(ben.Info(id).unsent, 0u);
  EXPECT_EQ(ben.Info(id).never_sent, 2u);
  EXPECT_EQ(Must(ben.In(id).Exchange()).given_up, 0u);
  MessageId first;
  {
    const ReadTransaction tx = Must(ben.store->Read());
    EXPECT_TRUE(Must(ben.In(id).Unsent(tx)).empty());
    const std::vector<ChannelMessage> kept = Must(ben.In(id).NeverSent(tx));
    ASSERT_EQ(kept.size(), 2u);
    first = kept[0].id;
    content::v1::Content content;
    ASSERT_TRUE(content.ParseFromArray(kept[1].content.Reveal().data(),
                                       static_cast<int>(kept[1].content.size())));
    EXPECT_EQ(content.text().text(), "waits");
  }
  {
    Transaction tx = Must(ben.store->Begin());
    Must(ben.In(id).Unqueue(tx, first));
    Must(tx.Commit());
  }
  Add(mira, {&ben});
  Settle({&ben, &mira, &ana});
  Must(ben.Say(id, "back again"));
  Settle({&mira, &ana, &ben});
  EXPECT_THAT(ana.Heard(id), ElementsAre("Ben: back again"));
  EXPECT_EQ(ben.Info(id).never_sent, 1u);
}

// What is queued for those who are in isn't encrypted for anybody else; for fewer, it is.
TEST_F(ChannelTest, WhatIsMeantForThoseWhoAreInIsSentToNobodyElse) {
  Open(ChannelKind::kJoint, "", {&ana, &ben});
  Settle({&mira, &ana, &ben});
  const auto queue = [&](const std::string& text, Readers readers) {
    Transaction tx = Must(ana.store->Begin());
    Must(ana.In(id).Queue(tx, TextContent(text), readers));
    Must(tx.Commit());
  };
  queue("for three", Readers::kWhoIsInNow);
  Must(Remove(mira, ben));
  Must(ana.In(id).Exchange());
  EXPECT_EQ(ana.Info(id).unsent, 0u);
  // One is queued, and one is on its way and overtaken by a commit.
  relay.before_append = [] { return absl::UnavailableError("cut"); };
  queue("in flight", Readers::kWhoIsInNow);
  EXPECT_FALSE(ana.In(id).Exchange().ok());
  relay.before_append = nullptr;
  queue("for two", Readers::kWhoIsInNow);
  queue("for all", Readers::kWhoeverIsIn);
  Add(mira, {&ben});
  EXPECT_EQ(Must(ana.In(id).Exchange()).given_up, 2u);
  Settle({&mira, &ben, &ana});
  EXPECT_THAT(ben.Heard(id), ElementsAre("Ana: for all"));
  EXPECT_THAT(mira.Heard(id), ElementsAre("Ana: for three", "Ana: for all"));
  EXPECT_EQ(ana.Info(id).unsent, 0u);
  const ReadTransaction tx = Must(ana.store->Read());
  const std::vector<ChannelMessage> kept = Must(ana.In(id).NeverSent(tx));
  ASSERT_EQ(kept.size(), 2u);
  for (const ChannelMessage& message : kept) {
    EXPECT_THAT(message.reason, ::testing::HasSubstr("Ben (party, Northline) has come to read"));
  }
}

// Whatever a relay says: one commit, and no other before an entry got through.
TEST_F(ChannelTest, AnAllowanceThatIsNeverThereIsRenewedOnce) {
  Open(ChannelKind::kJoint, "", {&ana});
  Settle({&mira, &ana});
  Must(mira.Say(id, "said"));
  const size_t generations = relay.Only().generations.size();
  relay.allowance = 0;
  Must(mira.Queue(id, TextContent("can't be sent")));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(mira.In(id).Exchange().status().code(), absl::StatusCode::kResourceExhausted);
  }
  EXPECT_EQ(relay.Only().generations.size(), generations + 1);
  relay.allowance = 100;
  Must(mira.In(id).Exchange());
  EXPECT_EQ(mira.Info(id).unsent, 0u);
}

TEST_F(ChannelTest, CheckpointsComeAfterManyEntriesAndADay) {
  Open(ChannelKind::kJoint, "", {&ana});
  Settle({&mira, &ana});
  for (int i = 0; i < 63; ++i) Must(mira.Queue(id, TextContent(std::to_string(i))));
  Must(mira.In(id).Exchange());
  const auto checkpoints = [&] {
    MessageQuery query;
    query.kinds = {ContentKind::kCheckpoint};
    return ana.Messages(id, query).size();
  };
  Must(ana.In(id).Exchange());
  EXPECT_EQ(checkpoints(), 0u);
  Must(mira.Say(id, "the 64th"));
  Must(ana.In(id).Exchange());
  EXPECT_EQ(checkpoints(), 1u);
  Must(ana.In(id).Exchange());
  EXPECT_EQ(checkpoints(), 1u);
  Must(mira.Say(id, "one more"));
  Must(ana.In(id).Exchange());
  EXPECT_EQ(checkpoints(), 1u);
  clock.now += 24 * 60 * 60;
  Must(ana.In(id).Exchange());
  EXPECT_EQ(checkpoints(), 2u);
  Settle({&mira, &ana});
  EXPECT_GT(mira.Info(id).confirmed_at, 0u);
}

// From then on somebody can confirm the log.
TEST_F(ChannelTest, CompanyCountsFromWhenOthersAreIn) {
  Open(ChannelKind::kJoint, "", {});
  clock.now += 1000;
  Must(mira.In(id).Exchange());
  EXPECT_EQ(mira.Info(id).company_since, 0u);
  Add(mira, {&ana});
  const uint64_t added = clock.now;
  EXPECT_EQ(mira.Info(id).company_since, added);
  EXPECT_EQ(ana.Info(id).company_since, added);
  clock.now += 1000;
  Must(mira.Prepare(id, {}));
  Settle({&mira, &ana});
  EXPECT_EQ(mira.Info(id).company_since, added);
  EXPECT_EQ(ana.Info(id).company_since, added);
  Must(mira.Prepare(id, {.removes = {ana.self.participant_id}}));
  Must(mira.In(id).Exchange());
  EXPECT_EQ(mira.Info(id).company_since, 0u);
}

}  // namespace
}  // namespace parley::client
