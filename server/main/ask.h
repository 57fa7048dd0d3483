// How the commands reach a relay: the one that runs, or else its folder.
#ifndef PARLEY_SERVER_MAIN_ASK_H_
#define PARLEY_SERVER_MAIN_ASK_H_

#include <string>

#include "absl/status/statusor.h"
#include "server/admin/admin_protocol.h"

namespace parley::server {

// Errors: NotFound, when there is no such folder.
absl::Status CheckFolder(const std::string& data_folder);

// Asks the relay that runs on the folder, or opens the folder when none does. Errors: the answer's;
// FailedPrecondition, Unavailable, DataLoss when the folder can't be opened.
absl::StatusOr<AdminResponse> Ask(const std::string& data_folder, const AdminRequest& request);

}  // namespace parley::server

#endif  // PARLEY_SERVER_MAIN_ASK_H_
