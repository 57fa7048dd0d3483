#include "storage/kv/rocksdb_blob_file.h"

#include <array>
#include <cstddef>
#include <fstream>
#include <string_view>
#include <utility>

#include "absl/status/status.h"

namespace parley::storage {
namespace {

// The file: a head of 30 bytes that begins with a magic number, then records, then a foot of 32
// bytes that begins with the same number. A record: its key's size and its value's (8 bytes each),
// an expiration (8) and two checksums (4 each), the key, the value. Numbers are little-endian.
constexpr uint32_t kMagic = 2395959;
constexpr uint64_t kHeadSize = 30;
constexpr uint64_t kFootSize = 32;
constexpr size_t kRecordHeadSize = 32;
constexpr uint64_t kMostKeyBytes = 4096;  // ours have 41

uint64_t Number(std::string_view bytes) {
  uint64_t number = 0;
  for (size_t i = bytes.size(); i-- > 0;) number = number << 8 | static_cast<uint8_t>(bytes[i]);
  return number;
}

absl::Status Damaged(const std::string& path) {
  return absl::DataLossError("the file " + path + " is damaged; restore the folder from a backup");
}

}  // namespace

absl::StatusOr<std::vector<std::string>> KeysInBlobFile(const std::string& path,
                                                        uint64_t expected) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return absl::UnavailableError("can't read " + path);
  const auto size = static_cast<uint64_t>(file.tellg());
  std::array<char, kRecordHeadSize> head{};
  const std::string_view bytes(head.data(), head.size());
  if (size < kHeadSize + kFootSize) return Damaged(path);
  file.seekg(0);
  if (!file.read(head.data(), 4)) return absl::UnavailableError("can't read " + path);
  if (Number(bytes.substr(0, 4)) != kMagic) return Damaged(path);
  std::vector<std::string> keys;
  const uint64_t end = size - kFootSize;
  uint64_t at = kHeadSize;
  while (at < end) {
    if (end - at < kRecordHeadSize) return Damaged(path);
    file.seekg(static_cast<std::streamoff>(at));
    if (!file.read(head.data(), head.size())) return absl::UnavailableError("can't read " + path);
    const uint64_t key_size = Number(bytes.substr(0, 8));
    const uint64_t value_size = Number(bytes.substr(8, 8));
    at += kRecordHeadSize;
    if (key_size > kMostKeyBytes || key_size > end - at || value_size > end - at - key_size) {
      return Damaged(path);
    }
    std::string key(key_size, '\0');
    if (!file.read(key.data(), static_cast<std::streamsize>(key_size))) {
      return absl::UnavailableError("can't read " + path);
    }
    keys.push_back(std::move(key));
    at += key_size + value_size;
  }
  if (keys.size() != expected) return Damaged(path);
  return keys;
}

}  // namespace parley::storage
