// What a relay alters, drops or makes up in inboxes: it is noticed, and comes again.
#include <gmock/gmock.h>

#include "client-lib/pairing/test_inbox.h"

namespace parley::client {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// What the relay shows in place of the truth: entries altered, and appends answered and forgotten.
class LyingRelay final : public RelayClient {
 public:
  explicit LyingRelay(RelayClient& relay) : relay_(relay) {}

  bool alters = false;          // every entry that is read
  uint64_t shows = 1;           // so often each entry is shown that is read
  bool swallows = false;        // appends are acknowledged, and not stored
  uint64_t claimed = 0;         // with swallows: the generation that it says is the current one
  std::vector<uint64_t> tried;  // the generations of appends
  uint64_t appended = 0;
  std::optional<Entry> again;  // an entry that is shown once more, in place of what is there

  absl::StatusOr<AppendOutcome> Append(const ObjectId& mailbox_id, uint64_t generation,
                                       const crypto::SignatureKey& append_key,
                                       const AppendId& append_id, crypto::ByteView payload,
                                       const std::optional<Closing>& closing) override {
    tried.push_back(generation);
    if (generation < claimed) return AppendOutcome(StaleGeneration{claimed});
    if (swallows) return AppendOutcome(Appended{});
    ++appended;
    return relay_.Append(mailbox_id, generation, append_key, append_id, payload, closing);
  }
  absl::StatusOr<ReadResult> Read(const ObjectId& mailbox_id, uint64_t generation,
                                  const crypto::SignatureKey& read_key, uint64_t from,
                                  uint32_t max_entries, uint32_t max_bytes) override {
    if (shows > 1 && shown_) {
      ReadResult at_head;
      at_head.generation_head = from - 1;
      return at_head;
    }
    if (again.has_value()) {
      ReadResult page;
      page.generation_head = from;
      page.entries.push_back(*std::exchange(again, std::nullopt));
      page.entries.back().position = from;
      page.entries.back().append_id = crypto::RandomArray<16>();
      return page;
    }
    auto page = relay_.Read(mailbox_id, generation, read_key, from, max_entries, max_bytes);
    if (!page.ok()) return page;
    if (alters) {
      for (Entry& entry : page->entries) entry.payload[entry.payload.size() / 2] ^= 1;
    }
    if (shows > 1) {
      const std::vector<Entry> once = std::move(page->entries);
      page->entries.clear();
      for (const Entry& entry : once) {
        for (uint64_t i = 0; i < shows; ++i) {
          page->entries.push_back(entry);
          page->entries.back().position = from++;
          page->entries.back().append_id = crypto::RandomArray<16>();
        }
      }
      page->generation_head = from - 1;
      shown_ = true;
    }
    return page;
  }

  const ConnectionInfo& connection() const override { return relay_.connection(); }
  const RelayInfo& info() const override { return relay_.info(); }
  void Shutdown() override {}
  absl::Status CreateMailbox(const Credential&, const ObjectId&, const GenerationKeys&,
                             const Allowance&, uint64_t) override {
    return Unused();
  }
  absl::StatusOr<uint64_t> CurrentGeneration(const ObjectId&, uint64_t,
                                             const crypto::SignatureKey&) override {
    return Unused();
  }
  std::unique_ptr<Subscription> Subscribe() override { return nullptr; }
  absl::Status ControlMailbox(const ObjectId&, uint64_t, const crypto::SignatureKey&,
                              const ControlAct&) override {
    return Unused();
  }
  absl::Status CreateBlob(const Credential&, const ObjectId&, const PublicKey&, const PublicKey&,
                          uint64_t, uint64_t) override {
    return Unused();
  }
  absl::StatusOr<std::unique_ptr<BlobUpload>> UploadBlob(const ObjectId&,
                                                         const crypto::SignatureKey&, uint64_t,
                                                         uint64_t, uint64_t) override {
    return Unused();
  }
  absl::Status SealBlob(const ObjectId&, const crypto::SignatureKey&, uint64_t, uint64_t) override {
    return Unused();
  }
  absl::StatusOr<BlobStat> StatBlob(const ObjectId&, BlobKey,
                                    const crypto::SignatureKey&) override {
    return Unused();
  }
  absl::Status DownloadBlob(const ObjectId&, const crypto::SignatureKey&, uint64_t, uint64_t,
                            const std::function<absl::Status(uint64_t, std::string&)>&) override {
    return Unused();
  }
  absl::Status DeleteBlob(const ObjectId&, const crypto::SignatureKey&) override {
    return Unused();
  }
  absl::StatusOr<std::vector<crypto::Bytes>> IssueVouchers(crypto::ByteView, uint32_t, uint64_t,
                                                           uint64_t) override {
    return Unused();
  }

 private:
  static absl::Status Unused() { return absl::UnimplementedError("not in this test"); }
  RelayClient& relay_;
  bool shown_ = false;
};

TEST_F(PairedInboxTest, WhatWasAlteredIsAskedForAndComesAgainInOrder) {
  LyingRelay liar(ana_.client());
  liar.alters = true;
  for (int i = 0; i < 3; ++i) mira_.Write(to_ana_, std::to_string(i));
  EXPECT_EQ(mira_.Flush().sent, 3u);
  const auto nothing = [](Transaction&, const Pairing&, const InboxMessage&) {
    return absl::OkStatus();
  };
  ASSERT_TRUE(ana_.InboxOf().Receive(liar, nothing).ok());
  EXPECT_TRUE(ana_.Answer());
  EXPECT_EQ(ana_.Device().not_opened, 3u);
  EXPECT_EQ(ana_.Device().not_opened_at, ana_.now);
  ana_.Flush();
  // Mira hears that it is missing, and sends it again; what is new stays behind it.
  EXPECT_THAT(mira_.Receive(), IsEmpty());
  EXPECT_FALSE(IsKeptFromPeer(mira_.TrafficWith(to_ana_)));  // they may have crossed
  EXPECT_EQ(mira_.Flush().sent, 3u);
  mira_.now += 60;
  ASSERT_TRUE(ana_.InboxOf().Receive(liar, nothing).ok());
  EXPECT_TRUE(ana_.Answer());
  ana_.Flush();
  EXPECT_THAT(mira_.Receive(), IsEmpty());
  EXPECT_TRUE(IsKeptFromPeer(mira_.TrafficWith(to_ana_)));
  mira_.Write(to_ana_, "3");
  EXPECT_EQ(mira_.Flush().sent, 4u);
  EXPECT_THAT(ana_.Receive(), ElementsAre("0", "1", "2", "3"));
  EXPECT_TRUE(ana_.Answer());
  ana_.Flush();
  EXPECT_THAT(mira_.Kept(), ::testing::SizeIs(4));
  mira_.Receive();
  EXPECT_THAT(mira_.Kept(), IsEmpty());
  EXPECT_EQ(mira_.TrafficWith(to_ana_).kept_bytes, 0u);
  EXPECT_FALSE(IsKeptFromPeer(mira_.TrafficWith(to_ana_)));
}

TEST_F(PairedInboxTest, WhatComesAfterAGapWaitsForWhatIsMissing) {
  LyingRelay liar(mira_.client());
  liar.swallows = true;
  mira_.Write(to_ana_, "first");
  ASSERT_TRUE(mira_.InboxOf().Flush(liar).ok());
  mira_.Write(to_ana_, "second");
  mira_.Flush();
  EXPECT_THAT(ana_.Receive(), IsEmpty());
  EXPECT_EQ(ana_.TrafficWith(to_mira_).gap_since, ana_.now);
  EXPECT_TRUE(ana_.Answer());
  ana_.Flush();
  mira_.Receive();
  mira_.Flush();
  EXPECT_THAT(ana_.Receive(), ElementsAre("first", "second"));
  EXPECT_EQ(ana_.TrafficWith(to_mira_).gap_since, 0u);
}

TEST_F(PairedInboxTest, WhatNobodyMissesIsSentAgainInTimeAndTakenOnce) {
  LyingRelay liar(mira_.client());
  liar.swallows = true;
  mira_.Write(to_ana_, "once");
  ASSERT_TRUE(mira_.InboxOf().Flush(liar).ok());
  EXPECT_EQ(mira_.Flush().sent, 0u);
  mira_.now += 15;
  EXPECT_EQ(mira_.Flush().sent, 1u);
  mira_.now += 60;
  EXPECT_EQ(mira_.Flush().sent, 1u);  // nothing was confirmed yet
  EXPECT_THAT(ana_.Receive(), ElementsAre("once"));
  EXPECT_TRUE(ana_.Answer());
  EXPECT_FALSE(ana_.Answer());  // once
  ana_.Flush();
  mira_.Receive();
  EXPECT_FALSE(mira_.Answer());  // a confirmation isn't confirmed
  mira_.now += 100 * 24 * 3600;
  EXPECT_EQ(mira_.Flush().sent, 0u);
}

TEST_F(PairedInboxTest, AConfirmationThatIsLostIsGivenAgainForTheRepeat) {
  mira_.Write(to_ana_, "word");
  mira_.Flush();
  EXPECT_THAT(ana_.Receive(), ElementsAre("word"));
  EXPECT_TRUE(ana_.Answer());
  LyingRelay liar(ana_.client());
  liar.swallows = true;
  ASSERT_TRUE(ana_.InboxOf().Flush(liar).ok());
  mira_.Receive();
  EXPECT_THAT(mira_.Kept(), ::testing::SizeIs(1));
  mira_.now += 15;
  EXPECT_EQ(mira_.Flush().sent, 1u);
  EXPECT_THAT(ana_.Receive(), IsEmpty());
  EXPECT_TRUE(ana_.Answer());
  ana_.Flush();
  mira_.Receive();
  EXPECT_THAT(mira_.Kept(), IsEmpty());
}

TEST_F(PairedInboxTest, AnotherMessageConfirmsByTheWay) {
  mira_.Write(to_ana_, "question");
  mira_.Flush();
  ana_.Receive();
  ana_.Write(to_mira_, "answer");
  EXPECT_FALSE(ana_.Answer());
  ana_.Flush();
  EXPECT_THAT(mira_.Receive(), ElementsAre("answer"));
  EXPECT_THAT(mira_.Kept(), IsEmpty());
}

// A bad message is counted as come: it isn't asked for again and again.
TEST_F(PairedInboxTest, WhatIsRefusedIsConfirmedAllTheSame) {
  mira_.Write(to_ana_, "bad");
  mira_.Flush();
  ASSERT_TRUE(ana_.InboxOf()
                  .Receive(ana_.client(),
                           [](Transaction&, const Pairing&, const InboxMessage&) -> absl::Status {
                             return absl::PermissionDeniedError("no");
                           })
                  .ok());
  EXPECT_EQ(ana_.TrafficWith(to_mira_).received, 1u);
  EXPECT_EQ(ana_.Device().passed_over, 1u);
  ana_.Answer();
  ana_.Flush();
  mira_.Receive();
  EXPECT_THAT(mira_.Kept(), IsEmpty());
}

TEST_F(InboxTest, JunkMakesNobodyAskWithoutEnd) {
  Someone mira("Mira", id_, relay_);
  Someone ben("Ben", id_, relay_);
  Pairing ben_to_mira;
  Pairing mira_to_ben;
  Pair(ben, mira, ben_to_mira, mira_to_ben);
  const auto key = crypto::SignatureKey::FromSeed(ben_to_mira.append_seed.Reveal());
  ASSERT_TRUE(key.ok());
  int asked = 0;
  for (int i = 0; i < 12; ++i) {
    ASSERT_TRUE(ben.client()
                    .Append(mira.Device().inbox_id, 1, *key, crypto::RandomArray<16>(),
                            Bytes(64, static_cast<uint8_t>(i)))
                    .ok());
    mira.Receive();
    asked += mira.Answer() ? 1 : 0;
  }
  EXPECT_EQ(asked, 4);
  EXPECT_EQ(mira.Device().not_opened, 12u);
}

// What nothing opens stands in a record that is rewritten with each entry.
TEST_F(InboxTest, OfWhatNothingOpensFewAndSmallEntriesAreKept) {
  Someone mira("Mira", id_, relay_);
  Someone ben("Ben", id_, relay_);
  Pairing ben_to_mira;
  Pairing mira_to_ben;
  Pair(ben, mira, ben_to_mira, mira_to_ben);
  const auto key = crypto::SignatureKey::FromSeed(ben_to_mira.append_seed.Reveal());
  ASSERT_TRUE(key.ok());
  const auto append = [&](size_t size, uint8_t filling) {
    const auto appended = ben.client().Append(mira.Device().inbox_id, 1, *key,
                                              crypto::RandomArray<16>(), Bytes(size, filling));
    ASSERT_TRUE(appended.ok()) << appended.status();
  };
  append(64 * 1024 + 1, 1);
  append(1 << 20, 2);
  EXPECT_THAT(mira.Receive(), IsEmpty());
  EXPECT_THAT(mira.Device().unopened, IsEmpty());
  for (uint8_t i = 0; i < 20; ++i) append(64 * 1024, i);
  EXPECT_THAT(mira.Receive(), IsEmpty());
  const OwnDevice device = mira.Device();
  ASSERT_EQ(device.unopened.size(), 8u);
  EXPECT_EQ(device.unopened.back().payload[0], 19);  // the oldest make room
  EXPECT_EQ(device.passed_over, 14u);
}

// A relay that shows what Ben sent again and again: messages, one of them bad, one that comes too
// early, a confirmation, and one that contradicts its seal. Ben isn't shut out for it.
TEST_F(InboxTest, WhatARelayShowsAgainIsNobodysFlood) {
  Someone mira("Mira", id_, relay_);
  Someone ben("Ben", id_, relay_);
  Pairing ben_to_mira;
  Pairing mira_to_ben;
  Pair(ben, mira, ben_to_mira, mira_to_ben);
  mira.Write(mira_to_ben, "hello");
  mira.Flush();
  ben.Receive();
  ben.Answer();
  ben.Flush();  // a confirmation
  ben.Write(ben_to_mira, "good");
  ben.Write(ben_to_mira, "bad");
  ben.Flush();
  LyingRelay swallower(ben.client());
  swallower.swallows = true;
  ben.Write(ben_to_mira, "missing");
  ASSERT_TRUE(ben.InboxOf().Flush(swallower).ok());
  ben.Write(ben_to_mira, "early");
  ben.Flush();
  ben.Change([&](Transaction& step) -> absl::Status {
    InboxMessage message;
    message.set_message_id(std::string(16, 'm'));
    const std::string bytes = message.SerializeAsString();
    const auto card = ParseCard(ben_to_mira.peer_card);
    auto payload =
        SealInboxMessage(crypto::ViewOf(card->inbox_kem_key()), crypto::ViewOf(card->inbox_id()),
                         InboxKeyOf(ben_to_mira.id, ben_to_mira.secret, ben.Device().device_id),
                         crypto::ViewOf(bytes));
    if (!payload.ok()) return payload.status();
    OutgoingMessage outgoing;
    outgoing.message_id = Bytes(16, 'm');
    outgoing.pairing_id = ben_to_mira.id;
    outgoing.append_id = crypto::RandomArray<16>();
    outgoing.payload = std::move(*payload);
    return ben.records().outbox.Put(step, OutgoingKey(ben_to_mira.id, 0), outgoing);
  });
  EXPECT_EQ(ben.Flush().sent, 1u);

  LyingRelay liar(mira.client());
  liar.shows = 300;  // of five entries
  std::vector<std::string> texts;
  const auto taken = mira.InboxOf().Receive(
      liar, [&](Transaction&, const Pairing&, const InboxMessage& message) -> absl::Status {
        if (message.approval().name() == "bad") return absl::PermissionDeniedError("no");
        texts.push_back(message.approval().name());
        return absl::OkStatus();
      });
  ASSERT_TRUE(taken.ok()) << taken.status();
  EXPECT_THAT(texts, ElementsAre("good"));
  const OwnDevice device = mira.Device();
  EXPECT_EQ(device.inbox_next, 5 * liar.shows + 1);
  EXPECT_FALSE(device.closing.has_value());  // which would revoke a key
  auto read = mira.store().Read();
  const auto pairing = mira.records().PairingWith(*read, mira_to_ben.peer);
  ASSERT_TRUE(pairing.ok() && pairing->has_value());
  EXPECT_EQ((*pairing)->flooded, 0);
  EXPECT_EQ((*pairing)->load, 1u + 1u + 16u + 16u);  // the confirmation, and the three that count
  EXPECT_EQ(device.repeats, 5 * (liar.shows - 1));
  EXPECT_EQ(device.repeats_at, mira.now);  // the person is told
}

// Who has an append key to somebody's inbox can't make others warn of the relay by writing junk.
TEST_F(InboxTest, JunkInAnInboxMakesNobodyWarnOfWhatWasOnItsWay) {
  Someone mira("Mira", id_, relay_);
  Someone ana("Ana", id_, relay_);
  Someone ben("Ben", id_, relay_);
  Pairing to_ana;
  Pairing to_mira;
  Pairing ben_to_mira;
  Pairing mira_to_ben;
  Pair(mira, ana, to_ana, to_mira);
  Pair(ben, mira, ben_to_mira, mira_to_ben);
  const auto key = crypto::SignatureKey::FromSeed(ben_to_mira.append_seed.Reveal());
  ASSERT_TRUE(key.ok());
  uint8_t filling = 0;
  const auto junk = [&] {
    ASSERT_TRUE(ben.client()
                    .Append(mira.Device().inbox_id, 1, *key, crypto::RandomArray<16>(),
                            Bytes(64, ++filling))
                    .ok());
  };
  for (int round = 0; round < 3; ++round) {
    junk();
    mira.Receive();
    EXPECT_TRUE(mira.Answer());  // asks
    mira.Flush();
    const std::string text = "word " + std::to_string(round);
    ana.Write(to_mira, text);  // crosses it
    EXPECT_EQ(ana.Flush().sent, 1u);
    ana.now += 24 * 3600;
    ana.Receive();
    EXPECT_FALSE(IsKeptFromPeer(ana.TrafficWith(to_mira)));
    ana.Flush();  // again, since it was asked for
    EXPECT_THAT(mira.Receive(), ElementsAre(text));
    mira.Answer();
    mira.Flush();
    ana.Receive();
    EXPECT_FALSE(IsKeptFromPeer(ana.TrafficWith(to_mira)));
    EXPECT_THAT(ana.Kept(), IsEmpty());
  }
}

// Nor can the relay, which shows again what they asked for before.
TEST_F(PairedInboxTest, AnOldRequestThatIsShownAgainIsNoWarning) {
  const auto key = crypto::SignatureKey::FromSeed(to_ana_.append_seed.Reveal());
  ASSERT_TRUE(key.ok());
  ASSERT_TRUE(mira_.client()
                  .Append(ana_.Device().inbox_id, 1, *key, crypto::RandomArray<16>(), Bytes(64, 7))
                  .ok());
  ana_.Receive();
  EXPECT_TRUE(ana_.Answer());  // asks to send again: something can't be read
  ana_.Flush();
  mira_.Write(to_ana_, "word");
  mira_.Flush();
  std::optional<Entry> request;
  {
    const OwnDevice device = mira_.Device();
    const auto read_key = crypto::SignatureKey::FromSeed(device.inbox_read_seed.Reveal());
    ASSERT_TRUE(read_key.ok());
    auto page = mira_.client().Read(device.inbox_id, 1, *read_key, device.inbox_next, 0, 0);
    ASSERT_TRUE(page.ok() && page->entries.size() == 1);
    request = page->entries[0];
  }
  mira_.Receive();
  EXPECT_FALSE(IsKeptFromPeer(mira_.TrafficWith(to_ana_)));
  const uint64_t heard_at = mira_.TrafficWith(to_ana_).heard_at;
  for (int round = 0; round < 2; ++round) {
    mira_.now += 24 * 3600;
    LyingRelay liar(mira_.client());
    liar.again = request;
    EXPECT_TRUE(mira_.InboxOf()
                    .Receive(liar, [](Transaction&, const Pairing&,
                                      const InboxMessage&) { return absl::OkStatus(); })
                    .ok());
    EXPECT_FALSE(liar.again.has_value());  // it was shown
    EXPECT_FALSE(IsKeptFromPeer(mira_.TrafficWith(to_ana_)));
    EXPECT_EQ(mira_.TrafficWith(to_ana_).heard_at, heard_at);
  }
}

TEST_F(PairedInboxTest, AClaimedGenerationDoesNotStick) {
  LyingRelay liar(mira_.client());
  liar.swallows = true;
  liar.claimed = 900;
  mira_.Write(to_ana_, "lost");
  ASSERT_TRUE(mira_.InboxOf().Flush(liar).ok());
  EXPECT_EQ(liar.tried.back(), 900u);
  mira_.Write(to_ana_, "next");
  const FlushResult flushed = mira_.Flush();
  EXPECT_EQ(flushed.sent, 1u);
  EXPECT_THAT(flushed.refused, IsEmpty());
  EXPECT_THAT(ana_.Receive(), IsEmpty());  // what came before it is missing
  mira_.now += 15;
  EXPECT_EQ(mira_.Flush().sent, 2u);
  EXPECT_THAT(ana_.Receive(), ElementsAre("lost", "next"));
}

// The true one is what its owner says, which saves the way through the old ones.
TEST_F(PairedInboxTest, AnInboxesGenerationIsLearnedFromItsOwner) {
  OwnDevice device = ana_.Device();
  ASSERT_TRUE(PlanInboxClosing(device, {}, 0));
  ana_.Change([&](Transaction& step) { return ana_.records().PutDevice(step, device); });
  ana_.Flush();
  ana_.Write(to_mira_, "here");
  ana_.Flush();
  EXPECT_THAT(mira_.Receive(), ElementsAre("here"));
  LyingRelay watched(mira_.client());
  mira_.Write(to_ana_, "there");
  ASSERT_TRUE(mira_.InboxOf().Flush(watched).ok());
  EXPECT_THAT(watched.tried, ElementsAre(2u));
}

}  // namespace
}  // namespace parley::client
