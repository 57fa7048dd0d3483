#include "parley/procedure.h"
#include "tools/help/help_text.h"
#include "tools/parley/command_line/grammar.h"
#include "tools/parley/command_line/value_checks.h"

namespace parley::cli {
namespace {

CLI::App* AddAct(Grammar& grammar, const char* name, CaseAct act, const char* about,
                 const char* words) {
  auto& in_act = grammar.Keep<CaseActArguments>();
  CLI::App* command = grammar.Add(grammar.case_command(), name, about, in_act, "Procedure");
  Positional(command, "CASE", in_act.case_text, kCaseHelp);
  if (act == CaseAct::kWaive || act == CaseAct::kObject) {
    command
        ->add_option("--disclosure", in_act.disclosure,
                     "Which disclosure, by the beginning of its id (parley case status); needed "
                     "where several wait for your side's answer")
        ->type_name("ID");
  }
  if (words != nullptr) command->add_option("WORDS", in_act.words, words)->type_name("");
  command->final_callback([&grammar, &in_act, act] {
    in_act.act = act;
    grammar.Choose(in_act);
  });
  return command;
}

void AddOtherActs(Grammar& grammar, const char* words) {
  auto& in_act = grammar.Keep<CaseActArguments>();
  auto& in_act_name = grammar.Keep<std::string>();
  CLI::App* act = grammar.Add(grammar.case_command(), "act", "Do another act of the procedure",
                              in_act, "Procedure");
  Positional(act, "CASE", in_act.case_text, kCaseHelp);
  act->add_option("ACT", in_act_name, "The act's name, below")
      ->required()
      ->type_name("")
      ->check(Check(ReadAct));
  act->add_option("WORDS", in_act.words, words)->type_name("");
  act->add_option("--settlement", in_act.settlement,
                  "Of start-signing: what is to be signed, a document of the joint channel by its "
                  "name or id, or an offer there that everybody has accepted. Of "
                  "confirm-settlement: the same, which is confirmed only if it is that one")
      ->type_name("ITEM");
  act->final_callback([&grammar, &in_act, &in_act_name] {
    in_act.act = ParseCaseAct(in_act_name).value_or(CaseAct::kUnknown);
    grammar.Choose(in_act);
  });
  act->footer("Acts, who may do them, when:\n" + help::Wrapped(CaseActsHelp().c_str()) + "\n" +
              kGeneralOptions);
}

void AddAgreementCommands(Grammar& grammar) {
  auto& in_propose = grammar.Keep<AgreementProposeArguments>();
  auto& in_agreement_show = grammar.Keep<AgreementShowArguments>();
  auto& in_agreement_sign = grammar.Keep<AgreementSignArguments>();
  CLI::App* agreement =
      grammar.AddParent(grammar.case_command(), "agreement",
                        "Propose, show or sign the agreement to mediate", "Procedure");
  CLI::App* propose =
      grammar.Add(*agreement, "propose", "Put an agreement forward, or an amended one", in_propose,
                  "Procedure");
  Positional(propose, "CASE", in_propose.case_text, kCaseHelp);
  propose->add_option("--template", in_propose.template_name, "Begin from this template")
      ->type_name("NAME");
  propose->add_option("--text", in_propose.text_file, "The agreement's text, a file in UTF-8")
      ->type_name("FILE");
  propose->add_option("--policy", in_propose.policy_file, "The confidentiality policy, a file")
      ->type_name("FILE");
  propose->footer(PolicyHelp() + "\n" + kGeneralOptions);
  CLI::App* show = grammar.Add(*agreement, "show", "Show the agreement, and who has signed it",
                               in_agreement_show, "Procedure");
  Positional(show, "CASE", in_agreement_show.case_text, kCaseHelp);
  CLI::App* sign = grammar.Add(*agreement, "sign", "Sign the agreement that is proposed",
                               in_agreement_sign, "Procedure");
  Positional(sign, "CASE", in_agreement_sign.case_text, kCaseHelp);
  sign->add_option("HASH", in_agreement_sign.hash,
                   "The beginning of the hash of what you have read (parley case agreement show)")
      ->type_name("");
  sign->add_flag("-y,--yes", in_agreement_sign.yes, "Don't ask");
  Explain(sign,
          "Your signature can be shown to others outside the case, as one on paper can. What is "
          "said in the mediation carries none.");
}

void AddTemplates(Grammar& grammar) {
  auto& in_template_list = grammar.Keep<TemplateListArguments>();
  auto& in_template_show = grammar.Keep<TemplateShowArguments>();
  CLI::App* templates = grammar.AddParent(grammar.app(), "template",
                                          "Show agreements and policies to begin from", "Cases");
  grammar.Add(*templates, "list", "Show which there are", in_template_list, "Cases");
  CLI::App* show_template = grammar.Add(*templates, "show", "Print one, to be edited in a file",
                                        in_template_show, "Cases");
  Positional(show_template, "NAME", in_template_show.name, "The template");
  show_template->add_flag("--policy", in_template_show.policy,
                          "Print its confidentiality policy instead of its text");
}

}  // namespace

void AddProcedureCommands(Grammar& grammar) {
  auto& in_status = grammar.Keep<CaseStatusArguments>();
  CLI::App* status = grammar.Add(grammar.case_command(), "status",
                                 "Show how far the case has come, what is missing and from whom",
                                 in_status, "Procedure");
  Positional(status, "CASE", in_status.case_text, kCaseHelp);
  constexpr const char* kWords = "What to say with it, for all to read; - reads standard input";
  Explain(AddAct(grammar, "request", CaseAct::kRequest, "Ask for mediation, for your side", kWords),
          "A party or their counsel does it, once the mediator has let them in. The other sides "
          "accept or decline.");
  AddAct(grammar, "accept", CaseAct::kAccept, "Accept the request, for your side", kWords);
  Explain(
      AddAct(grammar, "decline", CaseAct::kDecline, "Decline the request, for your side", kWords),
      "No reason is needed. The case ends.");
  Explain(AddAct(grammar, "disclose-conflict", CaseAct::kDiscloseConflict,
                 "Tell what could make your neutrality doubtful", kWords),
          "The mediator or a co-mediator does it; each side then waives or objects. From the "
          "agreement on it suspends the case until all sides have waived.");
  AddAct(grammar, "waive", CaseAct::kWaive, "Have no objection to what a neutral disclosed",
         kWords);
  Explain(AddAct(grammar, "object", CaseAct::kObject, "Object to a neutral for what they disclosed",
                 kWords),
          "The case goes on when your side waives after all, or that neutral leaves.");
  AddOtherActs(grammar, kWords);
  AddAgreementCommands(grammar);
  AddTemplates(grammar);
}

}  // namespace parley::cli
