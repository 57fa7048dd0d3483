#include "server/core/mailbox_records.h"

#include <algorithm>
#include <string>

namespace parley::server {

using storage::MailboxRecord;
using storage::ObjectId;

absl::Status NoSuchMailbox() { return absl::NotFoundError("no such mailbox"); }

uint64_t FullReserve(const MailboxRecord& mailbox, const Limits& limits) {
  if (mailbox.most_stored_bytes != 0) return 0;
  return std::clamp(std::min(mailbox.closed_bytes, limits.most_closing_reserve_bytes) *
                        limits.closing_reserve_factor,
                    limits.least_closing_reserve_bytes, limits.most_closing_reserve_bytes);
}

void PutExpiry(Transaction& transaction, const ObjectId& mailbox, uint64_t expires_at) {
  if (expires_at == 0) return;
  transaction.Put(
      storage::ExpiryKey(expires_at, storage::ExpiringKind::kMailbox, storage::IdView(mailbox)),
      std::string());
}

void DeleteExpiry(Transaction& transaction, const ObjectId& mailbox, uint64_t expires_at) {
  if (expires_at == 0) return;
  transaction.Delete(
      storage::ExpiryKey(expires_at, storage::ExpiringKind::kMailbox, storage::IdView(mailbox)));
}

}  // namespace parley::server
