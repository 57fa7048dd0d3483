#include "tools/parley/command_line/grammar.h"

namespace parley::cli {

void AddFurtherChannelCommands(Grammar& grammar) {
  constexpr const char* kGroup = "Channels";
  CLI::App* const channel = grammar.AddParent(
      grammar.app(), "channel",
      "Open a team, counsel or other channel, let people in and put them out", kGroup);
  auto& in_create = grammar.Keep<ChannelCreateArguments>();
  CLI::App* create = grammar.Add(
      *channel, "create", "Open a channel for your team, for counsel, or for people you name",
      in_create, kGroup);
  Positional(create, "CASE", in_create.case_text, kCaseHelp);
  Positional(create, "WHAT", in_create.what,
             "team, counsel, or what a group of people is to be called");
  create
      ->add_option("--with", in_create.with,
                   "Who is to be in it, beside you and those who are in it by the rule; again for "
                   "each")
      ->type_name("NAME")
      ->allow_extra_args(false);
  create
      ->add_option("--steward", in_create.stewards,
                   "Of a team: who may let people in and put them out, beside you; again for each")
      ->type_name("NAME")
      ->allow_extra_args(false);
  Explain(
      create,
      "team: your side alone, without the mediator. A party or counsel opens it, for everybody who "
      "is on their side now, or for those named by --with. The mediator can't read it, come into "
      "it, or let anybody in; they see in the caucus that people of the side have paired their "
      "programs, no more. The others come in when their program has been online, and then yours. "
      "Whom the mediator puts out of the case your program puts out of the team when it next "
      "reaches the relay: until then they read it. Compare safety numbers with your own side, too "
      "(parley case compare).\n\n"
      "counsel: the neutrals and all counsel; by --with experts and interpreters. A neutral opens "
      "it; as counsel, ask them to. Counsel who come later are let in by themselves, and who is "
      "replaced is put out.\n\n"
      "Any other word names a group: the neutrals, and those named by --with, of whatever side. A "
      "neutral opens it.\n\n"
      "Prints who can read it.");
  auto& in_admit = grammar.Keep<CaseAdmitArguments>();
  CLI::App* admit = grammar.Add(*channel, "admit", "Let somebody into a channel", in_admit, kGroup);
  Positional(admit, "CASE", in_admit.case_text, kCaseHelp);
  Positional(admit, "CHANNEL", in_admit.channel, kChannelHelp);
  Positional(admit, "NAME", in_admit.participant, kParticipantHelp);
  Explain(
      admit,
      "Into a team its stewards let people of their side; into all others the neutrals: an "
      "expert or interpreter into the counsel channel, anybody into a group, who has no side "
      "into a caucus or the joint channel. They read what is said from then on. In a case with a "
      "procedure they come into the joint channel first and sign the agreement to mediate. "
      "parley case admit does the same.");
  auto& in_dismiss = grammar.Keep<ChannelDismissArguments>();
  CLI::App* dismiss =
      grammar.Add(*channel, "dismiss", "Put somebody out of a channel, and leave them in the case",
                  in_dismiss, kGroup);
  Positional(dismiss, "CASE", in_dismiss.case_text, kCaseHelp);
  Positional(dismiss, "CHANNEL", in_dismiss.channel, kChannelHelp);
  Positional(dismiss, "NAME", in_dismiss.participant, kParticipantHelp);
  dismiss->add_flag("-y,--yes", in_dismiss.yes, "Don't ask");
  Explain(
      dismiss,
      "Who may: as with admit. Who is in a channel by their role and side is put out by "
      "removing them from the case (parley case remove). In a case with a procedure, who is put "
      "out of the joint channel is put out of all others that they were let into.");
  auto& in_leave = grammar.Keep<ChannelLeaveArguments>();
  CLI::App* leave = grammar.Add(*channel, "leave", "Leave your side's team, and stay in the case",
                                in_leave, kGroup);
  Positional(leave, "CASE", in_leave.case_text, kCaseHelp);
  Positional(leave, "CHANNEL", in_leave.channel, "The team: team");
  leave->add_flag("-y,--yes", in_leave.yes, "Don't ask");
  Explain(leave,
          "You can send nothing in it from then on; what you have received stays readable. A "
          "steward's program puts you out when it next reaches the relay: until then yours could "
          "still read. The only steward names another one first (parley channel steward); who is "
          "alone in it ends it. Other channels: a neutral puts you out, or you leave the case.");
  auto& in_steward = grammar.Keep<ChannelStewardArguments>();
  CLI::App* steward = grammar.Add(
      *channel, "steward", "Make a member of your team one of its stewards", in_steward, kGroup);
  Positional(steward, "CASE", in_steward.case_text, kCaseHelp);
  Positional(steward, "CHANNEL", in_steward.channel, "The team: team");
  Positional(steward, "NAME", in_steward.participant, kParticipantHelp);
  Explain(steward,
          "Stewards let people into the team and put them out. There should be two at least, so "
          "that the side goes on when one of them goes; while there is one only, its program names "
          "another, counsel before parties.");
}

}  // namespace parley::cli
