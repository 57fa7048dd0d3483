// The text of a DOCX: whatever the file, a failure or UTF-8 within the limit.
#include <string>
#include <string_view>

#include "client-lib/content/utf8.h"
#include "client-lib/file_worker/program/jobs.h"
#include "tests/fuzz/fuzz_check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace parley::file_worker;
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  const JobResult text = DocxText(file);
  if (!text.failure.has_value()) {
    FUZZ_CHECK(text.data.size() <= kMostTextBytes);
    FUZZ_CHECK(parley::client::IsWellFormedUtf8(text.data));
  }
  return 0;
}
