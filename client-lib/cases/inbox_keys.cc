#include "client-lib/cases/inbox_keys.h"

#include <algorithm>

#include "client-lib/cases/naming.h"
#include "client-lib/pairing/device.h"

namespace parley::client {
namespace {

using content::v1::InboxMessage;

// Append keys of the own inbox that another neutral has to hand on.
constexpr size_t kSeedsAtOnce = 6;
constexpr size_t kFewSeeds = 2;
// So long what is to be sent to who was removed may put off that they are cut off.
constexpr uint64_t kNoticeSeconds = 24 * 60 * 60;

// Ends the pairing and plans an inbox generation without its append key. Whether that could be
// planned now.
absl::StatusOr<bool> EndPairing(Transaction& step, const CaseContext& context, Pairing& pairing) {
  const PairingRecords records = context.Pairings();
  PARLEY_ASSIGN_OR_RETURN(OwnDevice device, records.Device(step));
  if (!PlanInboxClosing(device, pairing.id, 0)) return false;
  pairing.ended = 1;
  PARLEY_RETURN_IF_ERROR(records.PutDevice(step, device));
  PARLEY_RETURN_IF_ERROR(context.OwnInbox().Forget(step, pairing));
  PARLEY_RETURN_IF_ERROR(records.PutPairing(step, pairing));
  if (!IsNeutral(static_cast<Role>(pairing.peer_role))) return true;
  // Keys that were given on through this neutral went with theirs.
  PARLEY_ASSIGN_OR_RETURN(std::vector<Pairing> pairings, records.pairings.All(step));
  for (Pairing& other : pairings) {
    if (other.ended != 0) continue;
    other.reseed = 1;
    PARLEY_RETURN_IF_ERROR(records.PutPairing(step, other));
  }
  return true;
}

// Whether something is still to be sent to who has gone, the notice of removal last. Not when their
// inbox takes nothing: they may have filled it themselves, to keep their key to this one.
absl::StatusOr<bool> AwaitsSending(const ReadTransaction& step, const CaseContext& context,
                                   const PersonRecord& person, const Pairing& pairing) {
  if (pairing.refused != 0 || context.now_seconds() >= person.recorded_at + kNoticeSeconds) {
    return false;
  }
  PARLEY_ASSIGN_OR_RETURN(std::vector<OutgoingMessage> waiting,
                          context.Pairings().outbox.All(step));
  std::erase_if(waiting, [&pairing](const OutgoingMessage& message) {
    return message.pairing_id != pairing.id;
  });
  return !waiting.empty() &&
         std::none_of(waiting.begin(), waiting.end(),
                      [](const OutgoingMessage& message) { return message.turned_away != 0; });
}

// Neutrals have append keys of everybody's inbox to hand on: other neutrals many, since they
// introduce participants to this one.
absl::StatusOr<std::vector<Pairing>> SeedTakers(const ReadTransaction& step,
                                                const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord record, context.Records().Case(step));
  PARLEY_ASSIGN_OR_RETURN(std::vector<Pairing> pairings, context.Pairings().pairings.All(step));
  PARLEY_ASSIGN_OR_RETURN(std::optional<Pairing> main, MainNeutral(step, context));
  std::vector<Pairing> takers;
  for (Pairing& pairing : pairings) {
    if (pairing.ended != 0 || pairing.flooded != 0) continue;
    const bool hands_on = IsNeutral(static_cast<Role>(pairing.peer_role)) &&
                          (record.IsNeutral() || (main.has_value() && main->id == pairing.id));
    if (pairing.reseed == 0 && (!hands_on || pairing.seeds_out >= kFewSeeds)) continue;
    PARLEY_ASSIGN_OR_RETURN(const bool room, context.OwnInbox().HasRoom(step, pairing));
    if (room) takers.push_back(std::move(pairing));
  }
  return takers;
}

}  // namespace

bool HasGone(const PersonRecord& person) {
  return person.state == ParticipantState::kRemoved || person.state == ParticipantState::kLeft;
}

absl::StatusOr<std::optional<Pairing>> MainNeutral(const ReadTransaction& step,
                                                   const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord record, context.Records().Case(step));
  PARLEY_ASSIGN_OR_RETURN(std::vector<Pairing> pairings, context.Pairings().pairings.All(step));
  std::optional<Pairing> found;
  for (Pairing& pairing : pairings) {
    if (pairing.ended != 0 || pairing.refused != 0 || pairing.flooded != 0 ||
        !IsNeutral(static_cast<Role>(pairing.peer_role))) {
      continue;
    }
    PARLEY_ASSIGN_OR_RETURN(const bool room, context.OwnInbox().HasRoom(step, pairing));
    if (!room) continue;
    if (!found.has_value() || pairing.peer == record.inviter) found = std::move(pairing);
  }
  return found;
}

absl::StatusOr<bool> TakeNewKey(Transaction& step, const CaseContext& context,
                                const ParticipantId& id) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<Pairing> pairing, context.Pairings().PairingWith(step, id));
  if (!pairing.has_value() || pairing->refused == 0 || pairing->reserve_seeds.empty()) {
    return false;
  }
  pairing->append_seed = std::move(pairing->reserve_seeds.back());
  pairing->reserve_seeds.pop_back();
  pairing->refused = 0;
  PARLEY_RETURN_IF_ERROR(context.Pairings().PutPairing(step, *pairing));
  return true;
}

absl::StatusOr<bool> CutOff(Transaction& step, const CaseContext& context,
                            const ParticipantId& id) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<PersonRecord> person, context.Records().Person(step, id));
  if (!person.has_value() || person->cut_off != 0 || !HasGone(*person)) return false;
  PARLEY_ASSIGN_OR_RETURN(std::optional<Pairing> pairing, context.Pairings().PairingWith(step, id));
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord record, context.Records().Case(step));
  const bool notice = person->state == ParticipantState::kRemoved && person->removal_sent == 0 &&
                      (person->approver == record.own_id || person->joined_here != 0);
  // Who keeps everything unconfirmed keeps nobody from cutting them off: they see it in the
  // channels.
  bool room = false;
  if (pairing.has_value()) {
    PARLEY_ASSIGN_OR_RETURN(room, context.OwnInbox().HasRoom(step, *pairing));
  }
  if (pairing.has_value() && notice && room) {
    InboxMessage message;
    message.mutable_removal()->set_left(false);
    PARLEY_RETURN_IF_ERROR(context.OwnInbox().Queue(step, *pairing, std::move(message)));
    person->removal_sent = 1;
    PARLEY_RETURN_IF_ERROR(context.Records().PutPerson(step, *person));
    return true;
  }
  if (pairing.has_value()) {
    PARLEY_ASSIGN_OR_RETURN(const bool waits, AwaitsSending(step, context, *person, *pairing));
    if (waits) return false;
    PARLEY_ASSIGN_OR_RETURN(bool ended, EndPairing(step, context, *pairing));
    if (!ended) return false;
  }
  person->cut_off = 1;
  PARLEY_RETURN_IF_ERROR(context.Records().PutStock(step, id, KeyPackageStock()));
  PARLEY_RETURN_IF_ERROR(context.Records().PutPerson(step, *person));
  return true;
}

absl::StatusOr<bool> CutOffGoneNeutrals(Transaction& step, const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(std::vector<CaseChannel> channels, ChannelsOf(step, context));
  PARLEY_ASSIGN_OR_RETURN(std::vector<Pairing> pairings, context.Pairings().pairings.All(step));
  bool any_active = false;
  for (const CaseChannel& channel : channels) {
    any_active = any_active || channel.info.standing == Standing::kActive;
  }
  bool did = false;
  for (Pairing& pairing : pairings) {
    if (pairing.ended != 0 || !any_active) continue;
    const bool here =
        std::any_of(channels.begin(), channels.end(), [&](const CaseChannel& channel) {
          return channel.info.standing == Standing::kActive &&
                 channel.info.state.FindMember(pairing.peer) != nullptr;
        });
    if (here && pairing.met == 0) {
      pairing.met = 1;
      PARLEY_RETURN_IF_ERROR(context.Pairings().PutPairing(step, pairing));
    } else if (!here && pairing.met != 0) {
      PARLEY_ASSIGN_OR_RETURN(bool ended, EndPairing(step, context, pairing));
      did = did || ended;
    }
  }
  return did;
}

absl::StatusOr<bool> ReportFlooders(Transaction& step, const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(std::vector<Pairing> pairings, context.Pairings().pairings.All(step));
  for (Pairing& pairing : pairings) {
    if (pairing.flooded != 1) continue;
    PARLEY_ASSIGN_OR_RETURN(const content::v1::DeviceCard card, ParseCard(pairing.peer_card));
    PARLEY_ASSIGN_OR_RETURN(std::optional<PersonRecord> person,
                            context.Records().Person(step, pairing.peer));
    PARLEY_ASSIGN_OR_RETURN(CaseRecord record, context.Records().Case(step));
    record.Refuse((person.has_value() ? person->name : card.name()) +
                  " flooded this device's inbox, and can't write to it any more; where that was "
                  "no attack, remove and invite them anew");
    PARLEY_RETURN_IF_ERROR(context.Records().PutCase(step, record));
    pairing.flooded = 2;
    PARLEY_RETURN_IF_ERROR(context.Pairings().PutPairing(step, pairing));
  }
  return false;
}

absl::StatusOr<bool> HandOutSeeds(Transaction& step, const CaseContext& context) {
  const PairingRecords records = context.Pairings();
  PARLEY_ASSIGN_OR_RETURN(std::vector<Pairing> takers, SeedTakers(step, context));
  for (Pairing& pairing : takers) {
    const size_t count = IsNeutral(static_cast<Role>(pairing.peer_role)) ? kSeedsAtOnce : 1;
    PARLEY_ASSIGN_OR_RETURN(OwnDevice device, records.Device(step));
    if (device.closing.has_value()) return false;  // its keys can be given in a moment
    if (FreeSlots(device) < count + 1) {
      if (device.slots.size() + kInboxSlots > kMaxAppendKeys) return false;
      PlanInboxClosing(device, {}, kInboxSlots);
      PARLEY_RETURN_IF_ERROR(records.PutDevice(step, device));
      return true;
    }
    PARLEY_ASSIGN_OR_RETURN(std::vector<Secret> seeds, TakeSlots(device, count, pairing.id));
    InboxMessage message;
    for (const Secret& seed : seeds) {
      message.mutable_append_seeds()->add_append_seeds(crypto::ToString(seed.Reveal()));
    }
    PARLEY_RETURN_IF_ERROR(records.PutDevice(step, device));
    PARLEY_RETURN_IF_ERROR(context.OwnInbox().Queue(step, pairing, std::move(message)));
    pairing.seeds_out = static_cast<uint16_t>(pairing.seeds_out + count);
    pairing.reseed = 0;
    PARLEY_RETURN_IF_ERROR(records.PutPairing(step, pairing));
  }
  return !takers.empty();
}

}  // namespace parley::client
