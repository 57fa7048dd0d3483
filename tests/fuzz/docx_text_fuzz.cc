// The text of a DOCX: whatever the file, a failure or UTF-8 within the limit. And what is packed in
// it: a failure, or records that their reader takes.
#include <string>
#include <string_view>

#include "client-lib/content/utf8.h"
#include "client-lib/file_worker/contents.h"
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
  ContentsReader contents([](const PackedFile& member) {
    FUZZ_CHECK(parley::client::IsWellFormedUtf8(member.name));
    FUZZ_CHECK(parley::client::IsWellFormedUtf8(member.text));
    return true;
  });
  const JobResult packed =
      ZipContents(file, [&contents](std::string_view data) { FUZZ_CHECK(contents.Take(data)); });
  FUZZ_CHECK(contents.AtEnd());
  FUZZ_CHECK(packed.data.empty());
  return 0;
}
