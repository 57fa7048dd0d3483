#include "client-lib/file_worker/archive_form.h"

#include <optional>

namespace parley::file_worker {
namespace {

constexpr std::string_view kMemberMark("PK\x03\x04", 4);
constexpr std::string_view kDirectory("PK\x01\x02", 4);
constexpr std::string_view kEnd("PK\x05\x06", 4);
constexpr std::string_view kEnd64("PK\x06\x06", 4);
constexpr std::string_view kLocator64("PK\x06\x07", 4);
constexpr std::string_view kParts("PK\x07\x08", 4);    // APPNOTE 8.5.3
constexpr std::string_view kOnePart("PK\x30\x30", 4);  // of what fitted into one (8.5.4)
constexpr size_t kEndSize = 22;
constexpr size_t kLocator64Size = 20;
constexpr size_t kEnd64Size = 56;

uint64_t LittleEndianAt(std::string_view bytes, size_t at, size_t count) {
  uint64_t value = 0;
  for (size_t i = count; i > 0; --i) value = value << 8 | static_cast<uint8_t>(bytes[at + i - 1]);
  return value;
}

// Where the end record is whose comment reaches the last byte.
std::optional<size_t> FindEnd(std::string_view bytes) {
  const size_t first =
      bytes.size() - (bytes.size() < kArchiveEndBytes ? bytes.size() : kArchiveEndBytes);
  for (size_t at = bytes.rfind(kEnd); at != std::string_view::npos && at >= first;
       at = at == 0 ? std::string_view::npos : bytes.rfind(kEnd, at - 1)) {
    if (bytes.size() - at < kEndSize) continue;
    if (at + kEndSize + LittleEndianAt(bytes, at + 20, 2) == bytes.size()) return at;
  }
  return std::nullopt;
}

// The archive's own of ZIP64, before the end record at `end`.
std::optional<size_t> FindEnd64(std::string_view bytes, size_t end) {
  if (end < kLocator64Size + kEnd64Size) return std::nullopt;
  const size_t locator = end - kLocator64Size;
  const size_t at = locator - kEnd64Size;
  if (!bytes.substr(locator).starts_with(kLocator64)) return std::nullopt;
  return bytes.substr(at).starts_with(kEnd64) ? std::optional(at) : std::nullopt;
}

}  // namespace

bool BeginsAsArchive(std::string_view first_bytes) {
  if (first_bytes.starts_with(kParts) || first_bytes.starts_with(kOnePart)) {
    first_bytes.remove_prefix(kParts.size());
  }
  return first_bytes.starts_with(kMemberMark);
}

bool EndsAsArchive(std::string_view last_bytes) { return FindEnd(last_bytes).has_value(); }

bool MayHaveArchiveEnd(std::string_view last_bytes) {
  return last_bytes.find(kEnd) != std::string_view::npos;
}

bool IsPartOfArchive(std::string_view file) {
  if (file.starts_with(kParts) && BeginsAsArchive(file)) return true;
  const std::optional<size_t> end = FindEnd(file);
  if (!end.has_value()) return false;
  // This part's number, that in which the directory begins, and entries here and in all.
  constexpr uint64_t kInEnd64 = 0xffff;
  const uint64_t part = LittleEndianAt(file, *end + 4, 2);
  const uint64_t begins = LittleEndianAt(file, *end + 6, 2);
  const auto is_later = [](uint64_t number) { return number != 0 && number != kInEnd64; };
  return is_later(part) || is_later(begins) ||
         LittleEndianAt(file, *end + 8, 2) != LittleEndianAt(file, *end + 10, 2);
}

size_t BytesBeforeArchive(std::string_view file) {
  const std::optional<size_t> end = FindEnd(file);
  if (!end.has_value()) return 0;
  const std::optional<size_t> end64 = FindEnd64(file, *end);
  // The directory ends where its end record begins; how far before that it begins, and where that
  // is, the record says.
  const size_t directory_end = end64.value_or(*end);
  const uint64_t size =
      end64.has_value() ? LittleEndianAt(file, *end64 + 40, 8) : LittleEndianAt(file, *end + 12, 4);
  const uint64_t claimed =
      end64.has_value() ? LittleEndianAt(file, *end64 + 48, 8) : LittleEndianAt(file, *end + 16, 4);
  if (size == 0 || size > directory_end) return 0;
  const size_t directory = directory_end - static_cast<size_t>(size);
  if (claimed >= directory || !file.substr(directory).starts_with(kDirectory)) return 0;
  return directory - static_cast<size_t>(claimed);
}

}  // namespace parley::file_worker
