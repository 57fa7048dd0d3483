#include "client-lib/file_worker/file_kind.h"

namespace parley::file_worker {

FileKind KindOf(std::string_view first_bytes) {
  const auto begins = [&](std::string_view with) { return first_bytes.starts_with(with); };
  if (begins("\xff\xd8\xff")) return FileKind::kJpeg;
  if (begins(std::string_view("\x89PNG\r\n\x1a\n", 8))) return FileKind::kPng;
  for (const std::string_view tiff :
       {std::string_view("II\x2a\0", 4), std::string_view("MM\0\x2a", 4),
        std::string_view("II\x2b\0", 4), std::string_view("MM\0\x2b", 4)}) {
    if (begins(tiff)) return FileKind::kTiff;
  }
  if (begins("RIFF") && first_bytes.size() >= 12 && first_bytes.substr(8, 4) == "WEBP") {
    return FileKind::kWebp;
  }
  if (begins("PK\x03\x04")) return FileKind::kZip;
  // Viewers accept something before it (ISO 32000-1, annex H, note 13): here lines.
  const std::string_view beginning = first_bytes.substr(0, kKindBytes);
  for (size_t at = beginning.find("%PDF-"); at != std::string_view::npos;
       at = beginning.find("%PDF-", at + 1)) {
    if (at == 0 || beginning[at - 1] == '\n' || beginning[at - 1] == '\r') return FileKind::kPdf;
  }
  return FileKind::kOther;
}

const char* KindName(FileKind kind) {
  switch (kind) {
    case FileKind::kJpeg:
      return "jpeg";
    case FileKind::kPng:
      return "png";
    case FileKind::kTiff:
      return "tiff";
    case FileKind::kWebp:
      return "webp";
    case FileKind::kPdf:
      return "pdf";
    case FileKind::kZip:
      return "zip";
    case FileKind::kOther:
      break;
  }
  return "plain";
}

bool CanBeCleaned(FileKind kind) { return kind != FileKind::kOther && kind != FileKind::kZip; }

bool HasPreview(FileKind kind) {
  return kind == FileKind::kJpeg || kind == FileKind::kPng || kind == FileKind::kPdf;
}

}  // namespace parley::file_worker
