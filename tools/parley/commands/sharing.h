// Several files at once: what a command line names becomes a list, and a few are shared side by
// side.
#ifndef PARLEY_TOOLS_PARLEY_COMMANDS_SHARING_H_
#define PARLEY_TOOLS_PARLEY_COMMANDS_SHARING_H_

#include <string>
#include <vector>

#include "parley/profile.h"

namespace parley::cli {

// At most so many files in one command, and so many at the same time.
inline constexpr size_t kMostFilesAtOnce = 10'000;
inline constexpr size_t kTransfersSideBySide = 3;

struct FileToShare {
  std::string path;
  // What others see, where it isn't the file's own name: of one in a folder's subfolder, with that.
  std::string name;
};

// The files, and of folders all files in them, in order of their names; links and hidden files of a
// folder are left out. Errors: kFileError for what can't be read, kInvalidArgument for a folder
// without files, kResourceExhausted for too many. Each file is opened, so that a missing one is
// found before anything is shared.
Result<std::vector<FileToShare>> FilesToShare(const std::vector<std::string>& arguments);

struct SharedFile {
  FileToShare file;
  Result<SentMessage> sent = Status(StatusCode::kCancelled, "");
};

// Shares all of them, a few side by side, with a bar for all on the terminal. The results are in
// the files' order; after an error or an interruption no further file is begun: those have
// kCancelled.
std::vector<SharedFile> ShareAll(Profile& profile, const ChannelRef& channel,
                                 std::vector<FileToShare> files, const ShareOptions& options);

// What became of a shared file's metadata, in a line for a terminal.
std::string MetadataText(const SentMessage& sent);

}  // namespace parley::cli

#endif  // PARLEY_TOOLS_PARLEY_COMMANDS_SHARING_H_
