// What a file worker answers that is in the hands of its file: an answer that is taken is whole,
// holds no more than was asked for, and is the same however it comes in pieces.
#include <algorithm>
#include <string_view>

#include "client-lib/file_worker/contents.h"
#include "client-lib/file_worker/frame.h"
#include "tests/fuzz/fuzz_check.h"

namespace {

using parley::file_worker::ContentsReader;
using parley::file_worker::PackedFile;

// The same of an archive's records.
void TryContents(std::string_view records, size_t step) {
  size_t members = 0;
  size_t again = 0;
  ContentsReader whole([&](const PackedFile& member) {
    FUZZ_CHECK(member.name.size() + member.text.size() <= records.size());
    ++members;
    return true;
  });
  const bool taken = whole.Take(records);
  ContentsReader pieces([&](const PackedFile&) { return ++again <= members; });
  for (size_t at = 0; at < records.size(); at += step) pieces.Take(records.substr(at, step));
  FUZZ_CHECK(members == again);
  FUZZ_CHECK(whole.AtEnd() == pieces.AtEnd());
  FUZZ_CHECK(whole.stopped() == pieces.stopped());
  FUZZ_CHECK(taken || !whole.AtEnd());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using parley::file_worker::AnswerReader;
  if (size == 0) return 0;
  constexpr size_t kMostData = 4096;
  const size_t step = data[0] + size_t{1};
  const std::string_view answer(reinterpret_cast<const char*>(data + 1), size - 1);
  TryContents(answer, step);
  AnswerReader whole(kMostData);
  whole.Take(answer);
  AnswerReader pieces(kMostData);
  for (size_t at = 0; at < answer.size(); at += step) pieces.Take(answer.substr(at, step));
  FUZZ_CHECK(whole.state() == pieces.state());
  FUZZ_CHECK(whole.data() == pieces.data());
  FUZZ_CHECK(whole.data().size() <= kMostData);
  if (whole.state() == AnswerReader::State::kBroken) {
    FUZZ_CHECK(whole.data().empty());
  }
  if (whole.state() == AnswerReader::State::kDone) {
    FUZZ_CHECK((whole.removed() & ~parley::file_worker::kAllRemovedBits) == 0);
    AnswerReader more(kMostData);
    more.Take(answer);
    FUZZ_CHECK(more.Take("x") == AnswerReader::State::kBroken);
  }
  return 0;
}
