#include "client-lib/file_worker/program/sandbox.h"

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

namespace parley::file_worker {
namespace {

// Calls that only compute, or use what is open. Those with conditions are in AddConditional.
constexpr int kAllowed[] = {
    SCMP_SYS(read),         SCMP_SYS(pread64),        SCMP_SYS(write),
    SCMP_SYS(lseek),        SCMP_SYS(fstat),          SCMP_SYS(close),
    SCMP_SYS(munmap),       SCMP_SYS(mremap),         SCMP_SYS(brk),
    SCMP_SYS(madvise),      SCMP_SYS(futex),          SCMP_SYS(exit),
    SCMP_SYS(exit_group),   SCMP_SYS(rt_sigreturn),   SCMP_SYS(rt_sigaction),
    SCMP_SYS(sigaltstack),  SCMP_SYS(rt_sigprocmask), SCMP_SYS(getpid),
    SCMP_SYS(gettid),       SCMP_SYS(getrandom),      SCMP_SYS(clock_gettime),
    SCMP_SYS(gettimeofday), SCMP_SYS(time),           SCMP_SYS(sched_yield),
};

// Questions about the machine and about files that libraries ask in passing, and do without.
constexpr int kAnsweredNo[] = {
    SCMP_SYS(newfstatat), SCMP_SYS(stat),      SCMP_SYS(lstat),      SCMP_SYS(statx),
    SCMP_SYS(access),     SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink),
    SCMP_SYS(readlinkat), SCMP_SYS(sysinfo),   SCMP_SYS(ioctl),      SCMP_SYS(sched_getaffinity),
    SCMP_SYS(prlimit64),  SCMP_SYS(getcwd),    SCMP_SYS(uname),      SCMP_SYS(fcntl),
};

constexpr int kOpening[] = {SCMP_SYS(open), SCMP_SYS(openat)};

bool SetLimit(__rlimit_resource resource, uint64_t value) {
  const rlimit limit{value, value};
  return setrlimit(resource, &limit) == 0;
}

bool SetLimits(const SandboxLimits& limits) {
#ifndef PARLEY_WITHOUT_MEMORY_LIMIT
  if (!SetLimit(RLIMIT_AS, limits.memory_bytes)) return false;
#endif
  return SetLimit(RLIMIT_CPU, limits.cpu_seconds) && SetLimit(RLIMIT_FSIZE, limits.output_bytes) &&
         SetLimit(RLIMIT_NPROC, 0) && SetLimit(RLIMIT_CORE, 0) && SetLimit(RLIMIT_NOFILE, 0);
}

// Namespaces of its own, and an empty, read-only folder as root.
void LeaveTheSystem() {
  constexpr int kSpaces = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS;
  if (unshare(CLONE_NEWUSER | kSpaces) != 0 && unshare(kSpaces) != 0) return;
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return;
  if (mount("none", "/tmp", "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4k") !=
      0) {
    return;
  }
  if (chdir("/tmp") != 0 || chroot(".") != 0 || chdir("/") != 0) return;
}

// Memory, but never memory that is run.
bool AddConditional(scmp_filter_ctx filter) {
  const scmp_arg_cmp not_run{2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0};
  for (const int call : {SCMP_SYS(mmap), SCMP_SYS(mprotect)}) {
    if (seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &not_run) != 0) return false;
  }
  // abort() ends this process by a signal to itself.
  const scmp_arg_cmp itself{0, SCMP_CMP_EQ, static_cast<scmp_datum_t>(getpid()), 0};
  return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, &itself) == 0;
}

bool InstallFilter(bool opening_fails) {
  const std::unique_ptr<void, void (*)(void*)> filter(seccomp_init(SCMP_ACT_KILL_PROCESS),
                                                      [](void* one) { seccomp_release(one); });
  if (filter == nullptr) return false;
  if (seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) != 0) {
    return false;
  }
  // A processor that lacks a call has no number for it, and a rule with none is passed over.
  const auto add = [&](uint32_t action, int call) {
    return call < 0 || seccomp_rule_add(filter.get(), action, call, 0) == 0;
  };
  for (const int call : kAllowed) {
    if (!add(SCMP_ACT_ALLOW, call)) return false;
  }
  for (const int call : kAnsweredNo) {
    if (!add(SCMP_ACT_ERRNO(EACCES), call)) return false;
  }
  for (const int call : kOpening) {
    if (opening_fails && !add(SCMP_ACT_ERRNO(EACCES), call)) return false;
  }
  return AddConditional(filter.get()) && seccomp_load(filter.get()) == 0;
}

}  // namespace

std::optional<Refusal> EnterSandbox(const SandboxLimits& limits) {
  LeaveTheSystem();
  if (!SetLimits(limits)) return Refusal::kLimits;
  // With the caller; and nobody but root looks into its memory.
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0 ||
      prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return Refusal::kPrivileges;
  }
  if (!InstallFilter(limits.opening_fails)) return Refusal::kFilter;
  return std::nullopt;
}

}  // namespace parley::file_worker
