#include "client-lib/pairing/inbox.h"

#include <algorithm>

#include "client-lib/content/parse.h"
#include "client-lib/content/wipe.h"
#include "client-lib/pairing/device.h"
#include "client-lib/pairing/inviting.h"
#include "crypto/primitives/random.h"
#include "crypto/primitives/signature.h"
#include "parley/types.h"

namespace parley::client {
namespace {

using content::v1::InboxMessage;
using crypto::SignatureKey;

// Entries that nothing opened yet are kept up to this number: what opens one (an introduction in
// the neutrals' channel) comes shortly after it, if at all. They stand in the device's record, so
// they are few and small; a message that may come so early has some 20 KiB.
constexpr size_t kMaxUnopened = 8;
constexpr size_t kMaxUnopenedBytes = 64 * 1024;

// From when on an inbox is renewed and trimmed: far below what a generation may take (the relay's
// defaults are 65,536 entries and 1 GiB) and what the voucher of an inbox pays for (256 MiB), and
// far beyond what a case needs.
constexpr uint64_t kEntriesUntilRenewal = 4096;
constexpr uint64_t kBytesUntilRenewal = 64 << 20;
constexpr uint64_t kBytesUntilTrimming = 32 << 20;
// What the relay counts for an entry beside its payload.
constexpr uint64_t kEntryOverheadBytes = 256;

// What one correspondent may put into a generation, before their append key is revoked: a message
// counts as one, one that is bad as many. Together with the sizes, in such units.
constexpr uint64_t kMostLoadOfOne = 1024;
constexpr uint64_t kLoadOfBad = 16;
constexpr uint64_t kBytesOfOneLoad = 64 * 1024;

ParticipantId PeerOf(const content::v1::DeviceCard& card) {
  ParticipantId::Bytes bytes{};
  std::copy_n(card.participant_id().begin(), bytes.size(), bytes.begin());
  return ParticipantId(bytes);
}

bool IsSilence(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         absl::IsCancelled(status);
}

absl::Status FillIn(InboxMessage& message, const OwnDevice& device, const CaseId& id) {
  message.set_message_id(crypto::ToString(crypto::RandomBytes(16)));
  message.set_sender_participant_id(crypto::ToString(device.participant_id.bytes()));
  message.set_sender_device_id(crypto::ToString(device.device_id));
  message.set_case_id(crypto::ToString(id.bytes()));
  return absl::OkStatus();
}

// That a message says it comes from whom its seal says, and belongs to this case.
absl::Status CheckSender(const InboxMessage& message, const Pairing& pairing, const CaseId& id) {
  PARLEY_ASSIGN_OR_RETURN(content::v1::DeviceCard card, ParseCard(pairing.peer_card));
  if (message.message_id().size() != 16 ||
      message.sender_participant_id() != card.participant_id() ||
      message.sender_device_id() != card.device_id() ||
      message.case_id() != crypto::ToString(id.bytes())) {
    return absl::InvalidArgumentError("a message that contradicts its seal");
  }
  return absl::OkStatus();
}

absl::StatusOr<ObjectId> InboxOf(const Pairing& pairing) {
  PARLEY_ASSIGN_OR_RETURN(content::v1::DeviceCard card, ParseCard(pairing.peer_card));
  ObjectId id{};
  std::copy_n(card.inbox_id().begin(), id.size(), id.begin());
  return id;
}

OutgoingMessage MakeOutgoing(const InboxMessage& message, const Pairing& pairing, Bytes payload) {
  OutgoingMessage outgoing;
  outgoing.message_id = crypto::ToBytes(message.message_id());
  outgoing.pairing_id = pairing.id;
  outgoing.append_id = crypto::RandomArray<16>();
  outgoing.payload = std::move(payload);
  return outgoing;
}

}  // namespace

bool IsBadInboxMessage(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
      return true;
    default:
      return false;
  }
}

absl::Status Inbox::Create(RelayClient& relay, const Credential& credential) {
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_.Read());
  PARLEY_ASSIGN_OR_RETURN(OwnDevice device, records_.Device(read));
  PARLEY_ASSIGN_OR_RETURN(GenerationKeys keys, InboxKeys(device, device.slots));
  return relay.CreateMailbox(credential, device.inbox_id, keys);
}

// ---- Receiving
// -----------------------------------------------------------------------------------

absl::StatusOr<std::optional<Inbox::Opened>> Inbox::Open(Transaction& step, const OwnDevice& device,
                                                         ByteView payload) const {
  absl::StatusOr<InboxEntry> entry =
      InboxEntry::Create(device.kem_private.Reveal(), device.inbox_id, payload);
  if (!entry.ok()) return std::optional<Opened>();
  PARLEY_ASSIGN_OR_RETURN(std::vector<Pairing> pairings, records_.pairings.All(step));
  for (Pairing& pairing : pairings) {
    if (pairing.ended != 0) continue;
    PARLEY_ASSIGN_OR_RETURN(content::v1::DeviceCard card, ParseCard(pairing.peer_card));
    absl::StatusOr<Bytes> bytes =
        entry->Open(InboxKeyOf(pairing.id, pairing.secret, crypto::ViewOf(card.device_id())));
    if (!bytes.ok()) continue;
    crypto::ScopedWipe wipe(*bytes);
    Opened opened{std::move(pairing), {}};
    if (!ParseFromPeer(opened.message, *bytes)) {
      return absl::InvalidArgumentError("not an inbox message");
    }
    return std::optional<Opened>(std::move(opened));
  }
  PARLEY_ASSIGN_OR_RETURN(std::vector<std::string> awaited, records_.introductions.Keys(step));
  for (const std::string& key : awaited) {
    PARLEY_ASSIGN_OR_RETURN(std::optional<AwaitedIntroduction> introduction,
                            records_.introductions.Get(step, key));
    if (!introduction.has_value()) continue;
    absl::StatusOr<Bytes> bytes = entry->Open(IntroductionKeyOf(introduction->secret));
    if (!bytes.ok()) continue;
    Opened opened;
    if (!ParseFromPeer(opened.message, *bytes) || !opened.message.has_introduction_hello()) {
      return absl::InvalidArgumentError("not an introduction's hello");
    }
    PARLEY_ASSIGN_OR_RETURN(
        Secret shared,
        PairingKem().Decap(
            crypto::ViewOf(opened.message.introduction_hello().pairing_kem_ciphertext()),
            device.kem_private.Reveal()));
    PairingKeys keys = DerivePairing(introduction->secret.Reveal(), shared, device.card, *bytes);
    opened.pairing.id = std::move(keys.id);
    opened.pairing.secret = std::move(keys.secret);
    opened.pairing.safety_number = std::move(keys.safety_number);
    opened.pairing.peer = introduction->peer;
    opened.pairing.peer_card = introduction->peer_card;
    opened.pairing.peer_role = introduction->peer_role;
    opened.pairing.append_seed = std::move(introduction->append_seed);
    // The introduction serves once.
    PARLEY_RETURN_IF_ERROR(records_.introductions.Delete(step, key));
    PARLEY_RETURN_IF_ERROR(records_.PutPairing(step, opened.pairing));
    return std::optional<Opened>(std::move(opened));
  }
  return std::optional<Opened>();
}

absl::StatusOr<Inbox::Outcome> Inbox::Take(Transaction& step, const OwnDevice& device,
                                           ByteView payload, const InboxHandler& handler,
                                           Bytes& opened_by) const {
  PARLEY_ASSIGN_OR_RETURN(std::optional<Opened> opened, Open(step, device, payload));
  if (!opened.has_value()) return Outcome::kNotOpened;
  const ScopedMessageWipe wipe(opened->message);
  opened_by = opened->pairing.id;
  PARLEY_RETURN_IF_ERROR(CheckSender(opened->message, opened->pairing, id_));
  PARLEY_ASSIGN_OR_RETURN(
      bool seen,
      records_.SeenBefore(step, opened->pairing.id, crypto::ViewOf(opened->message.message_id())));
  if (seen) return Outcome::kPassedOver;
  PARLEY_RETURN_IF_ERROR(handler(step, opened->pairing, opened->message));
  return Outcome::kTaken;
}

absl::Status Inbox::RevokeKeysOf(Transaction& step, OwnDevice& device, Pairing& flooder) const {
  // A closing that is on its way still names the key: it is revoked by the next one.
  if (!PlanInboxClosing(device, flooder.id, 0)) return absl::OkStatus();
  flooder.flooded = 1;
  if (!IsNeutral(static_cast<Role>(flooder.peer_role))) return absl::OkStatus();
  // Keys that were given on through this neutral go with theirs.
  PARLEY_ASSIGN_OR_RETURN(std::vector<Pairing> pairings, records_.pairings.All(step));
  for (Pairing& other : pairings) {
    if (other.ended != 0 || other.id == flooder.id) continue;
    other.reseed = 1;
    PARLEY_RETURN_IF_ERROR(records_.PutPairing(step, other));
  }
  return absl::OkStatus();
}

absl::Status Inbox::Count(Transaction& step, OwnDevice& device, const Bytes& sender,
                          uint64_t load) const {
  PARLEY_ASSIGN_OR_RETURN(std::optional<Pairing> pairing,
                          records_.pairings.Get(step, crypto::ToHex(sender)));
  if (!pairing.has_value() || pairing->ended != 0) return absl::OkStatus();
  if (pairing->load_generation != device.inbox_read_generation) {
    pairing->load = 0;
    pairing->load_generation = device.inbox_read_generation;
  }
  pairing->load += load;
  // Entries of a generation in which the key was valid still come after it was revoked.
  if (pairing->load > kMostLoadOfOne && pairing->flooded == 0) {
    PARLEY_RETURN_IF_ERROR(RevokeKeysOf(step, device, *pairing));
  }
  return records_.PutPairing(step, *pairing);
}

absl::StatusOr<bool> Inbox::TakeEntry(const Entry& entry, const InboxHandler& handler) const {
  Outcome outcome = Outcome::kPassedOver;
  Bytes sender;
  for (const bool handle : {true, false}) {
    PARLEY_ASSIGN_OR_RETURN(Transaction step, store_.Begin());
    PARLEY_ASSIGN_OR_RETURN(OwnDevice device, records_.Device(step));
    // Another process has taken it in.
    if (device.inbox_next != entry.position) return false;
    if (entry.closing.has_value()) {
      PARLEY_ASSIGN_OR_RETURN(SignatureKey control,
                              SignatureKey::FromSeed(device.inbox_control_seed.Reveal()));
      if (!VerifyClosing(device.inbox_id, entry.generation, control.public_key(), entry.payload,
                         *entry.closing)
               .ok()) {
        return absl::DataLossError("the relay closed this device's inbox with a forged signature");
      }
      device.inbox_read_generation = entry.generation + 1;
    } else if (handle) {
      absl::StatusOr<Outcome> taken = Take(step, device, entry.payload, handler, sender);
      if (!taken.ok() && IsBadInboxMessage(taken.status())) continue;  // the changes go with `step`
      if (!taken.ok()) return std::move(taken).status();
      outcome = *taken;
      // The handler may have changed the device.
      PARLEY_ASSIGN_OR_RETURN(device, records_.Device(step));
    } else {
      ++device.passed_over;
    }
    if (outcome == Outcome::kNotOpened && entry.payload.size() > kMaxUnopenedBytes) {
      ++device.passed_over;
    } else if (outcome == Outcome::kNotOpened) {
      if (device.unopened.size() >= kMaxUnopened) {
        device.unopened.erase(device.unopened.begin());
        ++device.passed_over;
      }
      device.unopened.push_back(entry.payload);
    }
    if (!sender.empty()) {
      const uint64_t load = (handle ? 1 : kLoadOfBad) + entry.payload.size() / kBytesOfOneLoad;
      PARLEY_RETURN_IF_ERROR(Count(step, device, sender, load));
    }
    device.used_entries = entry.closing.has_value() ? 0 : device.used_entries + 1;
    device.used_bytes = entry.closing.has_value() ? 0 : device.used_bytes + entry.payload.size();
    device.untrimmed_bytes += entry.payload.size() + kEntryOverheadBytes;
    device.inbox_next = entry.position + 1;
    PARLEY_RETURN_IF_ERROR(records_.PutDevice(step, device));
    PARLEY_RETURN_IF_ERROR(step.Commit());
    break;
  }
  return outcome == Outcome::kTaken;
}

absl::StatusOr<uint64_t> Inbox::Receive(RelayClient& relay, const InboxHandler& handler) {
  uint64_t taken = 0;
  while (true) {
    std::optional<OwnDevice> device;
    {
      PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_.Read());
      PARLEY_ASSIGN_OR_RETURN(device, records_.Device(read));
    }
    PARLEY_ASSIGN_OR_RETURN(SignatureKey key,
                            SignatureKey::FromSeed(device->inbox_read_seed.Reveal()));
    PARLEY_ASSIGN_OR_RETURN(
        ReadResult page,
        relay.Read(device->inbox_id, device->inbox_read_generation, key, device->inbox_next));
    if (page.first_position > device->inbox_next) {
      PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_.Read());
      PARLEY_ASSIGN_OR_RETURN(const OwnDevice now, records_.Device(read));
      // Another process has taken them in and had them trimmed.
      if (now.inbox_next > device->inbox_next) continue;
      return absl::DataLossError("the relay has forgotten entries of this device's inbox");
    }
    for (const Entry& entry : page.entries) {
      PARLEY_ASSIGN_OR_RETURN(bool took, TakeEntry(entry, handler));
      taken += took ? 1 : 0;
    }
    const bool at_head =
        page.entries.empty() || page.entries.back().position >= page.generation_head;
    if (at_head && !page.closed) break;
    if (page.entries.empty()) {
      return absl::DataLossError("the relay holds back entries of this device's inbox");
    }
  }
  PARLEY_RETURN_IF_ERROR(KeepRoom(relay));
  PARLEY_ASSIGN_OR_RETURN(uint64_t more, TryUnopened(handler));
  return taken + more;
}

absl::Status Inbox::KeepRoom(RelayClient& relay) const {
  std::optional<OwnDevice> device;
  {
    PARLEY_ASSIGN_OR_RETURN(Transaction step, store_.Begin());
    PARLEY_ASSIGN_OR_RETURN(device, records_.Device(step));
    // One that is on its way renews as well, and must stay in the log until its outcome is known.
    if (device->closing.has_value() || device->inbox_generation != device->inbox_read_generation) {
      return absl::OkStatus();
    }
    if (device->used_entries >= kEntriesUntilRenewal || device->used_bytes >= kBytesUntilRenewal) {
      PlanInboxClosing(*device, {}, 0);
      PARLEY_RETURN_IF_ERROR(records_.PutDevice(step, *device));
      PARLEY_RETURN_IF_ERROR(step.Commit());
    }
  }
  // A copy of the profile from before can't read on after a trimming, so there is none without
  // need.
  if (device->untrimmed_bytes < kBytesUntilTrimming) return absl::OkStatus();
  PARLEY_ASSIGN_OR_RETURN(SignatureKey control,
                          SignatureKey::FromSeed(device->inbox_control_seed.Reveal()));
  const absl::Status trimmed =
      relay.ControlMailbox(device->inbox_id, device->inbox_generation, control,
                           Trim{.first_position = device->inbox_next});
  if (absl::IsFailedPrecondition(trimmed)) return absl::OkStatus();  // closed meanwhile: later
  PARLEY_RETURN_IF_ERROR(trimmed);
  PARLEY_ASSIGN_OR_RETURN(Transaction step, store_.Begin());
  PARLEY_ASSIGN_OR_RETURN(OwnDevice current, records_.Device(step));
  current.untrimmed_bytes -= std::min(current.untrimmed_bytes, device->untrimmed_bytes);
  PARLEY_RETURN_IF_ERROR(records_.PutDevice(step, current));
  return step.Commit();
}

absl::StatusOr<uint64_t> Inbox::TryUnopened(const InboxHandler& handler) {
  uint64_t taken = 0;
  std::vector<Bytes> waiting;
  {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_.Read());
    PARLEY_ASSIGN_OR_RETURN(OwnDevice device, records_.Device(read));
    waiting = std::move(device.unopened);
  }
  for (const Bytes& payload : waiting) {
    PARLEY_ASSIGN_OR_RETURN(Transaction step, store_.Begin());
    PARLEY_ASSIGN_OR_RETURN(OwnDevice device, records_.Device(step));
    const auto still = std::find(device.unopened.begin(), device.unopened.end(), payload);
    if (still == device.unopened.end()) continue;
    Bytes sender;
    absl::StatusOr<Outcome> outcome = Take(step, device, payload, handler, sender);
    if (!outcome.ok()) {
      if (!IsBadInboxMessage(outcome.status())) return std::move(outcome).status();
      continue;  // it stays until newer ones push it out
    }
    if (*outcome == Outcome::kNotOpened) continue;
    PARLEY_ASSIGN_OR_RETURN(device, records_.Device(step));
    std::erase(device.unopened, payload);
    PARLEY_RETURN_IF_ERROR(records_.PutDevice(step, device));
    PARLEY_RETURN_IF_ERROR(step.Commit());
    taken += *outcome == Outcome::kTaken ? 1 : 0;
  }
  return taken;
}

absl::StatusOr<Inbox::Target> Inbox::Subscription(const ReadTransaction& step) const {
  PARLEY_ASSIGN_OR_RETURN(OwnDevice device, records_.Device(step));
  return Target{device.inbox_id, device.inbox_read_generation, std::move(device.inbox_read_seed),
                device.inbox_next};
}

// ---- Sending
// -------------------------------------------------------------------------------------

absl::Status Inbox::Queue(Transaction& step, const Pairing& pairing, InboxMessage message) const {
  const ScopedMessageWipe wipe_message(message);
  if (pairing.ended != 0) return absl::OkStatus();
  PARLEY_ASSIGN_OR_RETURN(OwnDevice device, records_.Device(step));
  PARLEY_RETURN_IF_ERROR(FillIn(message, device, id_));
  PARLEY_ASSIGN_OR_RETURN(content::v1::DeviceCard card, ParseCard(pairing.peer_card));
  std::string bytes = message.SerializeAsString();
  crypto::ScopedWipe wipe(bytes);
  PARLEY_ASSIGN_OR_RETURN(
      Bytes payload,
      SealInboxMessage(crypto::ViewOf(card.inbox_kem_key()), crypto::ViewOf(card.inbox_id()),
                       InboxKeyOf(pairing.id, pairing.secret, device.device_id),
                       crypto::ViewOf(bytes)));
  return records_.outbox.Put(step, crypto::ToHex(crypto::ViewOf(message.message_id())),
                             MakeOutgoing(message, pairing, std::move(payload)));
}

absl::StatusOr<Pairing> Inbox::AnswerIntroduction(
    Transaction& step, const content::v1::Introduction& introduction,
    const std::function<absl::StatusOr<std::vector<Bytes>>(Transaction&)>& make_key_packages)
    const {
  const content::v1::DeviceCard& card = introduction.card();
  PARLEY_RETURN_IF_ERROR(CheckCard(card));
  if (introduction.introduction_secret().size() != 32 ||
      introduction.append_seed().size() != crypto::kSignatureSeedSize) {
    return absl::InvalidArgumentError("an introduction with keys of the wrong size");
  }
  PARLEY_ASSIGN_OR_RETURN(OwnDevice device, records_.Device(step));
  const ParticipantId peer = PeerOf(card);
  PARLEY_ASSIGN_OR_RETURN(std::optional<Pairing> known, records_.PairingWith(step, peer));
  if (known.has_value() || peer == device.participant_id) {
    return absl::AlreadyExistsError("introduced to somebody who is known already");
  }
  PARLEY_ASSIGN_OR_RETURN(crypto::Encapsulation sent,
                          PairingKem().Encap(crypto::ViewOf(card.inbox_kem_key())));
  InboxMessage message;
  PARLEY_RETURN_IF_ERROR(FillIn(message, device, id_));
  content::v1::IntroductionHello& hello = *message.mutable_introduction_hello();
  hello.set_pairing_kem_ciphertext(crypto::ToString(sent.enc));
  PARLEY_ASSIGN_OR_RETURN(std::vector<Bytes> packages, make_key_packages(step));
  for (const Bytes& package : packages) hello.add_key_packages(crypto::ToString(package));
  const Bytes bytes = crypto::ToBytes(message.SerializeAsString());

  const Secret secret = Secret::CopyOf(crypto::ViewOf(introduction.introduction_secret()));
  Pairing pairing;
  pairing.peer_card = crypto::ToBytes(card.SerializeAsString());
  PairingKeys keys = DerivePairing(secret.Reveal(), sent.shared_secret, pairing.peer_card, bytes);
  pairing.id = std::move(keys.id);
  pairing.secret = std::move(keys.secret);
  pairing.safety_number = std::move(keys.safety_number);
  pairing.peer = peer;
  pairing.peer_role = static_cast<uint8_t>(introduction.role());
  pairing.append_seed = Secret::CopyOf(crypto::ViewOf(introduction.append_seed()));
  PARLEY_RETURN_IF_ERROR(records_.PutPairing(step, pairing));
  PARLEY_ASSIGN_OR_RETURN(Bytes payload, SealInboxMessage(crypto::ViewOf(card.inbox_kem_key()),
                                                          crypto::ViewOf(card.inbox_id()),
                                                          IntroductionKeyOf(secret), bytes));
  PARLEY_RETURN_IF_ERROR(records_.outbox.Put(step,
                                             crypto::ToHex(crypto::ViewOf(message.message_id())),
                                             MakeOutgoing(message, pairing, std::move(payload))));
  return pairing;
}

absl::Status Inbox::SendClosing(RelayClient& relay) const {
  std::optional<OwnDevice> device;
  {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_.Read());
    PARLEY_ASSIGN_OR_RETURN(device, records_.Device(read));
  }
  if (!device->closing.has_value()) return absl::OkStatus();
  PARLEY_ASSIGN_OR_RETURN(SignatureKey control,
                          SignatureKey::FromSeed(device->inbox_control_seed.Reveal()));
  PARLEY_ASSIGN_OR_RETURN(SignatureKey append,
                          SignatureKey::FromSeed(device->slots.front().seed.Reveal()));
  PARLEY_ASSIGN_OR_RETURN(GenerationKeys next, InboxKeys(*device, device->closing->next_slots));
  const Closing closing =
      SignClosing(control, device->inbox_id, device->inbox_generation, {}, std::move(next));
  PARLEY_ASSIGN_OR_RETURN(AppendOutcome outcome,
                          relay.Append(device->inbox_id, device->inbox_generation, append,
                                       device->closing->append_id, {}, closing));
  PARLEY_ASSIGN_OR_RETURN(Transaction step, store_.Begin());
  PARLEY_ASSIGN_OR_RETURN(OwnDevice current, records_.Device(step));
  // Another process may have noted it first.
  if (!current.closing.has_value() || current.closing->append_id != device->closing->append_id) {
    return absl::OkStatus();
  }
  if (std::holds_alternative<StaleGeneration>(outcome)) {
    return absl::DataLossError(
        "this device's inbox was changed by another copy of the profile; use only one copy");
  }
  current.slots = std::move(current.closing->next_slots);
  current.closing.reset();
  ++current.inbox_generation;
  PARLEY_RETURN_IF_ERROR(records_.PutDevice(step, current));
  return step.Commit();
}

absl::Status Inbox::SendOne(RelayClient& relay, const OutgoingMessage& outgoing,
                            FlushResult& result) const {
  std::optional<Pairing> pairing;
  {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_.Read());
    PARLEY_ASSIGN_OR_RETURN(pairing,
                            records_.pairings.Get(read, crypto::ToHex(outgoing.pairing_id)));
  }
  const std::string key = crypto::ToHex(outgoing.message_id);
  if (!pairing.has_value() || pairing->ended != 0) {
    PARLEY_ASSIGN_OR_RETURN(Transaction step, store_.Begin());
    PARLEY_RETURN_IF_ERROR(records_.outbox.Delete(step, key));
    return step.Commit();
  }
  PARLEY_ASSIGN_OR_RETURN(SignatureKey append,
                          SignatureKey::FromSeed(pairing->append_seed.Reveal()));
  PARLEY_ASSIGN_OR_RETURN(ObjectId inbox, InboxOf(*pairing));
  uint64_t generation = pairing->peer_generation;
  // A key that isn't one of the generation's may be one of a later generation's: it was made there.
  constexpr uint64_t kMostGenerationsTried = 24;
  for (uint64_t tried = 0; tried <= kMostGenerationsTried; ++tried) {
    absl::StatusOr<AppendOutcome> outcome =
        relay.Append(inbox, generation, append, outgoing.append_id, outgoing.payload);
    if (!outcome.ok() && outcome.status().code() == absl::StatusCode::kNotFound) {
      ++generation;
      continue;
    }
    if (!outcome.ok()) {
      ++result.waiting;
      return std::move(outcome).status();
    }
    if (const StaleGeneration* stale = std::get_if<StaleGeneration>(&*outcome)) {
      if (stale->current_generation <= generation) {
        return absl::DataLossError("the relay contradicts itself about an inbox");
      }
      generation = stale->current_generation;
      continue;
    }
    ++result.sent;
    PARLEY_ASSIGN_OR_RETURN(Transaction step, store_.Begin());
    PARLEY_RETURN_IF_ERROR(records_.outbox.Delete(step, key));
    PARLEY_ASSIGN_OR_RETURN(std::optional<Pairing> current,
                            records_.pairings.Get(step, crypto::ToHex(pairing->id)));
    if (current.has_value() && (current->peer_generation < generation || current->refused != 0)) {
      current->peer_generation = std::max(current->peer_generation, generation);
      current->refused = 0;
      PARLEY_RETURN_IF_ERROR(records_.PutPairing(step, *current));
    }
    return step.Commit();
  }
  result.refused.push_back(pairing->peer);
  ++result.waiting;
  PARLEY_ASSIGN_OR_RETURN(Transaction step, store_.Begin());
  PARLEY_ASSIGN_OR_RETURN(std::optional<Pairing> current,
                          records_.pairings.Get(step, crypto::ToHex(pairing->id)));
  if (!current.has_value() || current->refused != 0) return absl::OkStatus();
  current->refused = 1;
  PARLEY_RETURN_IF_ERROR(records_.PutPairing(step, *current));
  return step.Commit();
}

absl::StatusOr<FlushResult> Inbox::Flush(RelayClient& relay) {
  absl::Status first_error = SendClosing(relay);
  std::vector<OutgoingMessage> waiting;
  {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_.Read());
    PARLEY_ASSIGN_OR_RETURN(waiting, records_.outbox.All(read));
  }
  FlushResult result;
  // The relay may be silent about one inbox only: the others get their turn. When it is about a
  // second one, and has answered nothing, it is taken to be gone.
  int silent = IsSilence(first_error) ? 1 : 0;
  std::vector<Bytes> stopped;  // pairings whose messages must keep their order
  for (const OutgoingMessage& outgoing : waiting) {
    if (std::find(stopped.begin(), stopped.end(), outgoing.pairing_id) != stopped.end()) {
      ++result.waiting;
      continue;
    }
    const uint64_t waited = result.waiting;
    const absl::Status sent = SendOne(relay, outgoing, result);
    if (!sent.ok() && first_error.ok()) first_error = sent;
    silent += IsSilence(sent) ? 1 : 0;
    if (silent > 1 && result.sent == 0) return first_error;
    if (!sent.ok() || result.waiting > waited) stopped.push_back(outgoing.pairing_id);
  }
  if (!first_error.ok() && result.sent == 0) return first_error;
  result.problem = std::move(first_error);
  return result;
}

}  // namespace parley::client
