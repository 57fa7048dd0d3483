#include "client-lib/pairing/device.h"

#include <algorithm>

#include "client-lib/content/parse.h"
#include "client-lib/pairing/handshake.h"
#include "crypto/primitives/random.h"
#include "crypto/primitives/signature.h"
#include "crypto/primitives/x25519.h"

namespace parley::client {
namespace {

constexpr size_t kMaxInboxSlots = kMaxAppendKeys;

Secret FreshSeed() { return Secret::Random(crypto::kSignatureSeedSize); }

}  // namespace

OwnDevice MakeDevice(std::string_view name) {
  OwnDevice device;
  device.participant_id = ParticipantId(crypto::RandomArray<16>());
  device.device_id = crypto::RandomArray<16>();
  device.identity_private = Secret::Random(crypto::kX25519KeySize);
  crypto::KemKeyPair kem = PairingKem().GenerateKeyPair();
  device.kem_private = std::move(kem.private_key);
  device.inbox_id = crypto::RandomArray<32>();
  device.inbox_read_seed = FreshSeed();
  device.inbox_control_seed = FreshSeed();
  for (size_t i = 0; i < kInboxSlots; ++i) device.slots.push_back({FreshSeed(), {}});

  content::v1::DeviceCard card;
  card.set_participant_id(crypto::ToString(device.participant_id.bytes()));
  card.set_device_id(crypto::ToString(device.device_id));
  card.set_name(std::string(name));
  card.set_identity_key(
      crypto::ToString(crypto::X25519PublicKey(device.identity_private.Reveal())));
  card.set_inbox_kem_key(crypto::ToString(kem.public_key));
  card.set_inbox_id(crypto::ToString(device.inbox_id));
  device.card = crypto::ToBytes(card.SerializeAsString());
  return device;
}

ParticipantId PeerOf(const content::v1::DeviceCard& card) {
  ParticipantId::Bytes bytes{};
  std::copy_n(card.participant_id().begin(), bytes.size(), bytes.begin());
  return ParticipantId(bytes);
}

absl::Status CheckCard(const content::v1::DeviceCard& card) {
  if (card.participant_id().size() != 16 || card.device_id().size() != 16 ||
      card.identity_key().size() != crypto::kX25519KeySize || card.inbox_id().size() != 32 ||
      (!card.record_key().empty() && card.record_key().size() != crypto::kSignaturePublicKeySize) ||
      !IsGoodName(card.name())) {
    return absl::InvalidArgumentError("a device card with missing or malformed fields");
  }
  return PairingKem().CheckPublicKey(crypto::ViewOf(card.inbox_kem_key()));
}

absl::StatusOr<content::v1::DeviceCard> ParseCard(ByteView bytes) {
  content::v1::DeviceCard card;
  if (!ParseFromPeer(card, bytes)) {
    return absl::InvalidArgumentError("not a device card");
  }
  PARLEY_RETURN_IF_ERROR(CheckCard(card));
  return card;
}

absl::StatusOr<GenerationKeys> InboxKeys(const OwnDevice& device,
                                         const std::vector<InboxSlot>& slots) {
  GenerationKeys keys;
  PARLEY_ASSIGN_OR_RETURN(crypto::SignatureKey read,
                          crypto::SignatureKey::FromSeed(device.inbox_read_seed.Reveal()));
  PARLEY_ASSIGN_OR_RETURN(crypto::SignatureKey control,
                          crypto::SignatureKey::FromSeed(device.inbox_control_seed.Reveal()));
  keys.read_key = read.public_key();
  keys.control_key = control.public_key();
  for (const InboxSlot& slot : slots) {
    PARLEY_ASSIGN_OR_RETURN(crypto::SignatureKey append,
                            crypto::SignatureKey::FromSeed(slot.seed.Reveal()));
    keys.append_keys.push_back(append.public_key());
  }
  return keys;
}

absl::StatusOr<std::vector<Secret>> TakeSlots(OwnDevice& device, size_t count, ByteView holder) {
  if (FreeSlots(device) < count) {
    return absl::ResourceExhaustedError("the inbox has no append key left to give away");
  }
  std::vector<Secret> seeds;
  for (InboxSlot& slot : device.slots) {
    if (seeds.size() == count) break;
    if (!slot.holder.empty()) continue;
    slot.holder.assign(holder.begin(), holder.end());
    seeds.push_back(slot.seed.Clone());
  }
  return seeds;
}

size_t FreeSlots(const OwnDevice& device) {
  // While a closing is on its way its slots are the ones that count, and they can't be given yet.
  if (device.closing.has_value()) return 0;
  size_t free = 0;
  for (const InboxSlot& slot : device.slots) free += slot.holder.empty() ? 1 : 0;
  return free;
}

void PassSlots(OwnDevice& device, ByteView from, ByteView to) {
  const auto pass = [&](std::vector<InboxSlot>& slots) {
    for (InboxSlot& slot : slots) {
      if (!slot.holder.empty() && crypto::PublicEquals(slot.holder, from)) {
        slot.holder.assign(to.begin(), to.end());
      }
    }
  };
  pass(device.slots);
  if (device.closing.has_value()) pass(device.closing->next_slots);
}

bool PlanInboxClosing(OwnDevice& device, ByteView revoked, size_t more) {
  if (device.closing.has_value()) return false;
  InboxClosing closing;
  closing.append_id = crypto::RandomArray<16>();
  for (const InboxSlot& slot : device.slots) {
    if (!revoked.empty() && crypto::PublicEquals(slot.holder, revoked)) continue;
    closing.next_slots.push_back({slot.seed.Clone(), slot.holder});
  }
  for (size_t i = 0; i < more && closing.next_slots.size() < kMaxInboxSlots; ++i) {
    closing.next_slots.push_back({FreshSeed(), {}});
  }
  // A generation has at least one append key, and the owner needs one for the next closing.
  if (closing.next_slots.empty()) closing.next_slots.push_back({FreshSeed(), {}});
  device.closing = std::move(closing);
  return true;
}

}  // namespace parley::client
