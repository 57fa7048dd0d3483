// PNG (ISO/IEC 15948): the chunks that make up the picture, its colours and its size are kept, also
// those of an animation; every other one goes, and what comes after the end.
#include <zlib.h>

#include <algorithm>
#include <optional>
#include <string>

#include "client-lib/file_worker/program/exif.h"
#include "client-lib/file_worker/program/jobs.h"

namespace parley::file_worker {
namespace {

constexpr std::string_view kSignature("\x89PNG\r\n\x1a\n", 8);
constexpr std::string_view kKeptChunkTypes[] = {"IHDR", "PLTE", "IDAT", "IEND", "tRNS", "gAMA",
                                                "cHRM", "sRGB", "iCCP", "cICP", "sBIT", "bKGD",
                                                "hIST", "pHYs", "acTL", "fcTL", "fdAT"};
constexpr std::string_view kXmp = "XML:com.adobe.xmp";

bool IsKept(std::string_view type) {
  return std::find(std::begin(kKeptChunkTypes), std::end(kKeptChunkTypes), type) !=
         std::end(kKeptChunkTypes);
}

// Whoever doesn't know such a chunk can't show the picture.
bool IsCritical(std::string_view type) { return type[0] >= 'A' && type[0] <= 'Z'; }

std::string Number(uint64_t value) {
  std::string bytes;
  for (int i = 3; i >= 0; --i) bytes.push_back(static_cast<char>(value >> (8 * i) & 0xff));
  return bytes;
}

std::string Checksum(std::string_view type_and_data) {
  return Number(crc32(0, reinterpret_cast<const Bytef*>(type_and_data.data()),
                      static_cast<uInt>(type_and_data.size())));
}

std::string OrientationChunk(uint16_t orientation) {
  const std::string block = OrientationBlock(orientation);
  return Number(block.size()) + "eXIf" + block + Checksum("eXIf" + block);
}

uint32_t KindOf(std::string_view type, std::string_view data) {
  if (type == "iTXt" && data.starts_with(kXmp)) return kRemovedXmp;
  if (type == "tEXt" || type == "zTXt" || type == "iTXt") return kRemovedComments;
  return kRemovedOther;
}

struct Picture {
  std::string header;  // the first chunk
  std::string rest;
  uint16_t orientation = 1;
  uint32_t removed = 0;
  bool has_data = false;
};

// False where the file isn't whole.
bool TakeChunks(Cursor& chunks, Picture& picture) {
  while (true) {
    const std::string_view before = chunks.rest();
    const std::optional<std::string_view> head = chunks.Take(8);
    if (!head.has_value()) return false;
    const std::string_view type = head->substr(4);
    const std::optional<std::string_view> data = chunks.Take(BigEndian(head->substr(0, 4)));
    const std::optional<std::string_view> checksum = chunks.Take(4);
    if (!data.has_value() || !checksum.has_value()) return false;
    if (*checksum != Checksum(before.substr(4, 4 + data->size()))) return false;
    const std::string_view whole = before.substr(0, 12 + data->size());
    if (picture.header.empty() != (type == "IHDR")) return false;
    if (type == "IHDR") {
      picture.header = whole;
    } else if (IsKept(type)) {
      picture.rest += whole;
      picture.has_data |= type == "IDAT";
    } else if (IsCritical(type)) {
      return false;
    } else if (type == "eXIf") {
      const ExifFacts facts = ReadExif(*data);
      picture.removed |= facts.removed;
      if (picture.orientation == 1) picture.orientation = facts.orientation;
    } else {
      picture.removed |= KindOf(type, *data);
    }
    if (type == "IEND") return picture.has_data;
  }
}

}  // namespace

JobResult CleanPng(std::string_view file) {
  Cursor chunks(file);
  if (chunks.Take(kSignature.size()) != kSignature) return Failed(Failure::kNotReadable);
  Picture picture;
  if (!TakeChunks(chunks, picture)) return Failed(Failure::kNotReadable);
  JobResult result;
  result.output = std::string(kSignature) + picture.header;
  if (picture.orientation != 1) result.output += OrientationChunk(picture.orientation);
  result.output += picture.rest;
  result.removed = picture.removed;
  if (!chunks.empty()) result.removed |= kRemovedOther;
  result.unchanged = result.output == file;
  if (!result.unchanged && result.removed == 0) result.removed = kRemovedOther;
  return result;
}

}  // namespace parley::file_worker
