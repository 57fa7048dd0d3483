// Blobs: large objects in chunks, written in order, sealed once complete, then read by range.
//
// A chunk is acknowledged when the store has it (it survives the relay's end, not a power failure);
// sealing puts all of them on disk.
//
// Requests and `done`: the caller keeps the request until `done` was called, once, on any thread.
// Threading: any thread; a BlobUpload belongs to one at a time.
#ifndef PARLEY_SERVER_CORE_BLOBS_H_
#define PARLEY_SERVER_CORE_BLOBS_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "parley/relay/v1/relay.pb.h"
#include "server/core/core.h"

namespace parley::server {

// One upload stream.
class BlobUpload {
 public:
  explicit BlobUpload(Core& core) : core_(core) {}

  // Errors: InvalidArgument, Unauthenticated, PermissionDenied, NotFound; FailedPrecondition for a
  // sealed blob.
  absl::Status Start(const relay::v1::UploadBlobRequest::Header& header);

  // Stores a chunk and returns how many are stored without a gap. A chunk that is there already is
  // replaced.
  // Errors: InvalidArgument (size, or Start missing); OutOfRange for a gap; ResourceExhausted
  // beyond what the blob reserved; FailedPrecondition, NotFound when it was sealed or deleted
  // meanwhile.
  absl::StatusOr<uint64_t> Write(uint64_t index, std::string data);

 private:
  absl::Status Reload();
  absl::StatusOr<storage::BlobProgressRecord> ProgressWith(uint64_t index, size_t size) const;

  Core& core_;
  bool started_ = false;
  storage::ObjectId blob_{};
  storage::BlobRecord record_;
  std::string record_bytes_;                   // as stored: what the next chunk requires
  std::optional<std::string> progress_bytes_;  // likewise
  storage::BlobProgressRecord progress_;
};

class Blobs {
 public:
  using Done = std::function<void(absl::Status)>;

  explicit Blobs(Core& core) : core_(core) {}

  // Errors: InvalidArgument; Unauthenticated (payment); AlreadyExists; ResourceExhausted (quota, or
  // more than the voucher pays for).
  void Create(const relay::v1::CreateBlobRequest& request, Done done);

  // Errors: InvalidArgument, Unauthenticated, PermissionDenied, NotFound; FailedPrecondition when
  // chunks or bytes differ from what is stored. Sealing again with the same figures is fine.
  void Seal(const relay::v1::SealBlobRequest& request, Done done);

  absl::Status Stat(const relay::v1::StatBlobRequest& request,
                    relay::v1::StatBlobResponse& response) const;

  void Delete(const relay::v1::DeleteBlobRequest& request, Done done);

  // What a download will deliver. Errors: as Stat; FailedPrecondition for a blob that isn't sealed;
  // OutOfRange for chunks that it doesn't have.
  struct Range {
    storage::ObjectId blob{};
    uint64_t first = 0;
    uint64_t end = 0;  // one past the last
  };
  absl::StatusOr<Range> OpenRange(const relay::v1::DownloadBlobRequest& request) const;
  // One chunk of an opened range. Errors: NotFound when it was deleted meanwhile; DataLoss.
  absl::StatusOr<storage::PinnedValue> ReadChunk(const storage::ObjectId& blob,
                                                 uint64_t index) const;

 private:
  Core& core_;
};

// Takes part in a step: forgets a blob and its chunks.
absl::Status DeleteBlob(Transaction& transaction, const storage::ObjectId& blob,
                        const storage::BlobRecord& record);

}  // namespace parley::server

#endif  // PARLEY_SERVER_CORE_BLOBS_H_
