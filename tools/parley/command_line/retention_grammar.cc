#include "tools/parley/command_line/grammar.h"

namespace parley::cli {

void AddRetentionCommands(Grammar& grammar) {
  auto& in_retention = grammar.Keep<CaseRetentionArguments>();
  auto& in_destroy = grammar.Keep<CaseDestroyArguments>();
  CLI::App* retention = grammar.Add(grammar.case_command(), "retention",
                                    "Show how long the case's records are kept, and what is due",
                                    in_retention, "Procedure");
  Positional(retention, "CASE", in_retention.case_text, kCaseHelp);
  CLI::Option* hold =
      retention
          ->add_option("--hold", in_retention.hold,
                       "Destroy nothing on this device from now on, for this reason: as when a "
                       "court orders that records are kept")
          ->type_name("REASON");
  retention->add_flag("--release", in_retention.release, "End the hold")->excludes(hold);
  Explain(retention,
          "The agreement to mediate says how long records of each class are kept; the periods run "
          "from the case's end. A hold is this profile's own: nobody else is told.");
  CLI::App* destroy = grammar.Add(grammar.case_command(), "destroy",
                                  "Destroy on this device what isn't to be kept any longer",
                                  in_destroy, "Procedure");
  Positional(destroy, "CASE", in_destroy.case_text, kCaseHelp);
  destroy->add_flag("-y,--yes", in_destroy.yes, "Don't ask");
  Explain(destroy,
          "For good: words, documents' keys, what is found by them, and your files at the relay. "
          "What stays is the timeline: who did what when. The others are told which classes of "
          "record you have destroyed. Files that you fetched, and backups of this profile, are "
          "yours to destroy. The relay keeps what it had of messages, sealed with keys that this "
          "device no longer has: no command deletes a case's mailboxes.");
}

}  // namespace parley::cli
