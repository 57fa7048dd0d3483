#include "tools/parley/command_line/grammar.h"
#include "tools/parley/command_line/value_checks.h"
#include "tools/parley/duration.h"

namespace parley::cli {
namespace {

constexpr const char* kOfferGroup = "Offers";
constexpr const char* kOfferHelp = "The offer: the beginning of its id (parley offers)";

// What people write is taken as it is: a comma or a bracket begins no list.
CLI::Option* AddTexts(CLI::App* command, const char* name, std::vector<std::string>& target,
                      const char* about) {
  return command->add_option(name, target, about)
      ->type_name("TEXT")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->delimiter('\0');
}

void AddMake(Grammar& grammar, CLI::App& offer) {
  auto& in_make = grammar.Keep<OfferMakeArguments>();
  auto& in_expires = grammar.Keep<std::string>();
  CLI::App* make = grammar.Add(offer, "make", "Make an offer for your side", in_make, kOfferGroup);
  Positional(make, "CASE", in_make.case_text, kCaseHelp);
  Positional(make, "CHANNEL", in_make.channel, "Where: joint, or your side's caucus (caucus)");
  make->add_option("--text", in_make.text, "What you offer; - reads standard input")
      ->required()
      ->type_name("TEXT");
  make->add_option("--amount", in_make.amount, "The amount, as you write it: \"950 thousand\"")
      ->type_name("TEXT");
  AddTexts(make, "--condition", in_make.conditions, "On this condition; may be given again");
  AddTexts(make, "--alternative", in_make.alternatives,
           "Or this in its place; may be given again, and is accepted by its number");
  AddTexts(make, "--to", in_make.to,
           "To this side, instead of all others; may be given again. In your caucus: the neutrals "
           "may carry it there; needed where there are several other sides")
      ->type_name("SIDE");
  make->add_option("--expires", in_expires,
                   "How long it stands, as 12h or 14d; without it, until "
                   "you withdraw it")
      ->type_name("TIME")
      ->check(Check(ReadDuration));
  make->add_option("--counter", in_make.counter,
                   "It answers this offer of another side, which is closed by that")
      ->type_name("OFFER");
  make->add_option("--replaces", in_make.replaces, "It is a new version of this offer of your side")
      ->type_name("OFFER");
  make->final_callback([&grammar, &in_make, &in_expires] {
    if (!in_expires.empty()) in_make.valid_for_seconds = ParseDuration(in_expires).value_or(0);
    grammar.Choose(in_make);
  });
  Explain(
      make,
      "Parties and counsel make offers, in the joint channel or in their caucus. In the joint "
      "channel everybody has it at once. In a caucus nobody else has it, until a neutral carries "
      "it to the sides named by --to, with leave that is given with it (parley disclose). It "
      "is accepted when all parties of the sides that it is put to, and the other parties of your "
      "own, have accepted that very version. A new version or a counter-offer closes the one "
      "before. Its time is over when a program of your side or of a neutral has said so in the "
      "channel, which it does by itself. Prints the offer's id on the last line.");
}

void AddAnswer(Grammar& grammar, CLI::App& offer, const char* name, bool accept, const char* about,
               const char* explanation) {
  auto& in_answer = grammar.Keep<OfferAnswerArguments>();
  in_answer.accept = accept;
  CLI::App* answer = grammar.Add(offer, name, about, in_answer, kOfferGroup);
  Positional(answer, "CASE", in_answer.case_text, kCaseHelp);
  Positional(answer, "OFFER", in_answer.offer, kOfferHelp);
  answer->add_option("--version", in_answer.version, "The version that you have read")
      ->required()
      ->type_name("N");
  if (accept) {
    answer
        ->add_option("--alternative", in_answer.alternative,
                     "This of its alternatives, from 1 on, in place of its text")
        ->type_name("N");
  }
  answer->add_option("--note", in_answer.note, "What to say with it")->type_name("TEXT");
  Explain(answer, explanation);
}

void AddOptions(Grammar& grammar) {
  CLI::App* options = grammar.AddParent(
      grammar.app(), "options", "Put options up, and evaluate them in private", kOfferGroup);
  auto& in_make = grammar.Keep<OptionsMakeArguments>();
  CLI::App* make =
      grammar.Add(*options, "make", "Put options up to think about", in_make, kOfferGroup);
  Positional(make, "CASE", in_make.case_text, kCaseHelp);
  Positional(make, "CHANNEL", in_make.channel, kChannelHelp);
  make->add_option("--title", in_make.title, "What they are about")->required()->type_name("TEXT");
  AddTexts(make, "--option", in_make.options, "An option; given twice or more")->required();
  Explain(make, "Nobody is bound by an option. Prints the message's id on the last line.");
  auto& in_evaluate = grammar.Keep<OptionsEvaluateArguments>();
  CLI::App* evaluate = grammar.Add(*options, "evaluate", "Say in private what you think of options",
                                   in_evaluate, kOfferGroup);
  Positional(evaluate, "CASE", in_evaluate.case_text, kCaseHelp);
  Positional(evaluate, "SHEET", in_evaluate.sheet,
             "The sheet: the beginning of its id (parley options list)");
  AddTexts(evaluate, "--rate", in_evaluate.ratings,
           "An option's number, its points from 0 to 10, and why: \"2=7 if paid by June\"")
      ->type_name("N=POINTS");
  evaluate->add_option("--note", in_evaluate.note, "What to say of all of them")->type_name("TEXT");
  evaluate
      ->add_option("--channel", in_evaluate.channel,
                   "Your side's caucus (without it) or team channel")
      ->type_name("CHANNEL");
  Explain(evaluate, "It stays in your side's channel: no other side ever sees it.");
  auto& in_list = grammar.Keep<OptionsListArguments>();
  CLI::App* list = grammar.Add(*options, "list",
                               "Show options, and what you may know of what is "
                               "thought of them",
                               in_list, kOfferGroup);
  Positional(list, "CASE", in_list.case_text, kCaseHelp);
}

}  // namespace

void AddOfferCommands(Grammar& grammar) {
  CLI::App* offer = grammar.AddParent(grammar.app(), "offer",
                                      "Make, withdraw, accept or decline offers", kOfferGroup);
  AddMake(grammar, *offer);
  auto& in_withdraw = grammar.Keep<OfferWithdrawArguments>();
  CLI::App* withdraw =
      grammar.Add(*offer, "withdraw", "Take an offer of your side back", in_withdraw, kOfferGroup);
  Positional(withdraw, "CASE", in_withdraw.case_text, kCaseHelp);
  Positional(withdraw, "OFFER", in_withdraw.offer, kOfferHelp);
  withdraw->add_option("--version", in_withdraw.version, "Its version that is open")
      ->required()
      ->type_name("N");
  withdraw->add_option("--note", in_withdraw.note, "What to say with it")->type_name("TEXT");
  Explain(
      withdraw,
      "Leave that you gave to carry that version, and that hasn't been used, is taken back; leave "
      "that somebody else of your side gave stays, and no honest neutral's program uses it. Where "
      "a "
      "neutral has carried it, they get leave to carry that it was withdrawn, too; until then it "
      "is "
      "shown as open there, but can't be accepted any more where it was made.");
  AddAnswer(grammar, *offer, "accept", true, "Accept exactly this version",
            "Only parties whom the offer names accept it. One that was replaced, withdrawn, "
            "declined, answered by a counter-offer, or whose time is over can't be accepted. To "
            "an offer that a neutral has carried to you, the neutrals get leave to carry your "
            "answer back (parley disclose): it counts when it arrives there and the offer is still "
            "open.");
  AddAnswer(grammar, *offer, "decline", false, "Decline exactly this version",
            "The offer is closed for everybody whom it was put to. A new one can always be made. "
            "One that a neutral has carried to you is closed in your caucus at once, and where it "
            "was made when your answer is carried back (parley disclose).");
  auto& in_offers = grammar.Keep<OffersArguments>();
  CLI::App* offers = grammar.Add(grammar.app(), "offers",
                                 "Show offers: what answers what, what is open, who has accepted",
                                 in_offers, kOfferGroup);
  Positional(offers, "CASE", in_offers.case_text, kCaseHelp);
  AddOptions(grammar);
}

}  // namespace parley::cli
