// For tests: the real relay as a child process.
#ifndef PARLEY_SERVER_CRASH_TEST_RELAY_PROCESS_FOR_TEST_H_
#define PARLEY_SERVER_CRASH_TEST_RELAY_PROCESS_FOR_TEST_H_

#include <fcntl.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "crypto/base/bytes.h"
#include "parley/relay/v1/relay.grpc.pb.h"

extern char** environ;

namespace parley::server {

// The program beside the test, or PARLEY_RELAY.
inline std::string RelayProgram() {
  const char* program = std::getenv("PARLEY_RELAY");
  if (program != nullptr) return program;
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "parley-relay").string();
}

// With what RelayProcess has put beside it.
inline void RemoveRelayFolder(const std::filesystem::path& folder) {
  std::filesystem::remove_all(folder);
  for (const char* suffix : {".out", ".log", ".sponsor"}) {
    std::filesystem::remove(folder.string() + suffix);
  }
}

// The relay as a child process.
class RelayProcess {
 public:
  // `options`: further words of "serve".
  RelayProcess(std::string program, std::filesystem::path folder,
               std::vector<std::string> options = {})
      : program_(std::move(program)), folder_(std::move(folder)), options_(std::move(options)) {}
  ~RelayProcess() { Kill(); }

  // Starts it on the port that it had before, if any, and waits until it listens.
  void Start() {
    const std::filesystem::path out = folder_.string() + ".out";
    const std::filesystem::path log = folder_.string() + ".log";
    std::filesystem::remove(out);
    const std::string listen = "127.0.0.1:" + std::to_string(port_);
    const std::string data = folder_;
    std::vector<std::string> words = {program_, "serve", "--data", data, "--listen", listen};
    words.insert(words.end(), options_.begin(), options_.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    // Not ours: a relay that outlives a test that died must not hold the test's output open.
    posix_spawn_file_actions_addopen(&actions, 2, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ASSERT_EQ(posix_spawn(&pid_, program_.c_str(), &actions, nullptr, argv.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    for (int i = 0; i < 600; ++i) {
      std::ifstream file(out);
      std::string line;
      if (std::getline(file, line) && line.starts_with("listening on ") && !file.eof()) {
        port_ = std::stoi(line.substr(line.rfind(':') + 1));
        return;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    FAIL() << "the relay did not start within 30 seconds";
  }

  void Kill() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  // SIGTERM; returns the exit status.
  int Terminate() {
    ::kill(pid_, SIGTERM);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  // The sponsor token in the connection string that the command prints.
  std::string AddSponsor(const std::string& quota = "100GiB") {
    const std::filesystem::path out = folder_.string() + ".sponsor";
    const std::string command = program_ + " sponsor add crash --quota " + quota + " --data " +
                                folder_.string() + " > " + out.string();
    EXPECT_EQ(std::system(command.c_str()), 0);
    std::ifstream file(out);
    std::string line;
    std::string last;
    while (std::getline(file, line)) last = line;
    absl::StatusOr<crypto::Bytes> bytes =
        crypto::FromBase64Url(last.substr(std::string("parley-relay1:").size()));
    EXPECT_TRUE(bytes.ok());
    return crypto::ToString(crypto::ByteView(*bytes).last(32));
  }

  std::unique_ptr<relay::v1::Relay::Stub> Connect() const {
    return relay::v1::Relay::NewStub(Channel());
  }
  // Over a connection of its own.
  std::shared_ptr<grpc::Channel> Channel() const {
    std::ifstream file(folder_ / "keys/tls-certificate.pem");
    grpc::SslCredentialsOptions options;
    options.pem_root_certs.assign(std::istreambuf_iterator<char>(file), {});
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(port_),
                                     grpc::SslCredentials(options), arguments);
  }

  int port() const { return port_; }

  // It may have so many files open from now on.
  void LimitFiles(rlim_t most) const {
    const rlimit limit{most, most};
    ASSERT_EQ(::prlimit(pid_, RLIMIT_NOFILE, &limit, nullptr), 0);
  }

  // The most memory that it has had, in KiB.
  long PeakKib() const {
    std::ifstream file("/proc/" + std::to_string(pid_) + "/status");
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with("VmHWM:")) return std::stol(line.substr(6));
    }
    return -1;
  }

 private:
  const std::string program_;
  const std::filesystem::path folder_;
  const std::vector<std::string> options_;
  pid_t pid_ = 0;
  int port_ = 0;
};

}  // namespace parley::server

#endif  // PARLEY_SERVER_CRASH_TEST_RELAY_PROCESS_FOR_TEST_H_
