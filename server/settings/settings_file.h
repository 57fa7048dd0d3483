// A configuration file's lines: TOML, of which only `name = value` and comments are used.
//
//   # The relay of the institute
//   listen = "0.0.0.0:7743"
//   max-connections = 4096
//
// A value is "text" (with \" and \\), 'text' as it stands, a whole number, true or false. (CLI11's
// own reader is not used: it cuts texts at a #, takes lines that it can't read as flags, and knows
// no line numbers. Of toml++ see docs/decisions/0012.)
//
// Threading: free functions without shared state.
#ifndef PARLEY_SERVER_SETTINGS_SETTINGS_FILE_H_
#define PARLEY_SERVER_SETTINGS_SETTINGS_FILE_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace parley::server {

// A setting as it was written down; whether there is such a one isn't known yet.
struct GivenSetting {
  std::string name;
  std::string value;
  std::string where;   // for messages: "/etc/parley-relay/relay.toml, line 3" or "--listen"
  std::string folder;  // that a relative path is meant from; empty: the working directory
};

// Errors: NotFound when there is no such file, Unavailable when it can't be read; InvalidArgument
// for lines that can't be, each named on a line of the message.
absl::StatusOr<std::vector<GivenSetting>> ReadSettingsFile(const std::string& path);

// As above, from the text of a file. `path`: for messages and relative paths.
absl::StatusOr<std::vector<GivenSetting>> ParseSettingsFile(std::string_view text,
                                                            const std::string& path);

// The text as a value of such a file: in quotes.
std::string QuotedValue(std::string_view text);

}  // namespace parley::server

#endif  // PARLEY_SERVER_SETTINGS_SETTINGS_FILE_H_
