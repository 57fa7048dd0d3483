// In the place of the file worker: one that is in the hands of the file that it read. What it does
// is said by the file's content.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <string_view>

#include "client-lib/file_worker/frame.h"

namespace parley::file_worker {
namespace {

void Write(const std::string& bytes, int to = 1) {
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const ssize_t written = write(to, rest.data(), rest.size());
    if (written <= 0) _exit(1);
    rest.remove_prefix(static_cast<size_t>(written));
  }
}

const std::string kReady = MakeFrame(FrameType::kReady, std::string(1, kAnswerVersion));

void AnswerWith(const std::string& data) {
  Write(kReady + MakeFrame(FrameType::kData, data) + MakeDone(data.size(), 0, 0));
}

// "fds=…;environment=…": what it was given.
std::string Given(char** environment) {
  std::string given = "descriptors:";
  for (int fd = 0; fd < 1000; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) given += " " + std::to_string(fd);
  }
  return given + (environment[0] == nullptr ? "; no environment" : "; an environment");
}

int Act(std::string_view what, char** environment) {
  if (what == "given") AnswerWith(Given(environment));
  if (what == "not utf-8") AnswerWith("caf\xe9");
  if (what == "no picture") AnswerWith("<html>");
  if (what == "endless") {
    Write(kReady);
    while (true) Write(MakeFrame(FrameType::kData, std::string(kMostFrameBytes, 'x')));
  }
  if (what == "overlong") Write(kReady + "\x04\xff\xff\xff\xff" + std::string(100'000, 'x'));
  if (what == "hangs") pause();
  if (what == "hangs after its answer") {
    AnswerWith("text");
    close(1);
    pause();
  }
  if (what == "fails after its answer") {
    AnswerWith("text");
    return 1;
  }
  if (what == "dies") {
    AnswerWith("text");
    raise(SIGKILL);
  }
  if (what == "says nothing") return 0;
  if (what == "half") Write(kReady + MakeFrame(FrameType::kData, "half"));
  // A child that keeps the pipe open.
  if (what == "leaves a child" && fork() == 0) pause();
  if (what == "refuses") Write(MakeFrame(FrameType::kRefused, "\x04"));
  if (what.starts_with("pieces ")) AnswerWith(std::string(what.substr(7)));
  if (what.starts_with("\xff\xd8\xff")) {  // to clean: something else comes out
    Write("PK\x03\x04 not a picture", 3);
    Write(kReady + MakeDone(0, kRemovedPlace, 0));
  }
  return 0;
}

}  // namespace
}  // namespace parley::file_worker

int main(int, char**, char** environment) {
  std::string what(4096, '\0');
  const ssize_t got = pread(0, what.data(), what.size(), 0);
  what.resize(got < 0 ? 0 : static_cast<size_t>(got));
  return parley::file_worker::Act(what, environment);
}
