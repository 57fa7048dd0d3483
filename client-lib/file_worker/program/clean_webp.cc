// WebP (RFC 9649): the chunks that make up the picture, its colours and its animation are kept;
// every other one goes, and what comes after the end.
#include <algorithm>
#include <optional>
#include <string>

#include "client-lib/file_worker/program/exif.h"
#include "client-lib/file_worker/program/jobs.h"

namespace parley::file_worker {
namespace {

constexpr std::string_view kKeptChunks[] = {"VP8 ", "VP8L", "VP8X", "ALPH", "ANIM", "ICCP"};
constexpr size_t kFrameHeaderBytes = 16;     // of an animation's frame: RFC 9649 section 2.7.1.1
constexpr size_t kExtendedHeaderBytes = 10;  // of VP8X: section 2.7
constexpr uint8_t kHasExif = 0x08;
constexpr uint8_t kHasXmp = 0x04;

std::string Chunk(std::string_view type, std::string_view data) {
  std::string chunk(type);
  for (int i = 0; i < 4; ++i) chunk.push_back(static_cast<char>(data.size() >> (8 * i) & 0xff));
  chunk += data;
  if (data.size() % 2 != 0) chunk.push_back('\0');
  return chunk;
}

struct NextChunk {
  std::string_view type;
  std::string_view data;
};

std::optional<NextChunk> TakeChunk(Cursor& chunks) {
  const std::optional<std::string_view> head = chunks.Take(8);
  if (!head.has_value()) return std::nullopt;
  const uint64_t size = LittleEndian(head->substr(4));
  const std::optional<std::string_view> data = chunks.Take(size);
  if (!data.has_value()) return std::nullopt;
  if (size % 2 != 0 && !chunks.Take(1).has_value()) return std::nullopt;
  return NextChunk{head->substr(0, 4), *data};
}

class WebpCleaner {
 public:
  // False where the file isn't whole.
  bool TakeAll(Cursor chunks) {
    while (!chunks.empty()) {
      const std::optional<NextChunk> chunk = TakeChunk(chunks);
      if (!chunk.has_value() || !Take(*chunk)) return false;
    }
    return has_picture_;
  }

  std::string Kept() const {
    std::string kept;
    if (!extended_.empty()) {
      std::string header = extended_;
      const auto flags = static_cast<uint8_t>(header[0]) & ~(kHasExif | kHasXmp);
      header[0] = static_cast<char>(flags | (orientation_ != 1 ? kHasExif : 0));
      kept = Chunk("VP8X", header);
    }
    kept += picture_;
    if (!extended_.empty() && orientation_ != 1) {
      kept += Chunk("EXIF", OrientationBlock(orientation_));
    }
    return kept;
  }

  uint32_t removed() const { return removed_; }

 private:
  bool Take(const NextChunk& chunk) {
    if (chunk.type == "VP8X") {
      if (chunk.data.size() != kExtendedHeaderBytes || !extended_.empty()) return false;
      extended_ = chunk.data;
    } else if (chunk.type == "ANMF") {
      return TakeFrame(chunk.data);
    } else if (std::find(std::begin(kKeptChunks), std::end(kKeptChunks), chunk.type) !=
               std::end(kKeptChunks)) {
      picture_ += Chunk(chunk.type, chunk.data);
      has_picture_ |= chunk.type.starts_with("VP8");
    } else if (chunk.type == "EXIF") {
      constexpr std::string_view kPrefix("Exif\0\0", 6);  // which some writers put there
      const ExifFacts facts = ReadExif(
          chunk.data.starts_with(kPrefix) ? chunk.data.substr(kPrefix.size()) : chunk.data);
      removed_ |= facts.removed;
      if (orientation_ == 1) orientation_ = facts.orientation;
    } else {
      removed_ |= chunk.type == "XMP " ? kRemovedXmp : kRemovedOther;
    }
    return true;
  }

  bool TakeFrame(std::string_view data) {
    if (data.size() < kFrameHeaderBytes) return false;
    Cursor chunks(data.substr(kFrameHeaderBytes));
    std::string frame(data.substr(0, kFrameHeaderBytes));
    while (!chunks.empty()) {
      const std::optional<NextChunk> chunk = TakeChunk(chunks);
      if (!chunk.has_value()) return false;
      if (chunk->type == "VP8 " || chunk->type == "VP8L" || chunk->type == "ALPH") {
        frame += Chunk(chunk->type, chunk->data);
        has_picture_ = true;
      } else {
        removed_ |= kRemovedOther;
      }
    }
    picture_ += Chunk("ANMF", frame);
    return true;
  }

  std::string extended_;
  std::string picture_;
  uint16_t orientation_ = 1;
  uint32_t removed_ = 0;
  bool has_picture_ = false;
};

}  // namespace

JobResult CleanWebp(std::string_view file) {
  Cursor rest(file);
  const std::optional<std::string_view> head = rest.Take(12);
  if (!head.has_value() || !head->starts_with("RIFF") || head->substr(8) != "WEBP") {
    return Failed(Failure::kNotReadable);
  }
  const uint64_t size = LittleEndian(head->substr(4, 4));
  if (size < 4) return Failed(Failure::kNotReadable);
  const std::optional<std::string_view> chunks = rest.Take(size - 4);
  WebpCleaner cleaner;
  if (!chunks.has_value() || !cleaner.TakeAll(Cursor(*chunks))) {
    return Failed(Failure::kNotReadable);
  }
  JobResult result;
  result.output = Chunk("RIFF", "WEBP" + cleaner.Kept());
  result.removed = cleaner.removed();
  if (!rest.empty()) result.removed |= kRemovedOther;
  result.unchanged = result.output == file;
  if (!result.unchanged && result.removed == 0) result.removed = kRemovedOther;
  return result;
}

}  // namespace parley::file_worker
