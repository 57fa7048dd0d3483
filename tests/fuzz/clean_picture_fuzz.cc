// Cleaning a picture: what is cleaned needs no cleaning again, and says what was removed.
#include <string_view>

#include "client-lib/file_worker/program/jobs.h"
#include "tests/fuzz/fuzz_check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace parley::file_worker;
  if (size == 0) return 0;
  constexpr JobResult (*kCleaners[])(std::string_view) = {CleanJpeg, CleanPng, CleanWebp};
  const auto clean = kCleaners[data[0] % 3];
  const JobResult once = clean({reinterpret_cast<const char*>(data + 1), size - 1});
  if (once.failure.has_value()) return 0;
  FUZZ_CHECK(once.unchanged == (once.removed == 0));
  const JobResult twice = clean(once.output);
  FUZZ_CHECK(!twice.failure.has_value());
  FUZZ_CHECK(twice.unchanged);
  return 0;
}
