// Files to and from the relay: sealed, hashed and sent in one pass, in constant memory, resumable
// (docs/protocol.md section 7).
//
//   Transfers transfers(store);
//   PARLEY_ASSIGN_OR_RETURN(Document manifest, transfers.Upload(relay, upload));   // then post it
//   PARLEY_RETURN_IF_ERROR(transfers.Download(relay, manifest, "/home/ana/brief.pdf"));
//
// Threading: safe from any thread, also for several transfers at once; one transfer id, and one
// target file, by one call at a time. A call uses two threads beside the caller's.
// Secrets: file keys and seeds lie in the profile's records and in the manifest.
#ifndef PARLEY_CLIENT_LIB_DOCUMENTS_TRANSFER_H_
#define PARLEY_CLIENT_LIB_DOCUMENTS_TRANSFER_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-lib/relay/relay_client.h"
#include "client-lib/store/profile_store.h"

namespace parley::content::v1 {
class Document;
}

namespace parley::client {

struct TransferProgress {
  uint64_t done_bytes = 0;  // of the file's content, stored at the other end
  uint64_t total_bytes = 0;
  uint64_t resumed_bytes = 0;  // of done_bytes: already there from an earlier attempt
};

struct TransferOptions {
  // Called from the calling thread, at most every 100 ms and at the end.
  std::function<void(const TransferProgress&)> progress;
  // Set to true from any thread to end the transfer with Cancelled; it can be resumed.
  const std::atomic<bool>* cancel = nullptr;
  // How long a broken connection is tried again before the transfer fails (and can be resumed).
  std::chrono::milliseconds retry_for{60'000};
};

struct UploadRequest {
  // Names this upload in the profile: a second Upload() with the same id goes on where the first
  // one broke off, or returns its result, called as this request says. Use the message id that will
  // carry the manifest.
  std::string transfer_id;
  std::string path;
  // The source's lasting name, where `path` is one for this process only: a copy is made anew each
  // time, and is known again by this, its time and its content. Empty: `path`.
  std::string known_as = {};
  std::string name;        // in the manifest; empty: the path's last component
  std::string media_type;  // in the manifest
  uint64_t expires_at = 0;
};

class Transfers {
 public:
  // `store` must outlive it.
  explicit Transfers(ProfileStore& store) : store_(store) {}

  // Uploads a regular file and returns its manifest, with the blob sealed at the relay. After a cut
  // only what the relay hadn't acknowledged is sent again; after a crash also what went since the
  // last saving (32 chunks or a second). If the source has changed since, it starts again with a
  // new key and blob, and the old blob is deleted; a voucher pays for one blob, so that this takes
  // another one.
  // The result is kept in the profile until it is posted (Posted, KeepBlob), or Forget(), for the
  // case that the caller crashes before. It is given again only for the same content, which is read
  // for that; for any other it starts again, too.
  // Errors: NotFound, PermissionDenied, InvalidArgument (not a regular file); Aborted when the
  // source changed while it was read, three times; Cancelled; the relay client's
  // (ResourceExhausted: quota).
  absl::StatusOr<content::v1::Document> Upload(RelayClient& relay, const Credential& credential,
                                               const UploadRequest& request,
                                               const TransferOptions& options = {});

  // Whether an upload of this id was begun, and not forgotten.
  absl::StatusOr<bool> HasUpload(std::string_view transfer_id);
  // Forgets an upload in the step that posts its manifest: from there on its blob is others', too.
  absl::Status Posted(Transaction& step, std::string_view transfer_id);
  // Like Posted, and keeps what the blob can be deleted by later (DeleteBlob).
  absl::Status KeepBlob(Transaction& step, std::string_view transfer_id);
  // Deletes the blob of such an upload at the relay. OK, too, when it isn't there any more, and
  // when nothing was kept. Errors: the relay client's; it can be repeated then.
  absl::Status DeleteBlob(RelayClient& relay, std::string_view transfer_id);

  // How much of an upload, or of a download into `target`, needn't be transferred again. 0 where
  // nothing was begun.
  absl::StatusOr<uint64_t> UploadedBytes(std::string_view transfer_id);
  absl::StatusOr<uint64_t> DownloadedBytes(const content::v1::Document& manifest,
                                           const std::string& target);
  // Gives a download up: removes what it has saved.
  absl::Status ForgetDownload(const content::v1::Document& manifest, const std::string& target);

  // Gives an upload up that wasn't posted. With `relay`, its blob is deleted there.
  absl::Status Forget(std::string_view transfer_id, RelayClient* relay = nullptr);

  struct DownloadOptions : TransferOptions {
    bool overwrite = false;
  };
  // Fetches a document into `target`. Until every chunk and both roots are verified the content is
  // in "<target>.parley-part"; a broken download is resumed from there. `target` appears at once
  // and whole, or not at all. Errors: InvalidArgument for a manifest that contradicts itself;
  // AlreadyExists for a target that is there without `overwrite`; DataLoss for content that isn't
  // what the manifest says (the part file is then removed); ResourceExhausted when the disk hasn't
  // the room, found before anything is fetched; NotFound when the relay has no such blob (any
  // more); Cancelled; the relay client's.
  absl::Status Download(RelayClient& relay, const content::v1::Document& manifest,
                        const std::string& target, const DownloadOptions& options);
  absl::Status Download(RelayClient& relay, const content::v1::Document& manifest,
                        const std::string& target);

 private:
  ProfileStore& store_;
};

// Whether a manifest is complete and free of contradictions (sizes, counts, lengths of keys and
// hashes, key commitment). Errors: InvalidArgument.
absl::Status CheckManifest(const content::v1::Document& manifest);

// The SHA-256 tree over 1 MiB pieces of a file: the manifest's plaintext_root (32 bytes). By it a
// file picked from disk is known again.
absl::StatusOr<crypto::Bytes> FilePlaintextRoot(const std::string& path);

// A name from a manifest as a file name that is safe in any folder: without folders, control
// characters, characters that turn the writing direction, or ones that Windows forbids; not hidden,
// not reserved, at most 200 bytes of valid UTF-8 with its ending kept. Never empty.
std::string SafeFileName(std::string_view name);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_DOCUMENTS_TRANSFER_H_
