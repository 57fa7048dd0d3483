// How far members say to have read a channel: with what they say, by a record of its own after a
// while, never more often, and nothing that they can't have read.
#include "client-lib/channels/receipts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "client-lib/channels/test_insider.h"

namespace parley::client {
namespace {

constexpr uint64_t kLongest = 2 * kSecondsPerReceipt;

class ReceiptsTest : public Room {
 protected:
  ReceiptsTest() {
    Open(ChannelKind::kJoint, "", {&ana, &ben});
    Settle({&mira, &ana, &ben});
  }

  void HasRead(Person& person, uint64_t number) {
    Transaction tx = Must(person.store->Begin());
    Must(NoteReading(tx, id, number, clock.now));
    Must(tx.Commit());
  }
  void SetSends(Person& person, bool sends) {
    Transaction tx = Must(person.store->Begin());
    Must(SetSendsReceipts(tx, sends));
    Must(tx.Commit());
  }
  // What `viewer` knows of the reader; 0 for nothing.
  uint64_t Known(Person& viewer, const Person& reader) {
    const ReadTransaction tx = Must(viewer.store->Read());
    for (const ReadUpTo& one : Must(ReceiptsOf(tx, id))) {
      if (one.participant == reader.self.participant_id) return one.number;
    }
    return 0;
  }
  uint64_t Head(Person& person) { return person.Info(id).head.position; }
  void Exchange(std::initializer_list<Person*> people) {
    for (Person* person : people) Must(person->In(id).Exchange());
  }
};

TEST_F(ReceiptsTest, RidesOnWhatIsSaidAndElseWaits) {
  Must(mira.Say(id, "first"));
  Exchange({&ana, &ben});
  const uint64_t first = Head(ana);
  HasRead(ana, first);
  Exchange({&ana, &mira});
  EXPECT_EQ(Head(mira), first);  // nothing of its own so soon
  EXPECT_EQ(Known(mira, ana), 0u);
  Must(ana.Say(id, "an answer"));
  Exchange({&mira, &ben});
  EXPECT_EQ(Head(mira), first + 1);
  EXPECT_EQ(Known(mira, ana), first);
  EXPECT_EQ(Known(ben, ana), first);
  EXPECT_EQ(Known(mira, ben), 0u);
}

TEST_F(ReceiptsTest, ARecordOfItsOwnComesOnceAndTriggersNoOther) {
  Must(mira.Say(id, "first"));
  Exchange({&ana, &ben});
  const uint64_t first = Head(ana);
  HasRead(ana, first);
  HasRead(ben, first);
  clock.now += kLongest;
  for (int i = 0; i < 5; ++i) Exchange({&ana, &ben, &mira});
  EXPECT_EQ(Head(mira), first + 2);  // one each
  EXPECT_EQ(Known(mira, ana), first);
  EXPECT_EQ(Known(ana, ben), first);
  // To have read the others' receipts is no reading.
  HasRead(ana, Head(ana));
  Must(mira.Say(id, "second"));
  Exchange({&ana});
  const uint64_t second = Head(ana);
  HasRead(ana, second);
  Exchange({&ana});
  EXPECT_EQ(Head(ana), second);
  clock.now += kLongest;
  Exchange({&ana, &mira});
  EXPECT_EQ(Known(mira, ana), second);
}

TEST_F(ReceiptsTest, WhoDoesntWantToTellsNothing) {
  SetSends(ana, false);
  Must(mira.Say(id, "first"));
  Exchange({&ana});
  HasRead(ana, Head(ana));
  clock.now += 10 * kLongest;
  Must(ana.Say(id, "an answer"));
  Exchange({&ana, &mira});
  EXPECT_EQ(Known(mira, ana), 0u);
  const ReadTransaction tx = Must(ana.store->Read());
  EXPECT_GT(Must(ReadSoFar(tx, id)), 0u);
}

TEST_F(ReceiptsTest, WhatWasReadUnseenIsNeverTold) {
  SetSends(ana, false);
  Must(mira.Say(id, "first"));
  Exchange({&ana});
  HasRead(ana, Head(ana));
  SetSends(ana, true);
  clock.now += 10 * kLongest;
  Must(ana.Say(id, "an answer"));
  Exchange({&ana, &mira});
  EXPECT_EQ(Known(mira, ana), 0u);
  // What is read from then on is told.
  Must(mira.Say(id, "second"));
  Exchange({&ana});
  const uint64_t second = Head(ana);
  HasRead(ana, second);
  Must(ana.Say(id, "another answer"));
  Exchange({&ana, &mira});
  EXPECT_EQ(Known(mira, ana), second);
}

// Of the same reading, no two tell at the same time; and none before the least.
TEST_F(ReceiptsTest, WhenARecordComesIsByChance) {
  std::set<uint64_t> waits;
  for (int i = 0; i < 12; ++i) {
    Must(mira.Say(id, "word " + std::to_string(i)));
    Exchange({&ana});
    const uint64_t read = clock.now;
    HasRead(ana, Head(ana));
    const auto is_due = [&] {
      Transaction tx = Must(ana.store->Begin());
      ChannelStep step = Must(ChannelStep::Load(tx, id, clock.now));
      return Must(ReceiptIsDue(step));
    };
    while (!is_due()) ++clock.now;
    waits.insert(clock.now - read);
    Exchange({&ana, &mira});
  }
  EXPECT_GE(*waits.begin(), kSecondsPerReceipt);
  EXPECT_LE(*waits.rbegin(), kLongest);
  EXPECT_GT(waits.size(), 3u);
}

TEST_F(ReceiptsTest, ClaimsThatCantBeAreIgnored) {
  Must(mira.Say(id, "first"));
  Exchange({&ana, &ben});
  const uint64_t first = Head(ana);
  const auto claim = [&](uint32_t incarnation, uint64_t position) {
    content::v1::Content content;
    content.mutable_checkpoint();
    content.mutable_read_up_to()->set_incarnation(incarnation);
    content.mutable_read_up_to()->set_position(position);
    Transaction tx = Must(mira.store->Begin());
    ChannelStep step = Must(ChannelStep::Load(tx, id, clock.now));
    Must(TakeReceipt(step, ana.self.participant_id, first + 1, content));
    Must(tx.Commit());
    return Known(mira, ana);
  };
  EXPECT_EQ(claim(1, first + 1), 0u);
  EXPECT_EQ(claim(1, UINT64_MAX), 0u);
  EXPECT_EQ(claim(1, 0), 0u);
  EXPECT_EQ(claim(2, first), 0u);
  EXPECT_EQ(claim(0, first), 0u);
  EXPECT_EQ(claim(1, first), first);
  EXPECT_EQ(claim(1, first - 1), first);  // never back
}

}  // namespace
}  // namespace parley::client
