// Inboxes over a real relay: once, in order, from whom it says; and what revocation ends.
#include <gmock/gmock.h>

#include "client-lib/pairing/inviting.h"
#include "client-lib/pairing/rendezvous.h"
#include "client-lib/pairing/test_inbox.h"

namespace parley::client {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(PairedInboxTest, MessagesArriveOnceAndInOrder) {
  for (int i = 0; i < 5; ++i) mira_.Write(to_ana_, std::to_string(i));
  EXPECT_EQ(mira_.Flush().sent, 5u);
  EXPECT_EQ(mira_.Flush().sent, 0u);
  EXPECT_THAT(ana_.Receive(), ElementsAre("0", "1", "2", "3", "4"));
  EXPECT_THAT(ana_.Receive(), IsEmpty());
}

TEST_F(PairedInboxTest, ARelayThatForgetsEntriesIsNoticed) {
  for (int i = 0; i < 3; ++i) mira_.Write(to_ana_, std::to_string(i));
  EXPECT_EQ(mira_.Flush().sent, 3u);
  const OwnDevice device = ana_.Device();
  const auto control = crypto::SignatureKey::FromSeed(device.inbox_control_seed.Reveal());
  ASSERT_TRUE(control.ok());
  const absl::Status trimmed = ana_.client().ControlMailbox(
      device.inbox_id, device.inbox_generation, *control, Trim{.first_position = 3});
  ASSERT_TRUE(trimmed.ok()) << trimmed;
  const auto taken = ana_.InboxOf().Receive(
      ana_.client(),
      [](Transaction&, const Pairing&, const InboxMessage&) { return absl::OkStatus(); });
  EXPECT_EQ(taken.status().code(), absl::StatusCode::kDataLoss) << taken.status();
  EXPECT_EQ(ana_.Device().inbox_next, 1u);
}

// The relay had taken the message, and the sender never heard of it.
TEST_F(PairedInboxTest, AnUnknownOutcomeIsSentAgainWithTheSameBytes) {
  mira_.Write(to_ana_, "once");
  auto read = mira_.store().Read();
  const std::vector<OutgoingMessage> before = std::move(*mira_.records().outbox.All(*read));
  ASSERT_EQ(before.size(), 1u);
  mira_.Flush();
  mira_.Change([&](Transaction& step) {
    return mira_.records().outbox.Put(step, OutgoingKey(before[0].pairing_id, 1), before[0]);
  });
  EXPECT_EQ(mira_.Flush().sent, 1u);
  // Even under a new append id, the message id is known.
  OutgoingMessage again = before[0];
  again.append_id = crypto::RandomArray<16>();
  mira_.Change([&](Transaction& step) {
    return mira_.records().outbox.Put(step, OutgoingKey(again.pairing_id, 1), again);
  });
  mira_.Flush();
  EXPECT_THAT(ana_.Receive(), ElementsAre("once"));
}

TEST_F(PairedInboxTest, MessagesWaitForTheRelay) {
  relay_.Stop();
  mira_.Write(to_ana_, "later");
  EXPECT_TRUE(absl::IsUnavailable(mira_.InboxOf().Flush(mira_.client()).status()));
  relay_.Start();
  mira_.Connect();
  ana_.Connect();
  EXPECT_EQ(mira_.Flush().sent, 1u);
  EXPECT_THAT(ana_.Receive(), ElementsAre("later"));
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

TEST_F(PairedInboxTest, WhatIsBadIsPassedOverAndCounted) {
  // Somebody with an append key writes noise; the handler refuses one message; the rest arrives.
  auto key = crypto::SignatureKey::FromSeed(to_ana_.append_seed.Reveal());
  ASSERT_TRUE(key.ok());
  for (const Bytes& noise : {Bytes(1, 0x55), Bytes(2000, 0x55)}) {
    ASSERT_TRUE(mira_.client()
                    .Append(ana_.Device().inbox_id, 1, *key, crypto::RandomArray<16>(), noise)
                    .ok());
  }
  mira_.Write(to_ana_, "refused");
  mira_.Write(to_ana_, "taken");
  mira_.Flush();
  std::vector<std::string> texts;
  auto taken = ana_.InboxOf().Receive(
      ana_.client(),
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
  auto read = ana_.store().Read();
  EXPECT_FALSE(*read->Has(RecordClass::kContent, "left behind"));
  EXPECT_GE(ana_.Device().passed_over, 1u);
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

TEST_F(InboxTest, AnOldCopyOfAProfileGoesOnHearingAndSendsNothing) {
  Someone mira("Mira", id_, relay_);
  Someone ana("Ana", id_, relay_);
  Someone tomas("Tomas", id_, relay_);
  Pairing mira_to_ana;
  Pairing ana_to_mira;
  Pairing tomas_to_ana;
  Pairing ana_to_tomas;
  Pair(mira, ana, mira_to_ana, ana_to_mira);
  Pair(tomas, ana, tomas_to_ana, ana_to_tomas);
  ana.Write(ana_to_mira, "one");
  ana.Flush();
  ana.SetAside();
  ana.Write(ana_to_mira, "two");
  ana.Write(ana_to_mira, "three");
  ana.Flush();
  EXPECT_THAT(mira.Receive(), ElementsAre("one", "two", "three"));
  constexpr int kMany = 70;
  for (int i = 0; i < kMany; ++i) mira.Write(mira_to_ana, std::to_string(i));
  mira.Flush();
  ana.PutBack();
  EXPECT_EQ(ana.Receive().size(), kMany);
  EXPECT_EQ(ana.TrafficWith(ana_to_mira).claimed, 3u);
  EXPECT_EQ(ana.Device().passed_over, 0u);
  {
    auto read = ana.store().Read();
    EXPECT_EQ((*ana.records().PairingWith(*read, ana_to_mira.peer))->flooded, 0);
  }
  EXPECT_FALSE(ana.Answer());
  EXPECT_EQ(ana.Flush().sent, 0u);
  ana.Change([&](Transaction& step) -> absl::Status {
    InboxMessage message;
    message.mutable_approval()->set_name("four");
    const auto room = ana.InboxOf().HasRoom(step, ana_to_mira);
    EXPECT_TRUE(room.ok() && !*room);
    const absl::Status queued = ana.InboxOf().Queue(step, ana_to_mira, std::move(message));
    EXPECT_TRUE(absl::IsResourceExhausted(queued)) << queued;
    return absl::OkStatus();
  });
  EXPECT_EQ(ana.Flush().sent, 0u);
  // One end's word holds up nothing that goes to others.
  ana.Write(ana_to_tomas, "to Tomas");
  EXPECT_EQ(ana.Flush().sent, 1u);
  EXPECT_THAT(tomas.Receive(), ElementsAre("to Tomas"));
}

// What doesn't fit is refused to who wants to send it, and fits again when some was confirmed.
TEST_F(InboxTest, WhoConfirmsNothingHoldsUpOnlyWhatIsForThem) {
  Someone mira("Mira", id_, relay_);
  Someone ana("Ana", id_, relay_);
  Someone tomas("Tomas", id_, relay_);
  Pairing mira_to_ana;
  Pairing ana_to_mira;
  Pairing mira_to_tomas;
  Pairing tomas_to_mira;
  Pair(mira, ana, mira_to_ana, ana_to_mira);
  Pair(mira, tomas, mira_to_tomas, tomas_to_mira);
  const auto try_write = [&](const Pairing& pairing, const std::string& text) {
    absl::Status queued;
    mira.Change([&](Transaction& step) {
      InboxMessage message;
      message.mutable_approval()->set_name(text);
      queued = mira.InboxOf().Queue(step, pairing, std::move(message));
      return absl::OkStatus();
    });
    return queued;
  };
  for (uint64_t i = 0; i < kMostUnconfirmed; ++i) {
    ASSERT_TRUE(try_write(mira_to_ana, std::to_string(i)).ok());
  }
  const absl::Status full = try_write(mira_to_ana, "too much");
  EXPECT_TRUE(absl::IsResourceExhausted(full)) << full;
  EXPECT_EQ(mira.TrafficWith(mira_to_ana).numbered, kMostUnconfirmed);  // nothing has changed
  EXPECT_TRUE(try_write(mira_to_tomas, "for Tomas").ok());
  EXPECT_EQ(mira.Flush().sent, kMostUnconfirmed + 1);
  EXPECT_THAT(tomas.Receive(), ElementsAre("for Tomas"));
  EXPECT_EQ(ana.Receive().size(), kMostUnconfirmed);
  ana.Answer();
  ana.Flush();
  mira.Receive();
  EXPECT_TRUE(try_write(mira_to_ana, "now").ok());
  mira.Flush();
  EXPECT_THAT(ana.Receive(), ElementsAre("now"));
}

// A sender who was away while the inbox was renewed very often, and the old generations trimmed.
TEST_F(PairedInboxTest, ASenderFindsTheWayToAGenerationFarAhead) {
  for (int i = 0; i < 30; ++i) {
    OwnDevice device = ana_.Device();
    ASSERT_TRUE(PlanInboxClosing(device, {}, 0));
    ana_.Change([&](Transaction& step) { return ana_.records().PutDevice(step, device); });
    ana_.Flush();
  }
  EXPECT_THAT(ana_.Receive(), IsEmpty());
  const OwnDevice device = ana_.Device();
  ASSERT_EQ(device.inbox_generation, 31u);
  const auto control = crypto::SignatureKey::FromSeed(device.inbox_control_seed.Reveal());
  ASSERT_TRUE(control.ok());
  const absl::Status trimmed =
      ana_.client().ControlMailbox(device.inbox_id, device.inbox_generation, *control,
                                   Trim{.first_position = device.inbox_next});
  ASSERT_TRUE(trimmed.ok()) << trimmed;
  mira_.Write(to_ana_, "back again");
  EXPECT_EQ(mira_.Flush().sent, 1u);
  EXPECT_THAT(ana_.Receive(), ElementsAre("back again"));
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

TEST_F(PairedInboxTest, AnErrorThatIsNotTheMessagesStopsBeforeIt) {
  mira_.Write(to_ana_, "kept");
  mira_.Flush();
  auto failed = ana_.InboxOf().Receive(
      ana_.client(), [](Transaction&, const Pairing&, const InboxMessage&) -> absl::Status {
        return absl::ResourceExhaustedError("the disk is full");
      });
  EXPECT_TRUE(absl::IsResourceExhausted(failed.status()));
  EXPECT_THAT(ana_.Receive(), ElementsAre("kept"));
}

TEST_F(PairedInboxTest, WhatCameTooEarlyIsOpenedWhenItsPairingIsKnown) {
  ana_.Change([&](Transaction& step) {
    return ana_.records().pairings.Delete(step, crypto::ToHex(to_mira_.id));
  });
  mira_.Write(to_ana_, "early");
  mira_.Flush();
  EXPECT_THAT(ana_.Receive(), IsEmpty());
  EXPECT_EQ(ana_.Device().unopened.size(), 1u);
  ana_.Change([&](Transaction& step) { return ana_.records().PutPairing(step, to_mira_); });
  EXPECT_THAT(ana_.Receive(), ElementsAre("early"));
  EXPECT_THAT(ana_.Device().unopened, IsEmpty());
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

}  // namespace
}  // namespace parley::client
