#include "tools/parley/command_line/grammar.h"
#include "tools/parley/command_line/value_checks.h"
#include "tools/parley/duration.h"

namespace parley::cli {

void AddDisclosureCommands(Grammar& grammar) {
  auto& in_authorise = grammar.Keep<AuthoriseArguments>();
  auto& in_until = grammar.Keep<std::string>();
  auto& in_authorisations = grammar.Keep<AuthorisationsArguments>();
  auto& in_revoke = grammar.Keep<RevokeArguments>();
  auto& in_disclose = grammar.Keep<DiscloseArguments>();
  constexpr const char* kGroup = "Telling others with leave";
  constexpr const char* kAuthorisationHelp =
      "The authorisation: the beginning of its id (parley authorisations)";
  CLI::App* authorise =
      grammar.Add(grammar.app(), "authorise", "Let the neutrals tell others what you said",
                  in_authorise, kGroup);
  Positional(authorise, "CASE", in_authorise.case_text, kCaseHelp);
  Positional(authorise, "CHANNEL", in_authorise.channel,
             "Where you said it: your side's caucus (caucus), counsel or group:NAME");
  Positional(authorise, "ITEM", in_authorise.item,
             "Your message or document there: its position, or the beginning of its id");
  authorise->add_option("--to", in_authorise.to, "Who may be told: joint, caucus:SIDE or counsel")
      ->required()
      ->type_name("AUDIENCE");
  authorise
      ->add_option("--words", in_authorise.words,
                   "Only these words of the message, exactly; without it, all of it")
      ->type_name("WORDS");
  authorise->add_flag("--anonymous", in_authorise.anonymous,
                      "Without saying from whom: only \"from a confidential caucus\"");
  authorise
      ->add_option("--until", in_until,
                   "For how long, as 12h or 14d; without it, until you revoke it")
      ->type_name("TIME")
      ->check(Check(ReadDuration));
  authorise->final_callback([&grammar, &in_authorise, &in_until] {
    if (!in_until.empty()) in_authorise.valid_for_seconds = ParseDuration(in_until).value_or(0);
    grammar.Choose(in_authorise);
  });
  Explain(authorise,
          "What is said in a caucus stays there, unless its author lets it be told. A neutral can "
          "then tell it once, in exactly these words; or share the document once, unchanged. You "
          "see when that has been done; until then you can take it back with \"parley revoke\". "
          "Prints the authorisation's id on the last line.");
  CLI::App* list = grammar.Add(grammar.app(), "authorisations", "Show what may be told to whom",
                               in_authorisations, kGroup);
  Positional(list, "CASE", in_authorisations.case_text, kCaseHelp);
  CLI::App* revoke =
      grammar.Add(grammar.app(), "revoke", "Take back an authorisation that wasn't used yet",
                  in_revoke, kGroup);
  Positional(revoke, "CASE", in_revoke.case_text, kCaseHelp);
  Positional(revoke, "AUTHORISATION", in_revoke.authorisation, kAuthorisationHelp);
  CLI::App* disclose =
      grammar.Add(grammar.app(), "disclose", "As a neutral, tell what you were authorised to tell",
                  in_disclose, kGroup);
  Positional(disclose, "CASE", in_disclose.case_text, kCaseHelp);
  Positional(disclose, "AUTHORISATION", in_disclose.authorisation, kAuthorisationHelp);
  Explain(disclose,
          "Sends exactly the authorised words, or the document, to the authorised audience, with "
          "your name as who attests them, and notes the use where leave was given. Only once. "
          "All neutrals' programs check it, and show a disclosure that wasn't authorised so as "
          "refused, with a warning.");
}

}  // namespace parley::cli
