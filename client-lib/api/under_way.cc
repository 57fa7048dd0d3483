#include "client-lib/api/under_way.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "client-lib/api/status_conversion.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

int OpenLock(const std::string& folder) {
  const std::string path = (std::filesystem::path(folder) / "transfers.lock").string();
  return open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

// The byte that stands for a transfer: of random ids two don't meet.
struct flock ByteOf(const MessageId& id) {
  uint64_t offset = 0;
  std::memcpy(&offset, id.bytes().data(), sizeof(offset));
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = static_cast<off_t>(offset >> 2);
  lock.l_len = 1;
  return lock;
}

}  // namespace

bool IsStopped(ProfileStore& store, const MessageId& id) {
  absl::StatusOr<ReadTransaction> read = store.Read();
  if (!read.ok()) return false;
  const auto record = TransfersUnderWay().Get(*read, id.ToString());
  if (!record.ok()) return false;
  return !record->has_value() || (*record)->paused != 0;
}

absl::Status EndTransfer(ProfileStore& store, const MessageId& id) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, store.Begin());
  PARLEY_RETURN_IF_ERROR(TransfersUnderWay().Delete(step, id.ToString()));
  return step.Commit();
}

absl::StatusOr<AtTransfer> AtTransfer::Begin(const std::string& folder, const MessageId& id) {
  const int fd = OpenLock(folder);
  if (fd < 0)
    return FileError("the profile's folder can't be used: " + std::string(strerror(errno)));
  AtTransfer at(fd);
  struct flock lock = ByteOf(id);
  if (fcntl(fd, F_OFD_SETLK, &lock) == 0) return at;
  return absl::FailedPreconditionError(
      "this very transfer is going on already; pause it first (parley transfers)");
}

bool AtTransfer::IsTaken(const std::string& folder, const MessageId& id) {
  const int fd = OpenLock(folder);
  if (fd < 0) return false;
  struct flock lock = ByteOf(id);
  const bool taken = fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  close(fd);
  return taken;
}

AtTransfer::~AtTransfer() {
  if (fd_ >= 0) close(fd_);
}

}  // namespace parley::client
