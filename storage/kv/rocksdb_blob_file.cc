#include "storage/kv/rocksdb_blob_file.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <fstream>
#include <functional>
#include <string_view>
#include <utility>

#include "crypto/base/status_macros.h"
#include "storage/kv/rocksdb_checksum.h"

namespace parley::storage {
namespace {

// The file: a head of 30 bytes that begins with a magic number, then records, then a foot of 32
// bytes that begins with the same number. A record: its key's size and its value's (8 bytes each),
// an expiration (8), the checksum of these and that of the key and value (4 each), the key, the
// value. Numbers are little-endian.
constexpr uint32_t kMagic = 2395959;
constexpr uint64_t kHeadSize = 30;
constexpr uint64_t kFootSize = 32;
constexpr size_t kRecordHeadSize = 32;
constexpr size_t kSizesSize = 24;
constexpr size_t kCheckSize = 4;
constexpr uint64_t kMostKeyBytes = 4096;  // ours have 41
constexpr size_t kPiece = 64 << 10;

uint64_t Number(std::string_view bytes) {
  uint64_t number = 0;
  for (size_t i = bytes.size(); i-- > 0;) number = number << 8 | static_cast<uint8_t>(bytes[i]);
  return number;
}

// RocksDB stores checksums in this form, so that one of bytes with checksums in them is of use.
uint32_t Masked(uint32_t sum) { return std::rotr(sum, 15) + 0xa282ead8u; }

absl::Status Damaged(const std::string& path) {
  return absl::DataLossError("the file " + path +
                             " is damaged; \"parley-relay verify\" says what is lost, restore the "
                             "folder from a backup");
}

absl::Status CannotRead(const std::string& path) {
  return absl::UnavailableError("can't read " + path);
}

struct BlobRecordHead {
  uint64_t value_size = 0;
  uint32_t check = 0;  // of key and value
};

// Calls `visit` for each record, which may read its value: the file stands there. Errors: as
// CheckBlobFile, but for values and keys that are damaged; those of `visit`.
using VisitRecord =
    std::function<absl::Status(std::ifstream& file, std::string key, const BlobRecordHead& head)>;
absl::Status VisitRecords(const std::string& path, uint64_t expected, const VisitRecord& visit) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return CannotRead(path);
  const auto size = static_cast<uint64_t>(file.tellg());
  std::array<char, kRecordHeadSize> head{};
  const std::string_view bytes(head.data(), head.size());
  if (size < kHeadSize + kFootSize) return Damaged(path);
  file.seekg(0);
  if (!file.read(head.data(), 4)) return CannotRead(path);
  if (Number(bytes.substr(0, 4)) != kMagic) return Damaged(path);
  const uint64_t end = size - kFootSize;
  uint64_t at = kHeadSize;
  uint64_t count = 0;
  for (; at < end; ++count) {
    if (end - at < kRecordHeadSize) return Damaged(path);
    file.seekg(static_cast<std::streamoff>(at));
    if (!file.read(head.data(), head.size())) return CannotRead(path);
    const uint64_t key_size = Number(bytes.substr(0, 8));
    const uint64_t value_size = Number(bytes.substr(8, 8));
    const uint32_t sizes_check = Masked(Crc32c(0, bytes.substr(0, kSizesSize)));
    if (sizes_check != Number(bytes.substr(kSizesSize, kCheckSize))) return Damaged(path);
    at += kRecordHeadSize;
    if (key_size > kMostKeyBytes || key_size > end - at || value_size > end - at - key_size) {
      return Damaged(path);
    }
    std::string key(key_size, '\0');
    if (!file.read(key.data(), static_cast<std::streamsize>(key_size))) return CannotRead(path);
    const auto check = static_cast<uint32_t>(Number(bytes.substr(kSizesSize + kCheckSize)));
    PARLEY_RETURN_IF_ERROR(visit(file, std::move(key), BlobRecordHead{value_size, check}));
    at += key_size + value_size;
  }
  return count == expected ? absl::OkStatus() : Damaged(path);
}

}  // namespace

std::string PathOf(const rocksdb::BlobMetaData& file) {
  const size_t name = file.blob_file_name.find_first_not_of('/');
  return file.blob_file_path + "/" + file.blob_file_name.substr(name);
}

absl::StatusOr<std::vector<std::string>> KeysInBlobFile(const std::string& path,
                                                        uint64_t expected) {
  std::vector<std::string> keys;
  PARLEY_RETURN_IF_ERROR(
      VisitRecords(path, expected,
                   [&](std::ifstream& /*file*/, std::string key, const BlobRecordHead& /*head*/) {
                     keys.push_back(std::move(key));
                     return absl::OkStatus();
                   }));
  return keys;
}

absl::Status CheckBlobFile(const std::string& path, uint64_t expected) {
  std::string piece(kPiece, '\0');
  return VisitRecords(path, expected,
                      [&](std::ifstream& file, const std::string& key, const BlobRecordHead& head) {
                        uint32_t sum = Crc32c(0, key);
                        for (uint64_t left = head.value_size; left > 0;) {
                          const size_t size = std::min<uint64_t>(left, piece.size());
                          if (!file.read(piece.data(), static_cast<std::streamsize>(size)))
                            return CannotRead(path);
                          sum = Crc32c(sum, std::string_view(piece).substr(0, size));
                          left -= size;
                        }
                        return Masked(sum) == head.check ? absl::OkStatus() : Damaged(path);
                      });
}

}  // namespace parley::storage
