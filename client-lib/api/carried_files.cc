#include "client-lib/api/carried_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "client-lib/api/status_conversion.h"

namespace parley::client {
namespace {

constexpr char kPrefix[] = "disclosing-";

int OpenLock(const std::string& folder) {
  const std::string path = (std::filesystem::path(folder) / "disclosing.lock").string();
  return open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

std::vector<std::filesystem::path> FilesIn(const std::string& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().filename().string().starts_with(kPrefix)) files.push_back(entry->path());
  }
  return files;
}

}  // namespace

void SweepCarriedFiles(const std::string& folder) {
  if (FilesIn(folder).empty()) return;
  const int fd = OpenLock(folder);
  if (fd < 0) return;
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
    for (const std::filesystem::path& file : FilesIn(folder)) unlink(file.c_str());
  }
  close(fd);
}

absl::StatusOr<CarriedFiles> CarriedFiles::Hold(const std::string& folder) {
  SweepCarriedFiles(folder);
  const int fd = OpenLock(folder);
  if (fd < 0 || flock(fd, LOCK_SH) != 0) {
    const std::string why = strerror(errno);
    if (fd >= 0) close(fd);
    return FileError("the profile's folder can't be written: " + why);
  }
  return CarriedFiles(folder, fd);
}

std::optional<CarriedFiles> CarriedFiles::HoldAlone(const std::string& folder) {
  const int fd = OpenLock(folder);
  if (fd < 0) return std::nullopt;
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    close(fd);
    return std::nullopt;
  }
  return CarriedFiles(folder, fd);
}

CarriedFiles::CarriedFiles(CarriedFiles&& other) noexcept
    : folder_(std::move(other.folder_)), fd_(std::exchange(other.fd_, -1)) {}

CarriedFiles::~CarriedFiles() {
  if (fd_ < 0) return;
  close(fd_);
  SweepCarriedFiles(folder_);
}

std::string CarriedFiles::PathOf(const std::string& id) const {
  return (std::filesystem::path(folder_) / (kPrefix + id)).string();
}

absl::StatusOr<PlainCopy> PlainCopy::Take(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  const int error = errno;
  unlink(path.c_str());
  if (fd < 0) return FileError("the document can't be read: " + std::string(strerror(error)));
  return PlainCopy(fd);
}

PlainCopy::PlainCopy(PlainCopy&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

PlainCopy::~PlainCopy() {
  if (fd_ >= 0) close(fd_);
}

}  // namespace parley::client
