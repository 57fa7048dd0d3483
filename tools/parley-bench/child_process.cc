#include "tools/parley-bench/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "absl/status/status.h"
#include "tools/parley-bench/must.h"

namespace parley::bench {
namespace {

struct Started {
  pid_t pid;
  std::FILE* output;
};

Started Start(const std::vector<std::string>& arguments) {
  if (access(arguments[0].c_str(), X_OK) != 0) {
    Must(absl::NotFoundError("there is no program " + arguments[0] + ": " + std::strerror(errno)));
  }
  int pipe_ends[2];
  if (pipe2(pipe_ends, O_CLOEXEC) != 0) Must(absl::UnavailableError("no pipe to be had"));
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t pid = fork();
  if (pid < 0) Must(absl::UnavailableError("no process to be had"));
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    dup2(pipe_ends[1], STDOUT_FILENO);
    execv(argv[0], argv.data());
    _exit(127);
  }
  close(pipe_ends[1]);
  return {pid, fdopen(pipe_ends[0], "r")};
}

std::string LineOf(std::FILE* file) {
  std::string line;
  for (int byte = std::fgetc(file); byte != EOF && byte != '\n'; byte = std::fgetc(file)) {
    line.push_back(static_cast<char>(byte));
  }
  return line;
}

int WaitFor(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& arguments) {
  const Started started = Start(arguments);
  pid_ = started.pid;
  output_ = started.output;
}

ChildProcess::~ChildProcess() {
  kill(pid_, SIGTERM);
  WaitFor(pid_);
  std::fclose(output_);
}

void ChildProcess::Terminate() { kill(pid_, SIGTERM); }

double ChildProcess::CpuSeconds() const {
  clockid_t clock = 0;
  timespec time{};
  if (clock_getcpuclockid(pid_, &clock) != 0 || clock_gettime(clock, &time) != 0) return 0;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

std::string ChildProcess::ReadLine() { return LineOf(output_); }

double ResidentKib(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/statm");
  double pages = 0;
  double resident = 0;
  file >> pages >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1024;
}

std::vector<std::string> OutputOf(const std::vector<std::string>& arguments) {
  const Started started = Start(arguments);
  std::vector<std::string> lines;
  while (!std::feof(started.output)) {
    std::string line = LineOf(started.output);
    if (!line.empty()) lines.push_back(std::move(line));
  }
  std::fclose(started.output);
  if (WaitFor(started.pid) != 0) Must(absl::UnavailableError(arguments[0] + " has failed"));
  return lines;
}

std::string OwnPath() { return std::filesystem::read_symlink("/proc/self/exe").string(); }

}  // namespace parley::bench
