// Whether the sandbox holds: a process closes it around itself and tries to get out.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace parley::file_worker {
namespace {

struct Outcome {
  std::string said;
  int signal = 0;
  int status = 0;
};

Outcome Probe(const std::string& what, const std::string& mode = "opening kills") {
  int ends[2];
  if (pipe(ends) != 0) std::abort();
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(ends[1], 1);
    execl(PARLEY_SANDBOX_PROBE, "probe", what.c_str(), mode.c_str(), nullptr);
    _exit(127);
  }
  close(ends[1]);
  Outcome outcome;
  char buffer[64];
  for (ssize_t got = 0; (got = read(ends[0], buffer, sizeof buffer)) > 0;) {
    outcome.said.append(buffer, static_cast<size_t>(got));
  }
  close(ends[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
  if (WIFEXITED(status)) outcome.status = WEXITSTATUS(status);
  return outcome;
}

// Else all that follows would prove nothing.
TEST(Sandbox, LetsOneComputeAndAnswer) {
  const Outcome outcome = Probe("nothing");
  EXPECT_EQ(outcome.said, "in out");
  EXPECT_EQ(outcome.signal, 0);
  EXPECT_EQ(outcome.status, 0);
}

TEST(Sandbox, KillsWhoeverTriesToGetOut) {
  for (const char* what :
       {"open", "create", "socket", "unix socket", "fork", "clone", "exec", "kill", "ptrace",
        "read another's memory", "code", "become code", "unlink", "io_uring", "dumpable"}) {
    const Outcome outcome = Probe(what);
    EXPECT_EQ(outcome.said, "in ") << what;
    EXPECT_EQ(outcome.signal, SIGSYS) << what;
  }
}

TEST(Sandbox, OpensNothingWhereOpeningOnlyFails) {
  for (const char* what : {"open", "create"}) {
    EXPECT_EQ(Probe(what, "opening fails").said, "in not") << what;
  }
  EXPECT_EQ(Probe("socket", "opening fails").signal, SIGSYS);
}

TEST(Sandbox, HasLimitsThatStay) {
  EXPECT_EQ(Probe("limits").said, "in not");
#ifndef PARLEY_WITHOUT_MEMORY_LIMIT
  EXPECT_EQ(Probe("memory").said, "in not");
#endif
  const int signal = Probe("loop").signal;
  EXPECT_TRUE(signal == SIGKILL || signal == SIGXCPU) << signal;
}

}  // namespace
}  // namespace parley::file_worker
