#include "tests/hostile/rogue_keys.h"

#include <set>

#include "client-lib/pairing/records.h"
#include "crypto/base/status_macros.h"
#include "tests/hostile/rogue_channel.h"

namespace parley::hostile {
namespace {

using crypto::Secret;
using crypto::SignatureKey;

absl::Status Add(const Secret& seed, std::vector<SignatureKey>& keys) {
  if (seed.empty()) return absl::OkStatus();
  PARLEY_ASSIGN_OR_RETURN(SignatureKey key, SignatureKey::FromSeed(seed.Reveal()));
  keys.push_back(std::move(key));
  return absl::OkStatus();
}

absl::Status AddPairingKeys(const client::ReadTransaction& tx, const CaseId& case_id,
                            std::vector<SignatureKey>& keys) {
  const client::PairingRecords records(case_id);
  PARLEY_ASSIGN_OR_RETURN(const client::OwnDevice device, records.Device(tx));
  PARLEY_RETURN_IF_ERROR(Add(device.inbox_read_seed, keys));
  PARLEY_RETURN_IF_ERROR(Add(device.inbox_control_seed, keys));
  for (const client::InboxSlot& slot : device.slots) PARLEY_RETURN_IF_ERROR(Add(slot.seed, keys));
  PARLEY_ASSIGN_OR_RETURN(const std::vector<client::Pairing> pairings, records.pairings.All(tx));
  for (const client::Pairing& pairing : pairings) {
    PARLEY_RETURN_IF_ERROR(Add(pairing.append_seed, keys));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<SignatureKey>> AllSigningKeys(client::ProfileStore& store) {
  std::vector<SignatureKey> keys;
  PARLEY_ASSIGN_OR_RETURN(const std::vector<RogueChannel> channels, LoadChannels(store));
  std::set<CaseId> cases;
  for (const RogueChannel& channel : channels) {
    cases.insert(channel.state.case_id);
    PARLEY_RETURN_IF_ERROR(Add(channel.keys.read_seed, keys));
    PARLEY_RETURN_IF_ERROR(Add(channel.keys.append_seed, keys));
    absl::StatusOr<SignatureKey> control = LoadControlKey(store, channel.state);
    if (control.ok()) keys.push_back(*std::move(control));
  }
  PARLEY_ASSIGN_OR_RETURN(const client::ReadTransaction tx, store.Read());
  for (const CaseId& case_id : cases) PARLEY_RETURN_IF_ERROR(AddPairingKeys(tx, case_id, keys));
  keys.push_back(SignatureKey::Generate());
  return keys;
}

}  // namespace parley::hostile
