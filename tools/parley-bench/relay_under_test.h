// A real relay as a child process, on RocksDB in a folder of its own.
#ifndef PARLEY_TOOLS_PARLEY_BENCH_RELAY_UNDER_TEST_H_
#define PARLEY_TOOLS_PARLEY_BENCH_RELAY_UNDER_TEST_H_

#include <optional>
#include <string>
#include <vector>

#include "client-lib/relay/connection_string.h"
#include "client-lib/relay/relay_types.h"
#include "tools/parley-bench/child_process.h"

namespace parley::bench {

// A folder that is removed, with all that is in it, at the end.
class TemporaryFolder {
 public:
  // Inside `parent`; empty: TMPDIR, or /tmp.
  explicit TemporaryFolder(const std::string& parent);
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class RelayUnderTest {
 public:
  // What of calls it takes: all that it can, or on a connection what it takes as it is installed.
  enum class Rates { kAny, kAsInstalled };

  // What runs `program` on the folder, taking all calls that it can.
  static std::vector<std::string> ServeWords(const std::string& program,
                                             const std::string& data_folder);

  // `program` is a parley-relay; empty: the one beside this program. `data_folder` must not exist.
  RelayUnderTest(const std::string& program, const std::string& data_folder,
                 Rates rates = Rates::kAny);

  const client::ConnectionInfo& connection() const { return connection_string_->relay; }
  // By which a person opens a case there.
  std::string connection_string() const {
    return client::FormatConnectionString(connection_string_->relay,
                                          connection_string_->sponsor_token.Reveal());
  }
  // Of a sponsor with a large quota. Valid while this lives.
  client::Credential credential() const {
    return client::Credential::SponsorToken(connection_string_->sponsor_token.Reveal());
  }

  double CpuSeconds() const { return process_.CpuSeconds(); }
  pid_t pid() const { return process_.pid(); }

 private:
  ChildProcess process_;
  std::optional<client::ConnectionString> connection_string_;
};

}  // namespace parley::bench

#endif  // PARLEY_TOOLS_PARLEY_BENCH_RELAY_UNDER_TEST_H_
