#include "client-lib/store/store_key_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

#include "client-lib/store/key_ring.h"
#include "client-lib/store/sqlite_connection.h"
#include "crypto/base/status_macros.h"

namespace parley::client::internal {
namespace {

using crypto::ByteView;
using crypto::Secret;

constexpr std::string_view kMagic = "parley store key v1\n";

std::string KeyPath(const std::string& dir) { return dir + "/store.key"; }

absl::Status FromErrno(int error, const std::string& what) {
  const std::string message = what + ": " + std::strerror(error);
  switch (error) {
    case ENOENT:
      return absl::NotFoundError(message);
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::PermissionDeniedError(message);
    case ENOSPC:
    case EDQUOT:
      return absl::ResourceExhaustedError(message);
    default:
      return absl::InvalidArgumentError(message);
  }
}

// Closes a file descriptor when the scope ends.
struct File {
  int fd;
  ~File() {
    if (fd >= 0) close(fd);
  }
};

absl::Status WriteAll(int fd, ByteView bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return FromErrno(errno, path + " can't be written");
    }
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  if (fsync(fd) != 0) return FromErrno(errno, path + " can't be written");
  return absl::OkStatus();
}

}  // namespace

namespace {

// Whether a file of that name is a profile's, or was left by making one that was interrupted.
bool IsOwnName(std::string_view name) {
  return name == "." || name == ".." || name.starts_with("profile.db") ||
         name.starts_with("store.key");
}

// Whether there is nothing at all in the folder. Errors: FailedPrecondition when it holds other
// things and no profile. (Beside one, work on it leaves files of its own.)
absl::StatusOr<bool> CheckHoldsNothingElse(const std::string& dir) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir(dir.c_str()), closedir);
  if (folder == nullptr) return FromErrno(errno, dir);
  bool empty = true;
  bool has_profile = false;
  bool has_others = false;
  while (const dirent* entry = readdir(folder.get())) {
    const std::string_view name = entry->d_name;
    empty = empty && (name == "." || name == "..");
    has_profile = has_profile || name == "profile.db";
    has_others = has_others || !IsOwnName(name);
  }
  if (!has_others || has_profile) return empty;
  return absl::FailedPreconditionError(
      "the folder " + dir +
      " holds other things and no profile; give one that is empty or doesn't exist yet");
}

}  // namespace

absl::Status MakePrivateFolder(const std::string& dir) {
  if (mkdir(dir.c_str(), 0700) == 0) return absl::OkStatus();
  if (errno != EEXIST) return FromErrno(errno, "the folder " + dir + " can't be made");
  struct stat info {};
  if (stat(dir.c_str(), &info) != 0) return FromErrno(errno, dir);
  if (!S_ISDIR(info.st_mode)) return absl::InvalidArgumentError(dir + " is not a folder");
  PARLEY_ASSIGN_OR_RETURN(const bool empty, CheckHoldsNothingElse(dir));
  const bool own = info.st_uid == geteuid();
  if (own && (info.st_mode & 0077) == 0) return absl::OkStatus();
  // Made for this, it seems. What others could have put in since is looked for again.
  if (own && empty && chmod(dir.c_str(), 0700) == 0) {
    PARLEY_ASSIGN_OR_RETURN(const bool still_empty, CheckHoldsNothingElse(dir));
    if (still_empty) return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      "others may use the folder " + dir +
      "; take it from them (chmod 700), or give one that doesn't exist yet");
}

absl::Status SyncFolder(const std::string& dir) {
  File folder{open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (folder.fd < 0 || fsync(folder.fd) != 0) return FromErrno(errno, dir);
  return absl::OkStatus();
}

absl::StatusOr<FolderLock> FolderLock::Take(const std::string& dir) {
  const int fd = open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return FromErrno(errno, dir);
  FolderLock lock(fd);
  while (flock(fd, LOCK_EX) != 0) {
    if (errno != EINTR) return FromErrno(errno, dir);
  }
  return lock;
}

FolderLock::~FolderLock() {
  if (fd_ >= 0) close(fd_);
}

absl::Status WriteStoreKeyFile(const std::string& dir, const Secret& key) {
  const std::string path = KeyPath(dir);
  const std::string fresh = path + ".new";
  unlink(fresh.c_str());
  File file{open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (file.fd < 0) return FromErrno(errno, path + " can't be written");
  const Secret bytes = crypto::ConcatSecret({crypto::ViewOf(kMagic), key.Reveal()});
  PARLEY_RETURN_IF_ERROR(WriteAll(file.fd, bytes.Reveal(), path));
  if (rename(fresh.c_str(), path.c_str()) != 0) {
    return FromErrno(errno, path + " can't be written");
  }
  return SyncFolder(dir);
}

absl::StatusOr<Secret> ReadStoreKeyFile(const std::string& dir) {
  const std::string path = KeyPath(dir);
  File file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0 && errno == ENOENT) return DamagedProfile(dir, "its store.key is missing");
  if (file.fd < 0) return FromErrno(errno, path + " can't be read");
  struct stat info {};
  if (fstat(file.fd, &info) != 0) return FromErrno(errno, path);
  if ((info.st_mode & 0077) != 0) {
    return absl::PermissionDeniedError("others may read " + path +
                                       ", which opens everything in the profile; take it from them "
                                       "(chmod 600) before you go on");
  }
  Secret bytes(kMagic.size() + kStoreKeySize + 1);
  const ssize_t size = read(file.fd, bytes.RevealMutable().data(), bytes.size());
  if (size != static_cast<ssize_t>(kMagic.size() + kStoreKeySize) ||
      !crypto::PublicEquals(bytes.Reveal().first(kMagic.size()), crypto::ViewOf(kMagic))) {
    return DamagedProfile(dir, "its store.key is not one");
  }
  return Secret::CopyOf(bytes.Reveal().subspan(kMagic.size(), kStoreKeySize));
}

absl::Status DestroyStoreKeyFile(const std::string& dir) {
  const std::string path = KeyPath(dir);
  {
    File file{open(path.c_str(), O_WRONLY | O_CLOEXEC)};
    if (file.fd < 0 && errno == ENOENT) return absl::OkStatus();
    const std::array<uint8_t, kMagic.size() + kStoreKeySize> zeros{};
    // Best effort: a disk may keep old sectors, which is why the store key is then a new one.
    if (file.fd >= 0) WriteAll(file.fd, zeros, path).IgnoreError();
  }
  if (unlink(path.c_str()) != 0) return FromErrno(errno, path + " can't be removed");
  return SyncFolder(dir);
}

bool StoreKeyFileExists(const std::string& dir) { return access(KeyPath(dir).c_str(), F_OK) == 0; }

}  // namespace parley::client::internal
