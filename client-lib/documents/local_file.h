// Files on this machine's disk, as transfers need them.
//
// Threading: ReadPiece and WritePiece from several threads at once; the rest by one.
#ifndef PARLEY_CLIENT_LIB_DOCUMENTS_LOCAL_FILE_H_
#define PARLEY_CLIENT_LIB_DOCUMENTS_LOCAL_FILE_H_

#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/base/bytes.h"
#include "crypto/file/tree_hash.h"

namespace parley::client::internal {

// What tells that a file has been changed.
struct FileStamp {
  uint64_t size = 0;
  uint64_t modified_ns = 0;

  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

// What memory, offsets and sizes of direct writes are multiples of; enough for any disk.
inline constexpr size_t kDirectAlignment = 4096;

class LocalFile {
 public:
  // An existing regular file, for reading.
  static absl::StatusOr<LocalFile> OpenSource(const std::string& path);
  // A part file for reading and writing, made if it isn't there (mode 0600), locked against others.
  // Errors: Unavailable when another download writes it.
  static absl::StatusOr<LocalFile> OpenPart(const std::string& path);

  LocalFile(LocalFile&& other) noexcept
      : path_(std::move(other.path_)),
        fd_(std::exchange(other.fd_, -1)),
        direct_fd_(std::exchange(other.direct_fd_, -1)) {}
  LocalFile& operator=(LocalFile&&) = delete;
  ~LocalFile();

  const std::string& path() const { return path_; }
  absl::StatusOr<FileStamp> Stamp() const;
  // Fills `piece` with what is at `offset`. Errors: Aborted when the file ends before.
  absl::Status ReadPiece(uint64_t offset, std::span<uint8_t> piece) const;
  // From here on WritePiece brings what may go there straight to the disk, past the system's
  // cache, where the file system can do that. Else nothing changes.
  void WriteDirectly();
  // Takes room on the disk for the bytes from `offset` on and makes the file so long, which spares
  // the writes that; where the file system can't, nothing happens.
  // Errors: ResourceExhausted when the disk is full.
  absl::Status Reserve(uint64_t offset, uint64_t bytes) const;
  // `piece` in kDirectAlignment, like `offset` and its size, may be written directly.
  // Errors: ResourceExhausted when the disk is full.
  absl::Status WritePiece(uint64_t offset, crypto::ByteView piece) const;
  absl::Status Truncate(uint64_t size) const;
  absl::Status Sync() const;

  // ResourceExhausted unless the file's disk has room for the file to become so large. `there`: how
  // much of its content is there already.
  absl::Status CheckSpace(uint64_t size, uint64_t there) const;

  // The tree over the first `size` bytes. Errors: Aborted when the file is shorter.
  absl::StatusOr<crypto::TreeHasher> HashPieces(uint64_t size) const;

 private:
  LocalFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}

  std::string path_;
  int fd_;
  int direct_fd_ = -1;  // the same file, for direct writes
};

// Puts `part` in the place of `target`, on disk when it returns.
// Errors: AlreadyExists when `target` is there and may not be overwritten.
absl::Status MoveIntoPlace(const std::string& part, const std::string& target, bool overwrite);

absl::Status FileError(int error, const std::string& path, const char* what);

}  // namespace parley::client::internal

#endif  // PARLEY_CLIENT_LIB_DOCUMENTS_LOCAL_FILE_H_
