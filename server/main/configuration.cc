#include "server/main/configuration.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "crypto/base/status_macros.h"
#include "server/keys/key_folder.h"

namespace parley::server {
namespace {

std::string Lines(const std::vector<std::string>& problems, const std::string& between) {
  std::string text;
  for (const std::string& problem : problems) text += (text.empty() ? "" : between) + problem;
  return text;
}

// What keeps a relay from making or using the folder; empty: nothing that can be seen from here.
std::string ProblemOfFolder(const std::string& folder) {
  std::error_code error;
  const std::filesystem::path path = std::filesystem::absolute(folder, error);
  if (std::filesystem::exists(path, error)) {
    if (!std::filesystem::is_directory(path, error)) return folder + " is no folder";
    if (::access(folder.c_str(), R_OK | W_OK | X_OK) == 0) return "";
    return folder + " can't be written to: run this as the relay's user, whose folder it must be";
  }
  const std::filesystem::path parent = path.parent_path();
  if (!std::filesystem::is_directory(parent, error)) {
    return "there is no folder " + parent.string() + " to make " + folder + " in: make it first";
  }
  if (::access(parent.c_str(), W_OK | X_OK) == 0) return "";
  return "the relay can't make " + folder + " in " + parent.string() +
         ": make it, and give it to the relay's user";
}

void AddProblemsOfFiles(GatheredSettings& gathered) {
  const Settings& settings = gathered.settings;
  if (!settings.data.empty()) {
    const std::string problem = ProblemOfFolder(settings.data);
    if (!problem.empty()) {
      gathered.problems.push_back(gathered.sources["data"] + ": data: " + problem);
    }
  }
  if (!settings.cert.empty() && !settings.key.empty()) {
    const absl::Status loaded = LoadCertificate(settings.cert, settings.key).status();
    if (!loaded.ok()) {
      gathered.problems.push_back(gathered.sources["cert"] +
                                  ": cert: " + std::string(loaded.message()));
    }
  }
}

// Which of the settings that have no default is missing; empty: none.
std::string MissingSetting(const Settings& settings) {
  if (settings.data.empty()) return "data";
  return settings.listen.empty() ? "listen" : "";
}

}  // namespace

GatheredSettings LoadSettings(const ServeOptions& options) {
  if (options.config.empty()) return GatherSettings({}, options.flags);
  absl::StatusOr<std::vector<GivenSetting>> file = ReadSettingsFile(options.config);
  if (file.ok()) return GatherSettings(*file, options.flags);
  GatheredSettings gathered = GatherSettings({}, options.flags);
  gathered.problems.insert(gathered.problems.begin(), std::string(file.status().message()));
  return gathered;
}

absl::StatusOr<Settings> RequireSettings(const ServeOptions& options) {
  GatheredSettings gathered = LoadSettings(options);
  if (gathered.problems.empty()) {
    const std::string missing = MissingSetting(gathered.settings);
    if (missing.empty()) return std::move(gathered.settings);
    gathered.problems.push_back(options.config.empty()
                                    ? "--" + missing + " is needed; see parley-relay serve --help"
                                    : options.config + ": " + missing +
                                          " is needed, there or as --" + missing);
  }
  const std::string text = Lines(gathered.problems, "\nparley-relay: ");
  return options.config.empty() ? absl::InvalidArgumentError(text)
                                : absl::FailedPreconditionError(text);
}

absl::Status CheckConfiguration(const ServeOptions& options) {
  GatheredSettings gathered = LoadSettings(options);
  AddProblemsOfFiles(gathered);
  const std::string missing = MissingSetting(gathered.settings);
  // A file that couldn't be read might have named it.
  if (gathered.problems.empty() && !missing.empty()) {
    gathered.problems.push_back((options.config.empty() ? "" : options.config + ": ") + missing +
                                " is needed: write it there, or give --" + missing);
  }
  if (!gathered.problems.empty()) {
    return absl::FailedPreconditionError(Lines(gathered.problems, "\nparley-relay: "));
  }
  std::printf("%s", DescribeSettings(gathered).c_str());
  return absl::OkStatus();
}

absl::StatusOr<std::string> DataFolderOf(const FolderOptions& options) {
  if (!options.data.empty()) return options.data;
  if (options.config.empty()) {
    return absl::InvalidArgumentError("--data is needed, or --config with the relay's file");
  }
  ServeOptions file;
  file.config = options.config;
  const GatheredSettings gathered = LoadSettings(file);
  if (!gathered.settings.data.empty()) return gathered.settings.data;
  if (!gathered.problems.empty()) return absl::FailedPreconditionError(gathered.problems.front());
  return absl::FailedPreconditionError(options.config + " doesn't say where the data folder is: " +
                                       "add data = \"...\", or give --data");
}

}  // namespace parley::server
