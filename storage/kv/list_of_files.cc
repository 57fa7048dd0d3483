#include "storage/kv/list_of_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <fstream>
#include <string_view>

namespace parley::storage {
namespace {

constexpr std::string_view kPrefix = "MANIFEST-";

// The name of the list in force, as the file says that names it.
std::optional<std::string> NameIn(const std::string& folder) {
  std::string name;
  std::ifstream in(folder + "/CURRENT", std::ios::binary);
  if (!std::getline(in, name) || !name.starts_with(kPrefix)) return std::nullopt;
  return name;
}

std::optional<uint64_t> NumberOf(std::string_view name) {
  name.remove_prefix(kPrefix.size());
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return number;
}

// Once what was there when it was opened, and how long it was, is on the disk.
bool Sync(const std::string& path, int flags, struct stat& status) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | flags);
  if (file < 0) return false;
  const bool is_synced = ::fstat(file, &status) == 0 && ::fsync(file) == 0;
  ::close(file);
  return is_synced;
}

}  // namespace

std::optional<ListOfFiles> FindListOfFiles(const std::string& folder) {
  const std::optional<std::string> name = NameIn(folder);
  if (!name.has_value()) return std::nullopt;
  const std::optional<uint64_t> number = NumberOf(*name);
  struct stat status {};
  if (!number.has_value() || ::stat((folder + "/" + *name).c_str(), &status) != 0) {
    return std::nullopt;
  }
  return ListOfFiles{*number, static_cast<uint64_t>(status.st_size)};
}

std::optional<ListOfFiles> SyncListOfFiles(const std::string& folder) {
  const std::optional<std::string> name = NameIn(folder);
  if (!name.has_value()) return std::nullopt;
  const std::optional<uint64_t> number = NumberOf(*name);
  struct stat list {};
  struct stat unused {};
  // The folder too, since by its entry CURRENT this list is the one in force.
  if (!number.has_value() || !Sync(folder + "/" + *name, 0, list) ||
      !Sync(folder, O_DIRECTORY, unused)) {
    return std::nullopt;
  }
  return ListOfFiles{*number, static_cast<uint64_t>(list.st_size)};
}

}  // namespace parley::storage
