// Another program, run beside this one: it gets SIGTERM and is waited for at the end, and ends too
// when this program is killed.
//
// Threading: belongs to one thread.
#ifndef PARLEY_TOOLS_PARLEY_BENCH_CHILD_PROCESS_H_
#define PARLEY_TOOLS_PARLEY_BENCH_CHILD_PROCESS_H_

#include <sys/types.h>

#include <cstdio>
#include <string>
#include <vector>

namespace parley::bench {

class ChildProcess {
 public:
  // Starts `arguments[0]`, a path, with standard output readable by ReadLine(). Throws
  // Failure when it can't be started.
  explicit ChildProcess(const std::vector<std::string>& arguments);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // The next line of its output without the line's end; empty when it has closed its output.
  std::string ReadLine();

  // Tells it to end (SIGTERM) and doesn't wait: what it still says can be read.
  void Terminate();

  // Processor time of all its threads since it began; 0 when it has ended.
  double CpuSeconds() const;
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
  std::FILE* output_ = nullptr;
};

// What a process has of the machine's memory; 0 when it has ended.
double ResidentKib(pid_t pid);

// All lines that a program prints until it ends. Throws Failure when it fails.
std::vector<std::string> OutputOf(const std::vector<std::string>& arguments);

// The path of this program.
std::string OwnPath();

}  // namespace parley::bench

#endif  // PARLEY_TOOLS_PARLEY_BENCH_CHILD_PROCESS_H_
