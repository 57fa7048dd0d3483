#include "crypto/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace parley::crypto {

void CheckFailed(const char* condition, const char* file, int line) {
  fprintf(stderr, "parley: internal error: %s (%s:%d)\n", condition, file, line);
  abort();
}

}  // namespace parley::crypto
