#include "storage/kv/synced_mark.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <system_error>

namespace parley::storage {
namespace {

// The change's number, and a check of it; then the list's number and size, and a check of both: a
// file of one length, written in place, so that a full disk doesn't matter.
constexpr size_t kNumberSize = 8;
constexpr size_t kChangeSize = 2 * kNumberSize;
constexpr size_t kListSize = 3 * kNumberSize;

uint64_t CheckOf(uint64_t number) { return ~number; }
uint64_t CheckOf(const ListOfFiles& list) { return ~(list.number ^ std::rotl(list.size, 32)); }

void Write(char* out, uint64_t number) {
  for (size_t i = 0; i < kNumberSize; ++i) {
    out[i] = static_cast<char>(number >> (8 * (kNumberSize - 1 - i)));
  }
}

uint64_t Read(const char* in) {
  uint64_t number = 0;
  for (size_t i = 0; i < kNumberSize; ++i) number = number << 8 | static_cast<uint8_t>(in[i]);
  return number;
}

}  // namespace

std::string SyncedMark::PathIn(const std::string& folder) { return folder + "/SYNCED"; }

absl::StatusOr<SyncedMark::Synced> SyncedMark::Load(const std::string& folder) {
  Synced synced;
  const int file = ::open(PathIn(folder).c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0 && errno == ENOENT) return synced;
  std::array<char, kChangeSize + kListSize> bytes{};
  const ssize_t size = file < 0 ? -1 : ::pread(file, bytes.data(), bytes.size(), 0);
  const int error = errno;
  if (file >= 0) ::close(file);
  if (size < 0) {
    return absl::UnavailableError("the store: opening " + folder + ": the file " + PathIn(folder) +
                                  " can't be read: " + std::generic_category().message(error));
  }
  const uint64_t number = Read(bytes.data());
  if (static_cast<size_t>(size) >= kChangeSize &&
      Read(bytes.data() + kNumberSize) == CheckOf(number)) {
    synced.change = number;
  }
  const char* const in = bytes.data() + kChangeSize;
  const ListOfFiles list{Read(in), Read(in + kNumberSize)};
  if (static_cast<size_t>(size) == bytes.size() && Read(in + 2 * kNumberSize) == CheckOf(list)) {
    synced.list = list;
  }
  return synced;
}

SyncedMark::SyncedMark(const std::string& folder)
    : file_(::open(PathIn(folder).c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600)) {}

SyncedMark::~SyncedMark() {
  if (file_ >= 0) ::close(file_);
}

void SyncedMark::Set(uint64_t number) {
  if (file_ < 0) return;
  std::array<char, kChangeSize> bytes{};
  Write(bytes.data(), number);
  Write(bytes.data() + kNumberSize, CheckOf(number));
  [[maybe_unused]] const ssize_t written = ::pwrite(file_, bytes.data(), bytes.size(), 0);
}

void SyncedMark::SetList(const ListOfFiles& list) {
  if (file_ < 0) return;
  std::array<char, kListSize> bytes{};
  Write(bytes.data(), list.number);
  Write(bytes.data() + kNumberSize, list.size);
  Write(bytes.data() + 2 * kNumberSize, CheckOf(list));
  [[maybe_unused]] const ssize_t written = ::pwrite(file_, bytes.data(), bytes.size(), kChangeSize);
}

}  // namespace parley::storage
