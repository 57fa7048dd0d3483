#include "tools/parley-bench/scale_benchmarks.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string_view>
#include <thread>
#include <utility>

#include "client-lib/relay/relay_connection.h"
#include "client-lib/relay/sessions.h"
#include "tools/parley-bench/bare_server.h"
#include "tools/parley-bench/callers.h"
#include "tools/parley-bench/child_process.h"
#include "tools/parley-bench/load.h"
#include "tools/parley-bench/must.h"
#include "tools/parley-bench/plot.h"
#include "tools/parley-bench/relay_under_test.h"
#include "tools/parley-bench/scale_state.h"
#include "tools/parley-bench/subscribers.h"

namespace parley::bench {
namespace {

using Clock = std::chrono::steady_clock;
using client::internal::RelayConnection;
using client::internal::Sessions;

constexpr size_t kInFlight = 64;
constexpr size_t kConnections = 8;
// Mailboxes that are appended to in turns, so that they aren't all at hand.
constexpr size_t kAppendedTo = 2048;
constexpr size_t kFollowed = 2000;
// Less memory isn't told apart from none.
constexpr double kLeastKib = 0.01;

double Since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// A relay on a data folder that was made before.
class StartedRelay {
 public:
  StartedRelay(const std::string& program, const std::string& folder, client::ConnectionInfo info)
      : info_(std::move(info)), process_(RelayUnderTest::ServeWords(program, folder)) {
    const std::string line = process_.ReadLine();
    constexpr std::string_view kListening = "listening on ";
    if (!line.starts_with(kListening)) Must(absl::UnavailableError("the relay doesn't start"));
    opened_seconds_ = Since(begin_);
    info_.address = line.substr(kListening.size());
  }

  double opened_seconds() const { return opened_seconds_; }
  const client::ConnectionInfo& connection() const { return info_; }
  // Waits until it has merged what was written into its store at once, as one to which it came by
  // and by has long done; or for so long that something else must be the matter.
  void Settle() const {
    constexpr std::chrono::milliseconds kLook{300};
    constexpr double kIdle = 0.02;  // processors' seconds meanwhile
    for (int look = 0; look < 400; ++look) {
      const double before = process_.CpuSeconds();
      std::this_thread::sleep_for(kLook);
      if (process_.CpuSeconds() - before < kIdle) return;
    }
  }
  double CpuSeconds() const { return process_.CpuSeconds(); }
  // KiB that it has of the machine's memory.
  double MemoryKib() const { return ResidentKib(process_.pid()); }

 private:
  const Clock::time_point begin_ = Clock::now();
  client::ConnectionInfo info_;
  ChildProcess process_;
  double opened_seconds_ = 0;
};

struct Made {
  std::string folder;
  client::ConnectionInfo connection;
  std::vector<client::ObjectId> mailboxes;
};

Made Make(const ScaleBenchOptions& options, const std::string& folder, const ScaleState& state,
          const crypto::SignatureKey& key) {
  Made made;
  made.folder = folder;
  made.connection = RelayUnderTest(options.relay_program, folder).connection();
  made.mailboxes = MakeState(folder, state, key, kAppendedTo + kFollowed);
  return made;
}

// Connections to a relay, with tokens for some of its mailboxes.
class Clients {
 public:
  Clients(const StartedRelay& relay, const crypto::SignatureKey& key) : key_(key) {
    for (size_t i = 0; i < kConnections; ++i) {
      connections_.push_back(Must(RelayConnection::Open(relay.connection(), {})));
      stubs_.push_back(connections_.back()->stub());
      sessions_.push_back(std::make_unique<Sessions>(*connections_.back()));
    }
  }

  std::string Token(size_t connection, const client::ObjectId& mailbox, relay::v1::Right right) {
    return Must(sessions_[connection]->Get({mailbox, 1, right}, key_)).token;
  }
  // So many, each of which appends to mailboxes of its own, in turns.
  std::vector<std::unique_ptr<Caller>> Appenders(size_t count,
                                                 const std::vector<client::ObjectId>& mailboxes) {
    std::vector<std::unique_ptr<Caller>> callers;
    for (size_t i = 0; i < count; ++i) {
      const size_t connection = i % kConnections;
      std::vector<TurnsCaller::Target> targets;
      for (size_t at = i; at < mailboxes.size(); at += count) {
        targets.push_back(
            {mailboxes[at], Token(connection, mailboxes[at], relay::v1::RIGHT_APPEND)});
      }
      callers.push_back(std::make_unique<TurnsCaller>(*stubs_[connection], std::move(targets)));
    }
    return callers;
  }

 private:
  const crypto::SignatureKey& key_;
  std::vector<std::unique_ptr<RelayConnection>> connections_;
  std::vector<std::shared_ptr<relay::v1::Relay::Stub>> stubs_;
  std::vector<std::unique_ptr<Sessions>> sessions_;
};

// Of the first mailboxes, those that are there.
std::vector<client::ObjectId> AppendedTo(const Made& made) {
  return {made.mailboxes.begin(),
          made.mailboxes.begin() +
              static_cast<std::ptrdiff_t>(std::min(kAppendedTo, made.mailboxes.size() / 2))};
}

// One relay's load, and what became of it in each round.
class Rounds {
 public:
  Rounds(const StartedRelay& relay, Load& load, double seconds)
      : relay_(relay), load_(load), time_(seconds) {}

  void Run() {
    const double before = relay_.CpuSeconds();
    const LoadResult result = load_.Run(time_);
    const double calls = result.calls_per_second * time_.count();
    rates.push_back(result.calls_per_second);
    p99.push_back(result.p99_us);
    if (calls > 0) processor.push_back((relay_.CpuSeconds() - before) * 1e6 / calls);
  }

  std::vector<double> rates, p99;
  std::vector<double> processor;  // microseconds of the relay for each call, merging included

 private:
  const StartedRelay& relay_;
  Load& load_;
  const std::chrono::duration<double> time_;
};

// Rows named `scale/NAME…`: the full relay's load beside the empty one's.
std::vector<Row> CompareAppends(const std::string& name, int rounds, Rounds full, Rounds empty) {
  for (int round = 0; round < rounds; ++round) {
    empty.Run();
    full.Run();
  }
  constexpr char kAgainst[] = "at the empty relay";
  const auto row = [&](const char* what, const char* unit, std::vector<double> of_full,
                       std::vector<double> of_empty) {
    return Row{"scale/" + name + what + "/1KiB/64", Median(std::move(of_full)), unit,
               Median(std::move(of_empty)), kAgainst};
  };
  return {row("", "per s", full.rates, empty.rates), row("_p99", "us", full.p99, empty.p99),
          row("_processor", "us", full.processor, empty.processor)};
}

std::vector<Row> Curve(const ScaleBenchOptions& options, Clients& clients, const Made& made) {
  std::vector<LoadPoint> points;
  std::vector<Row> rows;
  for (const size_t in_flight : options.in_flight) {
    Load load(clients.Appenders(in_flight, AppendedTo(made)));
    points.push_back({in_flight, load.Run(std::chrono::duration<double>(2 * options.seconds))});
    const LoadResult& result = points.back().result;
    const std::string name = std::to_string(in_flight);
    rows.push_back(BaselineRow("scale/rate/" + name, result.calls_per_second, "per s"));
    rows.push_back(BaselineRow("scale/median/" + name, result.median_us, "us"));
    rows.push_back(BaselineRow("scale/p99/" + name, result.p99_us, "us"));
  }
  if (options.plot.empty()) return rows;
  std::ofstream file(options.plot);
  file << PlotLoad("Appends of 1 KiB to a relay with " + std::to_string(options.mailboxes) +
                       " mailboxes of " + std::to_string(options.entries_each) + " entries",
                   points);
  file.close();
  if (!file) Must(absl::UnavailableError("can't write " + options.plot));
  return rows;
}

// Clients that follow mailboxes of the relay, and what each takes of its memory beside what a bare
// server's stream takes.
struct Following {
  std::unique_ptr<Subscribers> subscribers;
  Row memory;
};
Following Subscribe(const ScaleBenchOptions& options, const StartedRelay& relay, Clients& clients,
                    const Made& made) {
  std::vector<Followed> followed;
  for (size_t i = made.mailboxes.size() / 2; i < made.mailboxes.size(); ++i) {
    followed.push_back({made.mailboxes[i],
                        clients.Token(i % kConnections, made.mailboxes[i], relay::v1::RIGHT_READ),
                        options.entries_each + 1});
  }
  const auto count = static_cast<double>(options.subscribers);
  double bare_memory = 0;
  {
    const BareServer bare;
    const double before = ResidentKib(bare.pid());
    const BareStreams streams(bare.address(), options.subscribers, options.follow_each);
    bare_memory = std::max((ResidentKib(bare.pid()) - before) / count, kLeastKib);
  }
  const double before = relay.MemoryKib();
  auto subscribers = std::make_unique<Subscribers>(relay.connection().address, options.subscribers,
                                                   followed, options.follow_each);
  const double memory = std::max((relay.MemoryKib() - before) / count, kLeastKib);
  return {std::move(subscribers),
          {"scale/subscriber/memory", memory, "KiB", bare_memory, "a bare stream"}};
}

}  // namespace

std::vector<Row> RunScaleBenchmarks(const ScaleBenchOptions& options) {
  const TemporaryFolder folder(options.folder);
  const crypto::SignatureKey key = crypto::SignatureKey::Generate();
  std::fprintf(stderr, "parley-bench: making %zu mailboxes of %zu entries\n", options.mailboxes,
               options.entries_each);
  const size_t few = std::min(options.mailboxes, kAppendedTo + kFollowed);
  const Made empty = Make(options, folder.path() + "/empty", {few, 0}, key);
  const Made full =
      Make(options, folder.path() + "/full", {options.mailboxes, options.entries_each}, key);
  std::vector<Row> rows;
  const StartedRelay empty_relay(options.relay_program, empty.folder, empty.connection);
  const StartedRelay full_relay(options.relay_program, full.folder, full.connection);
  rows.push_back({"scale/open", full_relay.opened_seconds() * 1e6, "us",
                  empty_relay.opened_seconds() * 1e6, "of the empty store"});
  rows.push_back({"scale/relay/memory", full_relay.MemoryKib(), "KiB", empty_relay.MemoryKib(),
                  "of the empty relay"});
  full_relay.Settle();
  empty_relay.Settle();
  Clients at_empty(empty_relay, key);
  Clients at_full(full_relay, key);
  Load empty_load(at_empty.Appenders(kInFlight, AppendedTo(empty)));
  Load full_load(at_full.Appenders(kInFlight, AppendedTo(full)));
  const std::chrono::duration<double> time(options.seconds);
  full_load.Run(time);  // both have everything at hand that they can
  empty_load.Run(time);
  const Rounds full_rounds(full_relay, full_load, options.seconds);
  const Rounds empty_rounds(empty_relay, empty_load, options.seconds);
  for (Row& row : CompareAppends("append", options.rounds, full_rounds, empty_rounds)) {
    rows.push_back(std::move(row));
  }
  {
    Following following = Subscribe(options, full_relay, at_full, full);
    for (Row& row :
         CompareAppends("append_subscribed", options.rounds, full_rounds, empty_rounds)) {
      rows.push_back(std::move(row));
    }
    rows.push_back(std::move(following.memory));
  }
  for (Row& row : Curve(options, at_full, full)) rows.push_back(std::move(row));
  return rows;
}

}  // namespace parley::bench
