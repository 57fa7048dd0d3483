// A file as it goes out: itself, or a copy without metadata; and the small picture that goes along.
//
// The copy is a file of mode 0600 in the profile's folder that has no name: it is gone with this,
// and with the process, however that ends. It is the same each time that the same file is cleaned,
// and carries the file's own time, so that an upload that was interrupted goes on.
//
// Threading: by one thread at a time.
#ifndef PARLEY_CLIENT_LIB_API_FILE_TO_SHARE_H_
#define PARLEY_CLIENT_LIB_API_FILE_TO_SHARE_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "client-lib/file_worker/worker_process.h"
#include "parley/types.h"

namespace parley::client {

class FileToShare {
 public:
  // `folder`: the profile's. Errors: FailedPrecondition for a photograph or PDF that can't be
  // cleaned, saying why and what to do; those of the file; ResourceExhausted when there is no room
  // for the copy.
  static absl::StatusOr<FileToShare> Prepare(const std::string& path, const std::string& folder,
                                             bool keep_metadata);

  // What is to be uploaded; lives as long as this.
  const std::string& path() const { return path_; }
  bool is_copy() const { return copy_.is_open(); }
  // Of the file that the copy is of.
  uint64_t source_size() const { return source_size_; }
  MetadataOutcome metadata() const { return metadata_; }
  const std::vector<std::string>& removed() const { return removed_; }
  // JPEG or PNG; empty when there is none, for whatever reason: nobody needs it.
  const std::string& preview() const { return preview_; }

 private:
  explicit FileToShare(std::string path) : path_(std::move(path)) {}
  absl::Status Clean(const std::string& folder);

  std::string path_;
  file_worker::Descriptor copy_;
  uint64_t source_size_ = 0;
  MetadataOutcome metadata_ = MetadataOutcome::kNotCleaned;
  std::vector<std::string> removed_;
  std::string preview_;
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_API_FILE_TO_SHARE_H_
