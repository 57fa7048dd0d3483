#include "server/core/blobs.h"

#include <utility>

#include "crypto/base/status_macros.h"
#include "crypto/primitives/hash.h"
#include "server/core/request_fields.h"
#include "server/core/sponsors.h"
#include "server/core/stored_records.h"

namespace parley::server {
namespace {

using storage::BlobProgressRecord;
using storage::BlobRecord;
using storage::ObjectId;
using storage::Space;

absl::Status NoSuchBlob() { return absl::NotFoundError("no such blob"); }

absl::StatusOr<BlobRecord> FindBlob(const Core& core, const ObjectId& blob) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<BlobRecord> record,
                          GetRecord<BlobRecord>(core.store, storage::BlobKey(blob)));
  if (!record.has_value() || IsExpired(record->expires_at, core.Now())) return NoSuchBlob();
  return *std::move(record);
}

absl::StatusOr<BlobProgressRecord> FindProgress(const Core& core, const ObjectId& blob) {
  PARLEY_ASSIGN_OR_RETURN(
      std::optional<BlobProgressRecord> progress,
      GetRecord<BlobProgressRecord>(core.store, storage::BlobProgressKey(blob)));
  return progress.value_or(BlobProgressRecord());
}

absl::Status CheckBlobToken(const Core& core, const std::string& token, const ObjectId& blob,
                            AccessRight right) {
  PARLEY_ASSIGN_OR_RETURN(TokenClaims claims,
                          TokenField(core.credentials, token, blob, right, core.Now()));
  if (claims.generation != 0) {
    return absl::PermissionDeniedError("the session token is for a mailbox");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status BlobUpload::Start(const v1::UploadBlobRequest::Header& header) {
  PARLEY_ASSIGN_OR_RETURN(blob_, FixedField<32>(header.blob_id(), "header.blob_id"));
  PARLEY_RETURN_IF_ERROR(CheckBlobToken(core_, header.token(), blob_, AccessRight::kWrite));
  PARLEY_RETURN_IF_ERROR(Reload());
  started_ = true;
  return absl::OkStatus();
}

// Takes over what it has read only when the blob can be written: else a later chunk would find that
// its requirements hold.
absl::Status BlobUpload::Reload() {
  PARLEY_ASSIGN_OR_RETURN(std::optional<std::string> record_bytes,
                          core_.store.Get(Space::kRecords, storage::BlobKey(blob_)));
  if (!record_bytes.has_value()) return NoSuchBlob();
  PARLEY_ASSIGN_OR_RETURN(BlobRecord record, storage::ParseRecord<BlobRecord>(*record_bytes));
  if (IsExpired(record.expires_at, core_.Now())) return NoSuchBlob();
  if (record.sealed != 0) {
    return absl::FailedPreconditionError("the blob is sealed: it can't be written any more");
  }
  PARLEY_ASSIGN_OR_RETURN(std::optional<std::string> progress_bytes,
                          core_.store.Get(Space::kRecords, storage::BlobProgressKey(blob_)));
  BlobProgressRecord progress;
  if (progress_bytes.has_value()) {
    PARLEY_ASSIGN_OR_RETURN(progress, storage::ParseRecord<BlobProgressRecord>(*progress_bytes));
  }
  record_ = record;
  record_bytes_ = *std::move(record_bytes);
  progress_ = progress;
  progress_bytes_ = std::move(progress_bytes);
  return absl::OkStatus();
}

absl::StatusOr<BlobProgressRecord> BlobUpload::ProgressWith(uint64_t index, size_t size) const {
  BlobProgressRecord next = progress_;
  if (index > progress_.chunks) {
    return absl::OutOfRangeError("chunk " + std::to_string(index) + " came where chunk " +
                                 std::to_string(progress_.chunks) +
                                 " is the first that is missing");
  }
  if (index < progress_.chunks) {
    PARLEY_ASSIGN_OR_RETURN(std::optional<std::string> old,
                            core_.store.Get(Space::kChunks, storage::ChunkKey(blob_, index)));
    if (!old.has_value()) return absl::DataLossError("the relay's store lacks a chunk");
    next.bytes = next.bytes - old->size() + size;
  } else {
    if (progress_.bytes < progress_.chunks * core_.limits.min_chunk_bytes) {
      return absl::InvalidArgumentError("chunks but the last must have " +
                                        std::to_string(core_.limits.min_chunk_bytes) +
                                        " bytes or more");
    }
    next.chunks += 1;
    next.bytes += size;
  }
  if (next.bytes > record_.reserved_bytes) {
    return absl::ResourceExhaustedError("the blob was made for " +
                                        std::to_string(record_.reserved_bytes) +
                                        " bytes in all; this chunk goes beyond them");
  }
  return next;
}

absl::StatusOr<uint64_t> BlobUpload::Write(uint64_t index, std::string data) {
  if (!started_) return absl::InvalidArgumentError("the first message must be the header");
  if (data.empty()) return absl::InvalidArgumentError("chunk.data is missing");
  if (data.size() > core_.limits.max_chunk_bytes) {
    return absl::InvalidArgumentError("chunk.data has " + std::to_string(data.size()) +
                                      " bytes: it may have " +
                                      std::to_string(core_.limits.max_chunk_bytes));
  }
  // Another stream of the same blob, or its sealing, may come between: then look again.
  constexpr int kMostAttempts = 8;
  for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
    PARLEY_ASSIGN_OR_RETURN(BlobProgressRecord next, ProgressWith(index, data.size()));
    std::string next_bytes = storage::SerializeRecord(next);
    storage::WriteBatch batch;
    batch.Require(Space::kRecords, storage::BlobKey(blob_), record_bytes_);
    batch.Require(Space::kRecords, storage::BlobProgressKey(blob_), progress_bytes_);
    batch.Put(Space::kChunks, storage::ChunkKey(blob_, index), std::move(data));
    batch.Put(Space::kRecords, storage::BlobProgressKey(blob_), next_bytes);
    absl::Status status = core_.store.Commit(batch, storage::Durability::kBuffered);
    if (status.ok()) {
      progress_ = next;
      progress_bytes_ = std::move(next_bytes);
      return progress_.chunks;
    }
    if (status.code() != absl::StatusCode::kAborted) return status;
    data = batch.changes()[0].value;
    PARLEY_RETURN_IF_ERROR(Reload());
  }
  return absl::UnavailableError("several uploads of this blob are in each other's way");
}

void Blobs::Create(const v1::CreateBlobRequest& request, Done done) {
  ObjectId id{};
  BlobRecord record;
  Payment payment;
  auto checked = [&]() -> absl::Status {
    PARLEY_ASSIGN_OR_RETURN(id, FixedField<32>(request.blob_id(), "blob_id"));
    PARLEY_ASSIGN_OR_RETURN(record.read_key, FixedField<32>(request.read_key(), "read_key"));
    PARLEY_ASSIGN_OR_RETURN(record.write_key, FixedField<32>(request.write_key(), "write_key"));
    if (request.total_bytes() == 0) return absl::InvalidArgumentError("total_bytes is missing");
    PARLEY_ASSIGN_OR_RETURN(payment, PaymentField(core_.credentials, request));
    return absl::OkStatus();
  };
  if (absl::Status status = checked(); !status.ok()) return done(std::move(status));
  record.reserved_bytes = request.total_bytes();
  record.expires_at = StoredExpiry(request.expires_at());
  record.creation_hash = crypto::Sha256({id, record.read_key, record.write_key,
                                         crypto::BigEndian64(record.reserved_bytes),
                                         crypto::BigEndian64(record.expires_at)});
  const uint64_t now = core_.Now();
  core_.queue.Submit(
      request.ByteSizeLong(),
      [this, id, payment, record, now, reserve = core_.limits.voucher_reserve_divisor,
       counted = false](Transaction& transaction) mutable -> absl::Status {
        PARLEY_ASSIGN_OR_RETURN(record.sponsor, FindSponsor(transaction, payment));
        PARLEY_ASSIGN_OR_RETURN(std::optional<BlobRecord> existing,
                                transaction.LoadRecord<BlobRecord>(storage::BlobKey(id)));
        if (existing.has_value()) {
          if (existing->creation_hash == record.creation_hash) return absl::OkStatus();
          return absl::AlreadyExistsError("this blob_id is in use: choose a random one");
        }
        PARLEY_RETURN_IF_ERROR(CheckExpiryField(record.expires_at, now));
        if (payment.voucher.has_value() && record.reserved_bytes > payment.voucher->max_bytes) {
          return Exhausted(v1::Exhausted::WHAT_VOUCHER,
                           "the voucher pays for " + std::to_string(payment.voucher->max_bytes) +
                               " bytes at most");
        }
        if (payment.voucher.has_value()) {
          PARLEY_RETURN_IF_ERROR(
              CheckReserve(transaction, record.sponsor, record.reserved_bytes, reserve));
        }
        PARLEY_RETURN_IF_ERROR(SpendVoucher(transaction, payment, now));
        PARLEY_RETURN_IF_ERROR(Charge(transaction, record.sponsor, record.reserved_bytes, 1));
        // Last: who is refused takes nothing from the sponsor's others. Once, though the step may
        // be repeated.
        if (!counted) PARLEY_RETURN_IF_ERROR(CheckRate(core_.rates, record.sponsor));
        counted = true;
        transaction.Put(storage::BlobKey(id), storage::SerializeRecord(record));
        if (record.expires_at != 0) {
          transaction.Put(storage::ExpiryKey(record.expires_at, storage::ExpiringKind::kBlob,
                                             storage::IdView(id)),
                          std::string());
        }
        return absl::OkStatus();
      },
      std::move(done));
}

void Blobs::Seal(const v1::SealBlobRequest& request, Done done) {
  absl::StatusOr<ObjectId> id = FixedField<32>(request.blob_id(), "blob_id");
  if (!id.ok()) return done(id.status());
  absl::Status token = CheckBlobToken(core_, request.token(), *id, AccessRight::kWrite);
  if (!token.ok()) return done(std::move(token));
  core_.queue.Submit(
      request.ByteSizeLong(),
      [id = *id, chunks = request.chunks(), bytes = request.total_bytes(),
       now = core_.Now()](Transaction& transaction) -> absl::Status {
        PARLEY_ASSIGN_OR_RETURN(std::optional<BlobRecord> record,
                                transaction.LoadRecord<BlobRecord>(storage::BlobKey(id)));
        if (!record.has_value() || IsExpired(record->expires_at, now)) return NoSuchBlob();
        PARLEY_ASSIGN_OR_RETURN(
            std::optional<BlobProgressRecord> progress,
            transaction.LoadRecord<BlobProgressRecord>(storage::BlobProgressKey(id)));
        const BlobProgressRecord stored = progress.value_or(BlobProgressRecord());
        if (stored.chunks != chunks || stored.bytes != bytes) {
          return absl::FailedPreconditionError(
              "the blob has " + std::to_string(stored.chunks) + " chunks of " +
              std::to_string(stored.bytes) + " bytes in all, not " + std::to_string(chunks) +
              " of " + std::to_string(bytes) + ": upload what is missing first");
        }
        if (record->sealed != 0) return absl::OkStatus();
        if (stored.chunks == 0) {
          return absl::FailedPreconditionError("the blob is empty: upload a chunk first");
        }
        PARLEY_RETURN_IF_ERROR(
            Credit(transaction, record->sponsor, record->reserved_bytes - stored.bytes, 0));
        record->reserved_bytes = stored.bytes;
        record->sealed = 1;
        transaction.Put(storage::BlobKey(id), storage::SerializeRecord(*record));
        return absl::OkStatus();
      },
      std::move(done));
}

absl::Status Blobs::Stat(const v1::StatBlobRequest& request, v1::StatBlobResponse& response) const {
  PARLEY_ASSIGN_OR_RETURN(ObjectId id, FixedField<32>(request.blob_id(), "blob_id"));
  absl::Status may = CheckBlobToken(core_, request.token(), id, AccessRight::kWrite);
  if (may.code() == absl::StatusCode::kPermissionDenied) {
    may = CheckBlobToken(core_, request.token(), id, AccessRight::kRead);
  }
  PARLEY_RETURN_IF_ERROR(may);
  PARLEY_ASSIGN_OR_RETURN(BlobRecord record, FindBlob(core_, id));
  PARLEY_ASSIGN_OR_RETURN(BlobProgressRecord progress, FindProgress(core_, id));
  response.set_chunks(progress.chunks);
  response.set_bytes(progress.bytes);
  response.set_sealed(record.sealed != 0);
  return absl::OkStatus();
}

absl::Status DeleteBlob(Transaction& transaction, const ObjectId& blob, const BlobRecord& record) {
  transaction.DeletePrefix(storage::ChunkPrefix(blob));
  if (record.expires_at != 0) {
    transaction.Delete(
        storage::ExpiryKey(record.expires_at, storage::ExpiringKind::kBlob, storage::IdView(blob)));
  }
  transaction.Delete(storage::BlobProgressKey(blob));
  transaction.Delete(storage::BlobKey(blob));
  return Credit(transaction, record.sponsor, record.reserved_bytes, 1);
}

void Blobs::Delete(const v1::DeleteBlobRequest& request, Done done) {
  absl::StatusOr<ObjectId> id = FixedField<32>(request.blob_id(), "blob_id");
  if (!id.ok()) return done(id.status());
  absl::Status token = CheckBlobToken(core_, request.token(), *id, AccessRight::kWrite);
  if (!token.ok()) return done(std::move(token));
  core_.queue.Submit(
      request.ByteSizeLong(),
      [id = *id](Transaction& transaction) -> absl::Status {
        PARLEY_ASSIGN_OR_RETURN(std::optional<BlobRecord> record,
                                transaction.LoadRecord<BlobRecord>(storage::BlobKey(id)));
        if (!record.has_value()) return NoSuchBlob();
        return DeleteBlob(transaction, id, *record);
      },
      std::move(done));
}

absl::StatusOr<Blobs::Range> Blobs::OpenRange(const v1::DownloadBlobRequest& request) const {
  PARLEY_ASSIGN_OR_RETURN(ObjectId id, FixedField<32>(request.blob_id(), "blob_id"));
  PARLEY_RETURN_IF_ERROR(CheckBlobToken(core_, request.token(), id, AccessRight::kRead));
  PARLEY_ASSIGN_OR_RETURN(BlobRecord record, FindBlob(core_, id));
  if (record.sealed == 0) {
    return absl::FailedPreconditionError("the blob is not complete yet: it is not sealed");
  }
  PARLEY_ASSIGN_OR_RETURN(BlobProgressRecord progress, FindProgress(core_, id));
  if (request.first_chunk() > progress.chunks ||
      request.chunk_count() > progress.chunks - request.first_chunk()) {
    return absl::OutOfRangeError("the blob has " + std::to_string(progress.chunks) + " chunks");
  }
  const uint64_t end =
      request.chunk_count() == 0 ? progress.chunks : request.first_chunk() + request.chunk_count();
  return Range{id, request.first_chunk(), end};
}

absl::StatusOr<storage::PinnedValue> Blobs::ReadChunk(const ObjectId& blob, uint64_t index) const {
  PARLEY_ASSIGN_OR_RETURN(std::optional<storage::PinnedValue> data,
                          core_.store.GetPinned(Space::kChunks, storage::ChunkKey(blob, index)));
  if (data.has_value()) return *std::move(data);
  PARLEY_ASSIGN_OR_RETURN(std::optional<BlobRecord> record,
                          GetRecord<BlobRecord>(core_.store, storage::BlobKey(blob)));
  if (!record.has_value()) return NoSuchBlob();
  return absl::DataLossError("the relay's store lacks a chunk: its operator must restore it");
}

}  // namespace parley::server
