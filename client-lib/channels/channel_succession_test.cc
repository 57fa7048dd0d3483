// Old copies of profiles, and channels that are opened anew.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "client-lib/channels/test_lying_relay.h"

namespace parley::client {
namespace {

// ---- Old copies of a profile ----

TEST_F(RelayTest, ARestoredProfileSendsNothingAndComesBackWithANewLeaf) {
  ana.Backup("old");
  Must(ana.Say(id, "after the backup"));
  Settle({&mira, &ben});
  ana.RestoreBackup("old");
  Must(ana.Queue(id, TextContent("from the old copy")));
  const uint64_t head = relay.Only().head();
  const ExchangeResult result = Must(ana.In(id).Exchange());
  EXPECT_TRUE(result.standing_changed);
  EXPECT_EQ(relay.Only().head(), head) << "nothing is sent";
  EXPECT_EQ(ana.Info(id).standing, Standing::kRestored);
  EXPECT_THAT(ana.Info(id).reason, HasSubstr("this profile is an old copy"));
  EXPECT_EQ(ana.Queue(id, TextContent("?")).status().code(), absl::StatusCode::kFailedPrecondition);
  // It goes on reading.
  Must(mira.Say(id, "Ana?"));
  Must(ana.In(id).Exchange());
  EXPECT_EQ(ana.Heard(id).back(), "Mira: Ana?");
  // Mira puts the old leaf out and a new one in, in one commit.
  MembershipChange change;
  change.removes = {ana.self.participant_id};
  change.adds = {ana.AsNewMember()};
  Must(mira.Prepare(id, change));
  Must(mira.In(id).Exchange());
  DeliverWelcomes(mira, id, case_id, {&ana});
  EXPECT_EQ(ana.Info(id).standing, Standing::kActive);
  Settle({&ana, &mira, &ben});
  EXPECT_EQ(mira.Heard(id).back(), "Ana: from the old copy");
  EXPECT_EQ(ana.Heard(id).back(), "Ana: from the old copy");
  // What the copy doesn't have is what Ana said.
  const std::vector<ComingBack> again = ComingsBackIn(ana, id);
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].left_position, head - 1);
  EXPECT_EQ(again[0].position, head + 2);
}

// Its standing then is that of somebody who was put out, or whose log has halted.
TEST_F(RelayTest, ARestoredProfileKnowsWhatItMissedHoweverItWasPutOut) {
  for (const bool is_halted : {false, true}) {
    const std::string copy = is_halted ? "halted" : "removed";
    ana.Backup(copy);
    Must(ana.Say(id, "after the backup"));
    Settle({&mira, &ben});
    ana.RestoreBackup(copy);
    Must(ana.In(id).Exchange());
    ASSERT_EQ(ana.Info(id).standing, Standing::kRestored);
    const LogHead lost = ana.Info(id).head;
    if (is_halted) {
      const Insider insider = InsiderOf(mira, id);
      const Bytes payload(300, 7);
      Must(AppendPayload(relay, insider, payload,
                         SignClosing(ControlKeyOf(mira, id), insider.state.mailbox_id,
                                     insider.generation, payload, relay.Only().current().keys)));
      Must(mira.In(id).Exchange());
      Must(ana.In(id).Exchange());
      ASSERT_EQ(ana.Info(id).standing, Standing::kHalted);
      Reopen(mira, id);
    } else {
      Must(Remove(mira, ana));
      Must(ana.In(id).Exchange());
      ASSERT_EQ(ana.Info(id).standing, Standing::kRemoved);
    }
    Add(mira, {&ana});
    Settle({&ana, &mira});
    ASSERT_EQ(ana.Info(id).standing, Standing::kActive);
    const std::vector<ComingBack> again = ComingsBackIn(ana, id);
    ASSERT_EQ(again.size(), is_halted ? 2u : 1u);
    EXPECT_EQ(again.back().left_incarnation, 1u);
    EXPECT_EQ(again.back().left_position, lost.position - 1);
  }
}

TEST_F(RelayTest, AnotherMembersForgeryRestoresNobody) {
  // Ben writes sender data that names Ana's leaf.
  Insider insider = InsiderOf(ben, id);
  const mls::LeafIndex anas = InsiderOf(ana, id).group.own_leaf();
  Insider copy = InsiderOf(ana, id);  // stands for what Ben derives: the ratchets are everybody's
  for (int i = 0; i < 3; ++i) Must(copy.group.Protect(crypto::ViewOf("x")));
  Bytes forged = Must(copy.group.Protect(crypto::ViewOf("forged")));
  forged.back() ^= 1;  // he can't make Ana's signature
  ASSERT_NE(insider.group.own_leaf(), anas);
  Must(AppendMessage(relay, insider, forged));
  Must(ana.In(id).Exchange());
  EXPECT_EQ(ana.Info(id).standing, Standing::kActive);
  EXPECT_EQ(ana.Info(id).passed_over, 1u);
}

TEST_F(RelayTest, ARestoredCommitterIsNoticedToo) {
  mira.Backup("old");
  Must(mira.Prepare(id, {}));
  Must(mira.In(id).Exchange());
  mira.RestoreBackup("old");
  Must(mira.In(id).Exchange());
  EXPECT_EQ(mira.Info(id).standing, Standing::kRestored);
  Must(mira.In(id).Exchange());
  EXPECT_EQ(mira.Info(id).standing, Standing::kRestored);
}

TEST_F(RelayTest, ACopyThatMissedNothingOfItsOwnGoesOn) {
  ana.Backup("old");
  Must(mira.Say(id, "while the copy lay there"));
  ana.RestoreBackup("old");
  Must(ana.Say(id, "hello again"));
  Settle({&mira, &ana, &ben});
  EXPECT_EQ(mira.Heard(id).back(), "Ana: hello again");
}

// ---- Incarnations ----

TEST_F(RelayTest, AHaltedChannelIsOpenedAnew) {
  const std::vector<std::string> before = ana.Heard(id);
  // Ana's content waits while the channel halts.
  Must(ana.Queue(id, TextContent("waiting")));
  Insider insider = InsiderOf(mira, id);
  const Bytes payload(300, 7);
  const Closing closing = SignClosing(ControlKeyOf(mira, id), insider.state.mailbox_id,
                                      insider.generation, payload, relay.Only().current().keys);
  Must(AppendPayload(relay, insider, payload, closing));
  for (Person* person : {&mira, &ana, &ben}) {
    Must(person->In(id).Exchange());
    ASSERT_EQ(person->Info(id).standing, Standing::kHalted);
  }
  const auto payment = [] {
    MailboxPayment made;
    made.bytes = crypto::Secret::CopyOf(crypto::ViewOf("token"));
    return made;
  };
  {
    Transaction tx = Must(ana.store->Begin());
    EXPECT_EQ(ana.In(id).Reopen(tx, payment(), ana.self).code(),
              absl::StatusCode::kFailedPrecondition);
  }
  const uint64_t number = mira.Info(id).number;
  const std::vector<MemberSince> since = mira.Info(id).since;
  ASSERT_EQ(since.size(), 3u);
  {
    Transaction tx = Must(mira.store->Begin());
    Must(mira.In(id).Reopen(tx, payment(), mira.self));
    Must(tx.Commit());
  }
  Add(mira, {&ana, &ben});
  Settle({&mira, &ana, &ben});
  // Nobody has missed anything.
  EXPECT_THAT(mira.Info(id).since, ::testing::UnorderedElementsAreArray(since));
  for (const MemberSince& one : ana.Info(id).since) EXPECT_LT(one.number, number);
  Must(mira.Say(id, "again"));
  Settle({&mira, &ana, &ben});
  for (Person* person : {&mira, &ana, &ben}) {
    const ChannelInfo info = person->Info(id);
    EXPECT_EQ(info.standing, Standing::kActive);
    EXPECT_EQ(info.state.incarnation, 2u);
    std::vector<std::string> expected = before;
    expected.push_back("Ana: waiting");
    expected.push_back("Mira: again");
    EXPECT_EQ(person->Heard(id), expected);
    EXPECT_GT(person->Messages(id).back().number, number);
    EXPECT_EQ(person->Messages(id).back().incarnation, 2u);
  }
  EXPECT_EQ(relay.mailboxes.size(), 2u);
  // Old Welcomes are refused, and an active channel isn't opened anew by mistake.
  Transaction tx = Must(mira.store->Begin());
  EXPECT_EQ(mira.In(id).Reopen(tx, payment(), mira.self).code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(RelayTest, WhatWasSaidBeforeAReopeningIsReadFirst) {
  // Ana is away while Mira speaks, the channel halts and is opened anew.
  Must(mira.Say(id, "last words"));
  const Insider insider = InsiderOf(mira, id);
  const Bytes payload(300, 7);
  Must(AppendPayload(relay, insider, payload,
                     SignClosing(ControlKeyOf(mira, id), insider.state.mailbox_id,
                                 insider.generation, payload, relay.Only().current().keys)));
  Must(mira.In(id).Exchange());
  Reopen(mira, id);
  Add(mira, {&ana});
  Must(mira.Say(id, "first words"));
  EXPECT_EQ(ana.Info(id).state.incarnation, 1u);
  ana.Restart();
  Must(ana.Say(id, "I am back"));
  const std::vector<std::string> heard = ana.Heard(id);
  ASSERT_GE(heard.size(), 3u);
  EXPECT_EQ(std::vector<std::string>(heard.end() - 3, heard.end()),
            (std::vector<std::string>{"Mira: last words", "Mira: first words", "Ana: I am back"}));
  EXPECT_EQ(ana.Info(id).state.incarnation, 2u);
  EXPECT_EQ(ana.Info(id).standing, Standing::kActive);
}

TEST_F(RelayTest, WhoComesBackReadsTheFirstStayToItsEnd) {
  Must(mira.Say(id, "before the removal"));
  Must(Remove(mira, ana));
  Must(mira.Say(id, "while away"));
  const uint64_t away = mira.Info(id).number;
  Add(mira, {&ana});
  for (const MemberSince& one : mira.Info(id).since) {
    EXPECT_EQ(one.number > away, one.participant_id == ana.self.participant_id);
  }
  Must(mira.Say(id, "after the return"));
  Must(ana.Say(id, "back"));
  Settle({&ana, &mira, &ben});
  const std::vector<std::string> heard = ana.Heard(id);
  ASSERT_GE(heard.size(), 3u);
  EXPECT_EQ(std::vector<std::string>(heard.end() - 3, heard.end()),
            (std::vector<std::string>{"Mira: before the removal", "Mira: after the return",
                                      "Ana: back"}));
  EXPECT_EQ(ana.Info(id).standing, Standing::kActive);
}

// Tomas, who was removed while Ana was away, opens the channel anew with her key package.
TEST_F(RelayTest, WhoWasRemovedLeadsNobodyAway) {
  Add(mira, {&tomas});
  ShareControl(mira, tomas);
  Settle({&mira, &tomas, &ana, &ben});
  Must(Remove(mira, tomas));
  Reopen(tomas, id, true);
  Add(tomas, {&ana});
  EXPECT_EQ(ana.Info(id).state.incarnation, 1u) << "before the log was read";
  Must(ana.Say(id, "to Mira"));
  EXPECT_EQ(ana.Info(id).state.incarnation, 1u);
  EXPECT_EQ(ana.Info(id).state.FindMember(tomas.self.participant_id), nullptr);
  ASSERT_EQ(ana.Info(id).alarms.size(), 1u);
  EXPECT_EQ(ana.Info(id).alarms[0].kind, ChannelAlarmKind::kRefused);
  EXPECT_THAT(ana.Info(id).alarms[0].text, HasSubstr("may not open it anew"));
  Settle({&mira, &ana});
  EXPECT_EQ(mira.Heard(id).back(), "Ana: to Mira");
}

// The relay keeps the answer to an own commit back and serves it under another append id.
TEST_F(RelayTest, AnOwnClosingUnderAnotherIdRestoresNobody) {
  relay.after_append = [&] {
    entries().back().append_id[0] ^= 1;
    return absl::UnavailableError("cut");
  };
  Must(mira.Prepare(id, {}));
  EXPECT_EQ(mira.In(id).Exchange().status().code(), absl::StatusCode::kUnavailable);
  relay.after_append = nullptr;
  const absl::Status status = mira.In(id).Sync().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("not as it was sent"));
  EXPECT_EQ(mira.Info(id).standing, Standing::kActive);
  entries().back().append_id[0] ^= 1;
  const ExchangeResult result = Must(mira.In(id).Exchange());
  EXPECT_TRUE(result.commit_merged);
  Settle({&mira, &ana});
}

TEST_F(RelayTest, WhoHadntReadToTheEndOfALostMailboxKnowsIt) {
  const uint64_t read = ana.Info(id).head.position;
  Must(mira.Say(id, "unheard"));
  const uint64_t head = mira.Info(id).head.position;
  relay.mailboxes.clear();
  EXPECT_FALSE(ana.In(id).Exchange().ok());
  Reopen(mira, id, true);
  Add(mira, {&ana});
  Must(ana.Say(id, "back"));
  const std::vector<ComingBack> again = ComingsBackIn(ana, id);
  ASSERT_EQ(again.size(), 1u);
  EXPECT_GT(head, read);
  EXPECT_EQ(again[0].left_incarnation, 1u);
  EXPECT_EQ(again[0].left_position, read);
  EXPECT_EQ(again[0].incarnation, 2u);
}

TEST_F(RelayTest, ALostMailboxIsToldAndOpenedAnew) {
  relay.mailboxes.clear();
  const absl::Status status = ana.In(id).Exchange().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("a neutral can open the channel anew"));
  Reopen(mira, id, true);
  Add(mira, {&ana});
  Must(ana.Say(id, "back"));
  Settle({&mira, &ana});
  EXPECT_EQ(mira.Heard(id).back(), "Ana: back");
  EXPECT_TRUE(ComingsBackIn(ana, id).empty()) << "she had read to the end";
  ASSERT_FALSE(ana.Info(id).alarms.empty());
  EXPECT_EQ(ana.Info(id).alarms.back().kind, ChannelAlarmKind::kReopened);
  EXPECT_THAT(ana.Info(id).alarms.back().text, HasSubstr("Mira (mediator) has opened"));
}

// Somebody is put out and let in again, by a Welcome that says another thing of that than the
// first.
TEST_F(RelayTest, WhereAnIncarnationBeganIsKeptAsItWasToldFirst) {
  relay.mailboxes.clear();
  Reopen(mira, id, true);
  Add(mira, {&ana});
  Must(ana.Say(id, "back"));
  Settle({&mira, &ana});
  const auto beginning = [&] {
    const ReadTransaction tx = Must(ana.store->Read());
    const IncarnationRecord log = Must(LoadIncarnation(tx, ChannelNames(id), 2));
    return std::pair(log.previous_position, log.previous_hash);
  };
  const auto first = beginning();
  ASSERT_TRUE(first.first.has_value());
  size_t alarms = ana.Info(id).alarms.size();
  enum Word { kTrue, kNone, kEarlier, kOfAnother };
  for (const Word word : {kTrue, kNone, kEarlier, kOfAnother}) {
    Must(Remove(mira, ana));
    Must(ana.In(id).Exchange());
    ASSERT_EQ(ana.Info(id).standing, Standing::kRemoved);
    MembershipChange change;
    change.adds = {ana.AsNewMember()};
    Must(mira.Prepare(id, change));
    Must(mira.In(id).Exchange());
    Transaction tx = Must(mira.store->Begin());
    const std::vector<WelcomeDelivery> pending = Must(mira.In(id).PendingWelcomes(tx));
    ASSERT_EQ(pending.size(), 1u);
    content::v1::WelcomeWrapper wrapper;
    ASSERT_TRUE(wrapper.ParseFromArray(pending[0].wrapper.data(),
                                       static_cast<int>(pending[0].wrapper.size())));
    content::v1::LogPosition& previous = *wrapper.mutable_previous();
    if (word == kEarlier) previous.set_position(*first.first - 1);
    if (word == kOfAnother) (*previous.mutable_transcript_hash())[0] ^= 1;
    if (word == kNone) wrapper.clear_previous();
    Must(ana.Join(case_id, mira.self.participant_id, crypto::ToBytes(wrapper.SerializeAsString())));
    Must(mira.In(id).WelcomeDelivered(tx, pending[0].id));
    Must(tx.Commit());
    EXPECT_EQ(ana.Info(id).standing, Standing::kActive);
    EXPECT_EQ(beginning(), first) << word;
    if (word == kEarlier || word == kOfAnother) ++alarms;
    ASSERT_EQ(ana.Info(id).alarms.size(), alarms) << word;
    Settle({&mira, &ana});
  }
  const ChannelAlarm alarm = ana.Info(id).alarms.back();
  EXPECT_EQ(alarm.kind, ChannelAlarmKind::kFork);
  EXPECT_EQ(alarm.author, mira.self.participant_id);
  EXPECT_THAT(alarm.text, HasSubstr("Mira (mediator) says that the channel was opened anew from"));
}

}  // namespace
}  // namespace parley::client
