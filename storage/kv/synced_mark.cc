#include "storage/kv/synced_mark.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstddef>

namespace parley::storage {
namespace {

// The number, and a check of it: a file of one length, written in place, so that a full disk
// doesn't matter.
constexpr size_t kNumberSize = 8;
constexpr size_t kSize = 2 * kNumberSize;

uint64_t CheckOf(uint64_t number) { return ~number; }

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

std::optional<uint64_t> SyncedMark::Load(const std::string& folder) {
  const int file = ::open(PathIn(folder).c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return std::nullopt;
  std::array<char, kSize> bytes{};
  const ssize_t size = ::pread(file, bytes.data(), bytes.size(), 0);
  ::close(file);
  if (size != static_cast<ssize_t>(bytes.size())) return std::nullopt;
  const uint64_t number = Read(bytes.data());
  if (Read(bytes.data() + kNumberSize) != CheckOf(number)) return std::nullopt;
  return number;
}

SyncedMark::SyncedMark(const std::string& folder)
    : file_(::open(PathIn(folder).c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600)) {}

SyncedMark::~SyncedMark() {
  if (file_ >= 0) ::close(file_);
}

void SyncedMark::Set(uint64_t number) {
  if (file_ < 0) return;
  std::array<char, kSize> bytes{};
  Write(bytes.data(), number);
  Write(bytes.data() + kNumberSize, CheckOf(number));
  [[maybe_unused]] const ssize_t written = ::pwrite(file_, bytes.data(), bytes.size(), 0);
}

}  // namespace parley::storage
