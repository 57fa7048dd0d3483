#include "client-lib/cases/key_stock.h"

#include <algorithm>

#include "crypto/mls/framing.h"
#include "crypto/primitives/x25519.h"

namespace parley::client {

ParleyCredential OwnCredential(const OwnDevice& device) {
  ParleyCredential credential;
  credential.participant_id = device.participant_id;
  credential.device_id = DeviceId(device.device_id);
  credential.identity_key = crypto::X25519PublicKey(device.identity_private.Reveal());
  return credential;
}

absl::StatusOr<std::vector<Bytes>> MakeKeyPackages(Transaction& step, const CaseContext& context,
                                                   const OwnDevice& device, ByteView pairing_id,
                                                   size_t count) {
  const ParleyCredential credential = OwnCredential(device);
  const PairingRecords records = context.Pairings();
  std::vector<Bytes> messages;
  for (size_t i = 0; i < count; ++i) {
    PARLEY_ASSIGN_OR_RETURN(mls::KeyPackageBundle bundle, MakeKeyPackage(credential));
    OwnKeyPackage own;
    own.ref = bundle.Ref();
    own.pairing_id.assign(pairing_id.begin(), pairing_id.end());
    own.bundle = bundle.SerializeSecret();
    PARLEY_RETURN_IF_ERROR(records.own_key_packages.Put(step, crypto::ToHex(own.ref), own));
    messages.push_back(bundle.message());
  }
  return messages;
}

absl::Status AssignKeyPackages(Transaction& step, const CaseContext& context, ByteView from,
                               ByteView to) {
  const PairingRecords records = context.Pairings();
  PARLEY_ASSIGN_OR_RETURN(std::vector<OwnKeyPackage> all, records.own_key_packages.All(step));
  for (OwnKeyPackage& own : all) {
    if (!crypto::PublicEquals(own.pairing_id, from)) continue;
    own.pairing_id.assign(to.begin(), to.end());
    PARLEY_RETURN_IF_ERROR(records.own_key_packages.Put(step, crypto::ToHex(own.ref), own));
  }
  return absl::OkStatus();
}

absl::StatusOr<mls::KeyPackageBundle> TakeOwnKeyPackage(Transaction& step,
                                                        const CaseContext& context,
                                                        ByteView welcome) {
  PARLEY_ASSIGN_OR_RETURN(mls::MlsMessage message, crypto::Parse<mls::MlsMessage>(welcome));
  const mls::Welcome* body = std::get_if<mls::Welcome>(&message.body);
  if (body == nullptr) return absl::InvalidArgumentError("not a Welcome");
  const PairingRecords records = context.Pairings();
  for (const mls::EncryptedGroupSecrets& secrets : body->secrets) {
    const std::string key = crypto::ToHex(secrets.new_member);
    PARLEY_ASSIGN_OR_RETURN(std::optional<OwnKeyPackage> own,
                            records.own_key_packages.Get(step, key));
    if (!own.has_value()) continue;
    PARLEY_RETURN_IF_ERROR(records.own_key_packages.Delete(step, key));
    return mls::KeyPackageBundle::Parse(own->bundle.Reveal());
  }
  return absl::NotFoundError("a Welcome for a key package that this device doesn't have");
}

absl::StatusOr<size_t> OwnKeyPackagesAt(const ReadTransaction& step, const CaseContext& context,
                                        ByteView pairing_id) {
  PARLEY_ASSIGN_OR_RETURN(std::vector<OwnKeyPackage> all,
                          context.Pairings().own_key_packages.All(step));
  return static_cast<size_t>(
      std::count_if(all.begin(), all.end(), [&pairing_id](const OwnKeyPackage& own) {
        return crypto::PublicEquals(own.pairing_id, pairing_id);
      }));
}

absl::StatusOr<Bytes> ReserveKeyPackage(Transaction& step, const CaseContext& context,
                                        const ParticipantId& id, const ChannelId& channel) {
  PARLEY_ASSIGN_OR_RETURN(KeyPackageStock stock, context.Records().Stock(step, id));
  for (StockedPackage& package : stock.packages) {
    if (!package.reserved_for.is_zero()) continue;
    package.reserved_for = channel;
    PARLEY_RETURN_IF_ERROR(context.Records().PutStock(step, id, stock));
    return package.message;
  }
  return absl::NotFoundError("no key package is left");
}

absl::Status SettleReserved(Transaction& step, const CaseContext& context, const ParticipantId& id,
                            const ChannelId& channel, bool used) {
  PARLEY_ASSIGN_OR_RETURN(KeyPackageStock stock, context.Records().Stock(step, id));
  bool changed = false;
  for (StockedPackage& package : stock.packages) {
    if (package.reserved_for != channel) continue;
    if (!used) package.reserved_for = ChannelId();
    changed = true;
  }
  if (!changed) return absl::OkStatus();
  if (used) {
    std::erase_if(stock.packages, [&channel](const StockedPackage& package) {
      return package.reserved_for == channel;
    });
  }
  return context.Records().PutStock(step, id, stock);
}

namespace internal {
namespace {

// Whether a key package is valid and of this device.
bool IsKeyPackageOf(const content::v1::DeviceCard& card, ByteView message) {
  const absl::StatusOr<ParleyCredential> credential = CheckKeyPackage(message);
  return credential.ok() && ToField(credential->participant_id) == card.participant_id() &&
         ToField(credential->device_id) == card.device_id() &&
         crypto::ToString(credential->identity_key) == card.identity_key();
}

}  // namespace

absl::Status Stock(Transaction& step, const CaseContext& context,
                   const content::v1::DeviceCard& card, const std::vector<Bytes>& messages) {
  constexpr size_t kMostStocked = 64;
  const std::optional<ParticipantId> id = IdFrom<ParticipantId>(card.participant_id());
  if (!id.has_value()) return absl::InvalidArgumentError("a card without a participant");
  PARLEY_ASSIGN_OR_RETURN(KeyPackageStock stock, context.Records().Stock(step, *id));
  bool all_fit = true;
  for (const Bytes& message : messages) {
    if (stock.packages.size() >= kMostStocked) break;
    const bool fits = IsKeyPackageOf(card, message);
    all_fit = all_fit && fits;
    const bool is_new = std::none_of(
        stock.packages.begin(), stock.packages.end(),
        [&message](const StockedPackage& package) { return package.message == message; });
    if (fits && is_new) stock.packages.push_back({message, ChannelId()});
  }
  PARLEY_RETURN_IF_ERROR(context.Records().PutStock(step, *id, stock));
  if (all_fit) return absl::OkStatus();
  PARLEY_ASSIGN_OR_RETURN(CaseRecord record, context.Records().Case(step));
  record.Refuse(card.name() +
                " sent key packages that aren't valid ones of their device; they were left out");
  return context.Records().PutCase(step, record);
}

}  // namespace internal
}  // namespace parley::client
