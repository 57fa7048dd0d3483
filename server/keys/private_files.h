// Small files that only their owner may read, written as a whole or not at all.
//
// Threading: free functions; not for one file from two threads.
#ifndef PARLEY_SERVER_KEYS_PRIVATE_FILES_H_
#define PARLEY_SERVER_KEYS_PRIVATE_FILES_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/base/secret.h"

namespace parley::server {

// Makes a folder of mode 0700 unless it is there. Errors: Unavailable, naming the folder.
absl::Status MakePrivateFolder(const std::string& folder);

// That this process isn't root's while the folder is somebody else's: he could have it read or
// write elsewhere by links, and what it makes would not be his. Without the folder: OK. Errors:
// FailedPrecondition, saying as whom the command is to be run.
absl::Status CheckOwner(const std::string& folder);

// Of the path's last part.
enum class Links : uint8_t { kRefuse, kFollow };

// The file's bytes, or nullopt when there is none. Errors: Unavailable, naming the file; also for a
// link that isn't to be followed.
absl::StatusOr<std::optional<crypto::Secret>> ReadPrivateFile(const std::string& path,
                                                              Links links = Links::kRefuse);

// Writes a file of mode 0600, in place of the old one if there is one, and on disk when it returns.
absl::Status WritePrivateFile(const std::string& path, crypto::ByteView bytes);

}  // namespace parley::server

#endif  // PARLEY_SERVER_KEYS_PRIVATE_FILES_H_
