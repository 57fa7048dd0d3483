#include "client-lib/documents/local_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "client-lib/documents/worker_pool.h"
#include "crypto/base/status_macros.h"

namespace parley::client::internal {

using crypto::Bytes;
using crypto::ByteView;

absl::Status FileError(int error, const std::string& path, const char* what) {
  const std::string message = path + " can't be " + what + ": " + std::strerror(error);
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return absl::NotFoundError(message);
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::PermissionDeniedError(message);
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return absl::ResourceExhaustedError(message + "; make room and go on");
    case EEXIST:
      return absl::AlreadyExistsError(path + " exists already; choose another name");
    default:
      return absl::InvalidArgumentError(message);
  }
}

absl::StatusOr<LocalFile> LocalFile::OpenSource(const std::string& path) {
  // Without O_NONBLOCK a named pipe would wait for its writer.
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return FileError(errno, path, "read");
  LocalFile file(path, fd);
  struct stat info {};
  if (fstat(fd, &info) != 0) return FileError(errno, path, "read");
  if (!S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(path + " is not a file (but a folder or a device)");
  }
  return file;
}

absl::StatusOr<LocalFile> LocalFile::OpenPart(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
  if (fd < 0) return FileError(errno, path, "written");
  LocalFile file(path, fd);
  struct stat info {};
  if (fstat(fd, &info) != 0) return FileError(errno, path, "written");
  if (!S_ISREG(info.st_mode)) return absl::InvalidArgumentError(path + " is not a file");
  // In a folder that others may write to, one of them may have made it first, to read along.
  if (info.st_uid != geteuid() || info.st_nlink != 1 || fchmod(fd, 0600) != 0) {
    return absl::PermissionDeniedError(path +
                                       " is somebody else's; remove it, or choose another name");
  }
  // After the lock it may be another download's file that has got its final name meanwhile.
  struct stat now {};
  if (flock(fd, LOCK_EX | LOCK_NB) != 0 || lstat(path.c_str(), &now) != 0 ||
      now.st_dev != info.st_dev || now.st_ino != info.st_ino) {
    return absl::UnavailableError("another download writes to " + path +
                                  "; wait for it, or choose another name");
  }
  return file;
}

LocalFile::~LocalFile() {
  if (direct_fd_ >= 0) close(direct_fd_);
  if (fd_ >= 0) close(fd_);
}

absl::StatusOr<FileStamp> LocalFile::Stamp() const {
  struct stat info {};
  if (fstat(fd_, &info) != 0) return FileError(errno, path_, "read");
  return FileStamp{static_cast<uint64_t>(info.st_size),
                   static_cast<uint64_t>(info.st_mtim.tv_sec) * 1'000'000'000 +
                       static_cast<uint64_t>(info.st_mtim.tv_nsec)};
}

absl::Status LocalFile::ReadPiece(uint64_t offset, std::span<uint8_t> piece) const {
  size_t done = 0;
  while (done < piece.size()) {
    const ssize_t got =
        pread(fd_, piece.data() + done, piece.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FileError(errno, path_, "read");
    if (got == 0) return absl::AbortedError(path_ + " has become shorter");
    done += static_cast<size_t>(got);
  }
  return absl::OkStatus();
}

void LocalFile::WriteDirectly() {
  if (direct_fd_ >= 0) return;
  const int fd = open(path_.c_str(), O_WRONLY | O_DIRECT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return;
  struct stat info {};
  struct stat direct {};
  if (fstat(fd_, &info) != 0 || fstat(fd, &direct) != 0 || info.st_dev != direct.st_dev ||
      info.st_ino != direct.st_ino) {
    close(fd);  // somebody has put another file in its place
    return;
  }
  direct_fd_ = fd;
}

absl::Status LocalFile::Reserve(uint64_t offset, uint64_t bytes) const {
  int error = 0;
  do {
    error =
        fallocate(fd_, 0, static_cast<off_t>(offset), static_cast<off_t>(bytes)) == 0 ? 0 : errno;
  } while (error == EINTR);
  if (error == ENOSPC || error == EDQUOT || error == EFBIG)
    return FileError(error, path_, "written");
  return absl::OkStatus();
}

absl::Status LocalFile::WritePiece(uint64_t offset, ByteView piece) const {
  const bool aligned =
      (reinterpret_cast<uintptr_t>(piece.data()) | offset | piece.size()) % kDirectAlignment == 0;
  int fd = direct_fd_ >= 0 && aligned ? direct_fd_ : fd_;
  size_t done = 0;
  while (done < piece.size()) {
    const ssize_t put =
        pwrite(fd, piece.data() + done, piece.size() - done, static_cast<off_t>(offset + done));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && errno == EINVAL && fd != fd_) {
      fd = fd_;  // this disk wants a larger alignment, or the last write was cut short
      continue;
    }
    if (put < 0) return FileError(errno, path_, "written");
    done += static_cast<size_t>(put);
  }
  if (fd != fd_) return absl::OkStatus();
  // The disk begins at once, so that Sync() at the end doesn't wait for the whole file.
  sync_file_range(fd_, static_cast<off_t>(offset), static_cast<off_t>(piece.size()),
                  SYNC_FILE_RANGE_WRITE);
  return absl::OkStatus();
}

absl::Status LocalFile::Truncate(uint64_t size) const {
  if (ftruncate(fd_, static_cast<off_t>(size)) != 0) return FileError(errno, path_, "written");
  return absl::OkStatus();
}

absl::Status LocalFile::Sync() const {
  if (fsync(fd_) != 0) return FileError(errno, path_, "written");
  return absl::OkStatus();
}

absl::Status LocalFile::CheckSpace(uint64_t size, uint64_t there) const {
  struct stat file {};
  struct statvfs disk {};
  if (fstat(fd_, &file) != 0 || fstatvfs(fd_, &disk) != 0) {
    return absl::OkStatus();  // then writing will tell
  }
  constexpr uint64_t kStatBlock = 512;
  const uint64_t taken = std::max(there, static_cast<uint64_t>(file.st_blocks) * kStatBlock);
  const uint64_t needed = size - std::min(size, taken);
  const uint64_t free = static_cast<uint64_t>(disk.f_bavail) * disk.f_frsize;
  if (needed <= free) return absl::OkStatus();
  return absl::ResourceExhaustedError("the disk of " + path_ + " has room for " +
                                      std::to_string(free) + " bytes, and " +
                                      std::to_string(needed) + " are needed; make room first");
}

absl::StatusOr<crypto::TreeHasher> LocalFile::HashPieces(uint64_t size) const {
  using Leaf = absl::StatusOr<crypto::TreeHash>;
  WorkerPool pool;
  OrderedWork<Leaf> work(pool);
  crypto::TreeHasher tree;
  for (uint64_t offset = 0; offset < size || !work.empty();) {
    if (offset < size && !work.full()) {
      const size_t piece =
          static_cast<size_t>(std::min<uint64_t>(crypto::kTreePieceSize, size - offset));
      work.Submit([this, offset, piece]() -> Leaf {
        Bytes bytes(piece);
        PARLEY_RETURN_IF_ERROR(ReadPiece(offset, bytes));
        return crypto::TreeLeaf(bytes);
      });
      offset += piece;
      continue;
    }
    PARLEY_ASSIGN_OR_RETURN(crypto::TreeHash leaf, work.Take());
    tree.AddLeaf(leaf);
  }
  return tree;
}

absl::Status MoveIntoPlace(const std::string& part, const std::string& target, bool overwrite) {
  if (overwrite) {
    if (rename(part.c_str(), target.c_str()) != 0) return FileError(errno, target, "written");
  } else if (renameat2(AT_FDCWD, part.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE) != 0) {
    if (errno != EINVAL && errno != ENOSYS) return FileError(errno, target, "written");
    // A file system without that call: a second name is refused if it is taken, too.
    if (link(part.c_str(), target.c_str()) != 0) return FileError(errno, target, "written");
    unlink(part.c_str());
  }
  const size_t slash = target.rfind('/');
  const std::string folder = slash == std::string::npos ? "."
                             : slash == 0               ? "/"
                                                        : target.substr(0, slash);
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0) {
    fsync(fd);
    close(fd);
  }
  return absl::OkStatus();
}

}  // namespace parley::client::internal
