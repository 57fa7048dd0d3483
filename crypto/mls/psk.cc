#include "crypto/mls/psk.h"

#include <set>

#include "crypto/mls/bounded_list.h"
#include "crypto/mls/suite_crypto.h"
#include "crypto/primitives/random.h"

namespace parley::mls {

PreSharedKeyId PreSharedKeyId::External(const CipherSuite& suite, Bytes psk_id) {
  PreSharedKeyId id;
  id.psk_id = std::move(psk_id);
  // Section 8.4: "the psk_nonce … MUST be set to a fresh random value of length KDF.Nh".
  id.psk_nonce = crypto::RandomBytes(suite.hash_size());
  return id;
}

void Encode(crypto::Writer& w, const PreSharedKeyId& id) {
  Encode(w, id.type);
  if (id.type == PskType::kExternal) {
    Encode(w, id.psk_id);
  } else {
    Encode(w, id.usage);
    Encode(w, id.psk_group_id);
    Encode(w, id.psk_epoch);
  }
  Encode(w, id.psk_nonce);
}

absl::Status Decode(crypto::Reader& r, PreSharedKeyId& id) {
  PARLEY_RETURN_IF_ERROR(Decode(r, id.type));
  switch (id.type) {
    case PskType::kExternal:
      PARLEY_RETURN_IF_ERROR(Decode(r, id.psk_id));
      break;
    case PskType::kResumption:
      PARLEY_RETURN_IF_ERROR(Decode(r, id.usage));
      if (id.usage < ResumptionPskUsage::kApplication || id.usage > ResumptionPskUsage::kBranch) {
        return absl::InvalidArgumentError("a resumption PSK of an unknown usage");
      }
      PARLEY_RETURN_IF_ERROR(Decode(r, id.psk_group_id));
      PARLEY_RETURN_IF_ERROR(Decode(r, id.psk_epoch));
      break;
    default:
      return absl::InvalidArgumentError("a PSK of an unknown type");
  }
  return Decode(r, id.psk_nonce);
}

absl::Status Decode(crypto::Reader& r, std::vector<PreSharedKeyId>& ids) {
  return DecodeAtMost(kMaxPsks, "too many pre-shared keys at once", r, ids);
}

absl::Status CheckPskIds(const CipherSuite& suite, const std::vector<PreSharedKeyId>& ids) {
  if (ids.size() > kMaxPsks) return absl::InvalidArgumentError("too many pre-shared keys at once");
  std::set<Bytes> seen;
  for (const PreSharedKeyId& id : ids) {
    if (id.psk_nonce.size() != suite.hash_size()) {
      return absl::InvalidArgumentError("a pre-shared key with a nonce of the wrong length");
    }
    if (!seen.insert(crypto::Serialize(id)).second) {
      return absl::InvalidArgumentError("one pre-shared key is named twice");
    }
  }
  return absl::OkStatus();
}

Secret ComputePskSecret(const CipherSuite& suite, const std::vector<Psk>& psks) {
  const Secret zero = ZeroSecret(suite);
  Secret result = ZeroSecret(suite);
  for (size_t i = 0; i < psks.size(); ++i) {
    // struct { PreSharedKeyID id; uint16 index; uint16 count; } PSKLabel;
    crypto::Writer label;
    Encode(label, psks[i].id);
    label.WriteUint16(static_cast<uint16_t>(i));
    label.WriteUint16(static_cast<uint16_t>(psks.size()));
    const Secret extracted = Extract(suite, zero.Reveal(), psks[i].secret.Reveal());
    const Secret input =
        ExpandWithLabel(suite, extracted, "derived psk", label.view(), suite.hash_size());
    result = Extract(suite, input.Reveal(), result.Reveal());
  }
  return result;
}

}  // namespace parley::mls
