// From the command line and the configuration file to what a command works with.
#ifndef PARLEY_SERVER_MAIN_CONFIGURATION_H_
#define PARLEY_SERVER_MAIN_CONFIGURATION_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/settings/settings.h"

namespace parley::server {

struct ServeOptions {
  std::vector<GivenSetting> flags;
  std::string config;  // a configuration file; empty: none
  bool check_only = false;
};

// Where the relay's data folder is: one of the two.
struct FolderOptions {
  std::string data;
  std::string config;
};

// Reads the file, if there is one, and adds the flags. Problems are in the result, also those of
// the file as a whole.
GatheredSettings LoadSettings(const ServeOptions& options);

// The settings of a relay that is about to run, `data` and `listen` among them. Errors:
// InvalidArgument (wrong usage) when there are only flags, FailedPrecondition with a file; each
// problem is a line of the message.
absl::StatusOr<Settings> RequireSettings(const ServeOptions& options);

// `serve --check-config`: prints all settings to standard output, or every problem to standard
// error, among them files that a relay couldn't use. Errors: FailedPrecondition.
absl::Status CheckConfiguration(const ServeOptions& options);

// Errors: InvalidArgument when neither is given; FailedPrecondition for a file that names no
// folder.
absl::StatusOr<std::string> DataFolderOf(const FolderOptions& options);

}  // namespace parley::server

#endif  // PARLEY_SERVER_MAIN_CONFIGURATION_H_
