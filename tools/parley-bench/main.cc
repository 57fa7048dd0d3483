// parley-bench: the command line. The only file here that includes CLI11, which is slow to compile.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "tools/parley-bench/attack_benchmarks.h"
#include "tools/parley-bench/attackers.h"
#include "tools/parley-bench/bare_server.h"
#include "tools/parley-bench/client_benchmarks.h"
#include "tools/parley-bench/mls_benchmarks.h"
#include "tools/parley-bench/must.h"
#include "tools/parley-bench/relay_benchmarks.h"
#include "tools/parley-bench/rows.h"
#include "tools/parley-bench/scale_benchmarks.h"

namespace {

namespace bench = parley::bench;
using parley::mls::CipherSuiteId;

constexpr int kFailed = 1;
constexpr int kWrongUsage = 2;

struct CommonOptions {
  bool json = false;
  bool quick = false;

  bench::Format format() const { return json ? bench::Format::kJson : bench::Format::kTable; }
};

void AddCommonOptions(CLI::App& command, CommonOptions& options) {
  command.add_flag("--json", options.json, "One object a line: name, value, unit, baseline, ratio");
  command.add_flag("--quick", options.quick,
                   "A few seconds, to see that everything runs: the figures mean nothing");
}

void AddSuiteOption(CLI::App& command, std::vector<CipherSuiteId>& suites) {
  command
      .add_option_function<std::string>(
          "--suite",
          [&suites](const std::string& text) {
            const unsigned long number = std::strtoul(text.c_str(), nullptr, 0);
            const auto suite = static_cast<CipherSuiteId>(number);
            if (number > UINT16_MAX || !parley::mls::FindCipherSuite(suite).ok()) {
              throw CLI::ValidationError(
                  "--suite", "there is no suite " + text + ": try 3, 0x4D, 0x54 or 0xF001");
            }
            suites = {suite};
          },
          "The cipher suite (default: 3 and then 0xF001, each with its primitives)")
      ->type_name("NUMBER");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Measures Parley against what it stands on, in the same run.", "parley-bench");
  app.require_subcommand(1);
  CommonOptions common;

  bench::MlsBenchOptions mls_options;
  CLI::App* mls = app.add_subcommand("mls", "Groups against their primitives");
  AddCommonOptions(*mls, common);
  std::vector<CipherSuiteId> suites = {CipherSuiteId::k0x0003, CipherSuiteId::kParley};
  AddSuiteOption(*mls, suites);
  mls->add_option("--members", mls_options.members, "Sizes of the groups, like 2,8,32")
      ->delimiter(',')
      ->check(CLI::Range(2, 4096));

  bench::RelayBenchOptions relay_options;
  CLI::App* relay = app.add_subcommand("relay", "A relay against bare gRPC over TLS");
  AddCommonOptions(*relay, common);
  relay->add_option("--relay", relay_options.relay_program,
                    "The relay's program (default: parley-relay beside this one)");
  relay->add_option(
      "--folder", relay_options.folder,
      "Where a folder for the relay and the files is made (default: TMPDIR, or /tmp)");
  relay
      ->add_option("--connections", relay_options.connections,
                   "Connections over which the calls are spread (default: 1)")
      ->check(CLI::Range(1, 64));
  relay
      ->add_option("--in-flight", relay_options.in_flight,
                   "Calls in flight, like 1,16,64; 0 leaves the calls out")
      ->delimiter(',')
      ->check(CLI::Range(0, 1024));
  relay->add_option("--rounds", relay_options.rounds, "Rounds, of which medians are taken")
      ->check(CLI::Range(1, 1000));
  relay->add_option("--seconds", relay_options.seconds, "How long each load runs in a round")
      ->check(CLI::Range(0.05, 60.0));
  relay
      ->add_option("--file-mib", relay_options.file_mib,
                   "Size of the file that is transferred; 0 leaves the transfers out")
      ->check(CLI::Range(0, 4096));

  bench::AttackBenchOptions attack_options;
  CLI::App* attack = app.add_subcommand("attack", "Honest clients' rate while others attack");
  AddCommonOptions(*attack, common);
  attack->add_option("--relay", attack_options.relay_program,
                     "The relay's program (default: parley-relay beside this one)");
  attack->add_option("--folder", attack_options.folder,
                     "Where a folder for the relay is made (default: TMPDIR, or /tmp)");
  attack->add_option("--attackers", attack_options.attackers, "Connections of each attack")
      ->check(CLI::Range(1, 64));
  attack
      ->add_option("--cores", attack_options.cores,
                   "Processors' time that an attack may use, like 0.5")
      ->check(CLI::Range(0.05, 64.0));
  attack->add_option("--rounds", attack_options.rounds, "Rounds, of which medians are taken")
      ->check(CLI::Range(1, 1000));
  attack->add_option("--seconds", attack_options.seconds, "How long the honest load runs each time")
      ->check(CLI::Range(0.05, 60.0));

  bench::ScaleBenchOptions scale_options;
  CLI::App* scale = app.add_subcommand("scale", "A relay with much in it against an empty one");
  AddCommonOptions(*scale, common);
  scale->add_option("--relay", scale_options.relay_program,
                    "The relay's program (default: parley-relay beside this one)");
  scale->add_option("--folder", scale_options.folder,
                    "Where a folder for the relays is made (default: TMPDIR, or /tmp)");
  scale->add_option("--mailboxes", scale_options.mailboxes, "How many the full relay has")
      ->check(CLI::Range(100, 100'000'000));
  scale->add_option("--entries", scale_options.entries_each, "Entries in each of them")
      ->check(CLI::Range(0, 100'000));
  scale->add_option("--subscribers", scale_options.subscribers, "Clients that follow mailboxes")
      ->check(CLI::Range(1, 16'000));
  scale->add_option("--follow", scale_options.follow_each, "Mailboxes that each of them follows")
      ->check(CLI::Range(1, 4'096));
  scale->add_option("--rounds", scale_options.rounds, "Rounds, of which medians are taken")
      ->check(CLI::Range(1, 1000));
  scale->add_option("--seconds", scale_options.seconds, "How long each load runs in a round")
      ->check(CLI::Range(0.05, 60.0));
  scale->add_option("--plot", scale_options.plot, "Where to write rate and latency over load, SVG");

  bench::ClientBenchOptions client_options;
  CLI::App* client = app.add_subcommand("client", "A full profile: searching, opening and sending");
  AddCommonOptions(*client, common);
  client->add_option("--folder", client_options.folder,
                     "Where a folder for the profile is made (default: TMPDIR, or /tmp)");
  client
      ->add_option("--messages", client_options.messages,
                   "Messages in the profile, and in a large case's joint channel and caucuses; a "
                   "tenth of the latter are documents")
      ->check(CLI::Range(100, 10'000'000));
  client->add_option("--queries", client_options.queries, "Queries of each kind")
      ->check(CLI::Range(1, 10'000));

  // What `attack` runs as processes of their own.
  std::string kind;
  std::string address;
  size_t connections = 1;
  double cores = 0.5;
  CLI::App* attackers = app.add_subcommand("attackers", "")->group("");
  attackers->add_option("--kind", kind)->required();
  attackers->add_option("--address", address)->required();
  attackers->add_option("--connections", connections);
  attackers->add_option("--cores", cores);
  CLI::App* other_work = app.add_subcommand("other-work", "")->group("");
  other_work->add_option("--cores", cores);

  client
      ->add_option_function<std::string>(
          "--only",
          [&client_options](const std::string& part) {
            client_options.with_search = part == "search";
            client_options.with_limits = part == "limits";
          },
          "Searching, or opening and sending in a large case (default: both)")
      ->check(CLI::IsMember({"search", "limits"}));
  client->add_option("--rounds", client_options.limits.rounds, "Rounds in a large case")
      ->check(CLI::Range(1, 1000));
  client->add_option("--relay", client_options.limits.relay_program,
                     "The relay's program (default: parley-relay beside this one)");

  CLI::App* bare = app.add_subcommand("bare-server", "")->group("");  // the relay's counterpart

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    std::fprintf(stderr, "parley-bench: %s (see --help)\n", error.what());
    return kWrongUsage;
  }
  try {
    if (bare->parsed()) return bench::RunBareServer();
    if (attackers->parsed()) return bench::RunAttackers(kind, address, connections, cores);
    if (other_work->parsed()) return bench::RunOtherWork(cores);
    if (mls->parsed()) {
      mls_options.quick = common.quick;
      if (common.quick && mls->count("--members") == 0) mls_options.members = {2, 8};
      std::vector<bench::Row> rows;
      for (CipherSuiteId suite : suites) {
        mls_options.suite = suite;
        for (bench::Row& row : bench::RunMlsBenchmarks(mls_options)) rows.push_back(std::move(row));
      }
      bench::Print(rows, common.format());
    } else if (attack->parsed()) {
      if (common.quick) attack_options.MakeQuick();
      bench::Print(bench::RunAttackBenchmarks(attack_options), common.format());
    } else if (scale->parsed()) {
      if (common.quick) scale_options.MakeQuick();
      bench::Print(bench::RunScaleBenchmarks(scale_options), common.format());
    } else if (client->parsed()) {
      const size_t messages = client_options.messages;
      client_options.limits.joint = client_options.limits.caucuses = {messages, messages / 10};
      client_options.limits.made = [] { std::fprintf(stderr, "all is made; measuring\n"); };
      if (common.quick) client_options.MakeQuick();
      bench::Print(bench::RunClientBenchmarks(client_options), common.format());
    } else {
      if (common.quick) relay_options.MakeQuick();
      std::erase(relay_options.in_flight, size_t{0});
      bench::Print(bench::RunRelayBenchmarks(relay_options), common.format());
    }
  } catch (const bench::Failure& failure) {
    std::fprintf(stderr, "parley-bench: %s\n", failure.what());
    return kFailed;
  }
  return 0;
}
