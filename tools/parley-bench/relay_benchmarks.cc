#include "tools/parley-bench/relay_benchmarks.h"

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <utility>

#include "crypto/base/check.h"
#include "tools/parley-bench/bare_server.h"
#include "tools/parley-bench/bare_store.h"
#include "tools/parley-bench/callers.h"
#include "tools/parley-bench/load.h"
#include "tools/parley-bench/must.h"
#include "tools/parley-bench/relay_under_test.h"
#include "tools/parley-bench/streams.h"
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

// One round of echoes, appends and their like, each with so many in flight.
class CallRounds {
 public:
  CallRounds(const BareServer& bare, EchoCallers& echo, AppendCallers& append, Delivery& delivery,
             BareStore& store, const RelayUnderTest& relay, const std::vector<size_t>& in_flight)
      : store_(store) {
    for (size_t count : in_flight) {
      groups_.push_back({std::to_string(count), count, std::make_unique<Load>(echo.Make(count)),
                         std::make_unique<Load>(append.Make(count)),
                         std::make_unique<StreamEchoes>(bare.address(), count),
                         std::make_unique<StreamAppends>(relay, count),
                         count == 1 ? std::make_unique<Load>(delivery.Make()) : nullptr});
    }
  }

  void RunOnce(double seconds, Samples& samples) {
    for (Group& group : groups_) {
      const LoadResult echo = group.echo->Run(std::chrono::duration<double>(seconds));
      const LoadResult append = group.append->Run(std::chrono::duration<double>(seconds));
      samples.Add("echo/" + group.in_flight, echo.calls_per_second);
      samples.Add("append/" + group.in_flight, append.calls_per_second);
      samples.Add("echo_us/" + group.in_flight, echo.median_us);
      samples.Add("append_us/" + group.in_flight, append.median_us);
      samples.Add("stream_echo/" + group.in_flight, group.stream_echo->Run(seconds));
      samples.Add("stream_append/" + group.in_flight, group.stream_append->Run(seconds));
      samples.Add("puts/" + group.in_flight, store_.SyncedPuts(group.count, kCallBytes, seconds));
      if (group.delivery == nullptr) continue;
      samples.Add("delivery_us",
                  group.delivery->Run(std::chrono::duration<double>(seconds)).median_us);
    }
  }

 private:
  struct Group {
    std::string in_flight;
    size_t count;
    std::unique_ptr<Load> echo;
    std::unique_ptr<Load> append;
    std::unique_ptr<StreamEchoes> stream_echo;
    std::unique_ptr<StreamAppends> stream_append;
    std::unique_ptr<Load> delivery;  // with one in flight
  };
  BareStore& store_;
  std::vector<Group> groups_;
};

void AddTransfers(const TransferTimes& times, uint64_t bytes, Samples& samples) {
  const double megabytes = static_cast<double>(bytes) / 1e6;
  samples.Add("bare_up", megabytes / times.bare_up);
  samples.Add("bare_down", megabytes / times.bare_down);
  samples.Add("raw_up", megabytes / times.raw_up);
  samples.Add("raw_down", megabytes / times.raw_down);
  samples.Add("share", megabytes / times.share);
  samples.Add("fetch", megabytes / times.fetch);
  samples.Add("file_write", megabytes / times.file_write);
  samples.Add("file_read", megabytes / times.file_read);
  samples.Add("bare_up_together", megabytes / times.bare_up_together);
  samples.Add("bare_down_together", megabytes / times.bare_down_together);
  samples.Add("raw_up_together", megabytes / times.raw_up_together);
  samples.Add("raw_down_together", megabytes / times.raw_down_together);
}

void AddCallRows(const Samples& samples, const std::vector<size_t>& in_flight,
                 std::vector<Row>& rows) {
  const double sync = samples.MedianOf("sync_us");
  rows.push_back(BaselineRow("bare/fdatasync/1KiB", sync, "us"));
  for (size_t count : in_flight) {
    const std::string name = std::to_string(count);
    rows.push_back(
        BaselineRow("bare/echo/1KiB/" + name, samples.MedianOf("echo/" + name), "per s"));
    rows.push_back(BaselineRow("bare/stream_echo/1KiB/" + name,
                               samples.MedianOf("stream_echo/" + name), "per s"));
    rows.push_back(
        BaselineRow("bare/rocksdb_put/1KiB/" + name, samples.MedianOf("puts/" + name), "per s"));
  }
  for (size_t count : in_flight) {
    const std::string name = std::to_string(count);
    rows.push_back({"relay/append/1KiB/" + name, samples.MedianOf("append/" + name), "per s",
                    samples.MedianOf("echo/" + name), "the echo's rate"});
    rows.push_back({"relay/append_beside_rocksdb/1KiB/" + name, samples.MedianOf("append/" + name),
                    "per s", samples.MedianOf("puts/" + name), "RocksDB's synced puts"});
    rows.push_back({"relay/append_stream/1KiB/" + name, samples.MedianOf("stream_append/" + name),
                    "per s", samples.MedianOf("stream_echo/" + name), "the stream echo's rate"});
    if (count != 1) continue;
    rows.push_back({"relay/append_latency/1KiB/1", samples.MedianOf("append_us/1"), "us",
                    samples.MedianOf("echo_us/1") + 1.5 * sync, "echo + 1.5 fdatasync"});
    rows.push_back({"relay/delivery_latency/1KiB/1", samples.MedianOf("delivery_us"), "us",
                    samples.MedianOf("append_us/1") + samples.MedianOf("echo_us/1"),
                    "append + echo"});
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

// The same against what can't be gone without at all: the slower of the wire and the disk; and
// sealed files against what the relay takes and gives.
void AddFloorRows(const Samples& samples, std::vector<Row>& rows) {
  const double write = samples.MedianOf("file_write");
  const double read = samples.MedianOf("file_read");
  rows.push_back(BaselineRow("bare/file_write/1MiB", write, "MB/s"));
  rows.push_back(BaselineRow("bare/file_read/1MiB", read, "MB/s"));
  const std::string many = "/" + std::to_string(kTransfersTogether);
  const auto together = [&](const std::string& name, const std::string& sample) {
    rows.push_back(BaselineRow(name + many, samples.MedianOf(sample), "MB/s"));
  };
  together("bare/stream_up/1MiB", "bare_up_together");
  together("bare/stream_down/1MiB", "bare_down_together");
  const auto add = [&](const std::string& name, const std::string& sample, const std::string& wire,
                       double disk) {
    rows.push_back({name, samples.MedianOf(sample), "MB/s", std::min(samples.MedianOf(wire), disk),
                    "the slower of stream and disk"});
  };
  add("relay/upload/raw_beside_slower", "raw_up", "bare_up", write);
  add("relay/download/raw_beside_slower", "raw_down", "bare_down", read);
  add("relay/upload/raw_beside_slower" + many, "raw_up_together", "bare_up_together", write);
  add("relay/download/raw_beside_slower" + many, "raw_down_together", "bare_down_together", read);
  rows.push_back({"relay/upload/sealed_beside_raw", samples.MedianOf("share"), "MB/s",
                  samples.MedianOf("raw_up"), "the raw upload"});
  rows.push_back({"relay/download/sealed_beside_raw", samples.MedianOf("fetch"), "MB/s",
                  samples.MedianOf("raw_down"), "the raw download"});
}

void MeasureCalls(const RelayBenchOptions& options, const BareServer& bare,
                  const RelayUnderTest& relay, const std::string& folder, std::vector<Row>& rows) {
  EchoCallers echo(bare.address(), options.connections);
  AppendCallers append(relay, options.connections);
  Delivery delivery(relay);
  BareStore store(folder + "/bare_store");
  CallRounds calls(bare, echo, append, delivery, store, relay, options.in_flight);
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
  AddFloorRows(samples, rows);
}

}  // namespace

std::vector<Row> RunRelayBenchmarks(const RelayBenchOptions& options) {
  // As the program `parley` does, for its transfers and their baselines alike.
  constexpr int kMiB = 1 << 20;
  mallopt(M_MMAP_THRESHOLD, 8 * kMiB);
  mallopt(M_TRIM_THRESHOLD, 64 * kMiB);
  const TemporaryFolder folder(options.folder);
  const BareServer bare;
  const RelayUnderTest relay(options.relay_program, folder.path() + "/relay");

  std::vector<Row> rows;
  if (!options.in_flight.empty()) MeasureCalls(options, bare, relay, folder.path(), rows);
  if (options.file_mib != 0) MeasureTransfers(options, bare, relay, folder.path(), rows);
  return rows;
}

}  // namespace parley::bench
