#include "tools/parley/command_line/grammar.h"
#include "tools/parley/command_line/value_checks.h"

namespace parley::cli {

void AddRecordCommands(Grammar& grammar) {
  auto& in_search = grammar.Keep<SearchArguments>();
  auto& in_timeline = grammar.Keep<CaseTimelineArguments>();
  constexpr const char* kRecordGroup = "The record";
  CLI::App* search =
      grammar.Add(grammar.app(), "search", "Find what was written", in_search, kRecordGroup);
  Positional(search, "TEXT", in_search.text,
             "Words that must all be there; the last may be the beginning of one");
  search->add_option("--case", in_search.case_text, kCaseHelp)->type_name("CASE");
  search->add_option("--channel", in_search.channel, kChannelHelp)
      ->type_name("CHANNEL")
      ->needs("--case");
  search->add_option("--limit", in_search.limit, "At most so many results")
      ->type_name("N")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  Explain(search,
          "Looks through all that you may read: messages, names of documents, words of acts, "
          "agreements, disclosures; in all cases and channels, closed ones too. Upper and lower "
          "case and accents don't count. Best first; each with its channel and who reads that. "
          "Syncs first, as the other commands do; --offline shows what this profile has.");
  CLI::App* timeline =
      grammar.Add(grammar.case_command(), "timeline", "Show what happened, without content",
                  in_timeline, kRecordGroup);
  Positional(timeline, "CASE", in_timeline.case_text, kCaseHelp);
  timeline->add_flag("--verify", in_timeline.verify,
                     "Recompute each channel's chain of hashes from what is stored");
  Explain(timeline,
          "Who did what, when (by their own clock), in which channel and at which position, from "
          "where you came in; and the acts on the case's state. Each line ends with the beginning "
          "of the channel's hash there: two people whose hashes are the same at a position have "
          "the same log up to it. With --verify, an exit status of 1 says that a chain is broken.");
}

}  // namespace parley::cli
