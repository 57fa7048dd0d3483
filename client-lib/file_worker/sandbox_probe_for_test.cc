// Closes the file worker's sandbox around itself, then tries what its argument names. It says "in"
// on standard output when it is shut in, and "out" when it could do it.
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <string_view>

#include "client-lib/file_worker/program/sandbox.h"

namespace {

void Say(std::string_view word) {
  if (write(1, word.data(), word.size()) < 0) _exit(1);
}

// Whether it could.
bool Try(std::string_view what) {
  constexpr size_t kPage = 4096;
  if (what == "nothing") return true;
  if (what == "open") return open("/etc/passwd", O_RDONLY) >= 0;
  if (what == "create") return open("/tmp/parley-probe", O_WRONLY | O_CREAT, 0600) >= 0;
  if (what == "socket") return socket(AF_INET, SOCK_STREAM, 0) >= 0;
  if (what == "unix socket") return socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
  if (what == "fork") return fork() >= 0;
  if (what == "clone") return syscall(SYS_clone, 0, nullptr, nullptr, nullptr, 0) >= 0;
  if (what == "exec") return execl("/bin/true", "true", nullptr) >= 0;
  if (what == "kill") return kill(getppid(), 0) == 0;
  if (what == "ptrace") return ptrace(PTRACE_ATTACH, getppid(), nullptr, nullptr) == 0;
  if (what == "read another's memory") {
    char byte = 0;
    iovec own{&byte, 1};
    iovec other{&byte, 1};
    return process_vm_readv(getppid(), &own, 1, &other, 1, 0) >= 0;
  }
  if (what == "code") {
    return mmap(nullptr, kPage, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
           MAP_FAILED;
  }
  if (what == "become code") {
    void* const page =
        mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mprotect(page, kPage, PROT_READ | PROT_EXEC) == 0;
  }
  if (what == "limits") {
    const rlimit limit{RLIM_INFINITY, RLIM_INFINITY};
    return setrlimit(RLIMIT_CPU, &limit) == 0;
  }
  if (what == "unlink") return unlink("/tmp/parley-probe") == 0;
  if (what == "io_uring") return syscall(SYS_io_uring_setup, 1, nullptr) >= 0;
  if (what == "dumpable") return prctl(PR_SET_DUMPABLE, 1) == 0;
  if (what == "memory") {
    constexpr size_t kMuch = size_t{1} << 30;
    return mmap(nullptr, kMuch, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
           MAP_FAILED;
  }
  if (what == "loop") {
    for (volatile unsigned i = 0;;) i = i + 1;
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  parley::file_worker::SandboxLimits limits;
  limits.memory_bytes = size_t{512} << 20;
  limits.cpu_seconds = 1;
  limits.opening_fails = std::string_view(argv[2]) == "opening fails";
  if (parley::file_worker::EnterSandbox(limits).has_value()) return 3;
  Say("in ");
  Say(Try(argv[1]) ? "out" : "not");
  _exit(0);
}
