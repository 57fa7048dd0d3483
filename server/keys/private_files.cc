#include "server/keys/private_files.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "crypto/base/status_macros.h"

namespace parley::server {
namespace {

constexpr size_t kLargestFile = 1 << 20;

absl::Status SystemError(const std::string& what) {
  return absl::UnavailableError(what + ": " + std::strerror(errno));
}

class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

}  // namespace

absl::Status MakePrivateFolder(const std::string& folder) {
  std::error_code error;
  const std::filesystem::path parent = std::filesystem::absolute(folder).parent_path();
  std::filesystem::create_directories(parent, error);
  if (error)
    return absl::UnavailableError("can't make " + parent.string() + ": " + error.message());
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return SystemError("can't make " + folder);
  }
  if (!std::filesystem::is_directory(folder, error)) {
    return absl::UnavailableError(folder + " is not a folder");
  }
  return absl::OkStatus();
}

absl::Status CheckOwner(const std::string& folder) {
  struct stat info {};
  if (::geteuid() != 0 || ::stat(folder.c_str(), &info) != 0 || info.st_uid == 0) {
    return absl::OkStatus();
  }
  const passwd* owner = ::getpwuid(info.st_uid);
  const std::string name =
      owner != nullptr ? std::string(owner->pw_name) : "#" + std::to_string(info.st_uid);
  return absl::FailedPreconditionError(folder + " belongs to " + name +
                                       ", not to root: run this as its owner, by sudo -u '" + name +
                                       "' parley-relay ...");
}

absl::StatusOr<std::optional<crypto::Secret>> ReadPrivateFile(const std::string& path,
                                                              Links links) {
  // Not to wait for anybody, should it be a pipe.
  const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
  File file(::open(path.c_str(), links == Links::kRefuse ? flags | O_NOFOLLOW : flags));
  if (file.fd() < 0) {
    if (errno == ENOENT) return std::optional<crypto::Secret>();
    if (errno == ELOOP && links == Links::kRefuse) {
      return absl::UnavailableError(path + " is a link: put the file itself there");
    }
    return SystemError("can't read " + path);
  }
  struct stat info {};
  if (::fstat(file.fd(), &info) != 0) return SystemError("can't read " + path);
  if (!S_ISREG(info.st_mode) || info.st_size < 0 ||
      static_cast<size_t>(info.st_size) > kLargestFile) {
    return absl::UnavailableError(path + " is not a small file");
  }
  crypto::Secret bytes(static_cast<size_t>(info.st_size));
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = ::read(file.fd(), bytes.RevealMutable().data() + done, bytes.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError("can't read " + path);
    if (got == 0) return absl::UnavailableError(path + " became shorter while it was read");
    done += static_cast<size_t>(got);
  }
  return std::optional<crypto::Secret>(std::move(bytes));
}

absl::Status WritePrivateFile(const std::string& path, crypto::ByteView bytes) {
  const std::string temporary = path + ".new";
  ::unlink(temporary.c_str());
  {
    File file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (file.fd() < 0) return SystemError("can't write " + temporary);
    size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t put = ::write(file.fd(), bytes.data() + done, bytes.size() - done);
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return SystemError("can't write " + temporary);
      done += static_cast<size_t>(put);
    }
    if (::fsync(file.fd()) != 0) return SystemError("can't write " + temporary);
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return SystemError("can't write " + path);
  File folder(::open(std::filesystem::path(path).parent_path().c_str(),
                     O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.fd() < 0 || ::fsync(folder.fd()) != 0) return SystemError("can't write " + path);
  return absl::OkStatus();
}

}  // namespace parley::server
