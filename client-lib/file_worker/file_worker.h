// Reads what is in files, in a program of its own: one process for each job, without the network,
// the profile or any key, shut in before it looks at the file (docs/hostile-files.md). What it
// answers is checked as if the file itself had written it.
//
//   PARLEY_ASSIGN_OR_RETURN(const FileWorker worker, FileWorker::Find());
//   PARLEY_ASSIGN_OR_RETURN(const std::string text, worker.Text("/home/ana/brief.docx"));
//
// Errors of all jobs: FailedPrecondition where the program can't be started, or can't be shut in
// on this system: then nothing is read; NotFound, PermissionDenied for the file itself;
// ResourceExhausted for a file over the limits, and where the job was stopped since it took too
// long or broke out; InvalidArgument for a file that breaks the rules of its kind. The messages are
// for people, and say of the file "it".
//
// Threading: safe from any thread. A job takes a minute at most, one over an archive five.
#ifndef PARLEY_CLIENT_LIB_FILE_WORKER_FILE_WORKER_H_
#define PARLEY_CLIENT_LIB_FILE_WORKER_FILE_WORKER_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-lib/file_worker/contents.h"
#include "client-lib/file_worker/file_kind.h"
#include "parley/types.h"

namespace parley::file_worker {

inline constexpr uint64_t kMostInputBytes = uint64_t{256} << 20;
inline constexpr size_t kMostTextAnswer = size_t{16} << 20;
inline constexpr size_t kMostPreviewAnswer = size_t{64} << 10;

class FileWorker {
 public:
  // The program that belongs to this library: installed with it, or beside the running program.
  // Errors: FailedPrecondition when it is in neither place.
  static absl::StatusOr<FileWorker> Find();
  explicit FileWorker(std::string program, std::chrono::milliseconds most_time = kMostTime)
      : program_(std::move(program)), most_time_(most_time) {}

  // Of plain text, Markdown, DOCX or PDF: well-formed UTF-8.
  absl::StatusOr<std::string> Text(const std::string& path) const;

  // Calls `visit` with what is packed in an archive, to kMostArchiveDepth levels, one after
  // another; with nothing for what is none. Members that are damaged, encrypted, or packed in a way
  // that isn't known, are passed over. Errors: the first of `visit`; ResourceExhausted also for an
  // archive beyond the limits (contents.h), saying which; InvalidArgument for what has the form of
  // an archive (archive_form.h), or has such in it, and can't be opened.
  absl::Status Contents(const std::string& path,
                        const std::function<absl::Status(const PackedFile&)>& visit) const;

  // Of two texts. That the pieces really make up both is checked.
  absl::StatusOr<TextDifference> Difference(std::string_view older, std::string_view newer) const;

  struct Cleaned {
    bool unchanged = false;            // nothing was there to be taken out: nothing was written
    std::vector<std::string> removed;  // "place (GPS)"
  };
  // Writes a copy without metadata to `output`, an empty file that is open for writing. For kinds
  // that CanBeCleaned. Errors: also FailedPrecondition for a file that is signed or takes a
  // password.
  absl::StatusOr<Cleaned> Clean(const std::string& path, int output) const;

  // A small picture of it, JPEG or PNG by its first bytes, of at most kMostPreviewAnswer. For kinds
  // that HasPreview. It is not decoded here, nor by anybody else in this library.
  absl::StatusOr<std::string> Preview(const std::string& path) const;

 private:
  static constexpr std::chrono::milliseconds kMostTime{60'000};

  std::string program_;
  std::chrono::milliseconds most_time_;
};

// By its first bytes. Errors: those of the file.
absl::StatusOr<FileKind> KindOfFile(const std::string& path);

// Whether bytes may be a preview: at most kMostPreviewAnswer of them, beginning as JPEG or PNG do.
bool IsPreview(std::string_view bytes);

}  // namespace parley::file_worker

#endif  // PARLEY_CLIENT_LIB_FILE_WORKER_FILE_WORKER_H_
