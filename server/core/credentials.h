// What the relay hands out and checks without a look-up: challenges, session tokens, vouchers.
//
// Each is `version (1) || fields || MAC (32)` under a key of its own, derived from the relay
// secret, so that one kind can't stand in for another and every process that shares the secret can
// check it.
//
// Errors: one Unauthenticated for whatever isn't valid; its message says malformed, forged or
// expired. Threading: any thread; the object doesn't change after it was made.
#ifndef PARLEY_SERVER_CORE_CREDENTIALS_H_
#define PARLEY_SERVER_CORE_CREDENTIALS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/base/secret.h"
#include "storage/records/records.h"

namespace parley::server {

// Values as in relay.proto's Right.
enum class AccessRight : uint8_t { kRead = 1, kAppend = 2, kWrite = 3 };

struct TokenClaims {
  storage::ObjectId object{};
  uint64_t generation = 0;  // 0: the object is a blob
  AccessRight right = AccessRight::kRead;
  uint64_t expires_at = 0;
};

struct VoucherClaims {
  storage::VoucherId id{};
  storage::SponsorId sponsor{};
  uint64_t epoch = 0;  // of the sponsor, when it was issued
  uint64_t max_bytes = 0;
  uint64_t expires_at = 0;
};

class Credentials {
 public:
  // `relay_secret`: 32 bytes.
  explicit Credentials(const crypto::Secret& relay_secret);

  // Good until `expires_at`; needs no state.
  std::string IssueChallenge(uint64_t expires_at) const;
  absl::Status CheckChallenge(std::string_view challenge, uint64_t now) const;

  std::string IssueToken(const TokenClaims& claims) const;
  absl::StatusOr<TokenClaims> CheckToken(std::string_view token, uint64_t now) const;

  std::string IssueVoucher(const VoucherClaims& claims) const;
  // Doesn't look at the expiry or the epoch: a repeated request is answered after them,
  // too.
  absl::StatusOr<VoucherClaims> CheckVoucher(std::string_view voucher) const;

 private:
  crypto::Secret challenge_key_;
  crypto::Secret token_key_;
  crypto::Secret voucher_key_;
};

}  // namespace parley::server

#endif  // PARLEY_SERVER_CORE_CREDENTIALS_H_
