#include "client-lib/firewall/file_contents.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "client-lib/content/utf8.h"
#include "client-lib/documents/local_file.h"
#include "client-lib/file_worker/archive_form.h"
#include "client-lib/file_worker/file_worker.h"
#include "crypto/base/bytes.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

using Visit = std::function<absl::Status(const FilePiece&)>;

std::string TextOf(const std::string& name, std::string bytes) {
  if (!IsWellFormedUtf8(bytes)) return {};
  return file_worker::IsMarkup(name) ? file_worker::WithoutTags(bytes) : std::move(bytes);
}

// By its first and last bytes; what is in it is seen by the program alone.
absl::StatusOr<bool> MayBeArchive(const internal::LocalFile& file, uint64_t size) {
  std::string begin(std::min<uint64_t>(size, file_worker::kArchiveBeginBytes), '\0');
  PARLEY_RETURN_IF_ERROR(file.ReadPiece(0, crypto::BytesOf(begin)));
  std::string end(std::min<uint64_t>(size, file_worker::kArchiveEndBytes), '\0');
  PARLEY_RETURN_IF_ERROR(file.ReadPiece(size - end.size(), crypto::BytesOf(end)));
  return file_worker::BeginsAsArchive(begin) || file_worker::MayHaveArchiveEnd(end);
}

absl::Status VisitMembers(const std::string& path, const Visit& visit) {
  absl::Status visited;
  const auto take = [&](const file_worker::PackedFile& packed) {
    FilePiece piece;
    piece.inside = packed.name;
    std::copy(packed.root.begin(), packed.root.end(), piece.root.begin());
    piece.size = packed.size;
    piece.text = packed.text;
    visited = visit(piece);
    return visited;
  };
  const absl::StatusOr<file_worker::FileWorker> worker = file_worker::FileWorker::Find();
  const absl::Status seen = worker.ok() ? worker->Contents(path, take) : worker.status();
  PARLEY_RETURN_IF_ERROR(visited);
  if (seen.ok()) return seen;
  const bool is_limit = absl::IsResourceExhausted(seen);
  const absl::StatusCode code =
      is_limit ? absl::StatusCode::kResourceExhausted : absl::StatusCode::kFailedPrecondition;
  return absl::Status(code, "it can't be seen whether the archive holds something confidential: " +
                                std::string(seen.message()) +
                                "; unpack it, and share what is needed of it");
}

}  // namespace

absl::Status VisitFile(const std::string& path, const Visit& visit) {
  FilePiece whole;
  bool is_archive = false;
  {
    PARLEY_ASSIGN_OR_RETURN(const internal::LocalFile file, internal::LocalFile::OpenSource(path));
    PARLEY_ASSIGN_OR_RETURN(const internal::FileStamp stamp, file.Stamp());
    PARLEY_ASSIGN_OR_RETURN(const crypto::TreeHasher tree, file.HashPieces(stamp.size));
    whole.root = tree.Root();
    whole.size = stamp.size;
    if (stamp.size <= kMostTextBytes) {
      std::string bytes(stamp.size, '\0');
      PARLEY_RETURN_IF_ERROR(file.ReadPiece(0, crypto::BytesOf(bytes)));
      whole.text = TextOf(path, std::move(bytes));
    }
    PARLEY_ASSIGN_OR_RETURN(is_archive, MayBeArchive(file, stamp.size));
  }
  PARLEY_RETURN_IF_ERROR(visit(whole));
  return is_archive ? VisitMembers(path, visit) : absl::OkStatus();
}

}  // namespace parley::client
