#include "server/admin/backup_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <set>

#include "crypto/base/status_macros.h"
#include "crypto/primitives/hash.h"
#include "crypto/primitives/random.h"
#include "server/keys/private_files.h"

namespace parley::server {
namespace {

namespace fs = std::filesystem;

constexpr uint8_t kLabelVersion = 1;
constexpr size_t kKeysNameBytes = 8;
// In the data folder, and below TO/keys/NAME without their folder.
constexpr std::array<const char*, 5> kFiles = {"keys/identity.seed", "keys/relay.secret",
                                               "keys/tls-key.pem", "keys/tls-certificate.pem",
                                               "address"};

// What a backup folder is known by. A later format is another number.
constexpr std::string_view kFormat = "parley-relay backups 1\n";

std::string MarkOf(const std::string& folder) { return folder + "/parley-backups"; }

std::string LastPart(const std::string& path) { return fs::path(path).filename().string(); }

// Errors: FailedPrecondition when somebody holds it.
absl::StatusOr<FolderLock> Lock(const std::string& folder, int flags, int kind) {
  const std::string path = folder + "/lock";
  const int descriptor = ::open(path.c_str(), flags | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    return absl::UnavailableError("can't use " + path + ": " + std::strerror(errno));
  }
  FolderLock lock(descriptor);
  if (::flock(descriptor, kind | LOCK_NB) == 0) return lock;
  return absl::FailedPreconditionError("another command is using the backups in " + folder +
                                       ": wait until it is done");
}

// A relay's data folder has a lock and a store, too, and keys that must not go.
// Errors: FailedPrecondition.
absl::Status CheckIsNoDataFolder(const std::string& folder) {
  std::error_code error;
  for (const char* name : {"store/CURRENT", "keys/identity.seed", "admin.sock"}) {
    const fs::file_status found = fs::symlink_status(folder + "/" + name, error);
    if (found.type() == fs::file_type::not_found) continue;
    return absl::FailedPreconditionError(folder +
                                         " looks like a relay's data folder, as there is " + name +
                                         " in it: name the folder for backups");
  }
  return absl::OkStatus();
}

// Whether the folder is marked as one for backups. Errors: FailedPrecondition, Unavailable.
absl::StatusOr<bool> IsMarked(const std::string& folder) {
  PARLEY_RETURN_IF_ERROR(CheckIsNoDataFolder(folder));
  PARLEY_ASSIGN_OR_RETURN(const std::optional<crypto::Secret> mark,
                          ReadPrivateFile(MarkOf(folder)));
  if (!mark.has_value()) return false;
  if (crypto::ToString(mark->Reveal()) == kFormat) return true;
  return absl::FailedPreconditionError(
      MarkOf(folder) + " is another version's: use that version of parley-relay, or a newer one");
}

// Whether nothing is in the folder, or only what is left of a mark that was begun.
bool IsUnused(const std::string& folder) {
  std::error_code error;
  auto entries = fs::directory_iterator(folder, error);
  return !error && std::all_of(begin(entries), end(entries), [&](const fs::directory_entry& entry) {
    return entry.path() == MarkOf(folder) + ".new";
  });
}

// How SaveKeys names folders.
bool IsKeysName(const std::string& name) {
  return name.size() == 2 * kKeysNameBytes &&
         name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

absl::StatusOr<FolderLock> LockForWriting(const std::string& folder) {
  PARLEY_RETURN_IF_ERROR(MakePrivateFolder(folder));
  PARLEY_RETURN_IF_ERROR(CheckOwner(folder));
  PARLEY_ASSIGN_OR_RETURN(const bool is_marked, IsMarked(folder));
  if (!is_marked && !IsUnused(folder)) {
    return absl::FailedPreconditionError(
        folder + " has something else than backups in it: name a folder that is empty or new");
  }
  if (!is_marked) {
    PARLEY_RETURN_IF_ERROR(WritePrivateFile(MarkOf(folder), crypto::ViewOf(kFormat)));
  }
  return Lock(folder, O_RDWR | O_CREAT, LOCK_EX);
}

absl::StatusOr<FolderLock> LockForReading(const std::string& folder) {
  std::error_code error;
  PARLEY_ASSIGN_OR_RETURN(const bool is_marked, IsMarked(folder));
  if (!is_marked || !fs::is_directory(folder + "/store", error) ||
      !fs::exists(folder + "/lock", error)) {
    return absl::NotFoundError("there are no backups in " + folder);
  }
  return Lock(folder, O_RDONLY, LOCK_SH);
}

std::string FormatLabel(const BackupLabel& label) {
  return crypto::ToBase64Url(
      crypto::Concat({crypto::ByteArray<1>{kLabelVersion}, crypto::Serialize(label)}));
}

absl::StatusOr<BackupLabel> ParseLabel(const std::string& text) {
  const absl::StatusOr<crypto::Bytes> bytes = crypto::FromBase64Url(text);
  if (!bytes.ok() || bytes->empty()) return absl::DataLossError("its label is damaged");
  if (bytes->front() != kLabelVersion) {
    return absl::FailedPreconditionError(
        "another version of parley-relay made it: use that one, or a newer one");
  }
  absl::StatusOr<BackupLabel> label =
      crypto::Parse<BackupLabel>(crypto::ByteView(*bytes).subspan(1));
  if (!label.ok()) return absl::DataLossError("its label is damaged");
  // They become paths.
  const bool is_name = label->keys.find_first_not_of("0123456789abcdef") == std::string::npos;
  const bool are_known =
      std::all_of(label->files.begin(), label->files.end(), [](const BackedUpFile& file) {
        return std::find(kFiles.begin(), kFiles.end(), file.name) != kFiles.end();
      });
  if (!is_name || !are_known) return absl::DataLossError("its label is damaged");
  return label;
}

absl::Status SaveKeys(const std::string& data, const std::string& folder, BackupLabel& label) {
  label.keys = crypto::ToHex(crypto::RandomBytes(kKeysNameBytes));
  PARLEY_RETURN_IF_ERROR(MakePrivateFolder(folder + "/keys"));
  const std::string own = folder + "/keys/" + label.keys;
  PARLEY_RETURN_IF_ERROR(MakePrivateFolder(own));
  for (const char* name : kFiles) {
    PARLEY_ASSIGN_OR_RETURN(const std::optional<crypto::Secret> bytes,
                            ReadPrivateFile(data + "/" + name));
    if (!bytes.has_value()) continue;
    PARLEY_RETURN_IF_ERROR(WritePrivateFile(own + "/" + LastPart(name), bytes->Reveal()));
    label.files.push_back({name, crypto::Sha256({bytes->Reveal()})});
  }
  return absl::OkStatus();
}

absl::Status PutKeysBack(const std::string& folder, const BackupLabel& label,
                         const std::string& data) {
  PARLEY_RETURN_IF_ERROR(MakePrivateFolder(data + "/keys"));
  for (const BackedUpFile& file : label.files) {
    const std::string from = folder + "/keys/" + label.keys + "/" + LastPart(file.name);
    PARLEY_ASSIGN_OR_RETURN(const std::optional<crypto::Secret> bytes, ReadPrivateFile(from));
    if (!bytes.has_value()) return absl::DataLossError(from + " is missing");
    if (!crypto::PublicEquals(crypto::Sha256({bytes->Reveal()}), file.hash)) {
      return absl::DataLossError(from + " is damaged");
    }
    PARLEY_RETURN_IF_ERROR(WritePrivateFile(data + "/" + file.name, bytes->Reveal()));
  }
  return absl::OkStatus();
}

void RemoveUnusedKeys(const std::string& folder, const storage::BackupFolder& backups) {
  std::set<std::string> used;
  for (const storage::StoredBackup& backup : backups.List()) {
    const absl::StatusOr<BackupLabel> label = ParseLabel(backup.label);
    if (!label.ok()) return;  // which ones it uses isn't known
    used.insert(label->keys);
  }
  std::error_code error;
  std::vector<fs::path> unused;
  for (const auto& entry : fs::directory_iterator(folder + "/keys", error)) {
    const std::string name = entry.path().filename().string();
    // What somebody else put there stays.
    const bool is_ours =
        IsKeysName(name) && entry.symlink_status(error).type() == fs::file_type::directory;
    if (is_ours && !used.contains(name)) unused.push_back(entry.path());
  }
  for (const fs::path& path : unused) fs::remove_all(path, error);
}

}  // namespace parley::server
