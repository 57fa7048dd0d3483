// Every MLS structure: what parses re-encodes to the same bytes, and is refused with a byte more or
// less. Trees that parse may be looked at in any way.
#include "tests/fuzz/mls_structures.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace parley::mls;        // NOLINT
  using namespace parley::mls::fuzz;  // NOLINT
  if (size == 0) return 0;
  const ByteView wire(data + 1, size - 1);
  switch (data[0] % 9) {
    case 0:
      CheckMessage(wire);
      break;
    case 1:
      CheckTree(wire);
      break;
    case 2:
      ReadsAndWritesAlike<Proposal>(wire);
      break;
    case 3:
      ReadsAndWritesAlike<Commit>(wire);
      break;
    case 4:
      ReadsAndWritesAlike<GroupSecrets>(wire);
      break;
    case 5:
      ReadsAndWritesAlike<GroupContext>(wire);
      break;
    case 6:
      ReadsAndWritesAlike<AuthenticatedContent>(wire);
      break;
    case 7:
      ReadsAndWritesAlike<RequiredCapabilities>(wire);
      break;
    default:
      ReadsAndWritesAlike<std::vector<ExternalSender>>(wire);
  }
  return 0;
}
