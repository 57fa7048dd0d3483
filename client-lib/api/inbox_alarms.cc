#include "client-lib/api/inbox_alarms.h"

#include <string>

#include "client-lib/cases/opening.h"
#include "client-lib/pairing/device.h"

namespace parley::client {
namespace {

constexpr uint64_t kDay = 24 * 60 * 60;
// How long the person is told of entries that nothing opened.
constexpr uint64_t kToldSeconds = 14 * kDay;
// After so long it is said of somebody that they confirm nothing; they may only be away.
constexpr uint64_t kAwaySeconds = 7 * kDay;

// "1 message", "3 messages".
std::string Count(uint64_t count, const std::string& what) {
  const bool entry = what == "entry";
  if (count == 1) return "1 " + what;
  return std::to_string(count) + " " + (entry ? "entries" : what + "s");
}

void AddNotOpened(const CaseId& id, const OwnDevice& device, uint64_t now,
                  std::vector<Alarm>& alarms) {
  if (device.not_opened == 0 || device.not_opened_at + kToldSeconds < now) return;
  alarms.push_back(
      {AlarmKind::kPassedOver, id, std::nullopt, std::nullopt,
       Count(device.not_opened, "entry") + " of this device's inbox could not be opened, and " +
           (device.not_opened == 1 ? "was" : "were") + " passed over, the first on " +
           DateText(device.not_opened_since) + ", the latest on " + DateText(device.not_opened_at) +
           ": junk from somebody who may write there, or messages that the relay altered, which "
           "can't be told apart; those who may have sent them are asked to send again"});
}

void AddOfPairing(const CaseId& id, const Pairing& pairing, const std::string& name,
                  const Traffic& traffic, uint64_t now, std::vector<Alarm>& alarms) {
  if (traffic.gap_since != 0) {
    alarms.push_back({AlarmKind::kPassedOver, id, std::nullopt, pairing.peer,
                      "messages of " + name + " to this device's inbox have been missing since " +
                          DateText(traffic.gap_since) +
                          ": the relay altered or held them back; they are asked for again"});
  }
  const bool kept = IsKeptFromPeer(traffic);
  const bool long_ago = traffic.waiting_since != 0 && now > traffic.waiting_since + kAwaySeconds;
  if (!kept && !long_ago && traffic.not_sent == 0) return;
  if (traffic.waiting_since == 0) {
    alarms.push_back({AlarmKind::kUnconfirmed, id, std::nullopt, pairing.peer,
                      Count(traffic.not_sent, "message") + " to " + name +
                          " could not be sent, since too much waited for them at the time: remove "
                          "them and invite them anew"});
    return;
  }
  std::string text = name + " has not confirmed " + Count(traffic.unconfirmed(), "message") +
                     " of this device's since " + DateText(traffic.waiting_since);
  if (kept) {
    text +=
        ", although they have been online: the relay may have altered or held back what was "
        "sent to them; it is sent again";
  } else {
    text +=
        ": they have not been online, or the relay holds back what is sent to them; ask them "
        "to come online";
  }
  if (traffic.not_sent > 0) {
    text += "; " + Count(traffic.not_sent, "further message") +
            " can't be sent to them any more: remove them and invite them anew";
  }
  alarms.push_back({AlarmKind::kUnconfirmed, id, std::nullopt, pairing.peer, std::move(text)});
}

}  // namespace

absl::Status AddInboxAlarms(const ReadTransaction& step, const CaseContext& context,
                            std::vector<Alarm>& alarms) {
  const PairingRecords records = context.Pairings();
  PARLEY_ASSIGN_OR_RETURN(const OwnDevice device, records.Device(step));
  AddNotOpened(context.id, device, context.now_seconds(), alarms);
  PARLEY_ASSIGN_OR_RETURN(const std::vector<Pairing> pairings, records.pairings.All(step));
  for (const Pairing& pairing : pairings) {
    if (pairing.ended != 0) continue;
    PARLEY_ASSIGN_OR_RETURN(const Traffic traffic, records.TrafficOf(step, pairing.id));
    PARLEY_ASSIGN_OR_RETURN(const content::v1::DeviceCard card, ParseCard(pairing.peer_card));
    PARLEY_ASSIGN_OR_RETURN(const std::optional<PersonRecord> person,
                            context.Records().Person(step, pairing.peer));
    AddOfPairing(context.id, pairing, person.has_value() ? person->name : card.name(), traffic,
                 context.now_seconds(), alarms);
  }
  return absl::OkStatus();
}

}  // namespace parley::client
