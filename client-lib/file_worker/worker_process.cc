#include "client-lib/file_worker/worker_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <thread>

#include "crypto/base/status_macros.h"

namespace parley::file_worker {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

absl::Status SystemError(const char* what, int error) {
  return absl::InternalError(std::string("the program that reads files can't be started: ") + what +
                             ": " + std::strerror(error));
}

// Above the numbers that the worker gets, so that none is overwritten before it is handed over.
absl::StatusOr<Descriptor> Raised(int fd) {
  constexpr int kFirst = 10;
  Descriptor raised(fcntl(fd, F_DUPFD_CLOEXEC, kFirst));
  if (!raised.is_open()) return SystemError("descriptors", errno);
  return raised;
}

struct Pipe {
  Descriptor read;
  Descriptor write;
};

absl::StatusOr<Pipe> MakePipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return SystemError("pipe", errno);
  const Descriptor read(ends[0]);
  const Descriptor write(ends[1]);
  Pipe pipe;
  PARLEY_ASSIGN_OR_RETURN(pipe.read, Raised(read.get()));
  PARLEY_ASSIGN_OR_RETURN(pipe.write, Raised(write.get()));
  return pipe;
}

// What becomes of descriptors, signals and the folder between fork and exec.
class SpawnSettings {
 public:
  SpawnSettings() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }

  // 0, or an error's number.
  int Fill(int input, int answer, int output) {
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    const int first_unused = output < 0 ? 3 : 4;
    const int results[] = {
        posix_spawn_file_actions_adddup2(&actions_, input, 0),
        posix_spawn_file_actions_adddup2(&actions_, answer, 1),
        posix_spawn_file_actions_addopen(&actions_, 2, "/dev/null", O_WRONLY, 0),
        output < 0 ? 0 : posix_spawn_file_actions_adddup2(&actions_, output, 3),
        posix_spawn_file_actions_addclosefrom_np(&actions_, first_unused),
        posix_spawn_file_actions_addchdir_np(&actions_, "/"),
        posix_spawnattr_setsigmask(&attributes_, &none),
        posix_spawnattr_setsigdefault(&attributes_, &all),
        posix_spawnattr_setpgroup(&attributes_, 0),  // keys pressed at a terminal are for us
        posix_spawnattr_setflags(
            &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP)};
    const int* const failed = std::find_if(std::begin(results), std::end(results),
                                           [](int result) { return result != 0; });
    return failed == std::end(results) ? 0 : *failed;
  }

  posix_spawn_file_actions_t* actions() { return &actions_; }
  posix_spawnattr_t* attributes() { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

// A child, which doesn't outlive this.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (!gone_) Kill();
  }

  // How it ended; nothing when it hasn't by then, or nobody knows.
  std::optional<int> WaitUntil(Clock::time_point deadline) {
    while (!gone_) {
      int status = 0;
      const pid_t waited = waitpid(pid_, &status, WNOHANG);
      if (waited == pid_) {
        gone_ = true;
        return status;
      }
      if (waited < 0 && errno != EINTR) {
        gone_ = true;  // somebody else has taken its end
        break;
      }
      if (Clock::now() >= deadline) break;
      std::this_thread::sleep_for(milliseconds(1));
    }
    return std::nullopt;
  }

  void Kill() {
    if (gone_) return;
    kill(-pid_, SIGKILL);  // and whatever else is in its group, which is its own
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    gone_ = true;
  }

 private:
  const pid_t pid_;
  bool gone_ = false;
};

absl::StatusOr<pid_t> Spawn(const WorkerCall& call, int answer) {
  PARLEY_ASSIGN_OR_RETURN(const Descriptor input, Raised(call.input));
  Descriptor output;
  if (call.output >= 0) {
    PARLEY_ASSIGN_OR_RETURN(output, Raised(call.output));
  }
  SpawnSettings settings;
  if (const int error = settings.Fill(input.get(), answer, output.get()); error != 0) {
    return SystemError("settings", error);
  }
  std::vector<char*> arguments{const_cast<char*>(call.program.c_str())};
  for (const std::string& argument : call.arguments) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  char* environment[] = {nullptr};
  pid_t pid = -1;
  const int error = posix_spawn(&pid, call.program.c_str(), settings.actions(),
                                settings.attributes(), arguments.data(), environment);
  if (error != 0) {
    return absl::FailedPreconditionError("the program that reads files, " + call.program +
                                         ", can't be started: " + std::strerror(error));
  }
  return pid;
}

enum class Heard : uint8_t { kAll, kBroken, kTooLate };

// Until the pipe is closed at the other end.
Heard Hear(int answer, Clock::time_point deadline, AnswerReader& reader) {
  std::vector<char> buffer(kMostFrameBytes);
  while (true) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return Heard::kTooLate;
    pollfd waiting{answer, POLLIN, 0};
    const int ready = poll(&waiting, 1, static_cast<int>(left));
    if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
    const ssize_t got = read(answer, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Heard::kBroken;
    if (got == 0) return Heard::kAll;
    if (reader.Take({buffer.data(), static_cast<size_t>(got)}) == AnswerReader::State::kBroken) {
      return Heard::kBroken;
    }
  }
}

WorkerEnd::Kind KindOf(AnswerReader::State state) {
  switch (state) {
    case AnswerReader::State::kDone:
      return WorkerEnd::Kind::kDone;
    case AnswerReader::State::kFailed:
      return WorkerEnd::Kind::kFailed;
    case AnswerReader::State::kRefused:
      return WorkerEnd::Kind::kRefused;
    case AnswerReader::State::kReading:
    case AnswerReader::State::kBroken:
      break;
  }
  return WorkerEnd::Kind::kBroken;
}

}  // namespace

void Descriptor::Close() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

absl::StatusOr<WorkerEnd> RunWorker(const WorkerCall& call) {
  const Clock::time_point deadline = Clock::now() + call.most_time;
  PARLEY_ASSIGN_OR_RETURN(Pipe pipe, MakePipe());
  PARLEY_ASSIGN_OR_RETURN(const pid_t pid, Spawn(call, pipe.write.get()));
  Child child(pid);
  pipe.write.Close();
  AnswerReader reader(call.most_data, call.sink);
  const Heard heard = Hear(pipe.read.get(), deadline, reader);
  if (heard == Heard::kTooLate) return WorkerEnd{WorkerEnd::Kind::kTimedOut, std::move(reader)};
  if (heard == Heard::kBroken) return WorkerEnd{WorkerEnd::Kind::kBroken, std::move(reader)};
  const std::optional<int> status = child.WaitUntil(deadline);
  if (!status.has_value()) return WorkerEnd{WorkerEnd::Kind::kTimedOut, std::move(reader)};
  if (WIFSIGNALED(*status)) return WorkerEnd{WorkerEnd::Kind::kKilled, std::move(reader)};
  // What ends with anything but success hasn't said all that it had to say.
  const bool good = WIFEXITED(*status) && WEXITSTATUS(*status) == 0;
  const WorkerEnd::Kind kind = good ? KindOf(reader.state()) : WorkerEnd::Kind::kBroken;
  return WorkerEnd{kind, std::move(reader)};
}

}  // namespace parley::file_worker
