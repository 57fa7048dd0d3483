#include "client-lib/api/media_type.h"

#include <algorithm>
#include <array>
#include <utility>

namespace parley::client {
namespace {

using Row = std::pair<std::string_view, std::string_view>;

constexpr std::array<Row, 26> kTypes = {{
    {"7z", "application/x-7z-compressed"},
    {"csv", "text/csv"},
    {"doc", "application/msword"},
    {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {"eml", "message/rfc822"},
    {"gif", "image/gif"},
    {"heic", "image/heic"},
    {"htm", "text/html"},
    {"html", "text/html"},
    {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},
    {"md", "text/markdown"},
    {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},
    {"odt", "application/vnd.oasis.opendocument.text"},
    {"pdf", "application/pdf"},
    {"png", "image/png"},
    {"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    {"rtf", "application/rtf"},
    {"tif", "image/tiff"},
    {"tiff", "image/tiff"},
    {"txt", "text/plain"},
    {"wav", "audio/wav"},
    {"xls", "application/vnd.ms-excel"},
    {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {"zip", "application/zip"},
}};

}  // namespace

std::string MediaTypeOf(std::string_view name) {
  const size_t dot = name.rfind('.');
  std::string ending;
  if (dot != std::string_view::npos) ending = name.substr(dot + 1);
  for (char& c : ending) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  const auto found = std::find_if(kTypes.begin(), kTypes.end(),
                                  [&ending](const Row& row) { return row.first == ending; });
  return std::string(found == kTypes.end() ? "application/octet-stream" : found->second);
}

}  // namespace parley::client
