#include <string>

#include "client-lib/documents/local_file.h"
#include "client-lib/documents/transfer.h"
#include "crypto/base/status_macros.h"
#include "crypto/file/file_cipher.h"
#include "parley/content/v1/content.pb.h"

namespace parley::client {
namespace {

constexpr uint32_t kFileFormat = 1;
constexpr size_t kMaxNameBytes = 4096;

absl::Status Contradicts(const std::string& what) {
  return absl::InvalidArgumentError("the document's description contradicts itself: " + what +
                                    "; ask its author to share it again");
}

}  // namespace

absl::Status CheckManifest(const content::v1::Document& manifest) {
  if (manifest.file_format() > kFileFormat) {
    return absl::InvalidArgumentError(
        "the document was shared by a newer version; update this one");
  }
  if (manifest.file_format() != kFileFormat) return Contradicts("its format is missing");
  if (manifest.name().size() > kMaxNameBytes || manifest.media_type().size() > kMaxNameBytes) {
    return Contradicts("its name is too long");
  }
  for (const std::string* field :
       {&manifest.share_id(), &manifest.file_key(), &manifest.key_commitment(),
        &manifest.plaintext_root(), &manifest.ciphertext_root(), &manifest.blob_id(),
        &manifest.read_seed()}) {
    if (field->size() != 32) return Contradicts("a key or hash has another length");
  }
  if (manifest.note().size() > kMaxNameBytes) return Contradicts("its note is too long");
  const absl::StatusOr<crypto::FileLayout> layout = crypto::FileLayout::Create(manifest.size());
  if (!layout.ok()) return Contradicts("it is too large");
  if (manifest.chunks() != layout->chunk_count() ||
      manifest.stored_bytes() != layout->sealed_size()) {
    return Contradicts("its size and its chunks don't fit");
  }
  const absl::StatusOr<crypto::Bytes> commitment = crypto::FileKeyCommitment(
      crypto::ViewOf(manifest.file_key()), crypto::ViewOf(manifest.share_id()));
  PARLEY_RETURN_IF_ERROR(commitment.status());
  if (!crypto::PublicEquals(*commitment, crypto::ViewOf(manifest.key_commitment()))) {
    return Contradicts("its key isn't the one committed to");
  }
  return absl::OkStatus();
}

absl::StatusOr<crypto::Bytes> FilePlaintextRoot(const std::string& path) {
  PARLEY_ASSIGN_OR_RETURN(internal::LocalFile file, internal::LocalFile::OpenSource(path));
  PARLEY_ASSIGN_OR_RETURN(internal::FileStamp stamp, file.Stamp());
  PARLEY_ASSIGN_OR_RETURN(crypto::TreeHasher tree, file.HashPieces(stamp.size));
  const crypto::TreeHash root = tree.Root();
  return crypto::Bytes(root.begin(), root.end());
}

}  // namespace parley::client
