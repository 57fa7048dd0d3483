// Entries of hostile members that don't close the generation: passed over, burning no key, and
// their alarms drown no others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "client-lib/channels/test_policy.h"

namespace parley::client {
namespace {

using ::testing::IsEmpty;

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

}  // namespace
}  // namespace parley::client
