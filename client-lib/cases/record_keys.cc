#include "client-lib/cases/record_keys.h"

#include <algorithm>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "client-lib/content/parse.h"
#include "client-lib/pairing/device.h"
#include "crypto/primitives/hash.h"
#include "crypto/primitives/signature.h"

namespace parley::client {
namespace {

using content::v1::RecordKeys;

constexpr int kMostKeysInMessage = 1000;
constexpr size_t kMostVouchers = 32;  // about one participant

// What a neutral said of somebody's key.
struct Voucher {
  ParticipantId by;
  Bytes key;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.by, self.key);
  }
};
// "case/<id>/record-key/<participant id>".
struct VouchedKey {
  std::vector<Voucher> vouchers;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.vouchers);
  }
};

// "case/<id>/told-keys/<participant id>": the hash of what they were told.
struct ToldKeys {
  Bytes digest;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.digest);
  }
};

std::string Name(const CaseContext& context, const char* what, const ParticipantId& id) {
  return "case/" + context.id.ToString() + "/" + what + "/" + id.ToString();
}

Bytes KeyOfCard(ByteView card_bytes) {
  content::v1::DeviceCard card;
  if (!ParseFromPeer(card, card_bytes)) return {};
  return crypto::ToBytes(card.record_key());
}

}  // namespace

absl::StatusOr<std::map<ParticipantId, KnownKey>> KnownRecordKeys(
    const ReadTransaction& step, const CaseContext& context, const LoadedProcedure& procedure) {
  std::map<ParticipantId, KnownKey> known;
  PARLEY_ASSIGN_OR_RETURN(const Bytes own_key, OwnRecordKey(step, context));
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord record, context.Records().Case(step));
  for (const Actor& member : procedure.roster) {
    KnownKey& entry = known[member.id];
    if (member.id == record.own_id) {
      entry.key = own_key;
      continue;
    }
    // What they said over the own pairing goes before what others say of them.
    PARLEY_ASSIGN_OR_RETURN(std::optional<Pairing> pairing,
                            context.Pairings().PairingWith(step, member.id));
    if (pairing.has_value()) entry.key = KeyOfCard(pairing->peer_card);
    if (!entry.key.empty()) continue;
    PARLEY_ASSIGN_OR_RETURN(std::optional<PersonRecord> person,
                            context.Records().Person(step, member.id));
    if (person.has_value()) entry.key = KeyOfCard(person->card);
    if (!entry.key.empty()) continue;
    PARLEY_ASSIGN_OR_RETURN(
        std::optional<VouchedKey> vouched,
        GetRecord<VouchedKey>(step, RecordClass::kKeys, Name(context, "record-key", member.id)));
    if (!vouched.has_value()) continue;
    for (const Voucher& voucher : vouched->vouchers) {
      if (!entry.key.empty() && entry.key != voucher.key) entry.contradicted = true;
      entry.key = voucher.key;
    }
    if (entry.contradicted) entry.key.clear();
  }
  return known;
}

absl::StatusOr<bool> TellRecordKeys(Transaction& step, const CaseContext& context,
                                    const LoadedProcedure& procedure, const ParticipantId& self) {
  PARLEY_ASSIGN_OR_RETURN(std::vector<PersonRecord> people, context.Records().People(step));
  RecordKeys all;
  for (const PersonRecord& person : people) {
    const Bytes key = KeyOfCard(person.card);
    const bool in = std::any_of(procedure.roster.begin(), procedure.roster.end(),
                                [&](const Actor& member) { return member.id == person.id; });
    if (!in || key.empty()) continue;
    RecordKeys::Key& said = *all.add_keys();
    said.set_participant_id(ToField(person.id));
    said.set_record_key(crypto::ToString(key));
  }
  const Bytes digest =
      crypto::Hash(crypto::HashAlgorithm::kSha256, crypto::ToBytes(all.SerializeAsString()));
  bool told = false;
  for (const Actor& member : procedure.roster) {
    if (member.id == self) continue;
    PARLEY_ASSIGN_OR_RETURN(std::optional<Pairing> pairing,
                            context.Pairings().PairingWith(step, member.id));
    if (!pairing.has_value()) continue;
    const std::string name = Name(context, "told-keys", member.id);
    PARLEY_ASSIGN_OR_RETURN(std::optional<ToldKeys> before,
                            GetRecord<ToldKeys>(step, RecordClass::kKeys, name));
    if (before.has_value() && before->digest == digest) continue;
    content::v1::InboxMessage message;
    *message.mutable_record_keys() = all;
    PARLEY_RETURN_IF_ERROR(context.OwnInbox().Queue(step, *pairing, std::move(message)));
    PARLEY_RETURN_IF_ERROR(PutRecord(step, RecordClass::kKeys, name, ToldKeys{digest}));
    told = true;
  }
  return told;
}

absl::Status TakeRecordKeys(Transaction& step, const CaseContext& context, const Pairing& pairing,
                            const RecordKeys& keys) {
  if (!IsNeutral(static_cast<Role>(pairing.peer_role))) {
    return absl::PermissionDeniedError(
        "a message that its sender may not send: word of others' record keys");
  }
  if (keys.keys_size() > kMostKeysInMessage) {
    return absl::InvalidArgumentError("too many record keys");
  }
  for (const RecordKeys::Key& said : keys.keys()) {
    const std::optional<ParticipantId> id = IdFrom<ParticipantId>(said.participant_id());
    if (!id.has_value() || said.record_key().size() != crypto::kSignaturePublicKeySize) {
      return absl::InvalidArgumentError("a record key of the wrong size");
    }
    const std::string name = Name(context, "record-key", *id);
    PARLEY_ASSIGN_OR_RETURN(std::optional<VouchedKey> vouched,
                            GetRecord<VouchedKey>(step, RecordClass::kKeys, name));
    if (!vouched.has_value()) vouched.emplace();
    // Who says another thing later contradicts themselves.
    const Voucher word{pairing.peer, crypto::ToBytes(said.record_key())};
    const bool known = std::any_of(
        vouched->vouchers.begin(), vouched->vouchers.end(),
        [&](const Voucher& voucher) { return voucher.by == word.by && voucher.key == word.key; });
    if (known || vouched->vouchers.size() >= kMostVouchers) continue;
    vouched->vouchers.push_back(word);
    PARLEY_RETURN_IF_ERROR(PutRecord(step, RecordClass::kKeys, name, *vouched));
  }
  return absl::OkStatus();
}

}  // namespace parley::client
