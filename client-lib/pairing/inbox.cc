#include "client-lib/pairing/inbox.h"

#include <algorithm>

#include "client-lib/content/parse.h"
#include "client-lib/content/wipe.h"
#include "client-lib/pairing/device.h"
#include "crypto/primitives/hash.h"
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
// Who may have sent what nothing opens is asked so often to send again, each time there is such.
constexpr uint64_t kAsksForUnopened = 3;
// Of what lies longer back than this the person isn't told any more, when there is new.
constexpr uint64_t kLateSeconds = 14 * 24 * 60 * 60;

// From when on an inbox is renewed and trimmed: far below what a generation may take (the relay's
// defaults are 65,536 entries and 1 GiB) and what the voucher of an inbox pays for (256 MiB), and
// far beyond what a case needs.
constexpr uint64_t kEntriesUntilRenewal = 4096;
constexpr uint64_t kBytesUntilRenewal = 64 << 20;
constexpr uint64_t kBytesUntilTrimming = 32 << 20;
// What the relay counts for an entry beside its payload.
constexpr uint64_t kEntryOverheadBytes = 256;

// What one correspondent may put into a generation, before their append key is revoked: a message
// counts as one, one that is bad as many. Together with the sizes, in such units. A relay can show
// an entry again at another position, so only what can't have come before counts: a number whose
// turn it is, a confirmation that goes further than the last, other bytes that are bad.
constexpr uint64_t kMostLoadOfOne = 1024;
constexpr uint64_t kLoadOfBad = 16;
constexpr uint64_t kBytesOfOneLoad = 64 * 1024;
constexpr size_t kMostBadEntries = kMostLoadOfOne / kLoadOfBad + 1;
// More entries of a generation that bring nothing new than honest people's sending again makes.
constexpr uint64_t kManyRepeats = 1024;

Bytes HashOf(ByteView bytes) { return crypto::Hash(crypto::HashAlgorithm::kSha256, bytes); }

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
    Opened opened;
    opened.pairing = std::move(pairing);
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
    opened.introduces = true;
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

absl::StatusOr<std::optional<Pairing>> Inbox::RepeatedHello(const ReadTransaction& step,
                                                            ByteView payload) const {
  const Bytes hash = HashOf(payload);
  PARLEY_ASSIGN_OR_RETURN(std::vector<Pairing> pairings, records_.pairings.All(step));
  for (Pairing& pairing : pairings) {
    if (pairing.ended != 0) continue;
    PARLEY_ASSIGN_OR_RETURN(const Traffic traffic, records_.TrafficOf(step, pairing.id));
    if (traffic.first_hash == hash) return std::optional<Pairing>(std::move(pairing));
  }
  return std::optional<Pairing>();
}

absl::Status Inbox::DropConfirmed(Transaction& step, const Bytes& pairing_id, uint64_t from,
                                  Traffic& traffic) const {
  for (uint64_t number = from + 1; number <= traffic.confirmed; ++number) {
    const std::string key = OutgoingKey(pairing_id, number);
    for (const RecordTable<OutgoingMessage>* table : {&records_.unconfirmed, &records_.outbox}) {
      PARLEY_ASSIGN_OR_RETURN(std::optional<OutgoingMessage> kept, table->Get(step, key));
      if (!kept.has_value()) continue;
      traffic.kept_bytes -= std::min<uint64_t>(traffic.kept_bytes, kept->payload.size());
      PARLEY_RETURN_IF_ERROR(table->Delete(step, key));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Inbox::News> Inbox::CountIn(Transaction& step, const Opened& opened,
                                           ByteView payload) const {
  const InboxMessage& message = opened.message;
  const Bytes& id = opened.pairing.id;
  if ((message.number() == 0) != message.has_acknowledgement() ||
      (message.has_introduction_hello() && message.number() != 1)) {
    return absl::InvalidArgumentError("a message with a number that it may not have");
  }
  PARLEY_ASSIGN_OR_RETURN(Traffic traffic, records_.TrafficOf(step, id));
  const Traffic before = traffic;
  News news = News::kNone;
  bool is_new = false;
  if (message.has_acknowledgement()) {
    is_new = IsNewWord(traffic, message.received(), crypto::ViewOf(message.message_id()));
  } else if (TakeNumber(traffic, message.number(), now_()) == Arrival::kNext) {
    news = News::kMessage;
  } else if (traffic.ahead > before.ahead) {
    news = News::kEarly;
  }
  TakeWord(traffic, message.received(), message.inbox_generation(), is_new || news != News::kNone,
           now_());
  PARLEY_RETURN_IF_ERROR(DropConfirmed(step, id, before.confirmed, traffic));
  if (message.has_acknowledgement()) {
    if (is_new) NoteWordId(traffic, crypto::ViewOf(message.message_id()));
    if (is_new && message.acknowledgement().send_again()) TakeRequest(traffic);
    const bool further = traffic.confirmed > before.confirmed ||
                         traffic.peer_generation > before.peer_generation ||
                         traffic.claimed > before.claimed;
    if (further) news = News::kConfirmation;
  }
  if (opened.introduces) traffic.first_hash = HashOf(payload);
  PARLEY_RETURN_IF_ERROR(records_.PutTraffic(step, id, traffic));
  return news;
}

absl::StatusOr<Inbox::Outcome> Inbox::Take(Transaction& step, const OwnDevice& device,
                                           ByteView payload, const InboxHandler& handler,
                                           Origin& origin) const {
  PARLEY_ASSIGN_OR_RETURN(std::optional<Opened> opened, Open(step, device, payload));
  if (!opened.has_value()) {
    PARLEY_ASSIGN_OR_RETURN(std::optional<Pairing> repeated, RepeatedHello(step, payload));
    if (!repeated.has_value()) return Outcome::kNotOpened;
    origin = {repeated->id, News::kNone};
    PARLEY_ASSIGN_OR_RETURN(Traffic traffic, records_.TrafficOf(step, repeated->id));
    traffic.owes_word = 1;
    PARLEY_RETURN_IF_ERROR(records_.PutTraffic(step, repeated->id, traffic));
    return Outcome::kPassedOver;
  }
  const ScopedMessageWipe wipe(opened->message);
  origin = {opened->pairing.id, News::kBad};
  PARLEY_RETURN_IF_ERROR(CheckSender(opened->message, opened->pairing, id_));
  // A hello that is bad makes no pairing.
  if (opened->introduces && !handler) return absl::InvalidArgumentError("a bad hello");
  PARLEY_ASSIGN_OR_RETURN(origin.news, CountIn(step, *opened, payload));
  if (origin.news != News::kMessage || !handler) return Outcome::kPassedOver;
  PARLEY_RETURN_IF_ERROR(handler(step, opened->pairing, opened->message));
  return Outcome::kTaken;
}

void Inbox::CountNotOpened(OwnDevice& device) const {
  const uint64_t now = now_();
  if (device.not_opened_at + kLateSeconds < now) device.not_opened = 0;
  if (device.not_opened == 0) device.not_opened_since = now;
  ++device.not_opened;
  device.not_opened_at = now;
  device.asks_left = kAsksForUnopened;
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

void Inbox::CountRepeat(OwnDevice& device) const {
  if (++device.repeats > kManyRepeats) device.repeats_at = now_();
}

absl::Status Inbox::CountLoad(Transaction& step, OwnDevice& device, const Origin& origin,
                              ByteView payload, bool refused) const {
  if (origin.news == News::kNone) CountRepeat(device);
  if (origin.news == News::kNone || origin.news == News::kEarly) return absl::OkStatus();
  PARLEY_ASSIGN_OR_RETURN(std::optional<Pairing> pairing,
                          records_.pairings.Get(step, crypto::ToHex(origin.pairing_id)));
  if (!pairing.has_value() || pairing->ended != 0) return absl::OkStatus();
  if (pairing->load_generation != device.inbox_read_generation) {
    pairing->load = 0;
    pairing->bad_entries.clear();
    pairing->load_generation = device.inbox_read_generation;
  }
  if (origin.news == News::kBad) {
    std::vector<Bytes>& known = pairing->bad_entries;
    Bytes hash = HashOf(payload);
    if (std::find(known.begin(), known.end(), hash) != known.end()) {
      CountRepeat(device);
      return absl::OkStatus();
    }
    if (known.size() < kMostBadEntries) known.push_back(std::move(hash));
  }
  pairing->load += (refused ? kLoadOfBad : 1) + payload.size() / kBytesOfOneLoad;
  // Entries of a generation in which the key was valid still come after it was revoked.
  if (pairing->load > kMostLoadOfOne && pairing->flooded == 0) {
    PARLEY_RETURN_IF_ERROR(RevokeKeysOf(step, device, *pairing));
  }
  return records_.PutPairing(step, *pairing);
}

absl::StatusOr<bool> Inbox::TakeEntry(const Entry& entry, const InboxHandler& handler) const {
  Outcome outcome = Outcome::kPassedOver;
  Origin origin;
  // With what the message does; if that turns out to be bad, it is only counted as come; if that
  // can't be either, passed over.
  enum class Depth { kHandle, kCount, kSkip };
  for (const Depth depth : {Depth::kHandle, Depth::kCount, Depth::kSkip}) {
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
    } else if (depth != Depth::kSkip) {
      absl::StatusOr<Outcome> taken =
          Take(step, device, entry.payload, depth == Depth::kHandle ? handler : nullptr, origin);
      if (!taken.ok() && IsBadInboxMessage(taken.status())) continue;  // the changes go with `step`
      if (!taken.ok()) return std::move(taken).status();
      outcome = *taken;
      // The handler may have changed the device.
      PARLEY_ASSIGN_OR_RETURN(device, records_.Device(step));
    }
    if (depth != Depth::kHandle) ++device.passed_over;
    if (outcome == Outcome::kNotOpened && entry.payload.size() > kMaxUnopenedBytes) {
      ++device.passed_over;
      CountNotOpened(device);
    } else if (outcome == Outcome::kNotOpened) {
      if (device.unopened.size() >= kMaxUnopened) {
        if (device.unopened.front().counted == 0) CountNotOpened(device);
        device.unopened.erase(device.unopened.begin());
        ++device.passed_over;
      }
      device.unopened.push_back({entry.payload, 0});
    }
    if (!origin.pairing_id.empty()) {
      PARLEY_RETURN_IF_ERROR(
          CountLoad(step, device, origin, entry.payload, depth != Depth::kHandle));
    }
    if (entry.closing.has_value()) device.repeats = 0;
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
      return absl::DataLossError(
          "the relay has forgotten entries of this device's inbox, or this profile is an old copy "
          "that was put back, from before they were read");
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

absl::StatusOr<bool> Inbox::TakeUnopened(const Bytes& payload, const InboxHandler& handler) const {
  // As in TakeEntry; what is bad in itself stays until newer ones push it out.
  for (const bool handle : {true, false}) {
    PARLEY_ASSIGN_OR_RETURN(Transaction step, store_.Begin());
    PARLEY_ASSIGN_OR_RETURN(OwnDevice device, records_.Device(step));
    const auto is_it = [&payload](const UnopenedEntry& one) { return one.payload == payload; };
    if (std::none_of(device.unopened.begin(), device.unopened.end(), is_it)) return false;
    Origin origin;
    absl::StatusOr<Outcome> outcome =
        Take(step, device, payload, handle ? handler : nullptr, origin);
    if (!outcome.ok() && IsBadInboxMessage(outcome.status())) continue;
    PARLEY_RETURN_IF_ERROR(outcome.status());
    if (*outcome == Outcome::kNotOpened) return false;
    PARLEY_ASSIGN_OR_RETURN(device, records_.Device(step));
    const auto found = std::find_if(device.unopened.begin(), device.unopened.end(), is_it);
    if (found != device.unopened.end()) {
      if (found->counted != 0 && device.not_opened > 0) --device.not_opened;
      device.unopened.erase(found);
    }
    PARLEY_RETURN_IF_ERROR(records_.PutDevice(step, device));
    PARLEY_RETURN_IF_ERROR(step.Commit());
    return *outcome == Outcome::kTaken;
  }
  return false;
}

absl::StatusOr<uint64_t> Inbox::TryUnopened(const InboxHandler& handler) {
  uint64_t taken = 0;
  std::vector<UnopenedEntry> waiting;
  {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_.Read());
    PARLEY_ASSIGN_OR_RETURN(OwnDevice device, records_.Device(read));
    waiting = std::move(device.unopened);
  }
  for (const UnopenedEntry& entry : waiting) {
    PARLEY_ASSIGN_OR_RETURN(const bool took, TakeUnopened(entry.payload, handler));
    taken += took ? 1 : 0;
  }
  return taken;
}

absl::StatusOr<Inbox::Target> Inbox::Subscription(const ReadTransaction& step) const {
  PARLEY_ASSIGN_OR_RETURN(OwnDevice device, records_.Device(step));
  return Target{device.inbox_id, device.inbox_read_generation, std::move(device.inbox_read_seed),
                device.inbox_next};
}

}  // namespace parley::client
