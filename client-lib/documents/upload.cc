#include <algorithm>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client-lib/documents/local_file.h"
#include "client-lib/documents/transfer.h"
#include "client-lib/documents/transfer_pace.h"
#include "client-lib/documents/transfer_records.h"
#include "client-lib/documents/worker_pool.h"
#include "crypto/base/status_macros.h"
#include "crypto/file/file_cipher.h"
#include "crypto/primitives/random.h"
#include "crypto/primitives/signature.h"
#include "parley/content/v1/content.pb.h"

namespace parley::client {
namespace internal {
namespace {

using content::v1::Document;
using crypto::Bytes;
using crypto::Secret;
using crypto::TreeHash;
using crypto::TreeHasher;

constexpr int kMostStarts = 3;
// A saving syncs, and after a crash no more than these are sent again.
constexpr uint64_t kSentChunksBetweenSavings = 32;
constexpr uint32_t kFileFormat = 1;

// A chunk that is ready to be sent. Its memory is used again for later ones.
struct SealedChunk {
  Bytes content;
  std::string sealed;
  std::optional<TreeHash> plaintext_leaf;  // none where there is padding only
  TreeHash ciphertext_leaf{};
};

// What a document is called is said anew by each call, which has checked it.
void SetNames(const UploadRequest& request, Document& manifest) {
  const size_t slash = request.path.rfind('/');
  manifest.set_name(!request.name.empty()        ? request.name
                    : slash == std::string::npos ? request.path
                                                 : request.path.substr(slash + 1));
  manifest.set_media_type(request.media_type);
}

// One attempt to bring one version of the source to the relay.
class Upload {
 public:
  Upload(ProfileStore& store, RelayClient& relay, const UploadRequest& request,
         const TransferOptions& options, LocalFile source, FileStamp stamp)
      : store_(store),
        relay_(relay),
        request_(request),
        source_(std::move(source)),
        stamp_(stamp),
        pace_(options, stamp.size) {}

  // Nullopt when the source has changed, or the relay has lost what it had: to be begun anew.
  absl::StatusOr<std::optional<Document>> Run(const Credential& credential) {
    PARLEY_ASSIGN_OR_RETURN(bool usable, Prepare());
    if (!usable) return std::optional<Document>();
    PARLEY_RETURN_IF_ERROR(CreateBlob(credential));
    while (true) {
      absl::Status status = SendRest();
      if (status.ok()) break;
      if (starts_anew_) return std::optional<Document>();
      if (!pace_.MayTryAgain(status)) {
        Save().IgnoreError();
        PARLEY_RETURN_IF_ERROR(pace_.CheckCancelled());
        return status;
      }
    }
    return Complete();
  }

 private:
  const crypto::FileLayout& layout() const { return sealer_->layout(); }
  const std::string& source_name() const {
    return request_.known_as.empty() ? request_.path : request_.known_as;
  }

  // Loads the record of an earlier attempt or makes one. False when that was of another source.
  absl::StatusOr<bool> Prepare() {
    PARLEY_ASSIGN_OR_RETURN(
        std::optional<UploadRecord> record,
        LoadRecord<UploadRecord>(store_, RecordClass::kKeys, UploadName(request_.transfer_id)));
    if (record.has_value()) {
      record_ = std::move(*record);
      if (record_.path != source_name() || record_.size != stamp_.size ||
          record_.modified_ns != stamp_.modified_ns) {
        return false;
      }
      PARLEY_ASSIGN_OR_RETURN(bool same, SameAsSent());
      if (!same) return false;
    } else {
      record_.path = source_name();
      record_.size = stamp_.size;
      record_.modified_ns = stamp_.modified_ns;
      record_.share_id = crypto::RandomArray<32>();
      record_.blob_id = crypto::RandomArray<32>();
      record_.file_key = Secret::Random(crypto::kFileKeySize);
      record_.read_seed = Secret::Random(crypto::kSignatureSeedSize);
      record_.write_seed = Secret::Random(crypto::kSignatureSeedSize);
      PARLEY_RETURN_IF_ERROR(Save());
    }
    PARLEY_ASSIGN_OR_RETURN(write_key_,
                            crypto::SignatureKey::FromSeed(record_.write_seed.Reveal()));
    absl::StatusOr<crypto::FileSealer> sealer =
        crypto::FileSealer::Create(record_.file_key.Clone(), record_.share_id, record_.size);
    if (!sealer.ok()) return sealer.status();
    sealer_.emplace(std::move(*sealer));
    return true;
  }

  // Whether the pieces that the relay has are still the source's.
  absl::StatusOr<bool> SameAsSent() {
    if (record_.chunks == 0) return true;
    PARLEY_ASSIGN_OR_RETURN(plaintext_, TreeHasher::Load(record_.plaintext_tree));
    PARLEY_ASSIGN_OR_RETURN(ciphertext_, TreeHasher::Load(record_.ciphertext_tree));
    const uint64_t sent = std::min(record_.size, record_.chunks * crypto::kFileChunkSize);
    absl::StatusOr<TreeHasher> now = source_.HashPieces(sent);
    if (absl::IsAborted(now.status())) return false;
    PARLEY_RETURN_IF_ERROR(now.status());
    saved_chunks_ = record_.chunks;
    pace_.Resumed(sent);
    return now->Save() == plaintext_.Save();
  }

  absl::Status CreateBlob(const Credential& credential) {
    if (record_.blob_created != 0) return absl::OkStatus();
    PARLEY_ASSIGN_OR_RETURN(crypto::SignatureKey read_key,
                            crypto::SignatureKey::FromSeed(record_.read_seed.Reveal()));
    while (true) {
      absl::Status status =
          relay_.CreateBlob(credential, record_.blob_id, read_key.public_key(),
                            write_key_->public_key(), layout().sealed_size(), request_.expires_at);
      if (status.ok()) break;
      if (!pace_.MayTryAgain(status)) return status;
    }
    record_.blob_created = 1;
    return Save();
  }

  // From the first chunk that the relay lacks to the end, over one stream.
  absl::Status SendRest() {
    absl::StatusOr<BlobStat> stat =
        relay_.StatBlob(record_.blob_id, RelayClient::BlobKey::kWrite, *write_key_);
    if (absl::IsNotFound(stat.status())) starts_anew_ = true;  // deleted or expired meanwhile
    PARLEY_RETURN_IF_ERROR(stat.status());
    // What was sent and stored without an acknowledgement having come back counts, as far as its
    // hashes are known; what lies beyond is sent again, in place.
    Acknowledge(std::min(stat->chunks, record_.chunks + unacknowledged_.size()));
    unacknowledged_.clear();
    if (stat->chunks < record_.chunks ||
        (stat->sealed && record_.chunks < layout().chunk_count())) {
      starts_anew_ = true;
      return absl::AbortedError("the relay has lost a part of the file");
    }
    if (record_.chunks == layout().chunk_count()) return absl::OkStatus();
    PARLEY_ASSIGN_OR_RETURN(
        std::unique_ptr<BlobUpload> stream,
        relay_.UploadBlob(record_.blob_id, *write_key_, record_.chunks, stat->chunks));
    OrderedWork<absl::StatusOr<SealedChunk>> work(pool_);
    uint64_t submitted = record_.chunks;
    uint64_t sent = record_.chunks;
    while (sent < layout().chunk_count()) {
      PARLEY_RETURN_IF_ERROR(pace_.CheckCancelled());
      if (submitted < layout().chunk_count() && !work.full()) {
        work.Submit([this, index = submitted, chunk = TakeSpare()]() mutable {
          return SealChunk(index, std::move(chunk));
        });
        ++submitted;
        continue;
      }
      PARLEY_ASSIGN_OR_RETURN(SealedChunk chunk, TakeChunk(work));
      unacknowledged_.push_back({chunk.plaintext_leaf, chunk.ciphertext_leaf});
      PARLEY_RETURN_IF_ERROR(stream->Send(sent++, std::move(chunk.sealed)));
      spare_.push_back(std::move(chunk));
      Acknowledge(stream->acknowledged());
      if (pace_.IsSavingDue(record_.chunks - saved_chunks_, kSentChunksBetweenSavings))
        PARLEY_RETURN_IF_ERROR(Save());
    }
    PARLEY_RETURN_IF_ERROR(stream->Finish());
    Acknowledge(stream->acknowledged());
    return absl::OkStatus();
  }

  absl::StatusOr<SealedChunk> TakeChunk(OrderedWork<absl::StatusOr<SealedChunk>>& work) {
    absl::StatusOr<SealedChunk> chunk = work.Take();
    if (absl::IsAborted(chunk.status())) starts_anew_ = true;  // the source has become shorter
    return chunk;
  }

  // Runs on the pool's threads.
  absl::StatusOr<SealedChunk> SealChunk(uint64_t index, SealedChunk chunk) const {
    chunk.content.resize(layout().ContentSize(index));
    chunk.sealed.resize(layout().SealedChunkSize(index));
    PARLEY_RETURN_IF_ERROR(source_.ReadPiece(layout().ChunkOffset(index), chunk.content));
    PARLEY_RETURN_IF_ERROR(sealer_->SealChunk(index, chunk.content, crypto::BytesOf(chunk.sealed)));
    const auto [content_leaf, sealed_leaf] =
        crypto::TreeLeaves(chunk.content, crypto::ViewOf(chunk.sealed));
    chunk.plaintext_leaf.reset();
    if (!chunk.content.empty()) chunk.plaintext_leaf = content_leaf;
    chunk.ciphertext_leaf = sealed_leaf;
    return chunk;
  }

  SealedChunk TakeSpare() {
    if (spare_.empty()) return SealedChunk();
    SealedChunk chunk = std::move(spare_.back());
    spare_.pop_back();
    return chunk;
  }

  void Acknowledge(uint64_t chunks) {
    while (record_.chunks < chunks && !unacknowledged_.empty()) {
      const auto& [plaintext, ciphertext] = unacknowledged_.front();
      if (plaintext.has_value()) plaintext_.AddLeaf(*plaintext);
      ciphertext_.AddLeaf(ciphertext);
      unacknowledged_.pop_front();
      ++record_.chunks;
    }
    pace_.Advanced(record_.chunks * crypto::kFileChunkSize);
  }

  absl::Status Save() {
    record_.plaintext_tree = plaintext_.Save();
    record_.ciphertext_tree = ciphertext_.Save();
    saved_chunks_ = record_.chunks;
    return SaveRecord(store_, RecordClass::kKeys, UploadName(request_.transfer_id), record_);
  }

  // All chunks are at the relay: the source is looked at once more, and the blob sealed.
  absl::StatusOr<std::optional<Document>> Complete() {
    PARLEY_ASSIGN_OR_RETURN(FileStamp now, source_.Stamp());
    if (now != stamp_) return std::optional<Document>();
    PARLEY_RETURN_IF_ERROR(Save());
    while (true) {
      absl::Status status = relay_.SealBlob(record_.blob_id, *write_key_, layout().chunk_count(),
                                            layout().sealed_size());
      if (status.ok()) break;
      PARLEY_RETURN_IF_ERROR(pace_.CheckCancelled());
      if (!pace_.MayTryAgain(status)) return status;
    }
    Document manifest = Manifest();
    std::string bytes = manifest.SerializeAsString();
    record_.manifest = Secret::CopyOf(crypto::ViewOf(bytes));
    crypto::ScopedWipe wipe(bytes);
    PARLEY_RETURN_IF_ERROR(Save());
    pace_.Done();
    return std::optional<Document>(std::move(manifest));
  }

  Document Manifest() const {
    Document manifest;
    SetNames(request_, manifest);
    manifest.set_size(record_.size);
    manifest.set_file_format(kFileFormat);
    manifest.set_share_id(crypto::ToString(record_.share_id));
    manifest.set_file_key(crypto::ToString(record_.file_key.Reveal()));
    manifest.set_key_commitment(crypto::ToString(sealer_->key_commitment()));
    manifest.set_plaintext_root(crypto::ToString(plaintext_.Root()));
    manifest.set_ciphertext_root(crypto::ToString(ciphertext_.Root()));
    manifest.set_chunks(layout().chunk_count());
    manifest.set_stored_bytes(layout().sealed_size());
    manifest.set_blob_id(crypto::ToString(record_.blob_id));
    manifest.set_read_seed(crypto::ToString(record_.read_seed.Reveal()));
    return manifest;
  }

  ProfileStore& store_;
  RelayClient& relay_;
  const UploadRequest& request_;
  const LocalFile source_;
  const FileStamp stamp_;
  TransferPace pace_;

  UploadRecord record_;
  std::optional<crypto::SignatureKey> write_key_;
  std::optional<crypto::FileSealer> sealer_;
  TreeHasher plaintext_;  // over the chunks that the relay has
  TreeHasher ciphertext_;
  std::deque<std::pair<std::optional<TreeHash>, TreeHash>> unacknowledged_;
  uint64_t saved_chunks_ = 0;
  std::vector<SealedChunk> spare_;  // at most as many as pieces under work
  bool starts_anew_ = false;
  WorkerPool pool_;
};

// The manifest of an earlier call that was completed, if the source is still what it was; nullopt
// when it isn't, or nothing was completed.
absl::StatusOr<std::optional<Document>> Completed(const UploadRecord& record,
                                                  const UploadRequest& request) {
  if (record.manifest.empty()) return std::optional<Document>();
  Document manifest;
  const crypto::ByteView bytes = record.manifest.Reveal();
  if (!manifest.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::DataLossError(
        "the record of a finished upload can't be read; share the file anew");
  }
  PARLEY_ASSIGN_OR_RETURN(const LocalFile source, LocalFile::OpenSource(request.path));
  PARLEY_ASSIGN_OR_RETURN(const FileStamp stamp, source.Stamp());
  if (stamp.size != record.size) return std::optional<Document>();
  // All of it is read: whoever changes a file can give it back its time.
  const absl::StatusOr<TreeHasher> now = source.HashPieces(stamp.size);
  if (absl::IsAborted(now.status())) return std::optional<Document>();
  PARLEY_RETURN_IF_ERROR(now.status());
  if (crypto::ToString(now->Root()) != manifest.plaintext_root()) return std::optional<Document>();
  SetNames(request, manifest);
  return std::optional<Document>(std::move(manifest));
}

// Removes the record; with a relay, also what it has of the blob.
absl::Status Abandon(ProfileStore& store, const std::string& transfer_id, RelayClient* relay) {
  const std::string name = UploadName(transfer_id);
  PARLEY_ASSIGN_OR_RETURN(std::optional<UploadRecord> record,
                          LoadRecord<UploadRecord>(store, RecordClass::kKeys, name));
  if (!record.has_value()) return absl::OkStatus();
  if (relay != nullptr && record->blob_created != 0) {
    PARLEY_ASSIGN_OR_RETURN(crypto::SignatureKey key,
                            crypto::SignatureKey::FromSeed(record->write_seed.Reveal()));
    const absl::Status deleted = relay->DeleteBlob(record->blob_id, key);
    if (!deleted.ok() && !absl::IsNotFound(deleted)) return deleted;
  }
  return DeleteRecord(store, RecordClass::kKeys, name);
}

}  // namespace
}  // namespace internal

absl::StatusOr<content::v1::Document> Transfers::Upload(RelayClient& relay,
                                                        const Credential& credential,
                                                        const UploadRequest& request,
                                                        const TransferOptions& options) {
  if (request.transfer_id.empty()) return absl::InvalidArgumentError("an upload needs an id");
  PARLEY_ASSIGN_OR_RETURN(
      std::optional<internal::UploadRecord> earlier,
      internal::LoadRecord<internal::UploadRecord>(store_, RecordClass::kKeys,
                                                   internal::UploadName(request.transfer_id)));
  if (earlier.has_value()) {
    PARLEY_ASSIGN_OR_RETURN(std::optional<content::v1::Document> manifest,
                            internal::Completed(*earlier, request));
    if (manifest.has_value()) return std::move(*manifest);
    if (!earlier->manifest.empty()) {
      PARLEY_RETURN_IF_ERROR(internal::Abandon(store_, request.transfer_id, &relay));
    }
  }
  for (int start = 0; start < internal::kMostStarts; ++start) {
    PARLEY_ASSIGN_OR_RETURN(internal::LocalFile source,
                            internal::LocalFile::OpenSource(request.path));
    PARLEY_ASSIGN_OR_RETURN(internal::FileStamp stamp, source.Stamp());
    internal::Upload upload(store_, relay, request, options, std::move(source), stamp);
    PARLEY_ASSIGN_OR_RETURN(std::optional<content::v1::Document> manifest, upload.Run(credential));
    if (manifest.has_value()) return std::move(*manifest);
    PARLEY_RETURN_IF_ERROR(internal::Abandon(store_, request.transfer_id, &relay));
  }
  return absl::AbortedError(request.path +
                            " was changed again and again while it was read; close what writes to "
                            "it and share it again");
}

absl::StatusOr<uint64_t> Transfers::UploadedBytes(std::string_view transfer_id) {
  PARLEY_ASSIGN_OR_RETURN(const std::optional<internal::UploadRecord> record,
                          internal::LoadRecord<internal::UploadRecord>(
                              store_, RecordClass::kKeys, internal::UploadName(transfer_id)));
  if (!record.has_value()) return 0;
  return std::min(record->size, record->chunks * crypto::kFileChunkSize);
}

absl::StatusOr<bool> Transfers::HasUpload(std::string_view transfer_id) {
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction view, store_.Read());
  return view.Has(RecordClass::kKeys, internal::UploadName(transfer_id));
}

absl::Status Transfers::KeepBlob(Transaction& step, std::string_view transfer_id) {
  PARLEY_ASSIGN_OR_RETURN(const std::optional<crypto::Secret> bytes,
                          step.Get(RecordClass::kKeys, internal::UploadName(transfer_id)));
  if (!bytes.has_value()) return absl::OkStatus();
  absl::StatusOr<internal::UploadRecord> upload =
      crypto::Parse<internal::UploadRecord>(bytes->Reveal());
  if (!upload.ok()) return absl::OkStatus();  // an earlier build's: the blob stays
  internal::SharedBlobRecord kept;
  kept.blob_id = upload->blob_id;
  kept.write_seed = std::move(upload->write_seed);
  PARLEY_RETURN_IF_ERROR(step.Put(RecordClass::kKeys, internal::SharedBlobName(transfer_id),
                                  crypto::SerializeSecret(kept)));
  return Posted(step, transfer_id);
}

absl::Status Transfers::Posted(Transaction& step, std::string_view transfer_id) {
  return step.Delete(RecordClass::kKeys, internal::UploadName(transfer_id));
}

absl::Status Transfers::DeleteBlob(RelayClient& relay, std::string_view transfer_id) {
  const std::string name = internal::SharedBlobName(transfer_id);
  PARLEY_ASSIGN_OR_RETURN(
      const std::optional<internal::SharedBlobRecord> kept,
      internal::LoadRecord<internal::SharedBlobRecord>(store_, RecordClass::kKeys, name));
  if (!kept.has_value()) return absl::OkStatus();
  PARLEY_ASSIGN_OR_RETURN(const crypto::SignatureKey key,
                          crypto::SignatureKey::FromSeed(kept->write_seed.Reveal()));
  const absl::Status deleted = relay.DeleteBlob(kept->blob_id, key);
  if (!deleted.ok() && !absl::IsNotFound(deleted)) return deleted;
  return internal::DeleteRecord(store_, RecordClass::kKeys, name);
}

absl::Status Transfers::Forget(std::string_view transfer_id, RelayClient* relay) {
  return internal::Abandon(store_, std::string(transfer_id), relay);
}

}  // namespace parley::client
