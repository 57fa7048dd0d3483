#include "server/core/sponsors.h"

#include <algorithm>

#include "crypto/base/status_macros.h"
#include "crypto/primitives/hash.h"
#include "crypto/primitives/random.h"
#include "server/core/request_fields.h"
#include "server/core/stored_records.h"

namespace parley::server {
namespace {

using storage::SponsorId;
using storage::SponsorLinkRecord;
using storage::SponsorRecord;

constexpr size_t kSponsorTokenSize = 32;

absl::Status UnknownSponsor() {
  return absl::UnauthenticatedError(
      "the sponsor token or voucher is not valid (any more): ask the relay's operator");
}

storage::TokenHash HashOfToken(std::string_view token) {
  return crypto::Sha256({crypto::ViewOf(token)});
}

absl::Status CheckName(const std::string& name) {
  const bool printable = std::all_of(name.begin(), name.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F;
  });
  if (name.empty() || name.size() > 64 || !printable) {
    return absl::InvalidArgumentError("a sponsor's name is 1 to 64 printable characters");
  }
  return absl::OkStatus();
}

// A sponsor that an object was made by; its absence is damage.
absl::StatusOr<SponsorRecord> LoadCharged(Transaction& transaction, const SponsorId& sponsor) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<SponsorRecord> record,
                          transaction.LoadRecord<SponsorRecord>(storage::SponsorKey(sponsor)));
  if (!record.has_value())
    return absl::DataLossError("an object's sponsor is missing in the store");
  return *std::move(record);
}

}  // namespace

template <typename Request>
absl::StatusOr<Payment> PaymentField(const Credentials& credentials, const Request& request) {
  Payment payment;
  switch (request.credential_case()) {
    case Request::kSponsorToken:
      payment.sponsor_token_hash = HashOfToken(request.sponsor_token());
      return payment;
    case Request::kVoucher: {
      PARLEY_ASSIGN_OR_RETURN(payment.voucher, credentials.CheckVoucher(request.voucher()));
      return payment;
    }
    default:
      return absl::InvalidArgumentError("a sponsor_token or a voucher is missing");
  }
}
template absl::StatusOr<Payment> PaymentField(const Credentials&, const v1::CreateMailboxRequest&);
template absl::StatusOr<Payment> PaymentField(const Credentials&, const v1::CreateBlobRequest&);

absl::Status Exhausted(v1::Exhausted::What what, const std::string& message) {
  absl::Status status = absl::ResourceExhaustedError(message);
  v1::Exhausted details;
  details.set_what(what);
  status.SetPayload(kExhaustedPayload, absl::Cord(details.SerializeAsString()));
  return status;
}

absl::StatusOr<SponsorId> FindSponsor(Transaction& transaction, const Payment& payment) {
  SponsorId sponsor{};
  if (payment.voucher.has_value()) {
    sponsor = payment.voucher->sponsor;
  } else {
    PARLEY_ASSIGN_OR_RETURN(std::optional<SponsorLinkRecord> link,
                            transaction.LoadRecord<SponsorLinkRecord>(
                                storage::SponsorTokenKey(*payment.sponsor_token_hash)));
    if (!link.has_value()) return UnknownSponsor();
    sponsor = link->sponsor;
  }
  PARLEY_ASSIGN_OR_RETURN(std::optional<SponsorRecord> record,
                          transaction.LoadRecord<SponsorRecord>(storage::SponsorKey(sponsor)));
  if (!record.has_value() || record->removed != 0) return UnknownSponsor();
  return sponsor;
}

absl::Status CheckRate(RateLimits& rates, const SponsorId& sponsor) {
  const std::chrono::milliseconds wait = rates.OfSponsor(storage::IdView(sponsor));
  return wait.count() == 0 ? absl::OkStatus() : TooOften(wait, "this sponsor");
}

absl::Status SpendVoucher(Transaction& transaction, const Payment& payment, uint64_t now) {
  if (!payment.voucher.has_value()) return absl::OkStatus();
  const VoucherClaims& voucher = *payment.voucher;
  if (IsExpired(voucher.expires_at, now)) {
    return absl::UnauthenticatedError("this voucher has expired: ask for a new one");
  }
  PARLEY_ASSIGN_OR_RETURN(SponsorRecord sponsor, LoadCharged(transaction, voucher.sponsor));
  if (voucher.epoch != sponsor.voucher_epoch) {
    return absl::UnauthenticatedError(
        "this voucher was issued before the sponsor's connection string was renewed, and is void: "
        "ask the mediator for a new invitation, or for new vouchers");
  }
  std::string key = storage::SpentVoucherKey(voucher.id);
  PARLEY_ASSIGN_OR_RETURN(std::optional<std::string> spent, transaction.Load(key));
  if (spent.has_value()) {
    return absl::UnauthenticatedError("this voucher has been used: ask for a new one");
  }
  transaction.Put(std::move(key),
                  storage::SerializeRecord(storage::SpentVoucherRecord{voucher.expires_at}));
  if (voucher.expires_at != 0) {
    transaction.Put(storage::ExpiryKey(voucher.expires_at, storage::ExpiringKind::kVoucher,
                                       storage::IdView(voucher.id)),
                    std::string());
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> FreeBytes(Transaction& transaction, const SponsorId& sponsor) {
  PARLEY_ASSIGN_OR_RETURN(SponsorRecord record, LoadCharged(transaction, sponsor));
  return record.quota_bytes - std::min(record.quota_bytes, record.used_bytes);
}

absl::Status Charge(Transaction& transaction, const SponsorId& sponsor, uint64_t bytes,
                    uint64_t objects) {
  PARLEY_ASSIGN_OR_RETURN(SponsorRecord record, LoadCharged(transaction, sponsor));
  if (bytes > record.quota_bytes || record.used_bytes > record.quota_bytes - bytes) {
    return Exhausted(
        v1::Exhausted::WHAT_QUOTA,
        "the sponsor's quota of bytes is used up: delete something, or ask the relay's operator "
        "for more");
  }
  if (objects > record.quota_objects || record.used_objects > record.quota_objects - objects) {
    return Exhausted(
        v1::Exhausted::WHAT_QUOTA,
        "the sponsor's quota of objects is used up: delete something, or ask the relay's operator "
        "for more");
  }
  record.used_bytes += bytes;
  record.used_objects += objects;
  transaction.Put(storage::SponsorKey(sponsor), storage::SerializeRecord(record));
  return absl::OkStatus();
}

absl::Status CheckReserve(Transaction& transaction, const SponsorId& sponsor, uint64_t bytes,
                          uint64_t divisor) {
  PARLEY_ASSIGN_OR_RETURN(SponsorRecord record, LoadCharged(transaction, sponsor));
  const uint64_t limit = record.quota_bytes - record.quota_bytes / divisor;
  if (bytes <= limit && record.used_bytes <= limit - bytes) return absl::OkStatus();
  return Exhausted(
      v1::Exhausted::WHAT_QUOTA,
      "the sponsor's quota of bytes is used up, but for what is kept for messages: delete "
      "something, or ask the relay's operator for more");
}

absl::Status Credit(Transaction& transaction, const SponsorId& sponsor, uint64_t bytes,
                    uint64_t objects) {
  PARLEY_ASSIGN_OR_RETURN(SponsorRecord record, LoadCharged(transaction, sponsor));
  record.used_bytes -= std::min(record.used_bytes, bytes);
  record.used_objects -= std::min(record.used_objects, objects);
  if (record.removed != 0 && record.used_objects == 0) {
    transaction.Delete(storage::SponsorKey(sponsor));
  } else {
    transaction.Put(storage::SponsorKey(sponsor), storage::SerializeRecord(record));
  }
  return absl::OkStatus();
}

absl::StatusOr<crypto::Secret> Sponsors::Add(const std::string& name, uint64_t quota_bytes,
                                             uint64_t quota_objects) {
  PARLEY_RETURN_IF_ERROR(CheckName(name));
  const SponsorId sponsor = crypto::RandomArray<16>();
  crypto::Secret token = crypto::Secret::Random(kSponsorTokenSize);
  SponsorRecord record;
  record.name = name;
  record.token_hash = crypto::Sha256({token.Reveal()});
  record.quota_bytes = quota_bytes;
  record.quota_objects =
      quota_objects == 0 ? uint64_t{core_.limits.default_quota_objects} : quota_objects;
  PARLEY_RETURN_IF_ERROR(core_.queue.Run([&](Transaction& transaction) -> absl::Status {
    PARLEY_ASSIGN_OR_RETURN(std::optional<std::string> taken,
                            transaction.Load(storage::SponsorNameKey(name)));
    if (taken.has_value()) {
      return absl::AlreadyExistsError(
          "there is a sponsor \"" + name +
          "\" already: take another name; or, for a new connection "
          "string of this one, renew it (parley-relay sponsor renew \"" +
          name + "\")");
    }
    const std::string link = storage::SerializeRecord(SponsorLinkRecord{sponsor});
    transaction.Put(storage::SponsorNameKey(name), link);
    transaction.Put(storage::SponsorTokenKey(record.token_hash), link);
    transaction.Put(storage::SponsorKey(sponsor), storage::SerializeRecord(record));
    return absl::OkStatus();
  }));
  return token;
}

absl::StatusOr<std::vector<SponsorInfo>> Sponsors::List() const {
  std::vector<SponsorInfo> sponsors;
  absl::Status damage;
  const std::string prefix(storage::kSponsorPrefix);
  PARLEY_RETURN_IF_ERROR(core_.store.Scan(
      storage::Space::kRecords, prefix, storage::PrefixEnd(prefix),
      [&](std::string_view, std::string_view value) {
        absl::StatusOr<SponsorRecord> record = storage::ParseRecord<SponsorRecord>(value);
        if (!record.ok()) {
          damage = record.status();
          return false;
        }
        sponsors.push_back({record->name, record->quota_bytes, record->quota_objects,
                            record->used_bytes, record->used_objects, record->removed != 0});
        return true;
      }));
  PARLEY_RETURN_IF_ERROR(damage);
  std::sort(sponsors.begin(), sponsors.end(),
            [](const SponsorInfo& a, const SponsorInfo& b) { return a.name < b.name; });
  return sponsors;
}

absl::StatusOr<crypto::Secret> Sponsors::Renew(const std::string& name) {
  crypto::Secret token = crypto::Secret::Random(kSponsorTokenSize);
  const storage::TokenHash hash = crypto::Sha256({token.Reveal()});
  PARLEY_RETURN_IF_ERROR(core_.queue.Run([&](Transaction& transaction) -> absl::Status {
    PARLEY_ASSIGN_OR_RETURN(
        std::optional<SponsorLinkRecord> link,
        transaction.LoadRecord<SponsorLinkRecord>(storage::SponsorNameKey(name)));
    if (!link.has_value()) return absl::NotFoundError("there is no sponsor \"" + name + "\"");
    PARLEY_ASSIGN_OR_RETURN(SponsorRecord record, LoadCharged(transaction, link->sponsor));
    transaction.Delete(storage::SponsorTokenKey(record.token_hash));
    record.token_hash = hash;
    record.voucher_epoch += 1;
    transaction.Put(storage::SponsorTokenKey(hash), storage::SerializeRecord(*link));
    transaction.Put(storage::SponsorKey(link->sponsor), storage::SerializeRecord(record));
    return absl::OkStatus();
  }));
  return token;
}

absl::Status Sponsors::Remove(const std::string& name) {
  return core_.queue.Run([&](Transaction& transaction) -> absl::Status {
    PARLEY_ASSIGN_OR_RETURN(
        std::optional<SponsorLinkRecord> link,
        transaction.LoadRecord<SponsorLinkRecord>(storage::SponsorNameKey(name)));
    if (!link.has_value()) return absl::NotFoundError("there is no sponsor \"" + name + "\"");
    PARLEY_ASSIGN_OR_RETURN(SponsorRecord record, LoadCharged(transaction, link->sponsor));
    transaction.Delete(storage::SponsorNameKey(name));
    transaction.Delete(storage::SponsorTokenKey(record.token_hash));
    record.removed = 1;
    if (record.used_objects == 0) {
      transaction.Delete(storage::SponsorKey(link->sponsor));
    } else {
      transaction.Put(storage::SponsorKey(link->sponsor), storage::SerializeRecord(record));
    }
    return absl::OkStatus();
  });
}

absl::Status Sponsors::IssueVouchers(const v1::IssueVouchersRequest& request,
                                     v1::IssueVouchersResponse& response) const {
  if (request.count() < 1 || request.count() > core_.limits.max_vouchers_per_call) {
    return absl::InvalidArgumentError("count must be 1 to " +
                                      std::to_string(core_.limits.max_vouchers_per_call));
  }
  if (request.sponsor_token().empty()) {
    return absl::InvalidArgumentError("sponsor_token is missing");
  }
  const uint64_t now = core_.Now();
  if (request.expires_at() == 0) {
    return absl::InvalidArgumentError("expires_at is missing: a voucher always expires");
  }
  PARLEY_RETURN_IF_ERROR(CheckExpiryField(request.expires_at(), now));
  if (request.expires_at() - now > core_.limits.max_voucher_seconds) {
    return absl::InvalidArgumentError(
        "expires_at lies too far ahead: a voucher is good for a year at most");
  }
  const uint64_t expires_at = StoredExpiry(request.expires_at());
  // Nothing is written, so a transaction that is never committed serves to look.
  Transaction transaction(core_.store);
  Payment payment;
  payment.sponsor_token_hash = HashOfToken(request.sponsor_token());
  PARLEY_ASSIGN_OR_RETURN(SponsorId sponsor, FindSponsor(transaction, payment));
  PARLEY_RETURN_IF_ERROR(CheckRate(core_.rates, sponsor));
  PARLEY_ASSIGN_OR_RETURN(SponsorRecord record, LoadCharged(transaction, sponsor));
  for (uint32_t i = 0; i < request.count(); ++i) {
    response.add_vouchers(
        core_.credentials.IssueVoucher({crypto::RandomArray<16>(), sponsor, record.voucher_epoch,
                                        request.max_bytes(), expires_at}));
  }
  return absl::OkStatus();
}

}  // namespace parley::server
