// Starts the file worker, hears its answer, and ends it.
//
// What it is given: the input, already open, as 0; a pipe for the answer as 1; nothing on 2; for
// cleaning, the file for the copy as 3. No other descriptor, no environment, no signals of ours.
//
// Threading: safe from any thread. A program that waits for all its children itself, or ignores
// SIGCHLD, breaks it: the job then fails.
#ifndef PARLEY_CLIENT_LIB_FILE_WORKER_WORKER_PROCESS_H_
#define PARLEY_CLIENT_LIB_FILE_WORKER_WORKER_PROCESS_H_

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-lib/file_worker/frame.h"

namespace parley::file_worker {

// A file descriptor that is closed in the end.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { Close(); }

  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  void Close();

 private:
  int fd_ = -1;
};

struct WorkerCall {
  std::string program;
  std::vector<std::string> arguments;  // without the program's name
  int input = -1;
  int output = -1;  // none when negative
  size_t most_data = 0;
  AnswerReader::Sink sink = {};  // for the data as it comes; without one it is kept
  std::chrono::milliseconds most_time{60'000};
};

struct WorkerEnd {
  enum class Kind : uint8_t {
    kDone,
    kFailed,    // for the reason in `reader`
    kRefused,   // the same: nothing was read
    kTimedOut,  // it was killed
    kKilled,    // by its sandbox, a limit, or a fault of its own
    kBroken,    // its answer broke the rules; it was killed
  };
  Kind kind = Kind::kBroken;
  AnswerReader reader{0};
};

// Waits until the worker is gone, whatever it does. Errors: FailedPrecondition when it can't be
// started; Internal when this process is out of descriptors.
absl::StatusOr<WorkerEnd> RunWorker(const WorkerCall& call);

}  // namespace parley::file_worker

#endif  // PARLEY_CLIENT_LIB_FILE_WORKER_WORKER_PROCESS_H_
