// Where the file worker is.
#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>
#include <vector>

#include "client-lib/file_worker/file_worker.h"

namespace parley::file_worker {
namespace {

constexpr char kName[] = "parley-file-worker";

// The library that this code is in, or the program.
std::filesystem::path OwnFile() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&OwnFile), &info) == 0 || info.dli_fname == nullptr) {
    return {};
  }
  std::error_code error;
  const std::filesystem::path own = std::filesystem::canonical(info.dli_fname, error);
  return error ? std::filesystem::path() : own;
}

bool IsProgram(const std::filesystem::path& path) {
  struct stat found {};
  return stat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode) &&
         access(path.c_str(), X_OK) == 0;
}

}  // namespace

absl::StatusOr<FileWorker> FileWorker::Find() {
  std::vector<std::filesystem::path> places;
  const std::filesystem::path own = OwnFile();
  if (!own.empty()) places.push_back(own.parent_path() / PARLEY_WORKER_FROM_LIBRARY / kName);
  std::error_code error;
  const std::filesystem::path running = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) places.push_back(running.parent_path() / kName);
  for (const std::filesystem::path& place : places) {
    if (IsProgram(place)) return FileWorker(place.lexically_normal().string());
  }
  return absl::FailedPreconditionError(
      std::string("the program that reads files, ") + kName +
      ", isn't installed beside this library, and nothing else may read them: install Parley anew");
}

}  // namespace parley::file_worker
