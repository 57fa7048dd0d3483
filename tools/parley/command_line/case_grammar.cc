#include "tools/parley/command_line/grammar.h"
#include "tools/parley/command_line/value_checks.h"
#include "tools/parley/duration.h"

namespace parley::cli {
namespace {

void AddInvite(Grammar& grammar) {
  auto& in_invite = grammar.Keep<CaseInviteArguments>();
  auto& in_role = grammar.Keep<std::string>();
  auto& in_valid_for = grammar.Keep<std::string>();
  CLI::App* invite = grammar.Add(grammar.case_command(), "invite", "Invite somebody to a case",
                                 in_invite, "Participants");
  Positional(invite, "CASE", in_invite.case_text, kCaseHelp);
  invite->add_option("--name", in_invite.name, "Their name, as all will see it")
      ->required()
      ->type_name("NAME");
  invite
      ->add_option("--role", in_role,
                   "co-mediator, party, counsel, expert, observer, interpreter or support-person")
      ->required()
      ->type_name("ROLE")
      ->check(Check(ReadRole));
  invite->add_option("--side", in_invite.side, "Whose side they are on, as \"Harbor\"")
      ->type_name("SIDE");
  invite
      ->add_option("--valid-for", in_valid_for,
                   "How long the invitation can be used, as 12h or 14d (default: 14d)")
      ->type_name("TIME")
      ->check(Check(ReadDuration));
  invite->add_flag("--qr", in_invite.qr, "Also draw it as a QR code");
  invite->final_callback([&grammar, &in_invite, &in_role, &in_valid_for] {
    in_invite.role = ParseRole(in_role).value_or(Role::kUnknown);
    if (!in_valid_for.empty())
      in_invite.valid_for_seconds = ParseDuration(in_valid_for).value_or(0);
    grammar.Choose(in_invite);
  });
  Explain(
      invite,
      "Prints the invitation on the last line. It works for one person, once. Whoever has it can "
      "join in their place: hand it over by a way that you trust, and compare safety numbers by "
      "voice afterwards.");
}

}  // namespace

void AddCaseCommands(Grammar& grammar) {
  auto& in_join = grammar.Keep<JoinArguments>();
  auto& in_create = grammar.Keep<CaseCreateArguments>();
  auto& in_relay = grammar.Keep<CaseRelayArguments>();
  auto& in_list = grammar.Keep<CaseListArguments>();
  auto& in_leave = grammar.Keep<CaseLeaveArguments>();
  CLI::App* join =
      grammar.Add(grammar.app(), "join", "Join a case with the invitation that you were given",
                  in_join, "Cases");
  Positional(join, "INVITATION", in_join.invitation,
             "The text that begins with parley-invite1: (or - to read it from standard input)");
  CLI::App* create = grammar.Add(grammar.case_command(), "create",
                                 "Open a case: you become its mediator", in_create, "Cases");
  Positional(create, "TITLE", in_create.title, "What the case is called");
  create
      ->add_option("--relay", in_create.relay,
                   "The connection string from the relay's operator (or - to read it from "
                   "standard input)")
      ->required()
      ->type_name("CONNECTION");
  create->add_flag("--procedure", in_create.procedure,
                   "Let nothing be said before everybody has signed the agreement to mediate");
  Explain(create,
          "A mediation is usually opened with --procedure: everybody's program then keeps to the "
          "request, the agreement to mediate and its policy (parley template list), and marks what "
          "is said before. It can't be turned on later. Without it the case is a place to talk. "
          "Prints the new case's id on the last line.");
  CLI::App* relay =
      grammar.Add(grammar.case_command(), "relay",
                  "Give a case the connection string that was renewed", in_relay, "Cases");
  Positional(relay, "CASE", in_relay.case_text, kCaseHelp);
  Positional(relay, "CONNECTION", in_relay.relay,
             "The new connection string from the relay's operator (or - to read it from standard "
             "input)");
  Explain(relay,
          "After somebody who knew the case's connection string was removed, the operator of the "
          "same relay makes another (parley-relay sponsor renew). One mediator or co-mediator "
          "gives it to the case; the others get it with their next sync.");
  grammar.Add(grammar.case_command(), "list", "Show your cases", in_list, "Cases");
  CLI::App* leave =
      grammar.Add(grammar.case_command(), "leave", "Leave a case for good", in_leave, "Cases");
  Positional(leave, "CASE", in_leave.case_text, kCaseHelp);
  leave->add_flag("-y,--yes", in_leave.yes, "Don't ask");
  AddInvite(grammar);
}

}  // namespace parley::cli
