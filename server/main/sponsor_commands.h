// `parley-relay sponsor add | list | renew | remove`, on a relay that runs or on its folder.
//
// Each prints its result to standard output. Errors: the relay's, for standard error.
#ifndef PARLEY_SERVER_MAIN_SPONSOR_COMMANDS_H_
#define PARLEY_SERVER_MAIN_SPONSOR_COMMANDS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "server/main/configuration.h"

namespace parley::server {

struct SponsorAddOptions {
  FolderOptions folder;
  std::string name;
  std::string quota;     // a size: "20GiB"
  uint64_t objects = 0;  // 0: the relay's default
  std::string address;   // for the connection string; empty: where the relay listens
};

// Prints the connection string alone on the last line.
absl::Status SponsorAdd(const SponsorAddOptions& options);
// A new connection string for the same sponsor, alone on the last line; the old one's token makes
// nothing new from then on. Of the options it uses folder, name and address.
absl::Status SponsorRenew(const SponsorAddOptions& options);
// A table with a heading, or with `json` one object a line: name, used_bytes, quota_bytes,
// used_objects, quota_objects, removed.
absl::Status SponsorList(const FolderOptions& folder, bool json);
absl::Status SponsorRemove(const FolderOptions& folder, const std::string& name);

}  // namespace parley::server

#endif  // PARLEY_SERVER_MAIN_SPONSOR_COMMANDS_H_
