#include "client-lib/pairing/records.h"

namespace parley::client {

std::string OutgoingPrefix(ByteView pairing_id) { return crypto::ToHex(pairing_id) + "-"; }

std::string OutgoingKey(ByteView pairing_id, uint64_t number) {
  return OutgoingPrefix(pairing_id) + std::to_string(number);
}

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

absl::StatusOr<Traffic> PairingRecords::TrafficOf(const ReadTransaction& step,
                                                  ByteView pairing_id) const {
  PARLEY_ASSIGN_OR_RETURN(std::optional<Traffic> counters,
                          traffic.Get(step, crypto::ToHex(pairing_id)));
  return counters.has_value() ? std::move(*counters) : Traffic();
}

absl::Status PairingRecords::PutTraffic(Transaction& step, ByteView pairing_id,
                                        const Traffic& counters) const {
  return traffic.Put(step, crypto::ToHex(pairing_id), counters);
}

}  // namespace parley::client
