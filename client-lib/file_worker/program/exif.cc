#include "client-lib/file_worker/program/exif.h"

#include <optional>

#include "client-lib/file_worker/program/job.h"

namespace parley::file_worker {
namespace {

constexpr uint64_t kOrientation = 0x0112;
constexpr uint64_t kPlace = 0x8825;
constexpr size_t kEntryBytes = 12;

}  // namespace

ExifFacts ReadExif(std::string_view block) {
  ExifFacts facts;
  if (block.size() < 10) {
    if (!block.empty()) facts.removed = kRemovedCamera;
    return facts;
  }
  const bool little = block.starts_with("II");
  const auto number = [&](std::string_view bytes) {
    return little ? LittleEndian(bytes) : BigEndian(bytes);
  };
  const uint64_t start = number(block.substr(4, 4));
  if (start > block.size() - 2) {
    facts.removed = kRemovedCamera;
    return facts;
  }
  Cursor entries(block.substr(start));
  uint64_t count = number(*entries.Take(2));
  for (; count > 0; --count) {
    const std::optional<std::string_view> entry = entries.Take(kEntryBytes);
    if (!entry.has_value()) break;
    const uint64_t tag = number(entry->substr(0, 2));
    if (tag == kOrientation) {
      const uint64_t value = number(entry->substr(8, 2));
      if (value >= 1 && value <= 8) facts.orientation = static_cast<uint16_t>(value);
    } else {
      facts.removed |= tag == kPlace ? kRemovedPlace : kRemovedCamera;
    }
  }
  // A second directory is that of the small picture.
  const std::optional<std::string_view> next = entries.Take(4);
  if (next.has_value() && number(*next) != 0) facts.removed |= kRemovedThumbnails;
  return facts;
}

std::string OrientationBlock(uint16_t orientation) {
  std::string block("MM\0\x2a\0\0\0\x08\0\x01", 10);
  block.append("\x01\x12\0\x03\0\0\0\x01", 8);
  block.push_back('\0');
  block.push_back(static_cast<char>(orientation));
  block.append(2 + 4, '\0');
  return block;
}

}  // namespace parley::file_worker
