#include "tools/parley-bench/relay_under_test.h"

#include <stdlib.h>

#include <filesystem>
#include <vector>

#include "absl/status/status.h"
#include "tools/parley-bench/must.h"

namespace parley::bench {
namespace {

std::string RelayProgram(const std::string& program) {
  if (!program.empty()) return program;
  return (std::filesystem::path(OwnPath()).parent_path() / "parley-relay").string();
}

std::vector<std::string> ServeCommand(const std::string& program, const std::string& data_folder,
                                      RelayUnderTest::Rates rates) {
  // Callers stand for many people each, so a session has no bound of its own.
  std::vector<std::string> words = {
      RelayProgram(program),        "serve", "--data", data_folder, "--listen", "127.0.0.1:0",
      "--session-calls-per-second", "0"};
  if (rates == RelayUnderTest::Rates::kAny) {
    words.insert(words.end(),
                 {"--connection-calls-per-second", "0", "--address-calls-per-second", "0",
                  "--address-connections-per-second", "0", "--connections-per-second", "0",
                  "--sponsor-creations-per-second", "0"});
  }
  return words;
}

}  // namespace

TemporaryFolder::TemporaryFolder(const std::string& parent) {
  std::error_code error;
  const std::filesystem::path where =
      parent.empty() ? std::filesystem::temp_directory_path(error) : std::filesystem::path(parent);
  path_ = (where / "parley-bench-XXXXXX").string();
  if (mkdtemp(path_.data()) == nullptr) {
    Must(absl::NotFoundError("no folder can be made in " + where.string()));
  }
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::vector<std::string> RelayUnderTest::ServeWords(const std::string& program,
                                                    const std::string& data_folder) {
  return ServeCommand(program, data_folder, Rates::kAny);
}

RelayUnderTest::RelayUnderTest(const std::string& program, const std::string& data_folder,
                               Rates rates)
    : process_(ServeCommand(program, data_folder, rates)) {
  if (process_.ReadLine().empty()) Must(absl::UnavailableError("the relay doesn't start"));
  const std::vector<std::string> lines = OutputOf({RelayProgram(program), "sponsor", "add", "bench",
                                                   "--quota", "1024GiB", "--data", data_folder});
  if (lines.empty()) Must(absl::UnavailableError("the relay takes no sponsor"));
  connection_string_ = Must(client::ParseConnectionString(lines.back()));
}

}  // namespace parley::bench
