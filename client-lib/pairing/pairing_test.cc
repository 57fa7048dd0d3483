// Pairing by invitation against somebody in the middle: the relay, which sees and can change every
// entry; a guesser without the secret; a second holder of the invitation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "client-lib/pairing/device.h"
#include "client-lib/pairing/handshake.h"
#include "client-lib/pairing/inviting.h"
#include "crypto/primitives/random.h"

namespace parley::client {
namespace {

constexpr uint64_t kNow = 1777777777;

struct Scene {
  OwnDevice mira = MakeDevice("Mira");
  OwnDevice ana = MakeDevice("Ana");
  PreparedInvitation prepared;
  Bytes first_entry;

  Scene() {
    InvitationOffer offer;
    offer.relay.address = "relay.example:7443";
    offer.voucher = {1, 2, 3};
    offer.case_id = CaseId(crypto::RandomArray<16>());
    offer.case_title = "Harbor v Northline";
    offer.inviter_role = content::v1::ROLE_MEDIATOR;
    offer.invitee_name = "Ana";
    offer.invitee_role = content::v1::ROLE_PARTY;
    offer.invitee_side = "Harbor";
    offer.expires_at = kNow + 1000;
    absl::StatusOr<PreparedInvitation> made = PrepareInvitation(mira, offer);
    EXPECT_TRUE(made.ok()) << made.status();
    prepared = std::move(*made);
    prepared.record.state = InvitationState::kOpen;
    const InvitationKeys keys = DeriveInvitationKeys(prepared.code.secret);
    first_entry = SealHello(keys.seal_key, prepared.code.rendezvous_id, HelloKind::kInviter,
                            prepared.record.hello);
  }

  absl::StatusOr<Answer> AnswerAs(OwnDevice& device, const InvitationCode& code,
                                  ByteView entry) const {
    absl::StatusOr<ReceivedInvitation> received = OpenInvitation(code, entry);
    if (!received.ok()) return received.status();
    absl::StatusOr<std::vector<Secret>> seeds = TakeSlots(device, 3, Bytes{7});
    if (!seeds.ok()) return seeds.status();
    return AnswerInvitation(code, *received, device, *seeds, {{1, 2}, {3}});
  }
};

TEST(PairingTest, AnInvitationIsTakenFromNeutralsOnly) {
  Scene scene;
  ASSERT_TRUE(OpenInvitation(scene.prepared.code, scene.first_entry).ok());
  content::v1::InviterHello hello;
  ASSERT_TRUE(hello.ParseFromString(crypto::ToString(scene.prepared.record.hello)));
  hello.set_inviter_role(content::v1::ROLE_COUNSEL);
  const InvitationKeys keys = DeriveInvitationKeys(scene.prepared.code.secret);
  const Bytes entry = SealHello(keys.seal_key, scene.prepared.code.rendezvous_id,
                                HelloKind::kInviter, crypto::ToBytes(hello.SerializeAsString()));
  EXPECT_EQ(OpenInvitation(scene.prepared.code, entry).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(PairingTest, BothHaveTheSameSecretAndSafetyNumber) {
  Scene scene;
  absl::StatusOr<Answer> answer = scene.AnswerAs(scene.ana, scene.prepared.code, scene.first_entry);
  ASSERT_TRUE(answer.ok()) << answer.status();
  std::optional<JoinedPeer> joined =
      TakeRendezvousEntry(scene.prepared.record, scene.mira, answer->payload, kNow);
  ASSERT_TRUE(joined.has_value());
  EXPECT_EQ(joined->pairing.id, answer->pairing.id);
  EXPECT_EQ(joined->pairing.id.size(), kPairingIdSize);
  EXPECT_TRUE(
      crypto::ConstantTimeEquals(joined->pairing.secret.Reveal(), answer->pairing.secret.Reveal()));
  EXPECT_EQ(joined->pairing.safety_number, answer->pairing.safety_number);
  EXPECT_TRUE(
      std::regex_match(joined->pairing.safety_number, std::regex("[0-9]{5}( [0-9]{5}){7}")));
  EXPECT_EQ(joined->pairing.peer, scene.ana.participant_id);
  EXPECT_EQ(answer->pairing.peer, scene.mira.participant_id);
  EXPECT_EQ(joined->hello.key_packages_size(), 2);
  // Each appends with a key that is one of the other's inbox.
  EXPECT_TRUE(crypto::ConstantTimeEquals(joined->pairing.append_seed.Reveal(),
                                         scene.ana.slots[0].seed.Reveal()));
  EXPECT_TRUE(crypto::ConstantTimeEquals(answer->pairing.append_seed.Reveal(),
                                         scene.mira.slots[0].seed.Reveal()));
  EXPECT_EQ(scene.mira.slots[0].holder, joined->pairing.id);
  // Nothing that could open a later use is left.
  EXPECT_TRUE(scene.prepared.record.seal_key.empty());
  EXPECT_TRUE(scene.prepared.record.pairing_private.empty());
  EXPECT_TRUE(scene.prepared.record.pairing_salt.empty());
}

TEST(PairingTest, ASecondUseIsAnAlarmAndOpensNothing) {
  Scene scene;
  OwnDevice eve = MakeDevice("Eve");
  absl::StatusOr<Answer> first = scene.AnswerAs(scene.ana, scene.prepared.code, scene.first_entry);
  absl::StatusOr<Answer> second = scene.AnswerAs(eve, scene.prepared.code, scene.first_entry);
  ASSERT_TRUE(first.ok() && second.ok());
  ASSERT_TRUE(
      TakeRendezvousEntry(scene.prepared.record, scene.mira, first->payload, kNow).has_value());
  EXPECT_FALSE(
      TakeRendezvousEntry(scene.prepared.record, scene.mira, second->payload, kNow).has_value());
  // Also the first one's, replayed by the relay.
  EXPECT_FALSE(
      TakeRendezvousEntry(scene.prepared.record, scene.mira, first->payload, kNow).has_value());
  EXPECT_EQ(scene.prepared.record.alarms.size(), 2u);
  EXPECT_EQ(scene.prepared.record.participant, scene.ana.participant_id);
  EXPECT_EQ(scene.prepared.record.next, 5u);
  // A flood doesn't fill the profile.
  for (int i = 0; i < 100; ++i) {
    TakeRendezvousEntry(scene.prepared.record, scene.mira, second->payload, kNow);
  }
  EXPECT_LE(scene.prepared.record.alarms.size(), 8u);
}

TEST(PairingTest, WithoutTheSecretNothingOpensAndNothingIsTaken) {
  Scene scene;
  InvitationCode wrong = scene.prepared.code.Clone();
  wrong.secret = Secret::Random(32);
  EXPECT_TRUE(absl::IsUnauthenticated(OpenInvitation(wrong, scene.first_entry).status()));
  // The relay makes a hello of its own under a guessed secret.
  const InvitationKeys guessed = DeriveInvitationKeys(wrong.secret);
  const Bytes forged = SealHello(guessed.seal_key, scene.prepared.code.rendezvous_id,
                                 HelloKind::kInviter, scene.prepared.record.hello);
  EXPECT_TRUE(absl::IsUnauthenticated(OpenInvitation(scene.prepared.code, forged).status()));
  absl::StatusOr<Answer> answer = scene.AnswerAs(scene.ana, scene.prepared.code, scene.first_entry);
  ASSERT_TRUE(answer.ok());
  for (size_t i = 0; i < answer->payload.size(); i += 97) {
    Scene fresh;
    Bytes altered = answer->payload;
    altered[i] ^= 1;
    EXPECT_FALSE(TakeRendezvousEntry(scene.prepared.record, scene.mira, altered, kNow).has_value());
  }
  // After all that the true one is still taken.
  EXPECT_TRUE(
      TakeRendezvousEntry(scene.prepared.record, scene.mira, answer->payload, kNow).has_value());
}

TEST(PairingTest, EntriesOfOtherPlacesAreRefused) {
  Scene scene;
  Scene other;
  // Another rendezvous' first entry; and the own first entry in an invitee's place.
  EXPECT_FALSE(OpenInvitation(scene.prepared.code, other.first_entry).ok());
  EXPECT_FALSE(IsInviteeHello(scene.prepared.code, scene.first_entry));
  EXPECT_FALSE(
      TakeRendezvousEntry(scene.prepared.record, scene.mira, scene.first_entry, kNow).has_value());
  absl::StatusOr<Answer> answer = other.AnswerAs(other.ana, other.prepared.code, other.first_entry);
  ASSERT_TRUE(answer.ok());
  EXPECT_TRUE(IsInviteeHello(other.prepared.code, answer->payload));
  EXPECT_FALSE(
      TakeRendezvousEntry(scene.prepared.record, scene.mira, answer->payload, kNow).has_value());
}

// Somebody who has the invitation's secret stands between the two, and gives each a hello of its
// own: the safety numbers differ, which is why people compare them.
TEST(PairingTest, AManInTheMiddleShowsInTheSafetyNumber) {
  Scene scene;
  OwnDevice eve = MakeDevice("Ana");
  absl::StatusOr<Answer> to_mira = scene.AnswerAs(eve, scene.prepared.code, scene.first_entry);
  ASSERT_TRUE(to_mira.ok());
  std::optional<JoinedPeer> at_mira =
      TakeRendezvousEntry(scene.prepared.record, scene.mira, to_mira->payload, kNow);
  ASSERT_TRUE(at_mira.has_value());

  Scene as_mira;  // Eve's own invitation, under the secret of the true one
  const InvitationKeys keys = DeriveInvitationKeys(scene.prepared.code.secret);
  const Bytes swapped = SealHello(keys.seal_key, scene.prepared.code.rendezvous_id,
                                  HelloKind::kInviter, as_mira.prepared.record.hello);
  absl::StatusOr<Answer> at_ana = scene.AnswerAs(scene.ana, scene.prepared.code, swapped);
  ASSERT_TRUE(at_ana.ok());
  EXPECT_NE(at_mira->pairing.safety_number, at_ana->pairing.safety_number);
  EXPECT_NE(at_mira->pairing.id, at_ana->pairing.id);
}

// Every field of both hellos is in the safety number and in the keys.
TEST(PairingTest, TheHellosAreBoundAsTheyWereSent) {
  const Secret shared = Secret::Random(32);
  const Bytes salt = crypto::RandomBytes(32);
  const Bytes a = crypto::ToBytes("hello of the inviter");
  const Bytes b = crypto::ToBytes("hello of the invitee");
  const PairingKeys keys = DerivePairing(salt, shared, a, b);
  for (size_t i = 0; i < a.size(); ++i) {
    Bytes other = a;
    other[i] ^= 1;
    EXPECT_NE(DerivePairing(salt, shared, other, b).safety_number, keys.safety_number);
    EXPECT_NE(DerivePairing(salt, shared, b, other).id, keys.id);
  }
  EXPECT_NE(DerivePairing(salt, shared, b, a).safety_number, keys.safety_number);
  EXPECT_NE(DerivePairing(salt, Secret::Random(32), a, b).id, keys.id);
  EXPECT_NE(DerivePairing(crypto::RandomBytes(32), shared, a, b).id, keys.id);
}

TEST(PairingTest, AHelloThatBreaksARuleIsRefused) {
  Scene scene;
  const InvitationKeys keys = DeriveInvitationKeys(scene.prepared.code.secret);
  const auto open = [&](const std::function<void(content::v1::InviterHello&)>& change) {
    content::v1::InviterHello hello;
    EXPECT_TRUE(hello.ParseFromArray(scene.prepared.record.hello.data(),
                                     static_cast<int>(scene.prepared.record.hello.size())));
    change(hello);
    return OpenInvitation(
               scene.prepared.code,
               SealHello(keys.seal_key, scene.prepared.code.rendezvous_id, HelloKind::kInviter,
                         crypto::ToBytes(hello.SerializeAsString())))
        .status();
  };
  EXPECT_TRUE(open([](auto&) {}).ok());
  EXPECT_TRUE(absl::IsUnimplemented(open([](auto& h) { h.clear_protocol_versions(); })));
  EXPECT_FALSE(open([](auto& h) { h.clear_card(); }).ok());
  EXPECT_FALSE(open([](auto& h) { h.mutable_card()->clear_inbox_id(); }).ok());
  EXPECT_FALSE(open([](auto& h) { h.mutable_card()->set_name("A\nB"); }).ok());
  EXPECT_FALSE(open([](auto& h) { h.mutable_card()->set_name("\u202eanA"); }).ok());
  EXPECT_FALSE(open([](auto& h) { h.set_pairing_kem_key(std::string(1216, '\xff')); }).ok());
  EXPECT_FALSE(open([](auto& h) { h.clear_case_id(); }).ok());
  EXPECT_FALSE(open([](auto& h) { h.clear_append_seed(); }).ok());
  EXPECT_FALSE(open([](auto& h) { h.set_invitee_role(content::v1::ROLE_UNSPECIFIED); }).ok());
  EXPECT_FALSE(open([](auto& h) { h.set_invitee_role(content::v1::ROLE_CO_MEDIATOR); }).ok());
}

TEST(InboxSealTest, OpensOnlyForItsPairingDirectionAndInbox) {
  const OwnDevice ana = MakeDevice("Ana");
  const crypto::ByteArray<16> mira_device = crypto::RandomArray<16>();
  absl::StatusOr<content::v1::DeviceCard> card = ParseCard(ana.card);
  ASSERT_TRUE(card.ok());
  const Bytes kem_key = crypto::ToBytes(card->inbox_kem_key());
  const Secret secret = Secret::Random(32);
  const Bytes pairing = crypto::RandomBytes(16);
  const InboxKey key = InboxKeyOf(pairing, secret, mira_device);
  const Bytes message = crypto::ToBytes("approved");
  absl::StatusOr<Bytes> sealed = SealInboxMessage(kem_key, ana.inbox_id, key, message);
  ASSERT_TRUE(sealed.ok());
  EXPECT_EQ(*OpenInboxMessage(ana.kem_private.Reveal(), ana.inbox_id, key, *sealed), message);
  // Sizes of messages don't show.
  absl::StatusOr<Bytes> longer =
      SealInboxMessage(kem_key, ana.inbox_id, key, crypto::ToBytes("approved, and welcome"));
  EXPECT_EQ(sealed->size(), longer->size());

  const auto fails = [&](const InboxKey& other, ByteView inbox, ByteView payload) {
    return absl::IsUnauthenticated(
        OpenInboxMessage(ana.kem_private.Reveal(), inbox, other, payload).status());
  };
  EXPECT_TRUE(fails(InboxKeyOf(pairing, secret, ana.device_id), ana.inbox_id, *sealed));
  EXPECT_TRUE(
      fails(InboxKeyOf(crypto::RandomBytes(16), secret, mira_device), ana.inbox_id, *sealed));
  EXPECT_TRUE(fails(InboxKeyOf(pairing, Secret::Random(32), mira_device), ana.inbox_id, *sealed));
  EXPECT_TRUE(fails(key, crypto::RandomBytes(32), *sealed));
  EXPECT_TRUE(fails(key, ana.inbox_id, {}));
  for (size_t i = 0; i < sealed->size(); i += 41) {
    Bytes altered = *sealed;
    altered[i] ^= 0x80;
    EXPECT_FALSE(OpenInboxMessage(ana.kem_private.Reveal(), ana.inbox_id, key, altered).ok()) << i;
  }
}

TEST(DeviceTest, SlotsAreGivenOnceAndRevoked) {
  OwnDevice device = MakeDevice("Mira");
  const Bytes ana = {1};
  const Bytes ben = {2};
  ASSERT_TRUE(TakeSlots(device, 10, ana).ok());
  ASSERT_TRUE(TakeSlots(device, 6, ben).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(TakeSlots(device, 1, ben).status()));
  EXPECT_TRUE(PlanInboxClosing(device, ana, 4));
  EXPECT_FALSE(PlanInboxClosing(device, ben, 0));  // one at a time
  EXPECT_EQ(FreeSlots(device), 0u);                // until it is done
  ASSERT_EQ(device.closing->next_slots.size(), 10u);
  for (const InboxSlot& slot : device.closing->next_slots) EXPECT_NE(slot.holder, ana);
  absl::StatusOr<GenerationKeys> keys = InboxKeys(device, device.closing->next_slots);
  ASSERT_TRUE(keys.ok());
  EXPECT_EQ(keys->append_keys.size(), 10u);
}

// Who has an invitation can go on using it: what the inviter is told has an end, before it was used
// and after.
TEST(PairingTest, UsesOfAnInvitationRaiseFewAlarms) {
  Scene scene;
  MadeInvitation& invitation = scene.prepared.record;
  for (int i = 0; i < 40; ++i) {
    EXPECT_FALSE(TakeRendezvousEntry(invitation, scene.mira, Bytes{1}, kNow + i).has_value());
  }
  EXPECT_EQ(invitation.alarms.size(), 8u);
  Scene used;
  const absl::StatusOr<Answer> answer =
      used.AnswerAs(used.ana, used.prepared.code, used.first_entry);
  ASSERT_TRUE(answer.ok()) << answer.status();
  for (int i = 0; i < 40; ++i) {
    TakeRendezvousEntry(used.prepared.record, used.mira, answer->payload, kNow + i);
  }
  EXPECT_EQ(used.prepared.record.alarms.size(), 8u);
  EXPECT_EQ(used.prepared.record.state, InvitationState::kUsed);
}

TEST(DeviceTest, NamesThatMislead) {
  EXPECT_TRUE(IsGoodName("Ana"));
  EXPECT_TRUE(IsGoodName("\u5c71\u7530"));
  EXPECT_TRUE(IsGoodName("O'Brien & S\u00f8n"));
  for (const char* bad : {"", "   ", "a\tb", "a\x7f", "\xc0\xaf", "\xed\xa0\x80",
                          "\xf5\x80\x80\x80", "a\u202eb", "a\u200bb", "\ufeffa", "\xe2\x82"}) {
    EXPECT_FALSE(IsGoodName(bad)) << bad;
  }
  EXPECT_FALSE(IsGoodName(std::string(201, 'a')));
  EXPECT_FALSE(IsGoodName(std::string_view("a\0b", 3)));
}

}  // namespace
}  // namespace parley::client
