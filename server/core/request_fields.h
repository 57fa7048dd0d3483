// Reading the fields of requests: the right length, or an InvalidArgument that names the field.
//
// Threading: free functions without shared state.
#ifndef PARLEY_SERVER_CORE_REQUEST_FIELDS_H_
#define PARLEY_SERVER_CORE_REQUEST_FIELDS_H_

#include <array>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "parley/relay/v1/relay.pb.h"
#include "server/core/credentials.h"
#include "server/core/limits.h"
#include "storage/records/records.h"

namespace parley::server {

namespace v1 = ::parley::relay::v1;

template <size_t N>
absl::StatusOr<std::array<uint8_t, N>> FixedField(const std::string& value, const char* name) {
  std::optional<std::array<uint8_t, N>> bytes = storage::IdFrom<N>(value);
  if (bytes.has_value()) return *bytes;
  if (value.empty()) {
    return absl::InvalidArgumentError(std::string(name) + " is missing: it must be " +
                                      std::to_string(N) + " bytes");
  }
  return absl::InvalidArgumentError(std::string(name) + " has " + std::to_string(value.size()) +
                                    " bytes: it must be " + std::to_string(N));
}

// The keys of a generation; `name` is the field that holds them.
absl::StatusOr<storage::GenerationKeySet> KeysField(const v1::GenerationKeys& keys,
                                                    const std::string& name, const Limits& limits);
v1::GenerationKeys ToProto(const storage::GenerationKeySet& keys);

absl::StatusOr<storage::ClosingRecord> ClosingField(const v1::Closing& closing,
                                                    const Limits& limits);
v1::Closing ToProto(const storage::ClosingRecord& closing);

absl::StatusOr<AccessRight> RightField(v1::Right right);

// gRPC keeps a request until it is answered, with whatever it holds beside what is known of it.
// `size`: the whole request's. Errors: InvalidArgument when that is too much beside its `payload`.
absl::Status CheckRequestSize(size_t size, const Limits& limits, uint64_t payload = 0);

// An expiry: 0 (never) or a time to come. Errors: InvalidArgument.
absl::Status CheckExpiryField(uint64_t expires_at, uint64_t now);

// An expiry as it is stored: in full minutes, the next one for what lies between, since nobody
// needs it finer and a second tells when somebody acted. 0 (never) stays.
uint64_t StoredExpiry(uint64_t expires_at);

// Checks that a token gives `right` on `object`.
// Errors: Unauthenticated for the token; PermissionDenied for another object or right.
absl::StatusOr<TokenClaims> TokenField(const Credentials& credentials, const std::string& token,
                                       const storage::ObjectId& object, AccessRight right,
                                       uint64_t now);

}  // namespace parley::server

#endif  // PARLEY_SERVER_CORE_REQUEST_FIELDS_H_
