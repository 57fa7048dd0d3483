// How much of what was said is read by calls that don't show it: a case with a long history must
// open as quickly as a new one. Here the history can't be read, and who reads it fails.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "client-lib/api/attacker_for_test.h"
#include "client-lib/api/firewall_for_test.h"
#include "client-lib/channels/channel_records.h"

namespace parley::testing {
namespace {

class LongHistoryTest : public FirewallTest {
 protected:
  // Puts junk into the place of each text and document of the channel in the profile.
  void SpoilWhatWasSaid(const std::string& name, const std::string& channel) {
    const client::ChannelNames names(Ref(name, channel).channel_id);
    auto store = Have(client::ProfileStore::Open(folder_ / name));
    client::Transaction step = Have(store->Begin());
    const auto record = *Have(client::LoadRecord<client::ChannelRecord>(
        step, client::RecordClass::kContent, names.Channel()));
    size_t spoilt = 0;
    for (uint64_t index = 1; index <= record.messages; ++index) {
      const auto message = *Have(client::LoadRecord<client::MessageRecord>(
          step, client::RecordClass::kContent, names.Message(index)));
      const auto kind = static_cast<client::ContentKind>(message.kind);
      if (kind != client::ContentKind::kText && kind != client::ContentKind::kDocument) continue;
      Have(step.Put(client::RecordClass::kContent, names.Message(index), crypto::ViewOf("junk")));
      ++spoilt;
    }
    Have(step.Commit());
    ASSERT_GT(spoilt, 0u);
  }
};

TEST_F(LongHistoryTest, WhatDoesNotShowItDoesNotReadIt) {
  Say("Ana", "joint", "The conveyor was delivered on the third of May.");
  Say("Ben", kNorthline, "We have paid two of three instalments.");
  PARLEY_ASSERT_OK(Share("Mira", "joint", Write("Draft.txt", "1. The parties agree.")));
  SyncAll({"Mira", "Ana", "Ben"}, 2);
  for (const char* channel : {"joint", kHarbor, kNorthline}) SpoilWhatWasSaid("Mira", channel);

  const Profile& mira = Of("Mira");
  ASSERT_EQ(mira.Read(Ref("Mira", "joint")).status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(mira.Alarms(case_).status().message(), "");
  EXPECT_EQ(mira.GetCase(case_).status().message(), "");
  EXPECT_EQ(mira.Channels(case_).status().message(), "");
  EXPECT_EQ(mira.Progress(case_).status().message(), "");
  EXPECT_EQ(mira.Todo(case_).status().message(), "");
  EXPECT_EQ(mira.Offers(case_).status().message(), "");
  EXPECT_EQ(mira.Authorisations(case_).status().message(), "");
  EXPECT_EQ(mira.Receipts(Ref("Mira", "joint")).status().message(), "");
}

}  // namespace
}  // namespace parley::testing
