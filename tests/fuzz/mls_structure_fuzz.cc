// One kind of MLS structure alone, so that a fuzzer's corpus is of that kind: a target for each,
// chosen by PARLEY_FUZZ_STRUCTURE (see CMakeLists.txt).
#include "tests/fuzz/mls_structures.h"

namespace {

using namespace parley::mls;  // NOLINT

template <typename T>
void Check(ByteView wire) {
  fuzz::ReadsAndWritesAlike<T>(wire);
}
// These arrive as messages of their own, and trees as an extension's contents.
template <>
void Check<MlsMessage>(ByteView wire) {
  fuzz::CheckMessage(wire);
}
template <>
void Check<RatchetTree>(ByteView wire) {
  fuzz::CheckTree(wire);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Check<PARLEY_FUZZ_STRUCTURE>(ByteView(data, size));
  return 0;
}
