// Inboxes over a real relay: once, in order, from whom it says; and what revocation ends.
#include "client-lib/pairing/inbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "client-lib/pairing/device.h"
#include "client-lib/pairing/inviting.h"
#include "client-lib/pairing/rendezvous.h"
#include "crypto/primitives/random.h"
#include "crypto/primitives/signature.h"
#include "tests/in_process/test_relay.h"

namespace parley::client {
namespace {

using content::v1::InboxMessage;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// One person with a profile, an inbox, and a connection.
class Someone {
 public:
  // `allowance`: of the inbox.
  Someone(const std::string& name, const CaseId& id, testing::TestRelay& relay,
          const Allowance& allowance = {})
      : id_(id), records_(id), relay_server_(relay) {
    std::string pattern = (std::filesystem::temp_directory_path() / "parley-inbox-XXXXXX").string();
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    auto store = ProfileStore::Create((folder_ / "profile").string());
    EXPECT_TRUE(store.ok()) << store.status();
    store_ = std::move(*store);
    Connect();
    Change([&](Transaction& step) { return records_.PutDevice(step, MakeDevice(name)); });
    const Credential payment = Credential::SponsorToken(relay.sponsor_token().Reveal());
    if (allowance.bytes != 0) {
      const OwnDevice device = Device();
      EXPECT_TRUE(
          client_
              ->CreateMailbox(payment, device.inbox_id, *InboxKeys(device, device.slots), allowance)
              .ok());
    } else {
      EXPECT_TRUE(InboxOf().Create(*client_, payment).ok());
    }
  }
  ~Someone() {
    client_.reset();
    store_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  void Connect() {
    client_.reset();
    auto client = RelayClient::Connect({relay_server_.address(), relay_server_.identity_key()});
    ASSERT_TRUE(client.ok()) << client.status();
    client_ = std::move(*client);
  }

  Inbox InboxOf() {
    return Inbox(*store_, id_, [this] { return now; });
  }
  ProfileStore& store() { return *store_; }
  RelayClient& client() { return *client_; }
  const PairingRecords& records() const { return records_; }

  template <typename Step>
  void Change(Step change) {
    auto step = store_->Begin();
    ASSERT_TRUE(step.ok()) << step.status();
    const absl::Status changed = change(*step);
    ASSERT_TRUE(changed.ok()) << changed;
    const absl::Status committed = step->Commit();
    ASSERT_TRUE(committed.ok()) << committed;
  }

  OwnDevice Device() {
    auto read = store_->Read();
    return std::move(*records_.Device(*read));
  }

  // Queues a message that the text can be seen in.
  void Write(const Pairing& pairing, const std::string& text) {
    Change([&](Transaction& step) {
      InboxMessage message;
      message.mutable_approval()->set_name(text);
      return InboxOf().Queue(step, pairing, std::move(message));
    });
  }

  // What the end of a sync does.
  bool Answer() {
    auto queued = InboxOf().Answer();
    EXPECT_TRUE(queued.ok()) << queued.status();
    return queued.ok() && *queued;
  }

  Traffic TrafficWith(const Pairing& pairing) {
    auto read = store_->Read();
    return std::move(*records_.TrafficOf(*read, pairing.id));
  }

  std::vector<std::string> Kept() {
    auto read = store_->Read();
    return std::move(*records_.unconfirmed.Keys(*read));
  }

  FlushResult Flush() {
    auto result = InboxOf().Flush(*client_);
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? *result : FlushResult();
  }

  // What the handler took, in order.
  std::vector<std::string> Receive() {
    std::vector<std::string> texts;
    auto taken =
        InboxOf().Receive(*client_, [&](Transaction&, const Pairing&, const InboxMessage& message) {
          texts.push_back(message.approval().name());
          return absl::OkStatus();
        });
    EXPECT_TRUE(taken.ok()) << taken.status();
    return texts;
  }

  uint64_t now = 1'000'000;

 private:
  CaseId id_;
  PairingRecords records_;
  testing::TestRelay& relay_server_;
  std::filesystem::path folder_;
  std::unique_ptr<ProfileStore> store_;
  std::unique_ptr<RelayClient> client_;
};

class InboxTest : public ::testing::Test {
 protected:
  // Both ends of one pairing, stored on both sides.
  void Pair(Someone& a, Someone& b, Pairing& at_a, Pairing& at_b) {
    at_a.id = at_b.id = crypto::RandomBytes(16);
    const Secret secret = Secret::Random(32);
    at_a.secret = secret.Clone();
    at_b.secret = secret.Clone();
    Link(a, b, at_a);
    Link(b, a, at_b);
  }
  void Link(Someone& from, Someone& to, Pairing& pairing) {
    OwnDevice device = to.Device();
    pairing.peer = device.participant_id;
    pairing.peer_card = device.card;
    auto seeds = TakeSlots(device, 1, pairing.id);
    ASSERT_TRUE(seeds.ok());
    pairing.append_seed = (*seeds)[0].Clone();
    to.Change([&](Transaction& step) { return to.records().PutDevice(step, device); });
    from.Change([&](Transaction& step) { return from.records().PutPairing(step, pairing); });
  }

  testing::TestRelay relay_;
  CaseId id_{crypto::RandomArray<16>()};
};

TEST_F(InboxTest, MessagesArriveOnceAndInOrder) {
  Someone mira("Mira", id_, relay_);
  Someone ana("Ana", id_, relay_);
  Pairing to_ana;
  Pairing to_mira;
  Pair(mira, ana, to_ana, to_mira);
  for (int i = 0; i < 5; ++i) mira.Write(to_ana, std::to_string(i));
  EXPECT_EQ(mira.Flush().sent, 5u);
  EXPECT_EQ(mira.Flush().sent, 0u);
  EXPECT_THAT(ana.Receive(), ElementsAre("0", "1", "2", "3", "4"));
  EXPECT_THAT(ana.Receive(), IsEmpty());
}

TEST_F(InboxTest, ARelayThatForgetsEntriesIsNoticed) {
  Someone mira("Mira", id_, relay_);
  Someone ana("Ana", id_, relay_);
  Pairing to_ana;
  Pairing to_mira;
  Pair(mira, ana, to_ana, to_mira);
  for (int i = 0; i < 3; ++i) mira.Write(to_ana, std::to_string(i));
  EXPECT_EQ(mira.Flush().sent, 3u);
  const OwnDevice device = ana.Device();
  const auto control = crypto::SignatureKey::FromSeed(device.inbox_control_seed.Reveal());
  ASSERT_TRUE(control.ok());
  const absl::Status trimmed = ana.client().ControlMailbox(device.inbox_id, device.inbox_generation,
                                                           *control, Trim{.first_position = 3});
  ASSERT_TRUE(trimmed.ok()) << trimmed;
  const auto taken = ana.InboxOf().Receive(
      ana.client(),
      [](Transaction&, const Pairing&, const InboxMessage&) { return absl::OkStatus(); });
  EXPECT_EQ(taken.status().code(), absl::StatusCode::kDataLoss) << taken.status();
  EXPECT_EQ(ana.Device().inbox_next, 1u);
}

// The relay had taken the message, and the sender never heard of it.
TEST_F(InboxTest, AnUnknownOutcomeIsSentAgainWithTheSameBytes) {
  Someone mira("Mira", id_, relay_);
  Someone ana("Ana", id_, relay_);
  Pairing to_ana;
  Pairing to_mira;
  Pair(mira, ana, to_ana, to_mira);
  mira.Write(to_ana, "once");
  auto read = mira.store().Read();
  const std::vector<OutgoingMessage> before = std::move(*mira.records().outbox.All(*read));
  ASSERT_EQ(before.size(), 1u);
  mira.Flush();
  mira.Change([&](Transaction& step) {
    return mira.records().outbox.Put(step, OutgoingKey(before[0].pairing_id, 1), before[0]);
  });
  EXPECT_EQ(mira.Flush().sent, 1u);
  // Even under a new append id, the message id is known.
  OutgoingMessage again = before[0];
  again.append_id = crypto::RandomArray<16>();
  mira.Change([&](Transaction& step) {
    return mira.records().outbox.Put(step, OutgoingKey(again.pairing_id, 1), again);
  });
  mira.Flush();
  EXPECT_THAT(ana.Receive(), ElementsAre("once"));
}

TEST_F(InboxTest, MessagesWaitForTheRelay) {
  Someone mira("Mira", id_, relay_);
  Someone ana("Ana", id_, relay_);
  Pairing to_ana;
  Pairing to_mira;
  Pair(mira, ana, to_ana, to_mira);
  relay_.Stop();
  mira.Write(to_ana, "later");
  EXPECT_TRUE(absl::IsUnavailable(mira.InboxOf().Flush(mira.client()).status()));
  relay_.Start();
  mira.Connect();
  ana.Connect();
  EXPECT_EQ(mira.Flush().sent, 1u);
  EXPECT_THAT(ana.Receive(), ElementsAre("later"));
}

TEST_F(InboxTest, ARevokedKeyAppendsNothingAndTheOthersGoOn) {
  Someone mira("Mira", id_, relay_);
  Someone tomas("Tomas", id_, relay_);
  Someone ana("Ana", id_, relay_);
  Pairing mira_to_ana;
  Pairing ana_to_mira;
  Pairing tomas_to_ana;
  Pairing ana_to_tomas;
  Pair(mira, ana, mira_to_ana, ana_to_mira);
  Pair(tomas, ana, tomas_to_ana, ana_to_tomas);
  mira.Write(mira_to_ana, "before");
  mira.Flush();
  OwnDevice device = ana.Device();
  ASSERT_TRUE(PlanInboxClosing(device, mira_to_ana.id, 2));
  ana.Change([&](Transaction& step) { return ana.records().PutDevice(step, device); });
  ana.Flush();
  EXPECT_EQ(ana.Device().inbox_generation, 2u);

  mira.Write(mira_to_ana, "after");
  const FlushResult refused = mira.Flush();
  EXPECT_EQ(refused.sent, 0u);
  EXPECT_THAT(refused.refused, ElementsAre(ana.Device().participant_id));
  tomas.Write(tomas_to_ana, "still here");  // meets the newer generation
  EXPECT_EQ(tomas.Flush().sent, 1u);
  EXPECT_THAT(ana.Receive(), ElementsAre("before", "still here"));
  EXPECT_EQ(ana.Device().inbox_read_generation, 2u);

  // A key that was made in the second generation finds it by itself.
  device = ana.Device();
  auto fresh = TakeSlots(device, 1, tomas_to_ana.id);
  ASSERT_TRUE(fresh.ok());
  Pairing renewed;
  renewed.id = mira_to_ana.id;
  renewed.secret = mira_to_ana.secret.Clone();
  renewed.peer = mira_to_ana.peer;
  renewed.peer_card = mira_to_ana.peer_card;
  renewed.append_seed = (*fresh)[0].Clone();
  mira.Change([&](Transaction& step) { return mira.records().PutPairing(step, renewed); });
  EXPECT_EQ(mira.Flush().sent, 1u);
  EXPECT_THAT(ana.Receive(), ElementsAre("after"));
}

TEST_F(InboxTest, WhatIsBadIsPassedOverAndCounted) {
  Someone mira("Mira", id_, relay_);
  Someone ana("Ana", id_, relay_);
  Pairing to_ana;
  Pairing to_mira;
  Pair(mira, ana, to_ana, to_mira);
  // Somebody with an append key writes noise; the handler refuses one message; the rest arrives.
  auto key = crypto::SignatureKey::FromSeed(to_ana.append_seed.Reveal());
  ASSERT_TRUE(key.ok());
  for (const Bytes& noise : {Bytes(1, 0x55), Bytes(2000, 0x55)}) {
    ASSERT_TRUE(mira.client()
                    .Append(ana.Device().inbox_id, 1, *key, crypto::RandomArray<16>(), noise)
                    .ok());
  }
  mira.Write(to_ana, "refused");
  mira.Write(to_ana, "taken");
  mira.Flush();
  std::vector<std::string> texts;
  auto taken = ana.InboxOf().Receive(
      ana.client(),
      [&](Transaction& step, const Pairing&, const InboxMessage& message) -> absl::Status {
        if (message.approval().name() == "refused") {
          // What it changed before is dropped with it.
          PARLEY_RETURN_IF_ERROR(step.Put(RecordClass::kContent, "left behind", Bytes{1}));
          return absl::PermissionDeniedError("no");
        }
        texts.push_back(message.approval().name());
        return absl::OkStatus();
      });
  ASSERT_TRUE(taken.ok()) << taken.status();
  EXPECT_EQ(*taken, 1u);
  EXPECT_THAT(texts, ElementsAre("taken"));
  auto read = ana.store().Read();
  EXPECT_FALSE(*read->Has(RecordClass::kContent, "left behind"));
  EXPECT_GE(ana.Device().passed_over, 1u);
}

// Junk up to the brim, from somebody with an append key.
TEST_F(InboxTest, AFullInboxHealsByItself) {
  constexpr uint64_t kFull = 66 << 20;
  Someone mira("Mira", id_, relay_, Allowance{.entries = 0, .bytes = kFull});
  Someone ben("Ben", id_, relay_);
  Someone tomas("Tomas", id_, relay_);
  Pairing ben_to_mira;
  Pairing mira_to_ben;
  Pairing tomas_to_mira;
  Pairing mira_to_tomas;
  Pair(ben, mira, ben_to_mira, mira_to_ben);
  Pair(tomas, mira, tomas_to_mira, mira_to_tomas);
  const ObjectId inbox = mira.Device().inbox_id;
  const auto key = crypto::SignatureKey::FromSeed(ben_to_mira.append_seed.Reveal());
  ASSERT_TRUE(key.ok());
  const Bytes junk(1 << 20, 0x55);
  absl::Status full;
  for (int i = 0; i < 80 && full.ok(); ++i) {
    full = ben.client().Append(inbox, 1, *key, crypto::RandomArray<16>(), junk).status();
  }
  ASSERT_TRUE(absl::IsResourceExhausted(full)) << full;
  tomas.Write(tomas_to_mira, "urgent");
  EXPECT_TRUE(absl::IsResourceExhausted(tomas.InboxOf().Flush(tomas.client()).status()));

  EXPECT_THAT(mira.Receive(), IsEmpty());
  mira.Flush();
  EXPECT_EQ(mira.Device().inbox_generation, 2u);
  EXPECT_EQ(tomas.Flush().sent, 1u);
  EXPECT_THAT(mira.Receive(), ElementsAre("urgent"));
  // What was read takes no room of the sponsor's any more.
  const auto read = crypto::SignatureKey::FromSeed(mira.Device().inbox_read_seed.Reveal());
  const auto page = mira.client().Read(inbox, 2, *read, mira.Device().inbox_next);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_GT(page->first_position, 60u);
  EXPECT_LT(mira.Device().used_bytes, 1u << 20);
}

TEST_F(InboxTest, WhoSendsManyBadMessagesLosesTheirKey) {
  Someone mira("Mira", id_, relay_);
  Someone ben("Ben", id_, relay_);
  Someone tomas("Tomas", id_, relay_);
  Pairing ben_to_mira;
  Pairing mira_to_ben;
  Pairing tomas_to_mira;
  Pairing mira_to_tomas;
  Pair(ben, mira, ben_to_mira, mira_to_ben);
  Pair(tomas, mira, tomas_to_mira, mira_to_tomas);
  for (int i = 0; i < 70; ++i) ben.Write(ben_to_mira, "bad");
  tomas.Write(tomas_to_mira, "good");
  ben.Flush();
  tomas.Flush();
  std::vector<std::string> texts;
  const auto taken = mira.InboxOf().Receive(
      mira.client(),
      [&](Transaction&, const Pairing&, const InboxMessage& message) -> absl::Status {
        if (message.approval().name() == "bad") return absl::PermissionDeniedError("no");
        texts.push_back(message.approval().name());
        return absl::OkStatus();
      });
  ASSERT_TRUE(taken.ok()) << taken.status();
  EXPECT_THAT(texts, ElementsAre("good"));
  mira.Flush();
  ben.Write(ben_to_mira, "more");
  EXPECT_THAT(ben.Flush().refused, ElementsAre(mira.Device().participant_id));
  tomas.Write(tomas_to_mira, "still here");
  EXPECT_EQ(tomas.Flush().sent, 1u);
  EXPECT_THAT(mira.Receive(), ElementsAre("still here"));
  auto read = mira.store().Read();
  EXPECT_EQ((*mira.records().PairingWith(*read, ben.Device().participant_id))->flooded, 1);
  EXPECT_EQ((*mira.records().PairingWith(*read, tomas.Device().participant_id))->flooded, 0);
}

// A sender who was away while the inbox was renewed very often, and the old generations trimmed.
TEST_F(InboxTest, ASenderFindsTheWayToAGenerationFarAhead) {
  Someone mira("Mira", id_, relay_);
  Someone ana("Ana", id_, relay_);
  Pairing to_ana;
  Pairing to_mira;
  Pair(mira, ana, to_ana, to_mira);
  for (int i = 0; i < 30; ++i) {
    OwnDevice device = ana.Device();
    ASSERT_TRUE(PlanInboxClosing(device, {}, 0));
    ana.Change([&](Transaction& step) { return ana.records().PutDevice(step, device); });
    ana.Flush();
  }
  EXPECT_THAT(ana.Receive(), IsEmpty());
  const OwnDevice device = ana.Device();
  ASSERT_EQ(device.inbox_generation, 31u);
  const auto control = crypto::SignatureKey::FromSeed(device.inbox_control_seed.Reveal());
  ASSERT_TRUE(control.ok());
  const absl::Status trimmed =
      ana.client().ControlMailbox(device.inbox_id, device.inbox_generation, *control,
                                  Trim{.first_position = device.inbox_next});
  ASSERT_TRUE(trimmed.ok()) << trimmed;
  mira.Write(to_ana, "back again");
  EXPECT_EQ(mira.Flush().sent, 1u);
  EXPECT_THAT(ana.Receive(), ElementsAre("back again"));
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

// A relay that lets a rendezvous grow for ever keeps nobody reading for ever.
TEST_F(InboxTest, ARendezvousBeyondItsAllowanceIsNotReadOn) {
  Someone mira("Mira", id_, relay_);
  OwnDevice device = mira.Device();
  InvitationOffer offer;
  offer.relay = {relay_.address(), relay_.identity_key()};
  offer.voucher = {1, 2, 3};
  offer.case_id = id_;
  offer.case_title = "Harbor v Northline";
  offer.inviter_role = content::v1::ROLE_MEDIATOR;
  offer.invitee_name = "Ana";
  offer.invitee_role = content::v1::ROLE_PARTY;
  offer.invitee_side = "Harbor";
  const auto prepared = PrepareInvitation(device, offer);
  ASSERT_TRUE(prepared.ok()) << prepared.status();
  const InvitationKeys keys = DeriveInvitationKeys(prepared->code.secret);
  const auto read = crypto::SignatureKey::FromSeed(keys.read_seed.Reveal());
  const auto append = crypto::SignatureKey::FromSeed(keys.append_seed.Reveal());
  ASSERT_TRUE(read.ok() && append.ok());
  // Without the allowance that the inviter asks for.
  ASSERT_TRUE(mira.client()
                  .CreateMailbox(Credential::SponsorToken(relay_.sponsor_token().Reveal()),
                                 prepared->code.rendezvous_id,
                                 {read->public_key(), {append->public_key()}, read->public_key()})
                  .ok());
  const auto post = [&](int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(
          PostAnswer(mira.client(), prepared->code, crypto::RandomArray<16>(), Bytes{1}).ok());
    }
  };
  post(64);
  EXPECT_TRUE(ReadRendezvous(mira.client(), prepared->code).ok());
  post(1);
  const auto entries = ReadRendezvous(mira.client(), prepared->code);
  EXPECT_TRUE(absl::IsDataLoss(entries.status())) << entries.status();
}

TEST_F(InboxTest, AnErrorThatIsNotTheMessagesStopsBeforeIt) {
  Someone mira("Mira", id_, relay_);
  Someone ana("Ana", id_, relay_);
  Pairing to_ana;
  Pairing to_mira;
  Pair(mira, ana, to_ana, to_mira);
  mira.Write(to_ana, "kept");
  mira.Flush();
  auto failed = ana.InboxOf().Receive(
      ana.client(), [](Transaction&, const Pairing&, const InboxMessage&) -> absl::Status {
        return absl::ResourceExhaustedError("the disk is full");
      });
  EXPECT_TRUE(absl::IsResourceExhausted(failed.status()));
  EXPECT_THAT(ana.Receive(), ElementsAre("kept"));
}

TEST_F(InboxTest, WhatCameTooEarlyIsOpenedWhenItsPairingIsKnown) {
  Someone mira("Mira", id_, relay_);
  Someone ana("Ana", id_, relay_);
  Pairing to_ana;
  Pairing to_mira;
  Pair(mira, ana, to_ana, to_mira);
  ana.Change([&](Transaction& step) {
    return ana.records().pairings.Delete(step, crypto::ToHex(to_mira.id));
  });
  mira.Write(to_ana, "early");
  mira.Flush();
  EXPECT_THAT(ana.Receive(), IsEmpty());
  EXPECT_EQ(ana.Device().unopened.size(), 1u);
  ana.Change([&](Transaction& step) { return ana.records().PutPairing(step, to_mira); });
  EXPECT_THAT(ana.Receive(), ElementsAre("early"));
  EXPECT_THAT(ana.Device().unopened, IsEmpty());
}

TEST_F(InboxTest, AnIntroductionPairsTheTwoWhoWereIntroduced) {
  Someone tomas("Tomas", id_, relay_);
  Someone ana("Ana", id_, relay_);
  OwnDevice tomas_device = tomas.Device();
  OwnDevice ana_device = ana.Device();
  auto into_tomas = TakeSlots(tomas_device, 1, Bytes{1});
  auto into_ana = TakeSlots(ana_device, 1, Bytes{1});
  ASSERT_TRUE(into_tomas.ok() && into_ana.ok());

  content::v1::Introduction introduction;
  *introduction.mutable_card() = *ParseCard(tomas_device.card);
  introduction.set_role(content::v1::ROLE_CO_MEDIATOR);
  introduction.set_introduction_secret(crypto::ToString(crypto::RandomBytes(32)));
  introduction.set_append_seed(crypto::ToString((*into_tomas)[0].Reveal()));
  AwaitedIntroduction awaited;
  awaited.secret = Secret::CopyOf(crypto::ViewOf(introduction.introduction_secret()));
  awaited.peer = ana_device.participant_id;
  awaited.peer_card = ana_device.card;
  awaited.append_seed = (*into_ana)[0].Clone();

  std::optional<Pairing> at_ana;
  ana.Change([&](Transaction& step) -> absl::Status {
    auto made = ana.InboxOf().AnswerIntroduction(
        step, introduction, [](Transaction&) { return std::vector<Bytes>{{9}}; });
    if (!made.ok()) return made.status();
    at_ana = std::move(*made);
    return absl::OkStatus();
  });
  ana.Flush();
  // The hello comes before Tomas knows of the introduction: it waits.
  EXPECT_THAT(tomas.Receive(), IsEmpty());
  tomas.Change([&](Transaction& step) {
    return tomas.records().introductions.Put(
        step, crypto::ToHex(IntroductionKeyOf(awaited.secret).id), awaited);
  });
  std::optional<std::string> safety_number;
  auto opened = tomas.InboxOf().TryUnopened(
      [&](Transaction&, const Pairing& pairing, const InboxMessage& message) {
        safety_number = pairing.safety_number;
        EXPECT_EQ(message.introduction_hello().key_packages_size(), 1);
        return absl::OkStatus();
      });
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(*opened, 1u);
  EXPECT_EQ(safety_number, at_ana->safety_number);
  // And both ways from then on.
  auto read = tomas.store().Read();
  auto at_tomas = tomas.records().PairingWith(*read, ana_device.participant_id);
  ASSERT_TRUE(at_tomas.ok() && at_tomas->has_value());
  EXPECT_THAT(*tomas.records().introductions.Keys(*read), IsEmpty());  // it serves once
  tomas.Write(**at_tomas, "hello Ana");
  tomas.Flush();
  EXPECT_THAT(ana.Receive(), ElementsAre("hello Ana"));
  ana.Write(*at_ana, "hello Tomas");
  ana.Flush();
  EXPECT_THAT(tomas.Receive(), ElementsAre("hello Tomas"));
}

// ---- What the relay alters or drops
// ---------------------------------------------------------------

// What the relay shows in place of the truth: entries altered, and appends answered and forgotten.
class LyingRelay final : public RelayClient {
 public:
  explicit LyingRelay(RelayClient& relay) : relay_(relay) {}

  bool alters = false;          // every entry that is read
  bool swallows = false;        // appends are acknowledged, and not stored
  uint64_t claimed = 0;         // with swallows: the generation that it says is the current one
  std::vector<uint64_t> tried;  // the generations of appends
  uint64_t appended = 0;

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
    auto page = relay_.Read(mailbox_id, generation, read_key, from, max_entries, max_bytes);
    if (!page.ok() || !alters) return page;
    for (Entry& entry : page->entries) entry.payload[entry.payload.size() / 2] ^= 1;
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
};

TEST_F(InboxTest, WhatWasAlteredIsAskedForAndComesAgainInOrder) {
  Someone mira("Mira", id_, relay_);
  Someone ana("Ana", id_, relay_);
  Pairing to_ana;
  Pairing to_mira;
  Pair(mira, ana, to_ana, to_mira);
  LyingRelay liar(ana.client());
  liar.alters = true;
  for (int i = 0; i < 3; ++i) mira.Write(to_ana, std::to_string(i));
  EXPECT_EQ(mira.Flush().sent, 3u);
  const auto nothing = [](Transaction&, const Pairing&, const InboxMessage&) {
    return absl::OkStatus();
  };
  ASSERT_TRUE(ana.InboxOf().Receive(liar, nothing).ok());
  EXPECT_TRUE(ana.Answer());
  EXPECT_EQ(ana.Device().not_opened, 3u);
  EXPECT_EQ(ana.Device().not_opened_at, ana.now);
  ana.Flush();
  // Mira hears that it is missing, and sends it again; what is new stays behind it.
  EXPECT_THAT(mira.Receive(), IsEmpty());
  EXPECT_TRUE(IsKeptFromPeer(mira.TrafficWith(to_ana)));
  mira.Write(to_ana, "3");
  EXPECT_EQ(mira.Flush().sent, 4u);
  EXPECT_THAT(ana.Receive(), ElementsAre("0", "1", "2", "3"));
  EXPECT_TRUE(ana.Answer());
  ana.Flush();
  EXPECT_THAT(mira.Kept(), ::testing::SizeIs(4));
  mira.Receive();
  EXPECT_THAT(mira.Kept(), IsEmpty());
  EXPECT_EQ(mira.TrafficWith(to_ana).kept_bytes, 0u);
  EXPECT_FALSE(IsKeptFromPeer(mira.TrafficWith(to_ana)));
}

TEST_F(InboxTest, WhatComesAfterAGapWaitsForWhatIsMissing) {
  Someone mira("Mira", id_, relay_);
  Someone ana("Ana", id_, relay_);
  Pairing to_ana;
  Pairing to_mira;
  Pair(mira, ana, to_ana, to_mira);
  LyingRelay liar(mira.client());
  liar.swallows = true;
  mira.Write(to_ana, "first");
  ASSERT_TRUE(mira.InboxOf().Flush(liar).ok());
  mira.Write(to_ana, "second");
  mira.Flush();
  EXPECT_THAT(ana.Receive(), IsEmpty());
  EXPECT_EQ(ana.TrafficWith(to_mira).gap_since, ana.now);
  EXPECT_TRUE(ana.Answer());
  ana.Flush();
  mira.Receive();
  mira.Flush();
  EXPECT_THAT(ana.Receive(), ElementsAre("first", "second"));
  EXPECT_EQ(ana.TrafficWith(to_mira).gap_since, 0u);
}

TEST_F(InboxTest, WhatNobodyMissesIsSentAgainInTimeAndTakenOnce) {
  Someone mira("Mira", id_, relay_);
  Someone ana("Ana", id_, relay_);
  Pairing to_ana;
  Pairing to_mira;
  Pair(mira, ana, to_ana, to_mira);
  LyingRelay liar(mira.client());
  liar.swallows = true;
  mira.Write(to_ana, "once");
  ASSERT_TRUE(mira.InboxOf().Flush(liar).ok());
  EXPECT_EQ(mira.Flush().sent, 0u);
  mira.now += 15;
  EXPECT_EQ(mira.Flush().sent, 1u);
  mira.now += 60;
  EXPECT_EQ(mira.Flush().sent, 1u);  // nothing was confirmed yet
  EXPECT_THAT(ana.Receive(), ElementsAre("once"));
  EXPECT_TRUE(ana.Answer());
  EXPECT_FALSE(ana.Answer());  // once
  ana.Flush();
  mira.Receive();
  EXPECT_FALSE(mira.Answer());  // a confirmation isn't confirmed
  mira.now += 100 * 24 * 3600;
  EXPECT_EQ(mira.Flush().sent, 0u);
}

TEST_F(InboxTest, AConfirmationThatIsLostIsGivenAgainForTheRepeat) {
  Someone mira("Mira", id_, relay_);
  Someone ana("Ana", id_, relay_);
  Pairing to_ana;
  Pairing to_mira;
  Pair(mira, ana, to_ana, to_mira);
  mira.Write(to_ana, "word");
  mira.Flush();
  EXPECT_THAT(ana.Receive(), ElementsAre("word"));
  EXPECT_TRUE(ana.Answer());
  LyingRelay liar(ana.client());
  liar.swallows = true;
  ASSERT_TRUE(ana.InboxOf().Flush(liar).ok());
  mira.Receive();
  EXPECT_THAT(mira.Kept(), ::testing::SizeIs(1));
  mira.now += 15;
  EXPECT_EQ(mira.Flush().sent, 1u);
  EXPECT_THAT(ana.Receive(), IsEmpty());
  EXPECT_TRUE(ana.Answer());
  ana.Flush();
  mira.Receive();
  EXPECT_THAT(mira.Kept(), IsEmpty());
}

TEST_F(InboxTest, AnotherMessageConfirmsByTheWay) {
  Someone mira("Mira", id_, relay_);
  Someone ana("Ana", id_, relay_);
  Pairing to_ana;
  Pairing to_mira;
  Pair(mira, ana, to_ana, to_mira);
  mira.Write(to_ana, "question");
  mira.Flush();
  ana.Receive();
  ana.Write(to_mira, "answer");
  EXPECT_FALSE(ana.Answer());
  ana.Flush();
  EXPECT_THAT(mira.Receive(), ElementsAre("answer"));
  EXPECT_THAT(mira.Kept(), IsEmpty());
}

// A bad message is counted as come: it isn't asked for again and again.
TEST_F(InboxTest, WhatIsRefusedIsConfirmedAllTheSame) {
  Someone mira("Mira", id_, relay_);
  Someone ana("Ana", id_, relay_);
  Pairing to_ana;
  Pairing to_mira;
  Pair(mira, ana, to_ana, to_mira);
  mira.Write(to_ana, "bad");
  mira.Flush();
  ASSERT_TRUE(ana.InboxOf()
                  .Receive(ana.client(),
                           [](Transaction&, const Pairing&, const InboxMessage&) -> absl::Status {
                             return absl::PermissionDeniedError("no");
                           })
                  .ok());
  EXPECT_EQ(ana.TrafficWith(to_mira).received, 1u);
  EXPECT_EQ(ana.Device().passed_over, 1u);
  ana.Answer();
  ana.Flush();
  mira.Receive();
  EXPECT_THAT(mira.Kept(), IsEmpty());
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

TEST_F(InboxTest, AClaimedGenerationDoesNotStick) {
  Someone mira("Mira", id_, relay_);
  Someone ana("Ana", id_, relay_);
  Pairing to_ana;
  Pairing to_mira;
  Pair(mira, ana, to_ana, to_mira);
  LyingRelay liar(mira.client());
  liar.swallows = true;
  liar.claimed = 900;
  mira.Write(to_ana, "lost");
  ASSERT_TRUE(mira.InboxOf().Flush(liar).ok());
  EXPECT_EQ(liar.tried.back(), 900u);
  mira.Write(to_ana, "next");
  const FlushResult flushed = mira.Flush();
  EXPECT_EQ(flushed.sent, 1u);
  EXPECT_THAT(flushed.refused, IsEmpty());
  EXPECT_THAT(ana.Receive(), IsEmpty());  // what came before it is missing
  mira.now += 15;
  EXPECT_EQ(mira.Flush().sent, 2u);
  EXPECT_THAT(ana.Receive(), ElementsAre("lost", "next"));
}

// The true one is what its owner says, which saves the way through the old ones.
TEST_F(InboxTest, AnInboxesGenerationIsLearnedFromItsOwner) {
  Someone mira("Mira", id_, relay_);
  Someone ana("Ana", id_, relay_);
  Pairing to_ana;
  Pairing to_mira;
  Pair(mira, ana, to_ana, to_mira);
  OwnDevice device = ana.Device();
  ASSERT_TRUE(PlanInboxClosing(device, {}, 0));
  ana.Change([&](Transaction& step) { return ana.records().PutDevice(step, device); });
  ana.Flush();
  ana.Write(to_mira, "here");
  ana.Flush();
  EXPECT_THAT(mira.Receive(), ElementsAre("here"));
  LyingRelay watched(mira.client());
  mira.Write(to_ana, "there");
  ASSERT_TRUE(mira.InboxOf().Flush(watched).ok());
  EXPECT_THAT(watched.tried, ElementsAre(2u));
}

}  // namespace
}  // namespace parley::client
