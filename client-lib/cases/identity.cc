#include "client-lib/cases/identity.h"

#include "client-lib/pairing/device.h"

namespace parley::client {

absl::StatusOr<std::string> WhoseCard(const ReadTransaction& step, const CaseContext& context,
                                      const ParticipantId& id,
                                      const content::v1::DeviceCard& card) {
  PARLEY_ASSIGN_OR_RETURN(std::vector<PersonRecord> people, context.Records().People(step));
  for (const PersonRecord& person : people) {
    const bool gone =
        person.state == ParticipantState::kRemoved || person.state == ParticipantState::kLeft;
    if (person.id == id || gone || person.card.empty()) continue;
    PARLEY_ASSIGN_OR_RETURN(const content::v1::DeviceCard other, ParseCard(person.card));
    if (card.device_id() == other.device_id() || card.identity_key() == other.identity_key() ||
        card.inbox_id() == other.inbox_id() || card.inbox_kem_key() == other.inbox_kem_key()) {
      return person.name;
    }
  }
  return std::string();
}

}  // namespace parley::client
