#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "client-lib/documents/local_file.h"
#include "client-lib/documents/transfer.h"
#include "client-lib/documents/transfer_pace.h"
#include "client-lib/documents/transfer_records.h"
#include "client-lib/documents/worker_pool.h"
#include "crypto/base/check.h"
#include "crypto/base/status_macros.h"
#include "crypto/file/file_cipher.h"
#include "crypto/primitives/signature.h"
#include "parley/content/v1/content.pb.h"

namespace parley::client {
namespace internal {
namespace {

using content::v1::Document;
using crypto::Bytes;
using crypto::TreeHash;
using crypto::TreeHasher;

// A saving syncs, and at most a second's chunks have to be fetched again after a crash.
constexpr uint64_t kFetchedChunksBetweenSavings = 1024;
// Larger files go straight to the disk: to write them through the system's cache costs about as
// much as to open them. Smaller ones stay in the cache for whoever wants to see them next.
constexpr uint64_t kDirectFrom = uint64_t{16} << 20;
// The part file grows by so much at a time.
constexpr uint64_t kReserveStep = uint64_t{64} << 20;

struct Free {
  void operator()(uint8_t* memory) const { std::free(memory); }
};

// What a chunk is received in and opened into, to be used again for later ones.
struct ChunkMemory {
  std::string sealed;
  std::unique_ptr<uint8_t, Free> opened;  // kFileChunkSize bytes that may be written directly
};

// A chunk that was opened and written to the part file.
struct OpenedChunk {
  std::optional<TreeHash> plaintext_leaf;
  TreeHash ciphertext_leaf{};
  ChunkMemory memory;
};
using OpenWork = OrderedWork<absl::StatusOr<OpenedChunk>>;

absl::Status NotWhatWasShared(const std::string& what) {
  return absl::DataLossError(
      "the document is not what its author shared: " + what +
      "; nothing was kept of it. Fetch it again, and ask the author to share "
      "it anew if that fails too");
}

class Download {
 public:
  Download(ProfileStore& store, RelayClient& relay, const Document& manifest,
           const std::string& target, const Transfers::DownloadOptions& options,
           crypto::FileOpener opener, LocalFile part)
      : store_(store),
        relay_(relay),
        manifest_(manifest),
        target_(target),
        options_(options),
        opener_(std::move(opener)),
        part_(std::move(part)),
        record_name_(DownloadName(manifest.blob_id(), target)),
        pace_(options, manifest.size()) {}

  absl::Status Run() {
    absl::Status status = Fetch();
    if (status.ok()) status = Finish();
    if (absl::IsDataLoss(status)) {
      unlink(part_.path().c_str());
      DeleteRecord(store_, RecordClass::kContent, record_name_).IgnoreError();
    }
    return status;
  }

 private:
  const crypto::FileLayout& layout() const { return opener_.layout(); }
  uint64_t ContentIn(uint64_t chunks) const {
    return std::min(manifest_.size(), chunks * crypto::kFileChunkSize);
  }

  absl::Status Fetch() {
    PARLEY_RETURN_IF_ERROR(Resume());
    PARLEY_RETURN_IF_ERROR(part_.CheckSpace(manifest_.size(), ContentIn(record_.chunks)));
    PARLEY_ASSIGN_OR_RETURN(read_key_,
                            crypto::SignatureKey::FromSeed(crypto::ViewOf(manifest_.read_seed())));
    std::copy(manifest_.blob_id().begin(), manifest_.blob_id().end(), blob_id_.begin());
    reserved_ = ContentIn(record_.chunks);
    if (manifest_.size() >= kDirectFrom) {
      part_.WriteDirectly();
    } else {
      reserved_ = manifest_.size();
    }
    while (record_.chunks < layout().chunk_count()) {
      const absl::Status status = ReceiveRest();
      if (status.ok()) break;
      if (absl::IsNotFound(status)) {
        return absl::NotFoundError(
            "the relay doesn't have this document any more: it was deleted or has expired; ask its "
            "author to share it again");
      }
      if (!pace_.MayTryAgain(status)) {
        if (!absl::IsDataLoss(status)) Save().IgnoreError();
        PARLEY_RETURN_IF_ERROR(pace_.CheckCancelled());
        return status;
      }
    }
    return absl::OkStatus();
  }

  // Goes on from the verified chunks of an earlier attempt, if the part file still has them.
  absl::Status Resume() {
    absl::StatusOr<std::optional<DownloadRecord>> record =
        LoadRecord<DownloadRecord>(store_, RecordClass::kContent, record_name_);
    if (record.ok() && record->has_value() && (*record)->chunks <= layout().chunk_count()) {
      absl::StatusOr<TreeHasher> plaintext = TreeHasher::Load((*record)->plaintext_tree);
      absl::StatusOr<TreeHasher> ciphertext = TreeHasher::Load((*record)->ciphertext_tree);
      const absl::StatusOr<TreeHasher> there = part_.HashPieces(ContentIn((*record)->chunks));
      if (plaintext.ok() && ciphertext.ok() && there.ok() &&
          there->Save() == (*record)->plaintext_tree) {
        record_ = std::move(**record);
        plaintext_ = std::move(*plaintext);
        ciphertext_ = std::move(*ciphertext);
        saved_chunks_ = record_.chunks;
        pace_.Resumed(ContentIn(record_.chunks));
        return absl::OkStatus();
      }
    }
    return part_.Truncate(0);
  }

  // From the first chunk that is missing to the end, over one stream.
  absl::Status ReceiveRest() {
    OpenWork work(pool_);
    uint64_t next = record_.chunks;
    absl::Status status = relay_.DownloadBlob(
        blob_id_, *read_key_, next, 0, [&](uint64_t index, std::string& data) -> absl::Status {
          PARLEY_RETURN_IF_ERROR(pace_.CheckCancelled());
          if (index >= layout().chunk_count()) {
            return NotWhatWasShared("it has more chunks than it should");
          }
          // Large chunks are refused before they are kept.
          if (data.size() != layout().SealedChunkSize(index)) {
            return NotWhatWasShared("chunk " + std::to_string(index) + " has another size");
          }
          if (work.full()) PARLEY_RETURN_IF_ERROR(TakeOne(work));
          ReserveFor(index);
          ChunkMemory memory = TakeMemory();
          memory.sealed.swap(data);
          work.Submit([this, index, memory = std::move(memory)]() mutable {
            return OpenChunk(index, std::move(memory));
          });
          ++next;
          return absl::OkStatus();
        });
    // What came before the stream's end counts.
    while (!work.empty()) {
      const absl::Status taken = TakeOne(work);
      if (!taken.ok()) return status.ok() || absl::IsDataLoss(taken) ? taken : status;
    }
    PARLEY_RETURN_IF_ERROR(status);
    if (next != layout().chunk_count()) return NotWhatWasShared("it ends too early");
    return absl::OkStatus();
  }

  void ReserveFor(uint64_t index) {
    if (ContentIn(index + 1) <= reserved_) return;
    const uint64_t step = std::min(kReserveStep, manifest_.size() - reserved_);
    // On a disk that is nearly full, what still fits is fetched and kept.
    part_.Reserve(reserved_, step).IgnoreError();
    reserved_ += step;
  }

  ChunkMemory TakeMemory() {
    ChunkMemory memory;
    if (!spare_.empty()) {
      memory = std::move(spare_.back());
      spare_.pop_back();
    } else {
      memory.opened.reset(
          static_cast<uint8_t*>(std::aligned_alloc(kDirectAlignment, crypto::kFileChunkSize)));
      PARLEY_CHECK(memory.opened != nullptr);
    }
    return memory;
  }

  absl::Status TakeOne(OpenWork& work) {
    PARLEY_ASSIGN_OR_RETURN(OpenedChunk chunk, work.Take());
    if (chunk.plaintext_leaf.has_value()) plaintext_.AddLeaf(*chunk.plaintext_leaf);
    ciphertext_.AddLeaf(chunk.ciphertext_leaf);
    spare_.push_back(std::move(chunk.memory));
    ++record_.chunks;
    pace_.Advanced(ContentIn(record_.chunks));
    return pace_.IsSavingDue(record_.chunks - saved_chunks_, kFetchedChunksBetweenSavings)
               ? Save()
               : absl::OkStatus();
  }

  // Runs on the pool's threads.
  absl::StatusOr<OpenedChunk> OpenChunk(uint64_t index, ChunkMemory memory) const {
    const std::span<uint8_t> opened(memory.opened.get(), layout().ChunkSize(index));
    const crypto::ByteView sealed = crypto::ViewOf(memory.sealed);
    if (!opener_.OpenChunk(index, sealed, opened).ok()) {
      return NotWhatWasShared("chunk " + std::to_string(index) +
                              " was altered, moved or is another file's");
    }
    OpenedChunk chunk;
    const crypto::ByteView content = opened.first(layout().ContentSize(index));
    const auto [content_leaf, sealed_leaf] = crypto::TreeLeaves(content, sealed);
    if (!content.empty()) chunk.plaintext_leaf = content_leaf;
    chunk.ciphertext_leaf = sealed_leaf;
    PARLEY_RETURN_IF_ERROR(part_.WritePiece(layout().ChunkOffset(index), content));
    chunk.memory = std::move(memory);
    return chunk;
  }

  absl::Status Save() {
    record_.plaintext_tree = plaintext_.Save();
    record_.ciphertext_tree = ciphertext_.Save();
    saved_chunks_ = record_.chunks;
    return SaveRecord(store_, RecordClass::kContent, record_name_, record_);
  }

  absl::Status Finish() {
    if (!crypto::PublicEquals(ciphertext_.Root(), crypto::ViewOf(manifest_.ciphertext_root()))) {
      return NotWhatWasShared("its stored form doesn't have the hash that the author gave");
    }
    if (!crypto::PublicEquals(plaintext_.Root(), crypto::ViewOf(manifest_.plaintext_root()))) {
      return NotWhatWasShared("its content doesn't have the hash that the author gave");
    }
    PARLEY_RETURN_IF_ERROR(part_.Truncate(manifest_.size()));
    PARLEY_RETURN_IF_ERROR(part_.Sync());
    PARLEY_RETURN_IF_ERROR(MoveIntoPlace(part_.path(), target_, options_.overwrite));
    pace_.Done();
    return DeleteRecord(store_, RecordClass::kContent, record_name_);
  }

  ProfileStore& store_;
  RelayClient& relay_;
  const Document& manifest_;
  const std::string& target_;
  const Transfers::DownloadOptions& options_;
  const crypto::FileOpener opener_;
  LocalFile part_;
  const std::string record_name_;
  TransferPace pace_;

  DownloadRecord record_;
  ObjectId blob_id_{};
  std::optional<crypto::SignatureKey> read_key_;
  TreeHasher plaintext_;  // over the chunks that are verified and written
  TreeHasher ciphertext_;
  uint64_t saved_chunks_ = 0;
  uint64_t reserved_ = 0;           // of the part file, or all where that isn't worth while
  std::vector<ChunkMemory> spare_;  // at most as many as pieces under work
  WorkerPool pool_;
};

absl::Status CheckTarget(const std::string& target, bool overwrite) {
  struct stat info {};
  if (lstat(target.c_str(), &info) != 0) return absl::OkStatus();
  if (S_ISDIR(info.st_mode)) {
    return absl::InvalidArgumentError(target + " is a folder; name the file to write");
  }
  return overwrite ? absl::OkStatus() : FileError(EEXIST, target, "written");
}

}  // namespace
}  // namespace internal

absl::Status Transfers::Download(RelayClient& relay, const content::v1::Document& manifest,
                                 const std::string& target, const DownloadOptions& options) {
  PARLEY_RETURN_IF_ERROR(CheckManifest(manifest));
  PARLEY_RETURN_IF_ERROR(internal::CheckTarget(target, options.overwrite));
  absl::StatusOr<crypto::FileOpener> opener =
      crypto::FileOpener::Create(crypto::Secret::CopyOf(crypto::ViewOf(manifest.file_key())),
                                 crypto::ViewOf(manifest.share_id()), manifest.size(),
                                 crypto::ViewOf(manifest.key_commitment()));
  PARLEY_RETURN_IF_ERROR(opener.status());
  PARLEY_ASSIGN_OR_RETURN(internal::LocalFile part,
                          internal::LocalFile::OpenPart(target + ".parley-part"));
  return internal::Download(store_, relay, manifest, target, options, std::move(*opener),
                            std::move(part))
      .Run();
}

absl::Status Transfers::Download(RelayClient& relay, const content::v1::Document& manifest,
                                 const std::string& target) {
  return Download(relay, manifest, target, DownloadOptions());
}

absl::StatusOr<uint64_t> Transfers::DownloadedBytes(const content::v1::Document& manifest,
                                                    const std::string& target) {
  PARLEY_ASSIGN_OR_RETURN(
      const std::optional<internal::DownloadRecord> record,
      internal::LoadRecord<internal::DownloadRecord>(
          store_, RecordClass::kContent, internal::DownloadName(manifest.blob_id(), target)));
  if (!record.has_value()) return 0;
  return std::min(manifest.size(), record->chunks * crypto::kFileChunkSize);
}

absl::Status Transfers::ForgetDownload(const content::v1::Document& manifest,
                                       const std::string& target) {
  unlink((target + ".parley-part").c_str());
  return internal::DeleteRecord(store_, RecordClass::kContent,
                                internal::DownloadName(manifest.blob_id(), target));
}

}  // namespace parley::client
