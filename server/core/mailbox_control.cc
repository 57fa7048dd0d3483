// What the control key's holder does to a mailbox: trimming, expiring, deleting.
#include <algorithm>
#include <utility>
#include <vector>

#include "crypto/base/status_macros.h"
#include "server/core/mailbox_records.h"
#include "server/core/mailboxes.h"
#include "server/core/request_fields.h"
#include "server/core/signed_acts.h"
#include "server/core/sponsors.h"
#include "server/core/stored_records.h"
#include "server/core/stored_size.h"

namespace parley::server {

using storage::GenerationRecord;
using storage::MailboxRecord;
using storage::ObjectId;

absl::Status DeleteMailbox(Transaction& transaction, const ObjectId& mailbox,
                           const MailboxRecord& record) {
  for (const std::string& prefix : {storage::EntryPrefix(mailbox), storage::AppendIdPrefix(mailbox),
                                    storage::GenerationPrefix(mailbox)}) {
    transaction.DeletePrefix(prefix);
  }
  DeleteExpiry(transaction, mailbox, record.expires_at);
  transaction.Delete(storage::MailboxKey(mailbox));
  return Credit(transaction, record.sponsor, record.stored_bytes + record.reserved_bytes, 1);
}

// A control act whose signature has been checked.
struct Mailboxes::PendingControl {
  ObjectId mailbox;
  uint64_t generation;
  ControlAct act;
  uint64_t argument;
};

absl::StatusOr<Mailboxes::PendingControl> Mailboxes::CheckControl(
    const v1::ControlMailboxRequest& request) const {
  PendingControl pending{};
  PARLEY_ASSIGN_OR_RETURN(pending.mailbox, FixedField<32>(request.mailbox_id(), "mailbox_id"));
  PARLEY_ASSIGN_OR_RETURN(storage::Signature signature,
                          FixedField<64>(request.control_signature(), "control_signature"));
  pending.generation = request.generation();
  if (pending.generation == 0) return absl::InvalidArgumentError("generation is missing");
  const uint64_t now = core_.Now();
  switch (request.act_case()) {
    case v1::ControlMailboxRequest::kTrim:
      pending.act = ControlAct::kTrim;
      pending.argument = request.trim().first_position();
      break;
    case v1::ControlMailboxRequest::kExpire:
      pending.act = ControlAct::kExpire;
      pending.argument = request.expire().expires_at();
      PARLEY_RETURN_IF_ERROR(CheckExpiryField(pending.argument, now));
      break;
    case v1::ControlMailboxRequest::kDelete:
      pending.act = ControlAct::kDelete;
      break;
    default:
      return absl::InvalidArgumentError("the act is missing: trim, expire or delete");
  }
  PARLEY_RETURN_IF_ERROR(core_.credentials.CheckChallenge(request.challenge(), now));
  PARLEY_ASSIGN_OR_RETURN(
      std::optional<GenerationRecord> generation,
      GetRecord<GenerationRecord>(core_.store,
                                  storage::GenerationKey(pending.mailbox, pending.generation)));
  const crypto::Bytes message =
      ControlMessage(core_.identity.key.public_key(), request.challenge(), pending.mailbox,
                     pending.generation, pending.act, pending.argument);
  if (!generation.has_value() ||
      !crypto::VerifySignature(generation->keys.control_key, message, signature).ok()) {
    return absl::NotFoundError("no such mailbox, or this is not signed by its control key");
  }
  return pending;
}

void Mailboxes::Control(const v1::ControlMailboxRequest& request, Done done) {
  absl::StatusOr<PendingControl> checked = CheckControl(request);
  if (!checked.ok()) return done(checked.status());
  const PendingControl pending = *checked;
  if (pending.act == ControlAct::kTrim) {
    background_.Post([this, pending, done = std::move(done)] {
      done(Trim(pending.mailbox, pending.generation, pending.argument));
    });
    return;
  }
  core_.queue.Submit(
      request.ByteSizeLong(),
      [pending](Transaction& transaction) -> absl::Status {
        const std::string key = storage::MailboxKey(pending.mailbox);
        PARLEY_ASSIGN_OR_RETURN(std::optional<MailboxRecord> mailbox,
                                transaction.LoadRecord<MailboxRecord>(key));
        if (!mailbox.has_value()) return NoSuchMailbox();
        if (mailbox->generation != pending.generation) {
          return absl::FailedPreconditionError(
              "this generation is closed: sign with the keys of "
              "the current one");
        }
        if (pending.act == ControlAct::kDelete) {
          return DeleteMailbox(transaction, pending.mailbox, *mailbox);
        }
        DeleteExpiry(transaction, pending.mailbox, mailbox->expires_at);
        mailbox->expires_at = StoredExpiry(pending.argument);
        PutExpiry(transaction, pending.mailbox, mailbox->expires_at);
        transaction.Put(key, storage::SerializeRecord(*mailbox));
        return absl::OkStatus();
      },
      std::move(done));
}

// In slices, each of them whole by itself, so that neither other appends nor a crash are a concern.
// What lies below the head never changes, hence may be read outside of the step.
absl::Status Mailboxes::Trim(const ObjectId& mailbox, uint64_t generation,
                             uint64_t first_position) const {
  constexpr uint64_t kSlice = 256;
  const std::string key = storage::MailboxKey(mailbox);
  while (true) {
    PARLEY_ASSIGN_OR_RETURN(std::optional<MailboxRecord> seen,
                            GetRecord<MailboxRecord>(core_.store, key));
    if (!seen.has_value()) return NoSuchMailbox();
    if (seen->generation != generation) {
      return absl::FailedPreconditionError(
          "this generation is closed: sign with the keys of the "
          "current one");
    }
    if (first_position > seen->head + 1) {
      return absl::OutOfRangeError("first_position lies beyond the head, " +
                                   std::to_string(seen->head));
    }
    const uint64_t begin = seen->first_position;
    if (first_position <= begin) return absl::OkStatus();
    const uint64_t end = std::min(first_position, begin + kSlice);

    std::vector<std::string> doomed;
    uint64_t bytes = 0;
    absl::Status damage;
    PARLEY_RETURN_IF_ERROR(core_.store.Scan(
        storage::Space::kEntries, storage::EntryKey(mailbox, begin),
        storage::EntryKey(mailbox, end), [&](std::string_view entry_key, std::string_view value) {
          absl::StatusOr<storage::EntryView> entry = storage::ParseEntry(value);
          if (!entry.ok()) {
            damage = entry.status();
            return false;
          }
          doomed.emplace_back(entry_key);
          doomed.push_back(storage::AppendIdKey(mailbox, entry->record.append_id));
          bytes += StoredSize(entry->record.closing, entry->payload.size(), core_.limits);
          return true;
        }));
    PARLEY_RETURN_IF_ERROR(damage);
    PARLEY_RETURN_IF_ERROR(core_.store.Scan(
        storage::Space::kRecords, storage::GenerationPrefix(mailbox),
        storage::GenerationKey(mailbox, generation),
        [&](std::string_view generation_key, std::string_view value) {
          absl::StatusOr<GenerationRecord> record = storage::ParseRecord<GenerationRecord>(value);
          if (!record.ok() || record->last_position >= end) return false;
          doomed.emplace_back(generation_key);
          bytes += StoredSize(record->keys, core_.limits);
          return true;
        }));

    PARLEY_RETURN_IF_ERROR(core_.queue.Run([&](Transaction& transaction) -> absl::Status {
      PARLEY_ASSIGN_OR_RETURN(std::optional<MailboxRecord> record,
                              transaction.LoadRecord<MailboxRecord>(key));
      if (!record.has_value()) return NoSuchMailbox();
      // Only this thread trims; a mailbox deleted and made anew meanwhile begins at 1 again.
      if (record->first_position != begin || record->head + 1 < end) return NoSuchMailbox();
      record->first_position = end;
      record->stored_bytes -= std::min(record->stored_bytes, bytes);
      // The mailbox's own reserve comes before whoever waits for room in the quota.
      const uint64_t full = FullReserve(*record, core_.limits);
      const uint64_t refill = std::min(full - std::min(full, record->reserved_bytes), bytes);
      record->reserved_bytes += refill;
      transaction.Put(key, storage::SerializeRecord(*record));
      for (const std::string& doomed_key : doomed) transaction.Delete(doomed_key);
      return Credit(transaction, record->sponsor, bytes - refill, 0);
    }));
  }
}

}  // namespace parley::server
