#include "tools/parley-bench/relay_benchmarks.h"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <utility>

#include "crypto/base/check.h"
#include "tools/parley-bench/bare_server.h"
#include "tools/parley-bench/callers.h"
#include "tools/parley-bench/load.h"
#include "tools/parley-bench/must.h"
#include "tools/parley-bench/relay_under_test.h"
#include "tools/parley-bench/transfers.h"

namespace parley::bench {
namespace {

// The median time of appending 1 KiB to a file and bringing it to the disk, in microseconds.
double SyncMicros(const std::string& path) {
  constexpr int kTimes = 101;
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  PARLEY_CHECK(file >= 0);
  const std::string bytes(kCallBytes, 's');
  std::vector<double> micros;
  for (int i = 0; i < kTimes; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    PARLEY_CHECK(write(file, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    PARLEY_CHECK(fdatasync(file) == 0);
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
    micros.push_back(took.count());
  }
  close(file);
  return Median(std::move(micros));
}

// What was measured under a name, round by round.
class Samples {
 public:
  void Add(const std::string& name, double value) { values_[name].push_back(value); }
  double MedianOf(const std::string& name) const { return Median(values_.at(name)); }

 private:
  std::map<std::string, std::vector<double>> values_;
};

// One round of echoes and appends, each with so many calls in flight.
class CallRounds {
 public:
  CallRounds(EchoCallers& echo, AppendCallers& append, const std::vector<size_t>& in_flight) {
    for (size_t count : in_flight) {
      pairs_.push_back({std::to_string(count), std::make_unique<Load>(echo.Make(count)),
                        std::make_unique<Load>(append.Make(count))});
    }
  }

  void RunOnce(double seconds, Samples& samples) {
    for (Pair& pair : pairs_) {
      const LoadResult echo = pair.echo->Run(std::chrono::duration<double>(seconds));
      const LoadResult append = pair.append->Run(std::chrono::duration<double>(seconds));
      samples.Add("echo/" + pair.in_flight, echo.calls_per_second);
      samples.Add("append/" + pair.in_flight, append.calls_per_second);
      samples.Add("echo_us/" + pair.in_flight, echo.median_us);
      samples.Add("append_us/" + pair.in_flight, append.median_us);
    }
  }

 private:
  struct Pair {
    std::string in_flight;
    std::unique_ptr<Load> echo;
    std::unique_ptr<Load> append;
  };
  std::vector<Pair> pairs_;
};

void AddTransfers(const TransferTimes& times, uint64_t bytes, Samples& samples) {
  const double megabytes = static_cast<double>(bytes) / 1e6;
  samples.Add("bare_up", megabytes / times.bare_up);
  samples.Add("bare_down", megabytes / times.bare_down);
  samples.Add("raw_up", megabytes / times.raw_up);
  samples.Add("raw_down", megabytes / times.raw_down);
  samples.Add("share", megabytes / times.share);
  samples.Add("fetch", megabytes / times.fetch);
}

void AddCallRows(const Samples& samples, const std::vector<size_t>& in_flight,
                 std::vector<Row>& rows) {
  const double sync = samples.MedianOf("sync_us");
  rows.push_back(BaselineRow("bare/fdatasync/1KiB", sync, "us"));
  for (size_t count : in_flight) {
    const std::string name = std::to_string(count);
    rows.push_back(
        BaselineRow("bare/echo/1KiB/" + name, samples.MedianOf("echo/" + name), "per s"));
  }
  for (size_t count : in_flight) {
    const std::string name = std::to_string(count);
    rows.push_back({"relay/append/1KiB/" + name, samples.MedianOf("append/" + name), "per s",
                    samples.MedianOf("echo/" + name), "the echo's rate"});
    if (count != 1) continue;
    rows.push_back({"relay/append_latency/1KiB/1", samples.MedianOf("append_us/1"), "us",
                    samples.MedianOf("echo_us/1") + 1.5 * sync, "echo + 1.5 fdatasync"});
  }
}

void AddTransferRows(const Samples& samples, std::vector<Row>& rows) {
  const double up = samples.MedianOf("bare_up");
  const double down = samples.MedianOf("bare_down");
  rows.push_back(BaselineRow("bare/stream_up/1MiB", up, "MB/s"));
  rows.push_back(BaselineRow("bare/stream_down/1MiB", down, "MB/s"));
  const auto add = [&](const std::string& name, const std::string& sample, double baseline) {
    rows.push_back({name, samples.MedianOf(sample), "MB/s", baseline, "the bare stream"});
  };
  add("relay/upload/raw", "raw_up", up);
  add("relay/download/raw", "raw_down", down);
  add("relay/upload/sealed_file", "share", up);
  add("relay/download/sealed_file", "fetch", down);
}

void MeasureCalls(const RelayBenchOptions& options, const BareServer& bare,
                  const RelayUnderTest& relay, const std::string& folder, std::vector<Row>& rows) {
  EchoCallers echo(bare.address(), options.connections);
  AppendCallers append(relay, options.connections);
  CallRounds calls(echo, append, options.in_flight);
  Samples samples;
  for (int round = 1; round <= options.rounds; ++round) {
    std::fprintf(stderr, "parley-bench: calls, round %d of %d\n", round, options.rounds);
    samples.Add("sync_us", SyncMicros(folder + "/sync"));
    calls.RunOnce(options.seconds, samples);
  }
  AddCallRows(samples, options.in_flight, rows);
}

void MeasureTransfers(const RelayBenchOptions& options, const BareServer& bare,
                      const RelayUnderTest& relay, const std::string& folder,
                      std::vector<Row>& rows) {
  Transfers transfers(relay, bare.address(), folder, options.file_mib);
  Samples samples;
  for (int round = 1; round <= options.rounds; ++round) {
    std::fprintf(stderr, "parley-bench: transfers, round %d of %d\n", round, options.rounds);
    AddTransfers(transfers.RunOnce(), transfers.bytes(), samples);
  }
  AddTransferRows(samples, rows);
}

}  // namespace

std::vector<Row> RunRelayBenchmarks(const RelayBenchOptions& options) {
  const TemporaryFolder folder(options.folder);
  const BareServer bare;
  const RelayUnderTest relay(options.relay_program, folder.path() + "/relay");

  std::vector<Row> rows;
  if (!options.in_flight.empty()) MeasureCalls(options, bare, relay, folder.path(), rows);
  if (options.file_mib != 0) MeasureTransfers(options, bare, relay, folder.path(), rows);
  return rows;
}

}  // namespace parley::bench
