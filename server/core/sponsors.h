// Sponsors and vouchers: who pays for mailboxes and blobs, and how much is left.
//
// A sponsor is a name, the hash of a token, and a quota of bytes and objects. A voucher is a MAC'd
// promise to pay for one object; once used its id is remembered until it expires, by itself:
// nothing says what it made.
//
// The free functions take part in a Transaction step; the class answers calls.
// Threading: any thread; the free functions on the queue's.
#ifndef PARLEY_SERVER_CORE_SPONSORS_H_
#define PARLEY_SERVER_CORE_SPONSORS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "parley/relay/v1/relay.pb.h"
#include "server/core/core.h"

namespace parley::server {

// A ResourceExhausted status that somebody can do something about carries a serialised
// relay.v1.Exhausted under this name.
inline constexpr char kExhaustedPayload[] = "type.googleapis.com/parley.relay.v1.Exhausted";
absl::Status Exhausted(relay::v1::Exhausted::What what, const std::string& message);

// What a create request pays with: exactly one of the two.
struct Payment {
  std::optional<storage::TokenHash> sponsor_token_hash;
  std::optional<VoucherClaims> voucher;
};

// Reads the `credential` of a create request. Errors: InvalidArgument when there is none;
// Unauthenticated for a voucher that isn't this relay's.
template <typename Request>
absl::StatusOr<Payment> PaymentField(const Credentials& credentials, const Request& request);

// The sponsor behind a payment. Errors: Unauthenticated when it is unknown or removed.
absl::StatusOr<storage::SponsorId> FindSponsor(Transaction& transaction, const Payment& payment);

// Whether a sponsor may make another object just now. Errors: ResourceExhausted, saying when.
absl::Status CheckRate(RateLimits& rates, const storage::SponsorId& sponsor);

// Marks a voucher as used; does nothing for a sponsor token.
// Errors: Unauthenticated when it has been used, has expired, or was issued before its sponsor's
// token was renewed.
absl::Status SpendVoucher(Transaction& transaction, const Payment& payment, uint64_t now);

// How many bytes of a sponsor's quota are left.
absl::StatusOr<uint64_t> FreeBytes(Transaction& transaction, const storage::SponsorId& sponsor);
// Takes `bytes` and `objects` from a sponsor's quota.
// Errors: ResourceExhausted, naming the quota.
absl::Status Charge(Transaction& transaction, const storage::SponsorId& sponsor, uint64_t bytes,
                    uint64_t objects);
// Whether a voucher's blob leaves this part of the quota free, so that who reserves all that
// vouchers pay for doesn't keep the others' mailboxes from taking entries.
// Errors: ResourceExhausted, naming the quota.
absl::Status CheckReserve(Transaction& transaction, const storage::SponsorId& sponsor,
                          uint64_t bytes, uint64_t divisor);
// Gives them back. A removed sponsor is forgotten with its last object.
absl::Status Credit(Transaction& transaction, const storage::SponsorId& sponsor, uint64_t bytes,
                    uint64_t objects);

// What the operator sees of a sponsor.
struct SponsorInfo {
  std::string name;
  uint64_t quota_bytes = 0;
  uint64_t quota_objects = 0;
  uint64_t used_bytes = 0;
  uint64_t used_objects = 0;
  bool removed = false;
};

class Sponsors {
 public:
  explicit Sponsors(Core& core) : core_(core) {}

  // Makes a sponsor and returns its token (32 bytes), which is stored as a hash only.
  // Errors: InvalidArgument for a name that isn't 1 to 64 printable characters; AlreadyExists.
  absl::StatusOr<crypto::Secret> Add(const std::string& name, uint64_t quota_bytes,
                                     uint64_t quota_objects);
  // Ordered by name.
  absl::StatusOr<std::vector<SponsorInfo>> List() const;
  // A new token for the same sponsor. From then on the old one makes nothing new and issues
  // nothing, and the vouchers that it issued are void; what both have made stays. Errors: NotFound.
  absl::StatusOr<crypto::Secret> Renew(const std::string& name);
  // From then on its token and vouchers make nothing new; what they made stays.
  // Errors: NotFound.
  absl::Status Remove(const std::string& name);

  // Errors: InvalidArgument, also for vouchers that would be good for more than a year;
  // Unauthenticated.
  absl::Status IssueVouchers(const relay::v1::IssueVouchersRequest& request,
                             relay::v1::IssueVouchersResponse& response) const;

 private:
  Core& core_;
};

}  // namespace parley::server

#endif  // PARLEY_SERVER_CORE_SPONSORS_H_
