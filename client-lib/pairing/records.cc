#include "client-lib/pairing/records.h"

namespace parley::client {

absl::StatusOr<OwnDevice> PairingRecords::Device(const ReadTransaction& step) const {
  PARLEY_ASSIGN_OR_RETURN(std::optional<OwnDevice> device,
                          GetRecord<OwnDevice>(step, RecordClass::kKeys, root_ + "/device"));
  if (!device.has_value()) return absl::NotFoundError("the profile doesn't have this case");
  return std::move(*device);
}

absl::Status PairingRecords::PutDevice(Transaction& step, const OwnDevice& device) const {
  return PutRecord(step, RecordClass::kKeys, root_ + "/device", device);
}

absl::StatusOr<std::optional<Pairing>> PairingRecords::PairingWith(
    const ReadTransaction& step, const ParticipantId& peer) const {
  PARLEY_ASSIGN_OR_RETURN(std::vector<Pairing> all, pairings.All(step));
  for (Pairing& pairing : all) {
    if (pairing.peer == peer && pairing.ended == 0)
      return std::optional<Pairing>(std::move(pairing));
  }
  return std::optional<Pairing>();
}

absl::Status PairingRecords::PutPairing(Transaction& step, const Pairing& pairing) const {
  return pairings.Put(step, crypto::ToHex(pairing.id), pairing);
}

absl::StatusOr<bool> PairingRecords::SeenBefore(Transaction& step, ByteView pairing_id,
                                                ByteView message_id) const {
  const std::string name =
      root_ + "/seen/" + crypto::ToHex(pairing_id) + "/" + crypto::ToHex(message_id);
  PARLEY_ASSIGN_OR_RETURN(bool seen, step.Has(RecordClass::kIndex, name));
  if (!seen) PARLEY_RETURN_IF_ERROR(PutRecord(step, RecordClass::kIndex, name, SeenMark{}));
  return seen;
}

}  // namespace parley::client
