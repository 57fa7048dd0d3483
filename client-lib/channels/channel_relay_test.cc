// A relay that fails or lies, old copies of profiles, forks, and incarnations.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "client-lib/channels/test_insider.h"

namespace parley::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RelayTest : public Room {
 protected:
  void SetUp() override {
    Open(ChannelKind::kJoint, "", {&ana, &ben});
    Settle({&mira, &ana, &ben});
    Must(mira.Say(id, "one"));
    Must(ana.Say(id, "two"));
    Must(ben.Say(id, "three"));
    Settle({&mira, &ana, &ben});
  }

  // Ana's next sync fails as one by a lying relay must, with these words and an alarm; nothing is
  // taken in. Afterwards `mend` and all is well.
  void ExpectNoticed(const std::string& words, const std::function<void()>& mend) {
    const ChannelInfo before = ana.Info(id);
    for (int i = 0; i < 2; ++i) {
      const absl::Status status = ana.In(id).Exchange().status();
      EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
      EXPECT_THAT(std::string(status.message()), HasSubstr("another log of the channel joint"));
      EXPECT_THAT(std::string(status.message()), HasSubstr(words));
      ana.Restart();
    }
    const ChannelInfo after = ana.Info(id);
    EXPECT_EQ(after.head, before.head);
    EXPECT_EQ(after.standing, Standing::kActive);
    ASSERT_EQ(after.alarms.size(), before.alarms.size() + 1) << "once, not at every sync";
    EXPECT_EQ(after.alarms.back().kind, ChannelAlarmKind::kRelayLog);
    EXPECT_THAT(after.alarms.back().text, HasSubstr(words));
    mend();
    Must(ana.Say(id, "it is mended"));
    Settle({&mira, &ana, &ben});
    EXPECT_EQ(mira.Heard(id).back(), "Ana: it is mended");
    EXPECT_EQ(ana.Info(id).head, mira.Info(id).head);
  }

  std::vector<Entry>& entries() { return relay.Only().entries; }
};

TEST_F(RelayTest, ALogCutShort) {
  const std::vector<Entry> whole = entries();
  entries().pop_back();
  ExpectNoticed("it ends at position", [&] { entries() = whole; });
}

TEST_F(RelayTest, ALogCutShortByMore) {
  const std::vector<Entry> whole = entries();
  entries().resize(entries().size() - 2);
  ExpectNoticed("beyond the head", [&] { entries() = whole; });
}

TEST_F(RelayTest, TheLastEntryReplaced) {
  const Entry last = entries().back();
  entries().back().payload[30] ^= 1;
  ExpectNoticed("is not as it was", [&] { entries().back() = last; });
}

TEST_F(RelayTest, ANewEntryKeptBack) {
  Must(mira.Say(id, "four"));
  relay.alter = [](ReadResult& page) {
    if (page.entries.size() > 1)
      page.entries.resize(1);
    else
      page.entries.clear();
  };
  ExpectNoticed("keeps back entry", [&] { relay.alter = nullptr; });
}

TEST_F(RelayTest, AnEntryLeftOut) {
  Must(mira.Say(id, "four"));
  Must(mira.Say(id, "five"));
  relay.alter = [](ReadResult& page) {
    if (page.entries.size() > 2) page.entries.erase(page.entries.begin() + 1);
  };
  ExpectNoticed("comes after entry", [&] { relay.alter = nullptr; });
}

TEST_F(RelayTest, EntriesSwapped) {
  Must(mira.Say(id, "four"));
  Must(mira.Say(id, "five"));
  relay.alter = [](ReadResult& page) {
    if (page.entries.size() > 2) std::swap(page.entries[1], page.entries[2]);
  };
  ExpectNoticed("comes after entry", [&] { relay.alter = nullptr; });
}

TEST_F(RelayTest, AnotherGenerationsEntry) {
  Must(mira.Say(id, "four"));
  relay.alter = [](ReadResult& page) {
    if (page.entries.size() > 1) page.entries.back().generation -= 1;
  };
  ExpectNoticed("is of another generation", [&] { relay.alter = nullptr; });
}

TEST_F(RelayTest, TheBeginningForgotten) {
  relay.alter = [](ReadResult& page) {
    page.first_position = page.generation_head + 2;
    page.entries.clear();
  };
  ExpectNoticed("it has forgotten entries", [&] { relay.alter = nullptr; });
}

TEST_F(RelayTest, AClosingKeptBack) {
  Must(mira.Prepare(id, {}));
  Must(mira.In(id).Exchange());
  relay.alter = [](ReadResult& page) {
    if (!page.closed) return;
    page.generation_head -= 1;
    if (!page.entries.empty() && page.entries.back().closing.has_value()) page.entries.pop_back();
  };
  ExpectNoticed("the entry that says how is kept back", [&] { relay.alter = nullptr; });
}

// The relay lets Ana's log end before the closing, and refuses what she says since it is closed.
TEST_F(RelayTest, AGenerationThatIsSaidToBeClosedAndNotShownSo) {
  Must(mira.Prepare(id, {}));
  Must(mira.In(id).Exchange());
  relay.alter = [](ReadResult& page) {
    if (!page.closed) return;
    page.closed = false;
    page.generation_head -= 1;
    if (!page.entries.empty() && page.entries.back().closing.has_value()) page.entries.pop_back();
  };
  EXPECT_THAT(ana.Info(id).alarms, IsEmpty());
  Must(ana.In(id).Exchange());  // that the log ends there can be true
  EXPECT_THAT(ana.Info(id).alarms, IsEmpty());
  Must(ana.Queue(id, TextContent("is anybody there?")));
  ExpectNoticed("is current, and shows nothing after generation", [&] { relay.alter = nullptr; });
  const std::vector<std::string> heard = mira.Heard(id);
  EXPECT_EQ(std::count(heard.begin(), heard.end(), "Ana: is anybody there?"), 1);
}

TEST_F(RelayTest, AClosingBetweenReadingAndAppendingIsNoFault) {
  bool closed = false;
  relay.before_append = [&] {
    if (closed) return absl::OkStatus();
    closed = true;
    Must(mira.Prepare(id, {}));
    return mira.In(id).Exchange().status();
  };
  Must(ana.Say(id, "in a race"));
  relay.before_append = nullptr;
  EXPECT_TRUE(closed);
  EXPECT_THAT(ana.Info(id).alarms, IsEmpty());
  Settle({&mira, &ana, &ben});
  EXPECT_EQ(mira.Heard(id).back(), "Ana: in a race");
}

// Ana says "lost", the relay acknowledges it, and she is cut off before she reads it in the log.
class AcknowledgedTest : public RelayTest {
 protected:
  void SetUp() override {
    RelayTest::SetUp();
    bool appended = false;
    relay.after_append = [&] {
      appended = true;
      return absl::OkStatus();
    };
    relay.before_read = [&] { return appended ? absl::UnavailableError("cut") : absl::OkStatus(); };
    EXPECT_EQ(ana.Say(id, "lost").code(), absl::StatusCode::kUnavailable);
    EXPECT_TRUE(appended);
    relay.before_read = nullptr;
    relay.after_append = nullptr;
  }

  // It is told once, and the same bytes are sent again: nothing is lost or doubled.
  void ExpectToldAndSentAgain() {
    const absl::Status status = ana.In(id).Exchange().status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(status.message()), HasSubstr("that it had acknowledged at position"));
    ASSERT_EQ(ana.Info(id).alarms.size(), 1u);
    EXPECT_EQ(ana.Info(id).alarms[0].kind, ChannelAlarmKind::kRelayLog);
    ana.Restart();
    Settle({&ana, &mira, &ben});
    for (Person* person : {&ana, &mira, &ben}) {
      const std::vector<std::string> heard = person->Heard(id);
      EXPECT_EQ(std::count(heard.begin(), heard.end(), "Ana: lost"), 1) << person->name;
    }
    EXPECT_EQ(ana.Info(id).unsent, 0u);
  }
};

TEST_F(AcknowledgedTest, AnEntryThatIsNotThere) {
  entries().pop_back();
  ExpectToldAndSentAgain();
}

TEST_F(AcknowledgedTest, AnotherEntryAtItsPosition) {
  entries().back().append_id[0] ^= 1;
  ExpectToldAndSentAgain();
}

TEST_F(RelayTest, AnOwnEntryAlteredBeforeItIsRead) {
  relay.alter = [&](ReadResult& page) {
    if (page.entries.size() > 1) page.entries.back().payload[40] ^= 1;
  };
  Must(ana.Queue(id, TextContent("mine")));
  ExpectNoticed("is not as it was sent", [&] { relay.alter = nullptr; });
}

TEST_F(RelayTest, AnEntryAlteredOnceIsToldAndTakenAsItIsLater) {
  Must(mira.Say(id, "four"));
  relay.alter = [&](ReadResult& page) {
    for (Entry& entry : page.entries) {
      if (entry.position == relay.Only().head()) entry.payload[40] ^= 1;
    }
  };
  Must(ana.In(id).Sync());
  EXPECT_EQ(ana.Info(id).passed_over, 1u);
  EXPECT_THAT(ana.Info(id).alarms, IsEmpty()) << "a member may have written that";
  relay.alter = nullptr;
  Must(ana.In(id).Sync());
  ASSERT_EQ(ana.Info(id).alarms.size(), 1u);
  EXPECT_THAT(ana.Info(id).alarms[0].text, HasSubstr("is not as it was"));
  EXPECT_EQ(ana.Info(id).passed_over, 0u);
  EXPECT_EQ(ana.Heard(id).back(), "Mira: four");
  Settle({&ana, &mira, &ben});
  EXPECT_EQ(ana.Info(id).head, mira.Info(id).head);
}

TEST_F(RelayTest, AnAlteredEntryIsNoticedByWhatOthersSaw) {
  Must(mira.Say(id, "four"));
  const uint64_t altered = relay.Only().head();
  relay.alter = [&](ReadResult& page) {
    for (Entry& entry : page.entries) {
      if (entry.position == altered) entry.payload[40] ^= 1;
    }
  };
  Must(ana.In(id).Sync());
  {
    // Ben is shown the true one.
    const auto lie = std::exchange(relay.alter, nullptr);
    Must(ben.Say(id, "five"));
    relay.alter = lie;
  }
  Must(ana.In(id).Sync());
  ASSERT_EQ(ana.Info(id).alarms.size(), 1u);
  EXPECT_EQ(ana.Info(id).alarms[0].kind, ChannelAlarmKind::kFork);
  EXPECT_EQ(ana.Info(id).alarms[0].author, ben.self.participant_id);
}

// ---- Forks ----

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
  {
    Transaction tx = Must(mira.store->Begin());
    Must(mira.In(id).Reopen(tx, payment(), mira.self));
    Must(tx.Commit());
  }
  Add(mira, {&ana, &ben});
  Settle({&mira, &ana, &ben});
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
  MailboxPayment payment;
  payment.bytes = crypto::Secret::CopyOf(crypto::ViewOf("token"));
  {
    Transaction tx = Must(mira.store->Begin());
    Must(mira.In(id).Reopen(tx, std::move(payment), mira.self));
    Must(tx.Commit());
  }
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
  Add(mira, {&ana});
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
  {
    MailboxPayment payment;
    payment.bytes = crypto::Secret::CopyOf(crypto::ViewOf("token"));
    Transaction tx = Must(tomas.store->Begin());
    Must(tomas.In(id).Reopen(tx, std::move(payment), tomas.self, true));
    Must(tx.Commit());
  }
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

TEST_F(RelayTest, ALostMailboxIsToldAndOpenedAnew) {
  relay.mailboxes.clear();
  const absl::Status status = ana.In(id).Exchange().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("a neutral can open the channel anew"));
  MailboxPayment payment;
  payment.bytes = crypto::Secret::CopyOf(crypto::ViewOf("token"));
  {
    Transaction tx = Must(mira.store->Begin());
    Must(mira.In(id).Reopen(tx, std::move(payment), mira.self, true));
    Must(tx.Commit());
  }
  Add(mira, {&ana});
  Must(ana.Say(id, "back"));
  Settle({&mira, &ana});
  EXPECT_EQ(mira.Heard(id).back(), "Ana: back");
  ASSERT_FALSE(ana.Info(id).alarms.empty());
  EXPECT_EQ(ana.Info(id).alarms.back().kind, ChannelAlarmKind::kReopened);
  EXPECT_THAT(ana.Info(id).alarms.back().text, HasSubstr("Mira (mediator) has opened"));
}

}  // namespace
}  // namespace parley::client
