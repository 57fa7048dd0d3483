// Pairing through a channel that both ends read: the same handshake as after an introduction, with
// the hello said in the channel, whose author MLS has authenticated, instead of in an inbox.
#include <algorithm>

#include "client-lib/content/parse.h"
#include "client-lib/content/wipe.h"
#include "client-lib/pairing/device.h"
#include "client-lib/pairing/inbox.h"
#include "crypto/primitives/signature.h"
#include "crypto/primitives/x25519.h"

namespace parley::client {
namespace {

using content::v1::InboxMessage;
using content::v1::IntroductionHello;

constexpr size_t kIntroductionSecretSize = 32;

// What the KEM has agreed on, and what the two identity keys do: who has said another card under
// somebody's identity key has no part in the second.
absl::StatusOr<Secret> WithIdentities(const OwnDevice& device, const content::v1::DeviceCard& peer,
                                      const Secret& kem_secret) {
  PARLEY_ASSIGN_OR_RETURN(const Secret agreed, crypto::X25519(device.identity_private.Reveal(),
                                                              crypto::ViewOf(peer.identity_key())));
  Bytes both = crypto::Concat({kem_secret.Reveal(), agreed.Reveal()});
  const crypto::ScopedWipe wipe(both);
  return Secret::CopyOf(both);
}

}  // namespace

absl::StatusOr<Inbox::ChannelHello> Inbox::AnswerInChannel(
    Transaction& step, ByteView card_bytes, uint8_t role, const Secret& introduction_secret,
    const std::function<absl::Status(Transaction&, IntroductionHello&)>& fill) const {
  PARLEY_ASSIGN_OR_RETURN(const content::v1::DeviceCard card, ParseCard(card_bytes));
  if (introduction_secret.size() != kIntroductionSecretSize) {
    return absl::InvalidArgumentError("an introduction with a secret of the wrong size");
  }
  ChannelHello made;
  Pairing& pairing = made.pairing;
  pairing.peer = PeerOf(card);
  PARLEY_ASSIGN_OR_RETURN(const std::optional<Pairing> known,
                          records_.PairingWith(step, pairing.peer));
  PARLEY_ASSIGN_OR_RETURN(OwnDevice device, records_.Device(step));
  if (known.has_value() || pairing.peer == device.participant_id) {
    return absl::AlreadyExistsError("introduced to somebody who is known already");
  }
  PARLEY_ASSIGN_OR_RETURN(crypto::Encapsulation sent,
                          PairingKem().Encap(crypto::ViewOf(card.inbox_kem_key())));
  InboxMessage message;
  const ScopedMessageWipe wipe(message);
  // The pairing's id is that of nothing counted yet: this is message 1.
  PARLEY_RETURN_IF_ERROR(FillIn(step, Pairing(), device, message));
  IntroductionHello& hello = *message.mutable_introduction_hello();
  hello.set_pairing_kem_ciphertext(crypto::ToString(sent.enc));
  PARLEY_RETURN_IF_ERROR(fill(step, hello));
  std::string bytes = message.SerializeAsString();
  const crypto::ScopedWipe wipe_bytes(bytes);
  PARLEY_ASSIGN_OR_RETURN(const Secret shared, WithIdentities(device, card, sent.shared_secret));
  PairingKeys keys =
      DerivePairing(introduction_secret.Reveal(), shared, card_bytes, crypto::ViewOf(bytes));
  pairing.id = std::move(keys.id);
  pairing.secret = std::move(keys.secret);
  pairing.safety_number = std::move(keys.safety_number);
  pairing.peer_card.assign(card_bytes.begin(), card_bytes.end());
  pairing.peer_role = role;
  PARLEY_RETURN_IF_ERROR(records_.PutPairing(step, pairing));
  PARLEY_ASSIGN_OR_RETURN(
      made.sealed,
      SealInboxMessage(crypto::ViewOf(card.inbox_kem_key()), crypto::ViewOf(card.inbox_id()),
                       IntroductionKeyOf(introduction_secret), crypto::ViewOf(bytes)));
  // The channel's log brings it: it is never sent again.
  Traffic traffic;
  traffic.numbered = 1;
  traffic.confirmed = 1;
  PARLEY_RETURN_IF_ERROR(records_.PutTraffic(step, pairing.id, traffic));
  return made;
}

absl::StatusOr<Pairing> Inbox::TakeChannelHello(
    Transaction& step, uint8_t role, const Secret& introduction_secret, ByteView sealed,
    const std::function<absl::Status(const IntroductionHello&)>& check) const {
  PARLEY_ASSIGN_OR_RETURN(OwnDevice device, records_.Device(step));
  PARLEY_ASSIGN_OR_RETURN(const InboxEntry entry,
                          InboxEntry::Create(device.kem_private.Reveal(), device.inbox_id, sealed));
  PARLEY_ASSIGN_OR_RETURN(Bytes bytes, entry.Open(IntroductionKeyOf(introduction_secret)));
  const crypto::ScopedWipe wipe_bytes(bytes);
  InboxMessage message;
  const ScopedMessageWipe wipe(message);
  if (!ParseFromPeer(message, bytes) || !message.has_introduction_hello()) {
    return absl::InvalidArgumentError("not a hello");
  }
  const IntroductionHello& hello = message.introduction_hello();
  PARLEY_RETURN_IF_ERROR(CheckCard(hello.card()));
  if (message.sender_participant_id() != hello.card().participant_id() ||
      message.sender_device_id() != hello.card().device_id() ||
      message.case_id() != crypto::ToString(id_.bytes()) || message.number() != 1 ||
      hello.append_seed().size() != crypto::kSignatureSeedSize) {
    return absl::InvalidArgumentError("a hello that contradicts its card");
  }
  PARLEY_RETURN_IF_ERROR(check(hello));
  PARLEY_ASSIGN_OR_RETURN(const Secret kem_secret,
                          PairingKem().Decap(crypto::ViewOf(hello.pairing_kem_ciphertext()),
                                             device.kem_private.Reveal()));
  PARLEY_ASSIGN_OR_RETURN(const Secret shared, WithIdentities(device, hello.card(), kem_secret));
  PairingKeys keys = DerivePairing(introduction_secret.Reveal(), shared, device.card, bytes);
  Pairing pairing;
  pairing.id = std::move(keys.id);
  pairing.secret = std::move(keys.secret);
  pairing.safety_number = std::move(keys.safety_number);
  pairing.peer = PeerOf(hello.card());
  pairing.peer_card = crypto::ToBytes(hello.card().SerializeAsString());
  pairing.peer_role = role;
  pairing.append_seed = Secret::CopyOf(crypto::ViewOf(hello.append_seed()));
  PARLEY_RETURN_IF_ERROR(records_.PutPairing(step, pairing));
  Traffic traffic;
  TakeNumber(traffic, 1, now_());
  TakeWord(traffic, message.received(), message.inbox_generation(), true, now_());
  PARLEY_RETURN_IF_ERROR(records_.PutTraffic(step, pairing.id, traffic));
  return pairing;
}

}  // namespace parley::client
