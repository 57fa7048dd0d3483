// Small files that only their owner may read, written as a whole or not at all.
//
// Threading: free functions; not for one file from two threads.
#ifndef PARLEY_SERVER_KEYS_PRIVATE_FILES_H_
#define PARLEY_SERVER_KEYS_PRIVATE_FILES_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/base/secret.h"

namespace parley::server {

// Makes a folder of mode 0700 unless it is there. Errors: Unavailable, naming the folder.
absl::Status MakePrivateFolder(const std::string& folder);

// The file's bytes, or nullopt when there is none. Errors: Unavailable, naming the file.
absl::StatusOr<std::optional<crypto::Secret>> ReadPrivateFile(const std::string& path);

// Writes a file of mode 0600, in place of the old one if there is one, and on disk when it returns.
absl::Status WritePrivateFile(const std::string& path, crypto::ByteView bytes);

}  // namespace parley::server

#endif  // PARLEY_SERVER_KEYS_PRIVATE_FILES_H_
