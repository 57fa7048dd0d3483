#include "client-lib/api/file_to_share.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "client-lib/api/status_conversion.h"
#include "client-lib/file_worker/file_kind.h"
#include "client-lib/file_worker/file_worker.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

using file_worker::Descriptor;
using file_worker::FileKind;
using file_worker::FileWorker;

absl::Status CopyError(int error) {
  if (error == ENOSPC || error == EDQUOT) {
    return absl::ResourceExhaustedError(
        "there is no room left on the disk for a copy without metadata in the profile's folder: "
        "make some, and share it again");
  }
  return FileError("a copy without metadata can't be written in the profile's folder: " +
                   std::string(strerror(error)));
}

// A file without a name. Not every file system makes one at once.
absl::StatusOr<Descriptor> Nameless(const std::string& folder) {
  Descriptor file(open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (file.is_open()) return file;
  std::string path = (std::filesystem::path(folder) / "cleaning-XXXXXX").string();
  file = Descriptor(mkostemp(path.data(), O_CLOEXEC));
  if (!file.is_open()) return CopyError(errno);
  if (unlink(path.c_str()) != 0) return CopyError(errno);
  return file;
}

// The copy is as old as the file that it is of: by that, too, an upload knows its source again.
absl::Status CopyTime(const struct stat& found, int to) {
  const timespec times[2] = {found.st_atim, found.st_mtim};
  return futimens(to, times) == 0 ? absl::OkStatus() : CopyError(errno);
}

// Of what has to do with the file the words say what to do; that it can't be read, with its reason,
// says enough.
absl::Status CannotBeCleaned(const std::string& path, const absl::Status& why) {
  if (absl::IsNotFound(why) || absl::IsPermissionDenied(why)) return why;
  return absl::FailedPreconditionError(
      "\"" + path +
      "\" can't be shared without its metadata (where and with what it was made, by " +
      "whom): " + std::string(why.message()) +
      ". Nothing was shared. To share it as it is, with all of that, keep the metadata "
      "(--keep-metadata)");
}

}  // namespace

absl::Status FileToShare::Clean(const std::string& folder) {
  const absl::StatusOr<FileWorker> worker = FileWorker::Find();
  if (!worker.ok()) return CannotBeCleaned(path_, worker.status());
  PARLEY_ASSIGN_OR_RETURN(Descriptor copy, Nameless(folder));
  const absl::StatusOr<FileWorker::Cleaned> cleaned = worker->Clean(path_, copy.get());
  // Nothing that is wrong with the file.
  if (absl::IsUnavailable(cleaned.status())) return CopyError(ENOSPC);
  if (!cleaned.ok()) return CannotBeCleaned(path_, cleaned.status());
  if (cleaned->unchanged) {
    metadata_ = MetadataOutcome::kNoneFound;
    return absl::OkStatus();
  }
  struct stat source {};
  if (stat(path_.c_str(), &source) != 0) return CopyError(errno);
  PARLEY_RETURN_IF_ERROR(CopyTime(source, copy.get()));
  source_size_ = static_cast<uint64_t>(source.st_size);
  metadata_ = MetadataOutcome::kRemoved;
  removed_ = std::move(cleaned->removed);
  path_ = "/proc/self/fd/" + std::to_string(copy.get());
  copy_ = std::move(copy);
  return absl::OkStatus();
}

absl::StatusOr<FileToShare> FileToShare::Prepare(const std::string& path, const std::string& folder,
                                                 bool keep_metadata) {
  FileToShare file(path);
  PARLEY_ASSIGN_OR_RETURN(const FileKind kind, file_worker::KindOfFile(path));
  if (file_worker::CanBeCleaned(kind)) {
    if (keep_metadata) {
      file.metadata_ = MetadataOutcome::kKept;
    } else {
      PARLEY_RETURN_IF_ERROR(file.Clean(folder));
    }
  }
  if (file_worker::HasPreview(kind)) {
    if (const absl::StatusOr<FileWorker> worker = FileWorker::Find(); worker.ok()) {
      file.preview_ = worker->Preview(file.path_).value_or("");
    }
  }
  return file;
}

}  // namespace parley::client
