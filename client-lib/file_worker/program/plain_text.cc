#include "client-lib/content/utf8.h"
#include "client-lib/file_worker/program/jobs.h"
#include "client-lib/file_worker/program/tidy_text.h"

namespace parley::file_worker {

JobResult PlainText(std::string_view file) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (file.starts_with(kByteOrderMark)) file.remove_prefix(kByteOrderMark.size());
  if (file.size() > kMostTextBytes) return Failed(Failure::kTooLarge);
  const bool is_text = file.find('\0') == std::string_view::npos && client::IsWellFormedUtf8(file);
  if (!is_text) return Failed(Failure::kNotReadable);
  JobResult result;
  AppendTidied(result.data, file);
  return result;
}

}  // namespace parley::file_worker
