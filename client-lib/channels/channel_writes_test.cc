// What a step of a channel writes: as much for a message in a large channel as in a small one, what
// was consumed is gone from the profile, and a damaged profile says so.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "client-lib/channels/group_store.h"
#include "client-lib/channels/test_insider.h"
#include "crypto/mls/group_state.h"

namespace parley::client {
namespace {

using ::testing::HasSubstr;

class WritesTest : public Room {
 protected:
  // A joint channel of so many, of whom Mira and Ana alone have profiles.
  void OpenWith(size_t members) {
    Open(ChannelKind::kJoint, "", {&ana});
    size_t count = 2;
    while (count < members) {
      MembershipChange change;
      for (size_t i = 0; i < 50 && count < members; ++i, ++count) {
        const ParleyCredential who{
            RandomId<ParticipantId>(), RandomId<DeviceId>(), crypto::RandomArray<32>(), {}};
        change.adds.push_back({who.participant_id,
                               "Person " + std::to_string(count),
                               Role::kParty,
                               "Northline",
                               {Must(MakeKeyPackage(who)).message()}});
      }
      Must(mira.Prepare(id, change));
      Must(mira.In(id).Exchange());
      DeliverWelcomes(mira, id, case_id, {});
    }
    Settle({&mira, &ana});  // Ana renews her leaf, and Mira commits that
    ASSERT_EQ(ana.Info(id).state.members.size(), members);
  }

  WriteTotals CostOf(Person& person, const std::function<void()>& work) {
    const WriteTotals before = person.store->write_totals();
    work();
    const WriteTotals after = person.store->write_totals();
    return {after.puts - before.puts, after.deletes - before.deletes, after.bytes - before.bytes};
  }
  WriteTotals SayingCosts(const std::string& text) {
    return CostOf(mira, [&] { Must(mira.Say(id, text)); });
  }
  WriteTotals HearingCosts() {
    return CostOf(ana, [&] { Must(ana.In(id).Exchange()); });
  }

  // Whether any value of the profile, opened, holds these bytes.
  static bool IsIn(Person& person, ByteView wanted) {
    bool found = false;
    const ReadTransaction tx = Must(person.store->Read());
    Must(tx.ForEachValue([&](const crypto::Secret& value) {
      const ByteView in = value.Reveal();
      found = found || std::search(in.begin(), in.end(), wanted.begin(), wanted.end()) != in.end();
      return absl::OkStatus();
    }));
    return found;
  }
  static bool IsIn(Person& person, const crypto::Secret& wanted) {
    return IsIn(person, wanted.Reveal());
  }

  // The key of the author's next message.
  static crypto::Secret NextKeyOf(Person& reader, Person& author, const ChannelId& channel) {
    const Insider insider = InsiderOf(reader, channel);
    const mls::GroupState& state = insider.group.state();
    for (const mls::Member& member : insider.group.members()) {
      if (Must(CredentialOf(member.credential)).device_id != author.self.device_id) continue;
      const uint32_t next =
          state.secret_tree.NextGeneration(member.leaf, mls::RatchetType::kApplication);
      return Must(state.secret_tree.Find(*state.suite, member.leaf, mls::RatchetType::kApplication,
                                         next))
          .key.key.Clone();
    }
    ADD_FAILURE() << author.name << " is not in the group";
    return {};
  }
};

std::string Shown(const WriteTotals& cost) {
  return std::to_string(cost.bytes) + " bytes in " + std::to_string(cost.puts) + " records, " +
         std::to_string(cost.deletes) + " deletions";
}

class SizesTest : public WritesTest, public ::testing::WithParamInterface<size_t> {};

// The figures of docs/performance.md. The bounds are the same for every size.
TEST_P(SizesTest, AMessageCostsTheSameInAnyChannel) {
  const size_t members = GetParam();
  if (members > 100 && std::getenv("PARLEY_LONG") == nullptr) GTEST_SKIP() << "PARLEY_LONG=1";
  OpenWith(members);
  const crypto::Secret whole = InsiderOf(ana, id).group.Serialize();
  const size_t roster = SerializeChannelState(ana.Info(id).state).size();
  std::cout << members << " members: the whole group has " << whole.size() << " bytes, the roster "
            << roster << "\n";
  for (int i = 1; i <= 3; ++i) {
    const WriteTotals saying = SayingCosts("hello");
    const WriteTotals hearing = HearingCosts();
    std::cout << "message " << i << ": said with " << Shown(saying) << "; heard with "
              << Shown(hearing) << "\n";
    // The first opens the way to the author's leaf: a record for each level of the tree.
    const uint64_t levels = i == 1 ? 10 : 0;
    EXPECT_LE(hearing.puts, 8 + levels);
    EXPECT_LE(hearing.bytes, 2700 + levels * 40);
    EXPECT_LE(saying.puts, 13 + levels);
    EXPECT_LE(saying.bytes, 4200 + levels * 40);
  }
  const WriteTotals nothing = HearingCosts();
  EXPECT_EQ(nothing.puts, 0u) << "nothing new, nothing written";
  const WriteTotals committing = CostOf(mira, [&] {
    Must(mira.Prepare(id, {}));
    Must(mira.In(id).Exchange());
  });
  const WriteTotals merging = HearingCosts();
  std::cout << "a commit: made with " << Shown(committing) << "; merged with " << Shown(merging)
            << "\n";
  if (members > 20) {
    EXPECT_LT(merging.bytes, whole.size());
    EXPECT_LT(committing.bytes, 2 * relay.attempts.back().payload.size()) << "it is kept once";
  }
  Must(ana.Say(id, "and on"));
  Settle({&mira, &ana});
  EXPECT_EQ(mira.Heard(id).back(), "Ana: and on");
}

INSTANTIATE_TEST_SUITE_P(Members, SizesTest, ::testing::Values(2, 50, 500));

// ---- What is gone ----

TEST_F(WritesTest, AMessagesKeyGoesWithIt) {
  Open(ChannelKind::kJoint, "", {&ana});
  Must(mira.Say(id, "opens the ratchet"));
  Settle({&mira, &ana});
  const crypto::Secret key = NextKeyOf(ana, mira, id);
  const crypto::Secret ratchet =
      InsiderOf(ana, id).group.state().secret_tree.StoreRatchets(0).value_or(crypto::Secret());
  ASSERT_GT(ratchet.size(), 64u);
  EXPECT_TRUE(IsIn(ana, ratchet)) << "so that this test could find something";
  EXPECT_TRUE(IsIn(mira, ratchet)) << "both have come as far";
  Must(mira.Say(id, "uses it"));
  Settle({&mira, &ana});
  for (Person* person : {&mira, &ana}) {
    EXPECT_FALSE(IsIn(*person, key)) << person->name;
    EXPECT_FALSE(IsIn(*person, ratchet)) << person->name;
  }
}

TEST_F(WritesTest, AnEpochsKeysGoWithIt) {
  Open(ChannelKind::kJoint, "", {&ana});
  const Insider before = InsiderOf(ana, id);
  EXPECT_TRUE(IsIn(ana, before.entry_key));
  EXPECT_TRUE(IsIn(mira, before.entry_key));
  Must(mira.Prepare(id, {}));
  Must(mira.In(id).Exchange());
  Settle({&mira, &ana});
  for (Person* person : {&mira, &ana}) {
    EXPECT_FALSE(IsIn(*person, before.entry_key)) << person->name;
    EXPECT_FALSE(IsIn(*person, before.append_seed)) << person->name;
  }
}

TEST_F(WritesTest, ALostCommitsEpochGoesWithIt) {
  Open(ChannelKind::kJoint, "", {&tomas, &ana});
  Must(mira.Prepare(id, {}));
  relay.before_append = [] { return absl::UnavailableError("cut"); };
  EXPECT_FALSE(mira.In(id).Exchange().ok());
  relay.before_append = nullptr;
  std::optional<mls::Group> next;
  {
    const ReadTransaction tx = Must(mira.store->Read());
    next = Must(LoadGroup(tx, ChannelNames(id).NextGroup(1)));
  }
  ASSERT_TRUE(next.has_value());
  const crypto::Secret secrets = crypto::SerializeSecret(next->state().secrets);
  EXPECT_TRUE(IsIn(mira, secrets));
  Must(tomas.Prepare(id, {}));
  EXPECT_TRUE(Must(tomas.In(id).Exchange()).commit_merged);
  EXPECT_TRUE(Must(mira.In(id).Exchange()).commit_lost);
  EXPECT_FALSE(IsIn(mira, secrets));
  Settle({&mira, &tomas, &ana});
  Must(mira.Say(id, "and on"));
  Settle({&mira, &tomas, &ana});
  EXPECT_EQ(ana.Heard(id).back(), "Mira: and on");
}

TEST_F(WritesTest, WhoIsRemovedKeepsNoKeys) {
  Open(ChannelKind::kJoint, "", {&ana, &ben});
  const Insider before = InsiderOf(ben, id);
  const crypto::Secret secrets = crypto::SerializeSecret(before.group.state().secrets);
  EXPECT_TRUE(IsIn(ben, secrets));
  Must(Remove(mira, ben));
  Must(ben.In(id).Exchange());
  EXPECT_EQ(ben.Info(id).standing, Standing::kRemoved);
  EXPECT_FALSE(IsIn(ben, secrets));
  EXPECT_FALSE(IsIn(ben, before.entry_key));
}

// ---- What doesn't load ----

TEST_F(WritesTest, AMissingGroupIsToldAndNothingIsLost) {
  Open(ChannelKind::kJoint, "", {&ana});
  Must(mira.Say(id, "are you there?"));
  const std::string head = ChannelNames(id).Group(1).head;
  crypto::Secret kept;
  {
    Transaction tx = Must(ana.store->Begin());
    kept = *Must(tx.Get(RecordClass::kRatchet, head));
    Must(tx.Delete(RecordClass::kRatchet, head));
    Must(tx.Commit());
  }
  const LogHead before = ana.Info(id).head;
  const absl::Status status = ana.In(id).Exchange().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("the group of the channel joint is missing in the profile"));
  EXPECT_EQ(ana.Info(id).head, before);
  {
    Transaction tx = Must(ana.store->Begin());
    Must(tx.Put(RecordClass::kRatchet, head, kept));
    Must(tx.Commit());
  }
  Must(ana.In(id).Exchange());
  EXPECT_EQ(ana.Heard(id).back(), "Mira: are you there?");
}

TEST_F(WritesTest, ARecordOfAnotherVersionSaysSo) {
  Open(ChannelKind::kJoint, "", {&ana});
  const std::string name = ChannelNames(id).Incarnation(1);
  for (const auto& [version, words] :
       {std::pair<uint8_t, std::string>(1, "an earlier version of Parley (record version 1"),
        {77, "a later version of Parley (record version 77"}}) {
    Transaction tx = Must(ana.store->Begin());
    crypto::Secret log = *Must(tx.Get(RecordClass::kContent, name));
    log.RevealMutable()[0] = version;
    Must(tx.Put(RecordClass::kContent, name, log));
    Must(tx.Commit());
    const absl::Status status = ana.In(id).Exchange().status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(status.message()), HasSubstr(words));
  }
}

}  // namespace
}  // namespace parley::client
