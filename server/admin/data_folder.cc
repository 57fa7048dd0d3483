#include "server/admin/data_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "crypto/base/status_macros.h"
#include "server/keys/key_folder.h"
#include "server/keys/private_files.h"
#include "storage/kv/rocksdb_store.h"

namespace parley::server {

absl::StatusOr<std::unique_ptr<OpenDataFolder>> OpenDataFolder::Open(const std::string& folder,
                                                                     const Limits& limits) {
  PARLEY_RETURN_IF_ERROR(MakePrivateFolder(folder));
  const std::string lock_path = folder + "/lock";
  const int lock = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) {
    return absl::UnavailableError("can't use " + lock_path + ": " + std::strerror(errno));
  }
  std::unique_ptr<OpenDataFolder> opened(new OpenDataFolder(lock));
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError("another parley-relay is using " + folder +
                                         ": one relay at a time can run on a folder");
  }
  PARLEY_ASSIGN_OR_RETURN(RelayIdentity identity, LoadOrMakeIdentity(folder));
  PARLEY_ASSIGN_OR_RETURN(opened->store_, storage::OpenRocksDbStore(folder + "/store"));
  PARLEY_RETURN_IF_ERROR(PrepareStore(*opened->store_));
  opened->relay_ =
      std::make_unique<Relay>(*opened->store_, opened->clock_, std::move(identity), limits);
  return opened;
}

OpenDataFolder::~OpenDataFolder() {
  relay_.reset();
  store_.reset();
  ::close(lock_);  // the last, which lets the next process in
}

}  // namespace parley::server
