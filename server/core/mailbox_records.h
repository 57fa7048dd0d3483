// What several of a mailbox's calls do with its records.
//
// Threading: free functions; those on a transaction take part in its step.
#ifndef PARLEY_SERVER_CORE_MAILBOX_RECORDS_H_
#define PARLEY_SERVER_CORE_MAILBOX_RECORDS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "server/core/core.h"

namespace parley::server {

// NotFound, in the words that all calls use.
absl::Status NoSuchMailbox();

// What a mailbox sets aside of its sponsor's quota, for when somebody has used up the rest. What a
// voucher made sets nothing aside: its owner is somebody else than the sponsor.
uint64_t FullReserve(const storage::MailboxRecord& mailbox, const Limits& limits);

// The record by which the sweeper finds what expires; none for 0, never.
void PutExpiry(Transaction& transaction, const storage::ObjectId& mailbox, uint64_t expires_at);
void DeleteExpiry(Transaction& transaction, const storage::ObjectId& mailbox, uint64_t expires_at);

}  // namespace parley::server

#endif  // PARLEY_SERVER_CORE_MAILBOX_RECORDS_H_
