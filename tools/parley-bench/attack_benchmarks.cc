#include "tools/parley-bench/attack_benchmarks.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <utility>

#include "tools/parley-bench/callers.h"
#include "tools/parley-bench/child_process.h"
#include "tools/parley-bench/load.h"
#include "tools/parley-bench/must.h"
#include "tools/parley-bench/relay_under_test.h"

namespace parley::bench {
namespace {

using Clock = std::chrono::steady_clock;

// Honest clients: so many, each with a connection of its own and one append under way.
constexpr size_t kHonest = 8;
constexpr const char* kKinds[] = {"cancels", "challenges", "sessions", "unread"};
// A process that is asked for less does nothing that can be measured.
constexpr double kLeastCores = 0.01;

// What was measured in the same stretch of time.
struct Stretch {
  double honest = 0;       // appends a second
  double relay_cores = 0;  // processors' time that the relay used
  double other_cores = 0;  // that the attackers or the other work used
};

// Of one kind, by rounds.
struct Figures {
  std::vector<double> attacked, beside_work;         // appends a second
  std::vector<double> attackers_cores, work_cores;   // of the other process
  std::vector<double> relay_attacked, relay_beside;  // processors' time of the relay
  // Attackers' calls a second, and what became of them.
  std::vector<double> calls, answered, refused, unconnected;
};

Stretch Measure(const RelayUnderTest& relay, const ChildProcess* other, Load& honest,
                double seconds) {
  const double relay_before = relay.CpuSeconds();
  const double other_before = other == nullptr ? 0 : other->CpuSeconds();
  const auto begin = Clock::now();
  Stretch stretch;
  stretch.honest = honest.Run(std::chrono::duration<double>(seconds)).calls_per_second;
  const double took = std::chrono::duration<double>(Clock::now() - begin).count();
  stretch.relay_cores = (relay.CpuSeconds() - relay_before) / took;
  if (other != nullptr) stretch.other_cores = (other->CpuSeconds() - other_before) / took;
  return stretch;
}

std::unique_ptr<ChildProcess> StartReady(const std::vector<std::string>& arguments) {
  auto child = std::make_unique<ChildProcess>(arguments);
  if (child->ReadLine() != "ready") Must(absl::UnavailableError(arguments[1] + " doesn't start"));
  return child;
}

void WarmUp(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

// Beside a relay of its own: one that has ended the connections of an attack keeps out those of the
// next, and what would be measured were attackers who find no connection.
void AttackOnce(const AttackBenchOptions& options, const std::string& folder, const char* kind,
                Figures& figures) {
  const RelayUnderTest relay(options.relay_program, folder, RelayUnderTest::Rates::kAsInstalled);
  AppendCallers append(relay, kHonest);
  Load honest(append.Make(kHonest));
  Stretch attacked;
  {
    const auto begin = Clock::now();
    const std::unique_ptr<ChildProcess> attackers =
        StartReady({OwnPath(), "attackers", "--kind", kind, "--address", relay.connection().address,
                    "--connections", std::to_string(options.attackers), "--cores",
                    std::to_string(options.cores)});
    WarmUp(options.warm_up_seconds);
    attacked = Measure(relay, attackers.get(), honest, options.seconds);
    attackers->Terminate();
    const double took = std::chrono::duration<double>(Clock::now() - begin).count();
    std::istringstream counts(attackers->ReadLine());
    for (std::vector<double>* figure :
         {&figures.calls, &figures.answered, &figures.refused, &figures.unconnected}) {
      double count = 0;
      counts >> count;
      figure->push_back(count / took);
    }
  }
  const std::unique_ptr<ChildProcess> work =
      StartReady({OwnPath(), "other-work", "--cores",
                  std::to_string(std::max(attacked.other_cores, kLeastCores))});
  WarmUp(std::min(options.warm_up_seconds, 0.3));
  const Stretch beside = Measure(relay, work.get(), honest, options.seconds);
  figures.attacked.push_back(attacked.honest);
  figures.beside_work.push_back(beside.honest);
  figures.attackers_cores.push_back(attacked.other_cores);
  figures.work_cores.push_back(beside.other_cores);
  figures.relay_attacked.push_back(attacked.relay_cores);
  figures.relay_beside.push_back(beside.relay_cores);
}

}  // namespace

std::vector<Row> RunAttackBenchmarks(const AttackBenchOptions& options) {
  const TemporaryFolder folder(options.folder);
  const RelayUnderTest relay(options.relay_program, folder.path() + "/relay",
                             RelayUnderTest::Rates::kAsInstalled);
  AppendCallers append(relay, kHonest);
  Load honest(append.Make(kHonest));
  std::vector<double> alone;
  std::map<std::string, Figures> by_kind;
  for (int round = 1; round <= options.rounds; ++round) {
    std::fprintf(stderr, "parley-bench: attacks, round %d of %d\n", round, options.rounds);
    alone.push_back(Measure(relay, nullptr, honest, options.seconds).honest);
    for (const char* kind : kKinds) {
      AttackOnce(options, folder.path() + "/" + kind + std::to_string(round), kind, by_kind[kind]);
    }
  }
  std::vector<Row> rows = {BaselineRow("honest/append/1KiB/alone", Median(alone), "per s")};
  for (const auto& [kind, figures] : by_kind) {
    rows.push_back({"honest/append/1KiB/" + kind, Median(figures.attacked), "per s",
                    Median(figures.beside_work), "beside other work"});
    rows.push_back({"attackers/processors/" + kind, Median(figures.attackers_cores), "cores",
                    Median(figures.work_cores), "the other work's"});
    rows.push_back({"relay/processors/" + kind, Median(figures.relay_attacked), "cores",
                    Median(figures.relay_beside), "beside other work"});
    rows.push_back(BaselineRow("attackers/calls/" + kind, Median(figures.calls), "per s"));
    rows.push_back(BaselineRow("attackers/answered/" + kind, Median(figures.answered), "per s"));
    rows.push_back(BaselineRow("attackers/refused/" + kind, Median(figures.refused), "per s"));
    rows.push_back(
        BaselineRow("attackers/unconnected/" + kind, Median(figures.unconnected), "per s"));
  }
  return rows;
}

}  // namespace parley::bench
