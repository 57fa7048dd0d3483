#include "tests/interop/ts_mls_peer.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>

namespace parley::interop {

TsMlsPeer::TsMlsPeer(const std::string& node, const std::string& script) {
  int to_child[2];
  int from_child[2];
  if (pipe(to_child) != 0 || pipe(from_child) != 0) std::abort();
  child_ = fork();
  if (child_ < 0) std::abort();
  if (child_ == 0) {
    dup2(to_child[0], STDIN_FILENO);
    dup2(from_child[1], STDOUT_FILENO);
    for (const int fd : {to_child[0], to_child[1], from_child[0], from_child[1]}) close(fd);
    execl(node.c_str(), node.c_str(), script.c_str(), nullptr);
    _exit(127);
  }
  close(to_child[0]);
  close(from_child[1]);
  requests_ = fdopen(to_child[1], "w");
  answers_ = fdopen(from_child[0], "r");
}

TsMlsPeer::~TsMlsPeer() {
  fclose(requests_);  // the end of its input ends it
  fclose(answers_);
  waitpid(child_, nullptr, 0);
}

absl::StatusOr<Words> TsMlsPeer::Try(const std::string& command, const Words& arguments) {
  std::string line = command;
  for (const std::string& argument : arguments) line += " " + argument;
  line += "\n";
  fwrite(line.data(), 1, line.size(), requests_);
  fflush(requests_);
  char* answer = nullptr;
  size_t capacity = 0;
  const ssize_t length = getline(&answer, &capacity, answers_);
  if (length <= 0) {
    std::free(answer);
    return absl::UnavailableError("ts-mls has ended; is tests/interop/node_modules there?");
  }
  std::istringstream words(std::string(answer, static_cast<size_t>(length) - 1));
  std::free(answer);
  std::string verdict;
  words >> verdict;
  if (verdict != "ok") return absl::AbortedError(words.str());
  Words results;
  for (std::string word; words >> word;) results.push_back(word);
  return results;
}

Words TsMlsPeer::Must(const std::string& command, const Words& arguments) {
  absl::StatusOr<Words> results = Try(command, arguments);
  if (!results.ok()) {
    ADD_FAILURE() << "ts-mls, " << command << ": " << results.status();
    return Words(6, "-");
  }
  return std::move(*results);
}

}  // namespace parley::interop
