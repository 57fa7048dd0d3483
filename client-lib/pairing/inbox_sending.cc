// What leaves: messages and acknowledgements, until the other end has them.
#include <algorithm>
#include <map>
#include <utility>

#include "client-lib/content/wipe.h"
#include "client-lib/pairing/device.h"
#include "client-lib/pairing/inbox.h"
#include "crypto/primitives/random.h"
#include "crypto/primitives/signature.h"

namespace parley::client {
namespace {

using content::v1::InboxMessage;
using crypto::SignatureKey;

bool IsSilence(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         absl::IsCancelled(status);
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
  outgoing.number = message.number();
  outgoing.append_id = crypto::RandomArray<16>();
  outgoing.payload = std::move(payload);
  return outgoing;
}

// The pairings in the order in which they come first, each one's messages by their numbers: what is
// sent again was put behind what waited already, and goes before it.
void SortByPairing(std::vector<OutgoingMessage>& waiting) {
  std::map<Bytes, size_t> places;
  for (const OutgoingMessage& one : waiting) places.try_emplace(one.pairing_id, places.size());
  std::stable_sort(waiting.begin(), waiting.end(),
                   [&places](const OutgoingMessage& a, const OutgoingMessage& b) {
                     return std::make_pair(places[a.pairing_id], a.number) <
                            std::make_pair(places[b.pairing_id], b.number);
                   });
}

}  // namespace

absl::Status Inbox::FillIn(Transaction& step, const Pairing& pairing, const OwnDevice& device,
                           InboxMessage& message) const {
  PARLEY_ASSIGN_OR_RETURN(const Traffic traffic, records_.TrafficOf(step, pairing.id));
  message.set_message_id(crypto::ToString(crypto::RandomBytes(16)));
  message.set_sender_participant_id(crypto::ToString(device.participant_id.bytes()));
  message.set_sender_device_id(crypto::ToString(device.device_id));
  message.set_case_id(crypto::ToString(id_.bytes()));
  message.set_number(message.has_acknowledgement() ? 0 : traffic.numbered + 1);
  message.set_received(traffic.received);
  message.set_inbox_generation(device.inbox_generation);
  return absl::OkStatus();
}

absl::StatusOr<bool> Inbox::HasRoom(const ReadTransaction& step, const Pairing& pairing) const {
  PARLEY_ASSIGN_OR_RETURN(const Traffic traffic, records_.TrafficOf(step, pairing.id));
  return client::HasRoom(traffic);
}

absl::Status Inbox::Queue(Transaction& step, const Pairing& pairing, InboxMessage message) const {
  const ScopedMessageWipe wipe_message(message);
  if (pairing.ended != 0) return absl::OkStatus();
  PARLEY_ASSIGN_OR_RETURN(Traffic traffic, records_.TrafficOf(step, pairing.id));
  if (!message.has_acknowledgement() && !client::HasRoom(traffic)) {
    return absl::ResourceExhaustedError(
        "too much waits for one participant's inbox until they have been online");
  }
  PARLEY_ASSIGN_OR_RETURN(OwnDevice device, records_.Device(step));
  PARLEY_RETURN_IF_ERROR(FillIn(step, pairing, device, message));
  PARLEY_ASSIGN_OR_RETURN(content::v1::DeviceCard card, ParseCard(pairing.peer_card));
  std::string bytes = message.SerializeAsString();
  crypto::ScopedWipe wipe(bytes);
  PARLEY_ASSIGN_OR_RETURN(
      Bytes payload,
      SealInboxMessage(crypto::ViewOf(card.inbox_kem_key()), crypto::ViewOf(card.inbox_id()),
                       InboxKeyOf(pairing.id, pairing.secret, device.device_id),
                       crypto::ViewOf(bytes)));
  if (!message.has_acknowledgement()) NumberMessage(traffic, payload.size());
  NoteWord(traffic, message.acknowledgement().send_again(), now_());
  PARLEY_RETURN_IF_ERROR(records_.PutTraffic(step, pairing.id, traffic));
  return records_.outbox.Put(step, OutgoingKey(pairing.id, message.number()),
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
  // The pairing's id is that of nothing counted yet: this is message 1.
  PARLEY_RETURN_IF_ERROR(FillIn(step, Pairing(), device, message));
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
  Traffic traffic;
  NumberMessage(traffic, payload.size());
  PARLEY_RETURN_IF_ERROR(records_.PutTraffic(step, pairing.id, traffic));
  PARLEY_RETURN_IF_ERROR(records_.outbox.Put(step, OutgoingKey(pairing.id, message.number()),
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

bool Inbox::CountUnopened(OwnDevice& device) const {
  bool any = false;
  for (UnopenedEntry& entry : device.unopened) {
    if (entry.counted != 0) continue;
    entry.counted = 1;
    CountNotOpened(device);
    any = true;
  }
  return any;
}

absl::StatusOr<bool> Inbox::AnswerOne(Transaction& step, const Pairing& pairing,
                                      bool suspicious) const {
  PARLEY_ASSIGN_OR_RETURN(const Traffic traffic, records_.TrafficOf(step, pairing.id));
  if (IsOvertaken(traffic)) return false;
  const bool asks = (suspicious || traffic.gap_since != 0) && MayAsk(traffic, now_());
  if (!asks && !OwesWord(traffic)) return false;
  InboxMessage message;
  message.mutable_acknowledgement()->set_send_again(asks);
  PARLEY_RETURN_IF_ERROR(Queue(step, pairing, std::move(message)));
  return true;
}

absl::StatusOr<bool> Inbox::Answer() const {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, store_.Begin());
  PARLEY_ASSIGN_OR_RETURN(OwnDevice device, records_.Device(step));
  bool changed = CountUnopened(device);
  const bool suspicious = device.asks_left > 0;
  if (suspicious) {
    --device.asks_left;
    changed = true;
  }
  if (changed) PARLEY_RETURN_IF_ERROR(records_.PutDevice(step, device));
  PARLEY_ASSIGN_OR_RETURN(const std::vector<Pairing> pairings, records_.pairings.All(step));
  bool queued = false;
  for (const Pairing& pairing : pairings) {
    if (pairing.ended != 0) continue;
    PARLEY_ASSIGN_OR_RETURN(const bool answered, AnswerOne(step, pairing, suspicious));
    queued = queued || answered;
  }
  if (changed || queued) PARLEY_RETURN_IF_ERROR(step.Commit());
  return queued;
}

absl::Status Inbox::Forget(Transaction& step, const Pairing& pairing) const {
  for (const RecordTable<OutgoingMessage>* table : {&records_.unconfirmed, &records_.outbox}) {
    PARLEY_ASSIGN_OR_RETURN(const std::vector<std::string> keys, table->Keys(step));
    const std::string prefix = OutgoingPrefix(pairing.id);
    for (const std::string& key : keys) {
      if (key.starts_with(prefix)) PARLEY_RETURN_IF_ERROR(table->Delete(step, key));
    }
  }
  PARLEY_ASSIGN_OR_RETURN(Traffic traffic, records_.TrafficOf(step, pairing.id));
  traffic.confirmed = traffic.numbered;
  traffic.waiting_since = 0;
  traffic.kept_bytes = 0;
  return records_.PutTraffic(step, pairing.id, traffic);
}

absl::Status Inbox::PlanResends() const {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, store_.Begin());
  PARLEY_ASSIGN_OR_RETURN(const std::vector<Pairing> pairings, records_.pairings.All(step));
  bool any = false;
  for (const Pairing& pairing : pairings) {
    if (pairing.ended != 0) continue;
    PARLEY_ASSIGN_OR_RETURN(Traffic traffic, records_.TrafficOf(step, pairing.id));
    if (!IsResendDue(traffic, now_())) continue;
    NoteResent(traffic, now_());
    PARLEY_RETURN_IF_ERROR(records_.PutTraffic(step, pairing.id, traffic));
    const uint64_t last = std::min(traffic.numbered, traffic.confirmed + kResentAtOnce);
    for (uint64_t number = traffic.confirmed + 1; number <= last; ++number) {
      const std::string key = OutgoingKey(pairing.id, number);
      PARLEY_ASSIGN_OR_RETURN(std::optional<OutgoingMessage> kept,
                              records_.unconfirmed.Get(step, key));
      if (!kept.has_value()) continue;
      kept->append_id = crypto::RandomArray<16>();
      kept->turned_away = 0;
      PARLEY_RETURN_IF_ERROR(records_.unconfirmed.Delete(step, key));
      PARLEY_RETURN_IF_ERROR(records_.outbox.Put(step, key, *kept));
    }
    any = true;
  }
  return any ? step.Commit() : absl::OkStatus();
}

absl::Status Inbox::NoteSent(const OutgoingMessage& outgoing) const {
  const std::string key = OutgoingKey(outgoing.pairing_id, outgoing.number);
  PARLEY_ASSIGN_OR_RETURN(Transaction step, store_.Begin());
  PARLEY_ASSIGN_OR_RETURN(std::optional<OutgoingMessage> stored, records_.outbox.Get(step, key));
  // Otherwise it was confirmed meanwhile, or another one has taken its place.
  if (stored.has_value() && stored->append_id == outgoing.append_id) {
    PARLEY_RETURN_IF_ERROR(records_.outbox.Delete(step, key));
    if (outgoing.number != 0) {
      PARLEY_RETURN_IF_ERROR(records_.unconfirmed.Put(step, key, *stored));
      PARLEY_ASSIGN_OR_RETURN(Traffic traffic, records_.TrafficOf(step, outgoing.pairing_id));
      client::NoteSent(traffic, now_());
      PARLEY_RETURN_IF_ERROR(records_.PutTraffic(step, outgoing.pairing_id, traffic));
    }
  }
  PARLEY_ASSIGN_OR_RETURN(std::optional<Pairing> pairing,
                          records_.pairings.Get(step, crypto::ToHex(outgoing.pairing_id)));
  if (pairing.has_value() && pairing->refused != 0) {
    pairing->refused = 0;
    PARLEY_RETURN_IF_ERROR(records_.PutPairing(step, *pairing));
  }
  return step.Commit();
}

absl::Status Inbox::NoteTurnedAway(const OutgoingMessage& outgoing) const {
  const std::string key = OutgoingKey(outgoing.pairing_id, outgoing.number);
  PARLEY_ASSIGN_OR_RETURN(Transaction step, store_.Begin());
  PARLEY_ASSIGN_OR_RETURN(std::optional<OutgoingMessage> stored, records_.outbox.Get(step, key));
  if (!stored.has_value() || stored->append_id != outgoing.append_id || stored->turned_away != 0) {
    return absl::OkStatus();
  }
  stored->turned_away = 1;
  PARLEY_RETURN_IF_ERROR(records_.outbox.Put(step, key, *stored));
  return step.Commit();
}

absl::Status Inbox::SendOne(RelayClient& relay, const OutgoingMessage& outgoing,
                            FlushResult& result) const {
  std::optional<Pairing> pairing;
  // From the generation that the other end has told of: another one's number is only the relay's
  // word, and serves for this attempt.
  uint64_t generation = 1;
  {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_.Read());
    PARLEY_ASSIGN_OR_RETURN(pairing,
                            records_.pairings.Get(read, crypto::ToHex(outgoing.pairing_id)));
    PARLEY_ASSIGN_OR_RETURN(const Traffic traffic, records_.TrafficOf(read, outgoing.pairing_id));
    generation = traffic.peer_generation;
  }
  if (!pairing.has_value() || pairing->ended != 0) {
    PARLEY_ASSIGN_OR_RETURN(Transaction step, store_.Begin());
    PARLEY_RETURN_IF_ERROR(
        records_.outbox.Delete(step, OutgoingKey(outgoing.pairing_id, outgoing.number)));
    return step.Commit();
  }
  if (pairing->append_seed.empty()) {  // they have yet to answer with it
    ++result.waiting;
    return absl::OkStatus();
  }
  PARLEY_ASSIGN_OR_RETURN(SignatureKey append,
                          SignatureKey::FromSeed(pairing->append_seed.Reveal()));
  PARLEY_ASSIGN_OR_RETURN(ObjectId inbox, InboxOf(*pairing));
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
      if (!IsSilence(outcome.status())) PARLEY_RETURN_IF_ERROR(NoteTurnedAway(outgoing));
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
    return NoteSent(outgoing);
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
  PARLEY_RETURN_IF_ERROR(PlanResends());
  std::vector<OutgoingMessage> waiting;
  {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_.Read());
    PARLEY_ASSIGN_OR_RETURN(waiting, records_.outbox.All(read));
  }
  SortByPairing(waiting);
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
