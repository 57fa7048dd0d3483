#include "tools/parley/terminal.h"

#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <iostream>

#include "tools/parley/output/text.h"

namespace parley::cli {
namespace {

constexpr size_t kLongestSecret = 64 * 1024;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  const int fd_;
};

// The terminal shows nothing of what is typed while this lives.
class EchoOff {
 public:
  explicit EchoOff(int fd) : fd_(fd), known_(tcgetattr(fd, &before_) == 0) {
    if (!known_) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    silent.c_lflag |= ECHONL;
    tcsetattr(fd_, TCSAFLUSH, &silent);
  }
  ~EchoOff() {
    if (known_) tcsetattr(fd_, TCSAFLUSH, &before_);
  }
  EchoOff(const EchoOff&) = delete;
  EchoOff& operator=(const EchoOff&) = delete;

 private:
  const int fd_;
  termios before_{};
  const bool known_;
};

enum class LineEnd { kNewline, kEndOfInput, kTooLong, kError };

LineEnd ReadLine(int fd, SecretText& line) {
  for (size_t length = 0; length < kLongestSecret;) {
    char c = 0;
    const ssize_t count = read(fd, &c, 1);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return LineEnd::kError;
    if (count == 0) return LineEnd::kEndOfInput;
    if (c == '\n') return LineEnd::kNewline;
    line.Append(c);
    ++length;
  }
  return LineEnd::kTooLong;
}

void WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(fd, text.data(), text.size());
    if (count <= 0) return;
    text.remove_prefix(static_cast<size_t>(count));
  }
}

}  // namespace

SecretText::SecretText(SecretText&& other) noexcept : text_(std::move(other.text_)) {
  other.Wipe();
}

SecretText& SecretText::operator=(SecretText&& other) noexcept {
  if (this != &other) {
    Wipe();
    text_ = std::move(other.text_);
    other.Wipe();
  }
  return *this;
}

SecretText::~SecretText() { Wipe(); }

void SecretText::Append(char c) {
  if (text_.size() == text_.capacity()) {
    std::string larger;
    larger.reserve(text_.capacity() * 2 + 64);
    larger = text_;
    Wipe();
    text_.swap(larger);
  }
  text_ += c;
}

void SecretText::RemoveLast() {
  if (!text_.empty()) text_.pop_back();
}

void SecretText::Wipe() {
  text_.resize(text_.capacity());  // within its capacity: in place
  explicit_bzero(text_.data(), text_.size());
  text_.clear();
}

Result<SecretText> AskSecret(const std::string& question) {
  const Descriptor terminal(open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (terminal.get() < 0) {
    return Status(StatusCode::kFailedPrecondition,
                  "a passphrase is needed and there is no terminal to ask on: give it with "
                  "--passphrase-file FILE");
  }
  WriteAll(terminal.get(), question);
  SecretText line;
  LineEnd end;
  {
    const EchoOff echo_off(terminal.get());
    end = ReadLine(terminal.get(), line);
  }
  if (end != LineEnd::kNewline) {
    WriteAll(terminal.get(), "\n");
    return Status(StatusCode::kCancelled, "no passphrase was given");
  }
  return line;
}

bool InputIsTerminal() { return isatty(STDIN_FILENO) == 1; }

bool Confirm(const std::string& question) {
  if (!InputIsTerminal()) return true;
  std::cerr << question << " [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

Result<SecretText> ReadSecretFile(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  SecretText line;
  const LineEnd end = file.get() < 0 ? LineEnd::kError : ReadLine(file.get(), line);
  if (end == LineEnd::kError) {
    const int error = errno;
    return Status(StatusCode::kFileError,
                  "the passphrase file " + Harmless(path) + " can't be read: " + strerror(error));
  }
  if (line.Reveal().ends_with('\r')) line.RemoveLast();
  if (end == LineEnd::kTooLong || line.empty()) {
    return Status(StatusCode::kInvalidArgument, "the passphrase file " + Harmless(path) +
                                                    " must hold the passphrase in its first "
                                                    "line");
  }
  return line;
}

}  // namespace parley::cli
