// What an operator can set of a relay: by a flag of `parley-relay serve`, or by the same name in a
// configuration file. Settings::All() is the one list that flags, file, help and --check-config
// are made from.
//
//   absl::StatusOr<std::vector<GivenSetting>> file =
//   ReadSettingsFile("/etc/parley-relay/relay.toml"); GatheredSettings gathered =
//   GatherSettings(*file, flags); if (gathered.problems.empty()) Serve(gathered.settings);
//
// Threading: free functions and plain values.
#ifndef PARLEY_SERVER_SETTINGS_SETTINGS_H_
#define PARLEY_SERVER_SETTINGS_SETTINGS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "server/core/limits.h"
#include "server/log/log.h"
#include "server/settings/settings_file.h"

namespace parley::server {

struct Settings {
  std::string data;    // the data folder
  std::string listen;  // "host:port"; port 0: the system chooses
  std::string cert;    // a certificate's file, with `key`; empty: the relay's own
  std::string key;
  uint64_t drain_seconds = 10;
  std::string metrics;  // "host:port" to serve metrics on; empty: none
  bool metrics_anywhere = false;
  LogFormat log_format = LogFormat::kText;
  bool reflection = false;
  uint64_t purge_hours = 168;  // 0: never
  Limits limits;
};

// One of them.
struct Setting {
  enum class Kind : uint8_t { kText, kPath, kSize, kNumber, kYesNo };

  std::string_view name;
  std::string_view value;  // what stands for it in a help text: "DIR"
  std::string_view about;
  std::string_view group;  // of the help text
  Kind kind;
  // Errors: InvalidArgument, saying what is wrong without naming the setting.
  std::function<absl::Status(const std::string& text, Settings& settings)> set;
  std::function<std::string(const Settings& settings)> get;
  // Changes the limit in `running` and all its copies to what `settings` has; empty for what takes
  // effect at the next start alone.
  std::function<void(const Settings& settings, const Limits& running)> change;
};

// In the order of the help text.
const std::vector<Setting>& AllSettings();

// The setting of this name, or nullptr.
const Setting* FindSetting(std::string_view name);

struct GatheredSettings {
  Settings settings;
  // Where each setting that isn't the default comes from: "relay.toml, line 3" or "--listen".
  std::map<std::string, std::string, std::less<>> sources;
  // Sentences for the operator, each naming where; empty: all is right.
  std::vector<std::string> problems;
};

// Flags count before what a file says. `file`: as ReadSettingsFile gives it; a name that is no
// setting's is a problem, and so is a pair of which only one is given. That `data` and `listen` are
// needed is left to the caller.
GatheredSettings GatherSettings(const std::vector<GivenSetting>& file,
                                const std::vector<GivenSetting>& flags);

// Brings what can be changed in a relay that runs with `running` to what `settings` has. Returns
// the names of the other settings in which `settings` differs from `started`, with which it was
// started; the certificate's files are not among them.
std::vector<std::string> ChangeSettings(const Settings& settings, const Settings& started,
                                        const Limits& running);

// All settings as a configuration file that says the same, with where each comes from as comment.
std::string DescribeSettings(const GatheredSettings& gathered);

}  // namespace parley::server

#endif  // PARLEY_SERVER_SETTINGS_SETTINGS_H_
