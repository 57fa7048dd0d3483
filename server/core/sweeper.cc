#include "server/core/sweeper.h"

#include <string>
#include <vector>

#include "crypto/base/status_macros.h"
#include "server/core/blobs.h"
#include "server/core/mailboxes.h"

namespace parley::server {
namespace {

using storage::ExpiringKind;

// The object's own record decides: its expiry may have been moved since, or it may be another one.
absl::Status ForgetMailbox(Transaction& transaction, const storage::ExpiryKeyParts& expiry) {
  std::optional<storage::ObjectId> id = storage::IdFrom<32>(expiry.id);
  if (!id.has_value()) return absl::OkStatus();
  PARLEY_ASSIGN_OR_RETURN(std::optional<storage::MailboxRecord> record,
                          transaction.LoadRecord<storage::MailboxRecord>(storage::MailboxKey(*id)));
  if (!record.has_value() || record->expires_at != expiry.expires_at) return absl::OkStatus();
  return DeleteMailbox(transaction, *id, *record);
}

absl::Status ForgetBlob(Transaction& transaction, const storage::ExpiryKeyParts& expiry) {
  std::optional<storage::ObjectId> id = storage::IdFrom<32>(expiry.id);
  if (!id.has_value()) return absl::OkStatus();
  PARLEY_ASSIGN_OR_RETURN(std::optional<storage::BlobRecord> record,
                          transaction.LoadRecord<storage::BlobRecord>(storage::BlobKey(*id)));
  if (!record.has_value() || record->expires_at != expiry.expires_at) return absl::OkStatus();
  return DeleteBlob(transaction, *id, *record);
}

absl::Status ForgetVoucher(Transaction& transaction, const storage::ExpiryKeyParts& expiry) {
  std::optional<storage::VoucherId> id = storage::IdFrom<16>(expiry.id);
  if (id.has_value()) transaction.Delete(storage::SpentVoucherKey(*id));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<size_t> SweepExpired(Core& core, size_t most) {
  std::vector<std::string> due;
  PARLEY_RETURN_IF_ERROR(core.store.Scan(storage::Space::kRecords,
                                         std::string(storage::kExpiryPrefix),
                                         storage::ExpiryKey(core.Now() + 1, ExpiringKind{}, ""),
                                         [&](std::string_view key, std::string_view) {
                                           due.emplace_back(key);
                                           return due.size() < most;
                                         }));
  for (const std::string& key : due) {
    PARLEY_RETURN_IF_ERROR(core.queue.Run([&key](Transaction& transaction) -> absl::Status {
      transaction.Delete(key);
      std::optional<storage::ExpiryKeyParts> expiry = storage::ParseExpiryKey(key);
      if (!expiry.has_value()) return absl::OkStatus();
      switch (expiry->kind) {
        case ExpiringKind::kMailbox:
          return ForgetMailbox(transaction, *expiry);
        case ExpiringKind::kBlob:
          return ForgetBlob(transaction, *expiry);
        case ExpiringKind::kVoucher:
          return ForgetVoucher(transaction, *expiry);
      }
      return absl::OkStatus();
    }));
  }
  return due.size();
}

}  // namespace parley::server
