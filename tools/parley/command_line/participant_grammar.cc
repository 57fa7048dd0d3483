#include "tools/parley/command_line/grammar.h"

namespace parley::cli {

void AddParticipantCommands(Grammar& grammar) {
  auto& in_participants = grammar.Keep<CaseParticipantsArguments>();
  auto& in_approve = grammar.Keep<CaseApproveArguments>();
  auto& in_compare = grammar.Keep<CaseCompareArguments>();
  auto& in_remove = grammar.Keep<CaseRemoveArguments>();
  auto& in_admit = grammar.Keep<CaseAdmitArguments>();
  CLI::App* participants =
      grammar.Add(grammar.case_command(), "participants",
                  "Show who takes part: roles, sides, who waits for approval, safety numbers",
                  in_participants, "Participants");
  Positional(participants, "CASE", in_participants.case_text, kCaseHelp);
  CLI::App* approve =
      grammar.Add(grammar.case_command(), "approve", "Let somebody in who has joined and waits",
                  in_approve, "Participants");
  Positional(approve, "CASE", in_approve.case_text, kCaseHelp);
  Positional(approve, "NAME", in_approve.participant, kParticipantHelp);
  CLI::App* compare = grammar.Add(grammar.case_command(), "compare",
                                  "Note that you have compared safety numbers with somebody",
                                  in_compare, "Participants");
  Positional(compare, "CASE", in_compare.case_text, kCaseHelp);
  Positional(compare, "NAME", in_compare.participant, kParticipantHelp);
  compare
      ->add_option("NUMBER", in_compare.number,
                   "The number that they read to you: it is compared with yours here. Without it "
                   "yours is shown, and nothing is noted")
      ->type_name("");
  CLI::App* remove = grammar.Add(grammar.case_command(), "remove",
                                 "Put somebody out of a case, or withdraw their invitation",
                                 in_remove, "Participants");
  Positional(remove, "CASE", in_remove.case_text, kCaseHelp);
  Positional(remove, "NAME", in_remove.participant, kParticipantHelp);
  remove->add_flag("-y,--yes", in_remove.yes, "Don't ask");
  CLI::App* admit =
      grammar.Add(grammar.case_command(), "admit",
                  "Let an expert, observer, interpreter or support person into a channel", in_admit,
                  "Participants");
  Positional(admit, "CASE", in_admit.case_text, kCaseHelp);
  Positional(admit, "CHANNEL", in_admit.channel, kChannelHelp);
  Positional(admit, "NAME", in_admit.participant, kParticipantHelp);
  Explain(admit, "The same as parley channel admit, whose help says who may let in whom.");
}

}  // namespace parley::cli
