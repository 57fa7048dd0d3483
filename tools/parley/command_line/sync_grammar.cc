#include "tools/parley/command_line/grammar.h"
#include "tools/parley/command_line/value_checks.h"

namespace parley::cli {

void AddSyncCommands(Grammar& grammar) {
  auto& in_sync = grammar.Keep<SyncArguments>();
  auto& in_watch = grammar.Keep<WatchArguments>();
  CLI::App* sync =
      grammar.Add(grammar.app(), "sync", "Get what is new and send what waits, in all cases",
                  in_sync, "Keeping up");
  sync->add_option("--wait", in_sync.wait_seconds,
                   "When nothing is new, wait up to so many seconds for something")
      ->type_name("SECONDS")
      ->check(Check(ReadSeconds));
  Explain(sync, "Every other command does this by itself for the case that it names.");
  CLI::App* watch =
      grammar.Add(grammar.app(), "watch", "Stay connected and show what happens, until Ctrl-C",
                  in_watch, "Keeping up");
  Positional(watch, "CASE", in_watch.case_text, kCaseHelp);
}

}  // namespace parley::cli
