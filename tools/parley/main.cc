// parley: the command line of Parley. See command_line/ for the commands.
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <clocale>
#include <cstdio>
#include <iostream>
#include <string>
#include <variant>
#include <vector>

#include "tools/parley/command_line/command_line.h"
#include "tools/parley/commands/commands.h"
#include "tools/parley/output/text.h"

namespace parley::cli {
namespace {

constexpr int kFailed = 1;

// No core image of this process is ever written, and no other process of this user can attach to
// it: its memory holds keys and plain messages.
void ProtectMemory() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

// A transfer frees and allocates a megabyte at a time: to give each back to the system and ask for
// it anew costs a third of the time that a download takes.
void KeepFreedMemory() {
  constexpr int kMiB = 1 << 20;
  mallopt(M_MMAP_THRESHOLD, 8 * kMiB);
  mallopt(M_TRIM_THRESHOLD, 64 * kMiB);
}

// Exactly one line, whatever the text holds.
void PrintError(const std::string& text) { std::cerr << "parley: " << Harmless(text) << '\n'; }

// Output that could not be written (a full disk) is a failure, too.
int Finish(int status) {
  std::cout.flush();
  if (!std::cout.good() && status == 0) {
    PrintError("standard output can't be written");
    return kFailed;
  }
  return status;
}

int Carry(const Invocation& invocation) {
  Session session(invocation.settings, std::cout);
  const Status status = std::visit([&](const auto& arguments) { return Run(session, arguments); },
                                   invocation.command);
  if (!status.ok()) {
    std::cout.flush();
    PrintError(session.Explained(status).message());
    return kFailed;
  }
  for (const std::string& note : session.notes()) PrintError(note);
  return Finish(0);
}

int Main(const std::vector<std::string>& arguments) {
  const ParsedLine line = ParseCommandLine(arguments);
  if (const auto* finished = std::get_if<Finished>(&line)) {
    std::cout << finished->output;
    if (!finished->error.empty()) PrintError(finished->error);
    return Finish(finished->status);
  }
  return Carry(std::get<Invocation>(line));
}

}  // namespace
}  // namespace parley::cli

int main(int argc, char** argv) {
  std::setlocale(LC_TIME, "");
  parley::cli::ProtectMemory();
  parley::cli::KeepFreedMemory();
  const int count = std::max(argc, 1);
  return parley::cli::Main(std::vector<std::string>(argv + 1, argv + count));
}
