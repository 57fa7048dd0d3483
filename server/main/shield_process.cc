#include "server/main/shield_process.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

namespace parley::server {

void ShieldProcess() {
  ::umask(077);
  ::prctl(PR_SET_DUMPABLE, 0);
  rlimit none{};
  ::setrlimit(RLIMIT_CORE, &none);
}

}  // namespace parley::server
