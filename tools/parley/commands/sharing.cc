#include "tools/parley/commands/sharing.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "tools/parley/interruption.h"
#include "tools/parley/output/progress.h"
#include "tools/parley/output/text.h"

namespace parley::cli {
namespace {

namespace fs = std::filesystem;

Status Unreadable(const std::string& path, const std::string& why) {
  return Status(StatusCode::kFileError, "\"" + path + "\" can't be read: " + why);
}

Status AddFolder(const std::string& folder, std::vector<FileToShare>& files) {
  std::error_code error;
  std::vector<fs::path> found;
  fs::recursive_directory_iterator entry(folder, error);
  for (const fs::recursive_directory_iterator end; !error && entry != end; entry.increment(error)) {
    const bool hidden = entry->path().filename().string().starts_with(".");
    const fs::file_status status = entry->symlink_status(error);
    if (error) break;
    if (hidden && fs::is_directory(status)) entry.disable_recursion_pending();
    if (hidden || !fs::is_regular_file(status)) continue;
    found.push_back(entry->path());
    if (found.size() > kMostFilesAtOnce) break;
  }
  if (error) return Unreadable(folder, error.message());
  if (found.empty()) {
    return Status(StatusCode::kInvalidArgument, "there are no files in \"" + folder + "\"");
  }
  std::sort(found.begin(), found.end());
  for (const fs::path& path : found) {
    std::string name;
    for (const fs::path& part : path.lexically_relative(folder)) {
      name += (name.empty() ? "" : " - ") + part.string();
    }
    files.push_back({path.string(), name});
  }
  return {};
}

// Draws the sum of what several transfers have done.
class CommonBar {
 public:
  explicit CommonBar(const std::vector<SharedFile>& files) : bar_("sharing"), done_(files.size()) {
    for (const SharedFile& file : files) {
      std::error_code error;
      const uintmax_t size = fs::file_size(file.file.path, error);
      if (!error) total_ += size;
    }
  }

  void Show(size_t file, uint64_t done) {
    const std::lock_guard<std::mutex> lock(mutex_);
    sum_ += done - done_[file];
    done_[file] = done;
    bar_.Show(std::min(sum_, total_), total_);
  }

 private:
  std::mutex mutex_;
  ProgressBar bar_;
  std::vector<uint64_t> done_;
  uint64_t sum_ = 0;
  uint64_t total_ = 0;
};

}  // namespace

Result<std::vector<FileToShare>> FilesToShare(const std::vector<std::string>& arguments) {
  std::vector<FileToShare> files;
  for (const std::string& argument : arguments) {
    std::error_code error;
    if (fs::is_directory(argument, error)) {
      if (const Status added = AddFolder(argument, files); !added.ok()) return added;
    } else {
      files.push_back({argument, ""});
    }
    if (files.size() > kMostFilesAtOnce) {
      return Status(StatusCode::kResourceExhausted, "these are more than " +
                                                        std::to_string(kMostFilesAtOnce) +
                                                        " files; share them in several steps");
    }
  }
  for (const FileToShare& file : files) {
    errno = 0;
    if (!std::ifstream(file.path, std::ios::binary)) {
      return Unreadable(file.path, std::strerror(errno));
    }
  }
  return files;
}

std::vector<SharedFile> ShareAll(Profile& profile, const ChannelRef& channel,
                                 std::vector<FileToShare> files, const ShareOptions& options) {
  std::vector<SharedFile> shared;
  for (FileToShare& file : files) shared.push_back({std::move(file)});
  const Cancellation& interruption = Interruption();
  CommonBar bar(shared);
  std::atomic<size_t> next{0};
  std::atomic<bool> stop{false};
  const auto work = [&] {
    while (!stop && !interruption.cancelled()) {
      const size_t i = next++;
      if (i >= shared.size()) return;
      ShareOptions of_one = options;
      if (of_one.name.empty()) of_one.name = shared[i].file.name;
      shared[i].sent =
          profile.Share(channel, shared[i].file.path, of_one, [&, i](uint64_t done, uint64_t) {
            bar.Show(i, done);
            return !interruption.cancelled();
          });
      // A file that was paused keeps no other one waiting.
      const bool paused = shared[i].sent.status().code() == StatusCode::kCancelled;
      if (!shared[i].sent.ok() && !paused) stop = true;
    }
  };
  std::vector<std::thread> others;
  for (size_t i = 1; i < std::min(kTransfersSideBySide, shared.size()); ++i) {
    others.emplace_back(work);
  }
  work();
  for (std::thread& thread : others) thread.join();
  return shared;
}

std::string MetadataText(const SentMessage& sent) {
  switch (sent.metadata) {
    case MetadataOutcome::kRemoved: {
      std::string removed;
      for (const std::string& one : sent.removed) removed += (removed.empty() ? "" : ", ") + one;
      return "Removed from the copy that was shared: " + Harmless(removed) + ".";
    }
    case MetadataOutcome::kKept:
      return "Shared as it is, with its metadata.";
    case MetadataOutcome::kNoneFound:
      return "It has no metadata to remove.";
    case MetadataOutcome::kNotCleaned:
      break;
  }
  return "Shared as it is: files of this kind are not cleaned of metadata.";
}

}  // namespace parley::cli
