#include "server/core/mailboxes.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "crypto/base/status_macros.h"
#include "crypto/primitives/hash.h"
#include "server/core/mailbox_log.h"
#include "server/core/mailbox_records.h"
#include "server/core/request_fields.h"
#include "server/core/signed_acts.h"
#include "server/core/sponsors.h"
#include "server/core/stored_records.h"
#include "server/core/stored_size.h"

namespace parley::server {
namespace {

using storage::AppendIdRecord;
using storage::EntryRecord;
using storage::GenerationRecord;
using storage::MailboxRecord;
using storage::ObjectId;

// Of everything that a creation asks for but its payment, which must leave no trace.
storage::TokenHash CreationHash(const v1::CreateMailboxRequest& request,
                                const storage::GenerationKeySet& keys) {
  return crypto::Sha256({ClosingMessage(*storage::IdFrom<32>(request.mailbox_id()), 0, "", keys),
                         crypto::BigEndian64(request.allowance().entries()),
                         crypto::BigEndian64(request.allowance().bytes()),
                         crypto::BigEndian64(StoredExpiry(request.expires_at()))});
}

absl::Status Stale(uint64_t current) {
  absl::Status status = absl::AbortedError("this generation is closed; the current one is " +
                                           std::to_string(current) +
                                           ": read up to the closing entry and append to that");
  v1::StaleGeneration details;
  details.set_current_generation(current);
  status.SetPayload(kStaleGenerationPayload, absl::Cord(details.SerializeAsString()));
  return status;
}

// Pays for `size` bytes that an append stores. What the quota doesn't hold any more comes out of
// the mailbox's reserve, which is filled up again as soon as there is room. So nobody who fills the
// quota keeps a channel from removing somebody and saying so; and since the reserve was charged
// when it was set aside, the quota is never exceeded.
absl::Status ChargeMailbox(Transaction& transaction, const Limits& limits, uint64_t size,
                           bool closes, MailboxRecord& mailbox) {
  PARLEY_ASSIGN_OR_RETURN(const uint64_t free, FreeBytes(transaction, mailbox.sponsor));
  const uint64_t lacking = size > free ? size - free : 0;
  const uint64_t kept = closes ? 0 : FullReserve(mailbox, limits) / limits.entries_reserve_divisor;
  const uint64_t usable = mailbox.reserved_bytes - std::min(mailbox.reserved_bytes, kept);
  if (lacking > usable) return Charge(transaction, mailbox.sponsor, size, 0);  // says what is wrong
  if (closes) mailbox.closed_bytes += size;
  mailbox.reserved_bytes -= lacking;
  const uint64_t full = FullReserve(mailbox, limits);
  const uint64_t refill =
      std::min(full - std::min(full, mailbox.reserved_bytes), free - std::min(free, size));
  mailbox.reserved_bytes += refill;
  return Charge(transaction, mailbox.sponsor, size - lacking + refill, 0);
}

}  // namespace

void Mailboxes::Create(const v1::CreateMailboxRequest& request, Done done) {
  absl::StatusOr<ObjectId> id = FixedField<32>(request.mailbox_id(), "mailbox_id");
  if (!id.ok()) return done(id.status());
  absl::StatusOr<storage::GenerationKeySet> keys = KeysField(request.keys(), "keys", core_.limits);
  if (!keys.ok()) return done(keys.status());
  absl::StatusOr<Payment> payment = PaymentField(core_.credentials, request);
  if (!payment.ok()) return done(payment.status());
  const uint64_t now = core_.Now();

  MailboxRecord record;
  record.creation_hash = CreationHash(request, *keys);
  record.expires_at = StoredExpiry(request.expires_at());
  record.allowed_entries = request.allowance().entries() != 0
                               ? request.allowance().entries()
                               : uint64_t{core_.limits.default_allowed_entries};
  record.allowed_bytes = request.allowance().bytes() != 0
                             ? request.allowance().bytes()
                             : uint64_t{core_.limits.default_allowed_bytes};
  if (payment->voucher.has_value()) {
    record.most_stored_bytes = payment->voucher->max_bytes != 0
                                   ? payment->voucher->max_bytes
                                   : uint64_t{core_.limits.default_allowed_bytes};
  }
  GenerationRecord generation;
  generation.keys = *std::move(keys);
  record.stored_bytes = StoredSize(generation.keys, core_.limits);
  record.reserved_bytes = FullReserve(record, core_.limits);

  core_.queue.Submit(
      request.ByteSizeLong(),
      [this, id = *id, payment = *payment, record, generation, now,
       counted = false](Transaction& transaction) mutable -> absl::Status {
        PARLEY_ASSIGN_OR_RETURN(record.sponsor, FindSponsor(transaction, payment));
        PARLEY_ASSIGN_OR_RETURN(std::optional<MailboxRecord> existing,
                                transaction.LoadRecord<MailboxRecord>(storage::MailboxKey(id)));
        if (existing.has_value()) {
          if (existing->creation_hash == record.creation_hash) return absl::OkStatus();
          return absl::AlreadyExistsError("this mailbox_id is in use: choose a random one");
        }
        PARLEY_RETURN_IF_ERROR(CheckExpiryField(record.expires_at, now));
        PARLEY_RETURN_IF_ERROR(SpendVoucher(transaction, payment, now));
        if (record.most_stored_bytes != 0 && record.stored_bytes > record.most_stored_bytes) {
          return Exhausted(v1::Exhausted::WHAT_VOUCHER,
                           "the voucher doesn't pay for so many append keys");
        }
        PARLEY_RETURN_IF_ERROR(
            Charge(transaction, record.sponsor, record.stored_bytes + record.reserved_bytes, 1));
        // Last: who is refused takes nothing from the sponsor's others. Once, though the step may
        // be repeated.
        if (!counted) PARLEY_RETURN_IF_ERROR(CheckRate(core_.rates, record.sponsor));
        counted = true;
        transaction.Put(storage::MailboxKey(id), storage::SerializeRecord(record));
        transaction.Put(storage::GenerationKey(id, 1), storage::SerializeRecord(generation));
        PutExpiry(transaction, id, record.expires_at);
        return absl::OkStatus();
      },
      std::move(done));
}

// An append on its way through the queue.
struct Mailboxes::PendingAppend {
  const v1::AppendRequest* request;
  ObjectId mailbox;
  storage::AppendId append_id;
  std::optional<storage::ClosingRecord> closing;
  uint64_t now;
  uint64_t position;  // the result
};

void Mailboxes::Append(const v1::AppendRequest& request, AppendDone done, Haste haste) {
  auto pending = std::make_shared<PendingAppend>();
  auto checked = [&]() -> absl::Status {
    pending->request = &request;
    pending->now = core_.Now();
    PARLEY_ASSIGN_OR_RETURN(pending->mailbox, FixedField<32>(request.mailbox_id(), "mailbox_id"));
    PARLEY_ASSIGN_OR_RETURN(pending->append_id, FixedField<16>(request.append_id(), "append_id"));
    if (request.generation() == 0) return absl::InvalidArgumentError("generation is missing");
    if (request.payload().size() > core_.limits.max_entry_bytes) {
      return absl::InvalidArgumentError("payload has " + std::to_string(request.payload().size()) +
                                        " bytes: it may have " +
                                        std::to_string(core_.limits.max_entry_bytes));
    }
    if (request.payload().empty() && !request.has_closing()) {
      return absl::InvalidArgumentError("payload is missing: only a closing may be empty");
    }
    PARLEY_ASSIGN_OR_RETURN(TokenClaims claims,
                            TokenField(core_.credentials, request.token(), pending->mailbox,
                                       AccessRight::kAppend, pending->now));
    if (claims.generation != request.generation()) {
      return absl::PermissionDeniedError("the session token is for another generation");
    }
    if (!request.has_closing()) return absl::OkStatus();
    if (request.payload().size() > core_.limits.max_closing_bytes) {
      return absl::InvalidArgumentError("payload has " + std::to_string(request.payload().size()) +
                                        " bytes: in a closing it may have " +
                                        std::to_string(core_.limits.max_closing_bytes));
    }
    PARLEY_ASSIGN_OR_RETURN(pending->closing, ClosingField(request.closing(), core_.limits));
    return CheckClosing(*pending);
  };
  if (absl::Status status = checked(); !status.ok()) return done(std::move(status));
  const size_t bytes = request.ByteSizeLong() + core_.limits.entry_overhead_bytes;
  auto step = [this, pending](Transaction& transaction) {
    return AppendStep(transaction, *pending);
  };
  auto end = [pending, done = std::move(done)](absl::Status status) {
    if (status.ok()) return done(pending->position);
    done(std::move(status));
  };
  if (haste == Haste::kTogether) {
    core_.queue.Submit(bytes, std::move(step), std::move(end));
  } else {
    core_.queue.SubmitEagerly(bytes, std::move(step), std::move(end));
  }
}

// Here and not in the step: a signature check takes longer than all the rest of an append, and the
// keys of a generation never change.
absl::Status Mailboxes::CheckClosing(const PendingAppend& pending) const {
  const uint64_t generation = pending.request->generation();
  PARLEY_ASSIGN_OR_RETURN(std::optional<GenerationRecord> record,
                          GetRecord<GenerationRecord>(
                              core_.store, storage::GenerationKey(pending.mailbox, generation)));
  if (!record.has_value()) return NoSuchMailbox();
  const crypto::Bytes message = ClosingMessage(
      pending.mailbox, generation, pending.request->payload(), pending.closing->next_keys);
  if (!crypto::VerifySignature(record->keys.control_key, message,
                               pending.closing->control_signature)
           .ok()) {
    return absl::UnauthenticatedError(
        "the closing is not signed by the control key of its generation");
  }
  return absl::OkStatus();
}

absl::Status Mailboxes::AppendStep(Transaction& transaction, PendingAppend& pending) const {
  const v1::AppendRequest& request = *pending.request;
  PARLEY_ASSIGN_OR_RETURN(
      std::optional<MailboxRecord> mailbox,
      transaction.LoadRecord<MailboxRecord>(storage::MailboxKey(pending.mailbox)));
  if (!mailbox.has_value() || IsExpired(mailbox->expires_at, pending.now)) return NoSuchMailbox();

  // Repeats come before staleness: who asks again after an answer was lost gets that answer.
  std::string append_id_key = storage::AppendIdKey(pending.mailbox, pending.append_id);
  PARLEY_ASSIGN_OR_RETURN(std::optional<AppendIdRecord> earlier,
                          transaction.PeekRecord<AppendIdRecord>(append_id_key));
  if (earlier.has_value()) {
    PARLEY_ASSIGN_OR_RETURN(pending.position,
                            RepeatedAppend(transaction, pending, earlier->position));
    return absl::OkStatus();
  }
  if (request.generation() != mailbox->generation) return Stale(mailbox->generation);

  PARLEY_RETURN_IF_ERROR(Pay(transaction, pending, *mailbox));
  mailbox->head += 1;
  mailbox->used_entries += 1;
  mailbox->used_bytes += request.payload().size();
  pending.position = mailbox->head;

  EntryRecord entry;
  entry.generation = request.generation();
  entry.append_id = pending.append_id;
  entry.closing = pending.closing;
  transaction.Put(storage::EntryKey(pending.mailbox, pending.position),
                  storage::SerializeEntry(entry, request.payload()));
  transaction.Put(std::move(append_id_key),
                  storage::SerializeRecord(AppendIdRecord{pending.position}));
  if (pending.closing.has_value()) {
    PARLEY_RETURN_IF_ERROR(CloseGeneration(transaction, pending, *mailbox));
  }
  transaction.Put(storage::MailboxKey(pending.mailbox), storage::SerializeRecord(*mailbox));
  return absl::OkStatus();
}

absl::Status Mailboxes::Pay(Transaction& transaction, const PendingAppend& pending,
                            MailboxRecord& mailbox) const {
  const Limits& limits = core_.limits;
  const bool closes = pending.closing.has_value();
  const size_t payload_bytes = pending.request->payload().size();
  uint64_t size = StoredSize(pending.closing, payload_bytes, limits);
  if (closes) size += StoredSize(pending.closing->next_keys, limits);  // as a generation of its own

  // A closing isn't held to the allowance, which it renews.
  if (!closes && (mailbox.used_entries >= mailbox.allowed_entries ||
                  mailbox.used_bytes + payload_bytes > mailbox.allowed_bytes)) {
    return Exhausted(v1::Exhausted::WHAT_ALLOWANCE,
                     "the mailbox's allowance is used up until its generation is closed");
  }
  const bool by_voucher = mailbox.most_stored_bytes != 0;
  if (by_voucher) {
    const uint64_t room = closes
                              ? 0
                              : std::min(limits.closing_room_bytes,
                                         mailbox.most_stored_bytes / limits.closing_room_divisor);
    if (mailbox.stored_bytes + size > mailbox.most_stored_bytes - room) {
      return Exhausted(v1::Exhausted::WHAT_MAILBOX,
                       "the mailbox is full, for the voucher that it was made with: trim it");
    }
  }

  PARLEY_RETURN_IF_ERROR(ChargeMailbox(transaction, limits, size, closes, mailbox));
  mailbox.stored_bytes += size;
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> Mailboxes::RepeatedAppend(Transaction& transaction,
                                                   const PendingAppend& pending,
                                                   uint64_t position) const {
  PARLEY_ASSIGN_OR_RETURN(std::optional<std::string> bytes,
                          transaction.Peek(storage::EntryKey(pending.mailbox, position)));
  if (!bytes.has_value()) return absl::DataLossError("the store lacks an entry that it knows of");
  PARLEY_ASSIGN_OR_RETURN(storage::EntryView entry, storage::ParseEntry(*bytes));
  if (entry.record.generation != pending.request->generation() ||
      entry.payload != pending.request->payload() || entry.record.closing != pending.closing) {
    return absl::AlreadyExistsError("this append_id was used for another entry");
  }
  return position;
}

absl::Status Mailboxes::CloseGeneration(Transaction& transaction, const PendingAppend& pending,
                                        MailboxRecord& mailbox) const {
  std::string key = storage::GenerationKey(pending.mailbox, mailbox.generation);
  PARLEY_ASSIGN_OR_RETURN(std::optional<GenerationRecord> closed,
                          transaction.PeekRecord<GenerationRecord>(key));
  if (!closed.has_value()) return absl::DataLossError("the store lacks a mailbox's generation");
  closed->last_position = mailbox.head;
  transaction.Put(std::move(key), storage::SerializeRecord(*closed));
  GenerationRecord next;
  next.first_position = mailbox.head + 1;
  next.keys = pending.closing->next_keys;
  mailbox.generation += 1;
  mailbox.used_entries = 0;
  mailbox.used_bytes = 0;
  transaction.Put(storage::GenerationKey(pending.mailbox, mailbox.generation),
                  storage::SerializeRecord(next));
  return absl::OkStatus();
}

absl::Status Mailboxes::Read(const v1::ReadRequest& request, v1::ReadResponse& response) const {
  const Limits& limits = core_.limits;
  PARLEY_ASSIGN_OR_RETURN(ObjectId mailbox, FixedField<32>(request.mailbox_id(), "mailbox_id"));
  if (request.from() == 0)
    return absl::InvalidArgumentError("from is missing: positions begin at 1");
  const uint64_t now = core_.Now();
  PARLEY_ASSIGN_OR_RETURN(TokenClaims claims, TokenField(core_.credentials, request.token(),
                                                         mailbox, AccessRight::kRead, now));
  PARLEY_ASSIGN_OR_RETURN(LogWindow window,
                          LoadWindow(core_.store, mailbox, claims.generation, now));
  if (request.from() > window.last + 1) {
    return absl::OutOfRangeError("from lies beyond the generation's last entry, " +
                                 std::to_string(window.last));
  }
  const ReadBounds bounds = {
      std::min(request.max_entries() != 0 ? request.max_entries() : limits.default_read_entries,
               limits.max_read_entries),
      std::min(request.max_bytes() != 0 ? request.max_bytes() : limits.default_read_bytes,
               limits.max_read_bytes)};
  response.set_generation_head(window.last);
  response.set_closed(window.closed);
  response.set_first_position(window.first_kept);
  return ReadEntries(core_.store, mailbox, std::max(request.from(), window.first), window.last,
                     bounds, *response.mutable_entries());
}

}  // namespace parley::server
