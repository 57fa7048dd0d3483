// `parley-relay verify`: what an operator does with a whole data folder.
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

}  // namespace parley::server

#endif  // PARLEY_SERVER_MAIN_STORE_COMMANDS_H_
