// JPEG (ITU-T T.81, annex B): segments that make up the picture are kept as they are, with JFIF's
// header, the colour profile and Adobe's; every other one goes, and what comes after the end.
#include <optional>
#include <string>

#include "client-lib/file_worker/program/exif.h"
#include "client-lib/file_worker/program/jobs.h"

namespace parley::file_worker {
namespace {

constexpr uint8_t kStart = 0xd8;
constexpr uint8_t kEnd = 0xd9;
constexpr uint8_t kScan = 0xda;
constexpr uint8_t kComment = 0xfe;

constexpr std::string_view kExif("Exif\0\0", 6);
constexpr std::string_view kJfif("JFIF\0", 5);
constexpr std::string_view kProfile("ICC_PROFILE\0", 12);
constexpr std::string_view kAdobe = "Adobe";
constexpr size_t kJfifBytes = 14;  // without a small picture
constexpr size_t kAdobeBytes = 12;

bool IsFrame(uint8_t marker) {
  return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

// Tables, frames, intervals: ITU-T T.81, table B.1.
bool IsOfPicture(uint8_t marker) {
  return (marker >= 0xc0 && marker <= 0xcf) || (marker >= 0xdb && marker <= 0xdf);
}

class Cleaner {
 public:
  explicit Cleaner(std::string_view file) : rest_(file) {}

  JobResult Run() {
    if (NextMarker() != kStart) return Failed(Failure::kNotReadable);
    while (true) {
      const std::optional<uint8_t> marker = NextMarker();
      if (!marker.has_value()) return Failed(Failure::kNotReadable);
      if (*marker == kEnd) break;
      const std::optional<std::string_view> length = rest_.Take(2);
      if (!length.has_value() || BigEndian(*length) < 2) return Failed(Failure::kNotReadable);
      const std::optional<std::string_view> payload = rest_.Take(BigEndian(*length) - 2);
      if (!payload.has_value()) return Failed(Failure::kNotReadable);
      TakeSegment(*marker, *payload);
    }
    if (!has_frame_ || !has_scan_) return Failed(Failure::kNotReadable);
    if (!rest_.empty()) removed_ |= kRemovedOther;
    return Result();
  }

 private:
  // A marker may be preceded by any number of 0xff.
  std::optional<uint8_t> NextMarker() {
    std::optional<std::string_view> byte = rest_.Take(1);
    if (!byte.has_value() || byte->front() != '\xff') return std::nullopt;
    while (byte.has_value() && byte->front() == '\xff') byte = rest_.Take(1);
    if (!byte.has_value()) return std::nullopt;
    return static_cast<uint8_t>(byte->front());
  }

  void TakeSegment(uint8_t marker, std::string_view payload) {
    if (IsOfPicture(marker) || marker == kScan) {
      has_frame_ |= IsFrame(marker);
      Keep(picture_, marker, payload);
      if (marker == kScan) TakeScan();
    } else if (marker == 0xe0 && payload.starts_with(kJfif) && payload.size() >= kJfifBytes) {
      if (payload.size() > kJfifBytes) removed_ |= kRemovedThumbnails;
      std::string header(payload.substr(0, kJfifBytes));
      header[12] = header[13] = '\0';
      if (jfif_.empty()) Keep(jfif_, marker, header);
    } else if (marker == 0xe1 && payload.starts_with(kExif)) {
      const ExifFacts facts = ReadExif(payload.substr(kExif.size()));
      removed_ |= facts.removed;
      if (orientation_ == 1) orientation_ = facts.orientation;
    } else if (marker == 0xe2 && payload.starts_with(kProfile)) {
      Keep(picture_, marker, payload);
    } else if (marker == 0xee && payload.starts_with(kAdobe) && payload.size() >= kAdobeBytes) {
      // It says what the colours are, whatever stands behind.
      if (payload.size() > kAdobeBytes) removed_ |= kRemovedOther;
      Keep(picture_, marker, payload.substr(0, kAdobeBytes));
    } else {
      removed_ |= KindOf(marker, payload);
    }
  }

  static uint32_t KindOf(uint8_t marker, std::string_view payload) {
    if (marker == kComment) return kRemovedComments;
    if (marker == 0xe0) return kRemovedThumbnails;
    if (marker == 0xe1 && payload.starts_with("http://ns.adobe.com/")) return kRemovedXmp;
    if (marker == 0xe2 && payload.starts_with("MPF")) return kRemovedThumbnails;
    if (marker == 0xed) return kRemovedIptc;
    return kRemovedOther;
  }

  // Up to the next marker that is none of the scan's own (0xff00, restarts).
  void TakeScan() {
    has_scan_ = true;
    const std::string_view rest = rest_.rest();
    size_t end = 0;
    for (; end < rest.size(); ++end) {
      end = rest.find('\xff', end);
      if (end == std::string_view::npos || end + 1 >= rest.size()) {
        end = rest.size();
        break;
      }
      const auto next = static_cast<uint8_t>(rest[end + 1]);
      if (next != 0 && next != 0xff && (next < 0xd0 || next > 0xd7)) break;
    }
    picture_.append(*rest_.Take(end));
  }

  static void Keep(std::string& to, uint8_t marker, std::string_view payload) {
    const size_t length = payload.size() + 2;
    to.push_back('\xff');
    to.push_back(static_cast<char>(marker));
    to.push_back(static_cast<char>(length >> 8));
    to.push_back(static_cast<char>(length & 0xff));
    to.append(payload);
  }

  JobResult Result() {
    JobResult result;
    result.removed = removed_;
    result.output = "\xff\xd8" + jfif_;
    if (orientation_ != 1) {
      Keep(result.output, 0xe1, std::string(kExif) + OrientationBlock(orientation_));
    }
    result.output += picture_;
    result.output += "\xff\xd9";
    return result;
  }

  Cursor rest_;
  std::string jfif_;
  std::string picture_;
  uint16_t orientation_ = 1;
  uint32_t removed_ = 0;
  bool has_frame_ = false;
  bool has_scan_ = false;
};

}  // namespace

JobResult CleanJpeg(std::string_view file) {
  JobResult result = Cleaner(file).Run();
  result.unchanged = !result.failure.has_value() && result.output == file;
  if (!result.unchanged && result.removed == 0) result.removed = kRemovedOther;
  return result;
}

}  // namespace parley::file_worker
