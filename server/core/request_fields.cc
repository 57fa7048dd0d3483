#include "server/core/request_fields.h"

#include "crypto/base/status_macros.h"

namespace parley::server {
namespace {

template <size_t N>
std::string Raw(const std::array<uint8_t, N>& bytes) {
  return std::string(storage::IdView(bytes));
}

const char* NameOf(AccessRight right) {
  switch (right) {
    case AccessRight::kRead:
      return "read";
    case AccessRight::kAppend:
      return "append";
    case AccessRight::kWrite:
      return "write";
  }
  return "unknown";
}

}  // namespace

absl::Status CheckRequestSize(size_t size, const Limits& limits, uint64_t payload) {
  if (size <= payload + limits.max_request_overhead_bytes) return absl::OkStatus();
  return absl::InvalidArgumentError("the request has " + std::to_string(size) +
                                    " bytes: beside its payload it may have " +
                                    std::to_string(limits.max_request_overhead_bytes));
}

absl::StatusOr<storage::GenerationKeySet> KeysField(const v1::GenerationKeys& keys,
                                                    const std::string& name, const Limits& limits) {
  storage::GenerationKeySet set;
  PARLEY_ASSIGN_OR_RETURN(set.read_key,
                          FixedField<32>(keys.read_key(), (name + ".read_key").c_str()));
  PARLEY_ASSIGN_OR_RETURN(set.control_key,
                          FixedField<32>(keys.control_key(), (name + ".control_key").c_str()));
  const auto count = static_cast<size_t>(keys.append_keys_size());
  if (count < 1 || count > limits.max_append_keys) {
    return absl::InvalidArgumentError(name + " has " + std::to_string(count) +
                                      " append keys: it must have 1 to " +
                                      std::to_string(limits.max_append_keys));
  }
  set.append_keys.reserve(count);
  for (const std::string& key : keys.append_keys()) {
    PARLEY_ASSIGN_OR_RETURN(storage::PublicKey parsed,
                            FixedField<32>(key, (name + ".append_keys").c_str()));
    set.append_keys.push_back(parsed);
  }
  return set;
}

v1::GenerationKeys ToProto(const storage::GenerationKeySet& keys) {
  v1::GenerationKeys out;
  out.set_read_key(Raw(keys.read_key));
  out.set_control_key(Raw(keys.control_key));
  for (const storage::PublicKey& key : keys.append_keys) out.add_append_keys(Raw(key));
  return out;
}

absl::StatusOr<storage::ClosingRecord> ClosingField(const v1::Closing& closing,
                                                    const Limits& limits) {
  storage::ClosingRecord record;
  PARLEY_ASSIGN_OR_RETURN(record.next_keys,
                          KeysField(closing.next_keys(), "closing.next_keys", limits));
  PARLEY_ASSIGN_OR_RETURN(record.control_signature,
                          FixedField<64>(closing.control_signature(), "closing.control_signature"));
  return record;
}

v1::Closing ToProto(const storage::ClosingRecord& closing) {
  v1::Closing out;
  *out.mutable_next_keys() = ToProto(closing.next_keys);
  out.set_control_signature(Raw(closing.control_signature));
  return out;
}

absl::StatusOr<AccessRight> RightField(v1::Right right) {
  switch (right) {
    case v1::RIGHT_READ:
      return AccessRight::kRead;
    case v1::RIGHT_APPEND:
      return AccessRight::kAppend;
    case v1::RIGHT_WRITE:
      return AccessRight::kWrite;
    default:
      return absl::InvalidArgumentError("right must be RIGHT_READ, RIGHT_APPEND or RIGHT_WRITE");
  }
}

absl::Status CheckExpiryField(uint64_t expires_at, uint64_t now) {
  if (expires_at != 0 && expires_at <= now) {
    return absl::InvalidArgumentError("expires_at lies in the past");
  }
  return absl::OkStatus();
}

uint64_t StoredExpiry(uint64_t expires_at) {
  constexpr uint64_t kMinute = 60;
  const uint64_t beyond = expires_at % kMinute;
  if (beyond == 0) return expires_at;
  const uint64_t begun = expires_at - beyond;
  return begun > UINT64_MAX - kMinute ? begun : begun + kMinute;
}

absl::StatusOr<TokenClaims> TokenField(const Credentials& credentials, const std::string& token,
                                       const storage::ObjectId& object, AccessRight right,
                                       uint64_t now) {
  PARLEY_ASSIGN_OR_RETURN(TokenClaims claims, credentials.CheckToken(token, now));
  if (claims.object != object) {
    return absl::PermissionDeniedError("the session token is for another object");
  }
  if (claims.right != right) {
    return absl::PermissionDeniedError(std::string("the session token gives the right to ") +
                                       NameOf(claims.right) + "; this call needs the right to " +
                                       NameOf(right));
  }
  return claims;
}

}  // namespace parley::server
