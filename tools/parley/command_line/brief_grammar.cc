#include "tools/parley/command_line/grammar.h"
#include "tools/parley/command_line/value_checks.h"

namespace parley::cli {
namespace {

constexpr const char* kBriefGroup = "Briefs";

void AddSubmit(Grammar& grammar, CLI::App& brief) {
  auto& in_submit = grammar.Keep<BriefSubmitArguments>();
  CLI::App* submit = grammar.Add(brief, "submit", "Hand your side's brief in to the neutrals",
                                 in_submit, kBriefGroup);
  Positional(submit, "CASE", in_submit.case_text, kCaseHelp);
  Positional(submit, "FILE", in_submit.file, "The file, of any size and kind");
  CLI::Option* exchanged =
      submit->add_flag("--exchanged", in_submit.exchanged,
                       "For all sides, once all have handed theirs in (default)");
  submit->add_flag("--mediator-only", in_submit.mediator_only, "For the neutrals, and nobody else")
      ->excludes(exchanged);
  submit->add_option("--name", in_submit.name, "Another name for the others to see")
      ->type_name("NAME");
  submit->add_flag("--keep-metadata", in_submit.keep_metadata,
                   "Hand a photograph or PDF in as it is, with place, camera and author");
  submit->add_option("--note", in_submit.note, "What to say with it, to those who read it here")
      ->type_name("TEXT");
  submit
      ->add_option("--class", in_submit.document_class,
                   "general, financial, privileged, settlement")
      ->type_name("CLASS")
      ->check(Check(ReadDocumentClass));
  Explain(submit,
          "It goes into your side's caucus. An exchanged one is leave to show it to all sides in "
          "the joint channel: together with theirs, when each side that is there now has handed "
          "one in, and not before. Until the neutrals release them nobody outside your caucus has "
          "it, and you aren't told whether others have handed theirs in. Hand another one in to "
          "replace it; parley withdraw takes it back. Prints its id on the last line.");
}

}  // namespace

void AddBriefCommands(Grammar& grammar) {
  CLI::App* brief =
      grammar.AddParent(grammar.app(), "brief", "Hand in, show and release briefs", kBriefGroup);
  AddSubmit(grammar, *brief);
  auto& in_list = grammar.Keep<BriefListArguments>();
  CLI::App* list = grammar.Add(*brief, "list", "Show briefs: your side's, and for neutrals all",
                               in_list, kBriefGroup);
  Positional(list, "CASE", in_list.case_text, kCaseHelp);
  auto& in_release = grammar.Keep<BriefReleaseArguments>();
  CLI::App* release = grammar.Add(
      *brief, "release", "Release all sides' exchanged briefs, together", in_release, kBriefGroup);
  Positional(release, "CASE", in_release.case_text, kCaseHelp);
  Explain(release,
          "For neutrals. All briefs appear in the joint channel at once, or none does: as long as "
          "a side's is missing it is refused. You choose the time, so that it tells nobody who "
          "was the last. After an interruption the same command goes on where it was.");
}

}  // namespace parley::cli
