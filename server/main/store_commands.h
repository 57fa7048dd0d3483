// `parley-relay verify` and `purge`: what an operator does with a whole data folder.
//
// Each prints its result to standard output. Errors: for standard error.
#ifndef PARLEY_SERVER_MAIN_STORE_COMMANDS_H_
#define PARLEY_SERVER_MAIN_STORE_COMMANDS_H_

#include "absl/status/status.h"
#include "server/main/configuration.h"

namespace parley::server {

// Prints what was read and each problem with what to do. Errors: DataLoss when there was a problem;
// see VerifyFolder.
absl::Status Verify(const FolderOptions& folder);

// Removes what was deleted from the store's files, also of a relay that runs. Errors: see
// FolderStore::Purge.
absl::Status Purge(const FolderOptions& folder);

}  // namespace parley::server

#endif  // PARLEY_SERVER_MAIN_STORE_COMMANDS_H_
