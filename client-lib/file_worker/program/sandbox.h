// Shuts this process in, for good: from then on it can compute, read what is open, and write what
// is open. Before the first byte of a file that may be an attack is looked at.
//
// Layers, each enough against most of what a file could do with the process it has taken over:
//   limits       memory, processor time, bytes written, open files, processes; no core dump
//   namespaces   no network, no files (an empty folder as root), where the kernel lets one
//   filter       seccomp: what isn't on the list of calls ends the process at once
//
// Threading: call it from the only thread.
#ifndef PARLEY_CLIENT_LIB_FILE_WORKER_PROGRAM_SANDBOX_H_
#define PARLEY_CLIENT_LIB_FILE_WORKER_PROGRAM_SANDBOX_H_

#include <cstdint>
#include <optional>

#include "client-lib/file_worker/frame.h"

namespace parley::file_worker {

struct SandboxLimits {
  uint64_t memory_bytes = 0;
  uint64_t cpu_seconds = 0;
  uint64_t output_bytes = 0;  // of a file that is written
  // Opening a file by its name fails instead of ending the process: for a library that looks for
  // fonts and goes on without.
  bool opening_fails = false;
};

// Nullopt when it is closed. Otherwise nothing may be read. The namespaces alone may fail: many
// kernels are set up to refuse them, and the filter forbids the same.
std::optional<Refusal> EnterSandbox(const SandboxLimits& limits);

}  // namespace parley::file_worker

#endif  // PARLEY_CLIENT_LIB_FILE_WORKER_PROGRAM_SANDBOX_H_
