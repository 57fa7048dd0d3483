#include "tools/parley/command_line/grammar.h"

namespace parley::cli {
namespace {

constexpr const char* kSessionGroup = "Sessions";
constexpr const char* kIssueHelp = "The issue: the beginning of its id (parley issues show)";

struct TextWords {
  SessionTextKind kind;
  const char* name;  // of the command
  const char* about;
  const char* what;     // "the agenda"
  const char* confirm;  // the answer's command
};

CLI::Option* AddNumber(CLI::App* command, uint32_t& number, const char* about) {
  return command->add_option("--of", number, about)->type_name("N")->check(CLI::Range(1, 1000));
}

void AddVersion(CLI::App* command, uint32_t& version) {
  command
      ->add_option("--version", version,
                   "The version that you have read, as shown; needed once there are several")
      ->type_name("N")
      ->check(CLI::Range(1, 1000000));
}

void AddTextCommands(Grammar& grammar, const TextWords& words) {
  const bool several = words.kind == SessionTextKind::kSummary;
  const std::string what = words.what;
  CLI::App* parent = grammar.AddParent(grammar.app(), words.name, words.about, kSessionGroup);

  auto& in_set = grammar.Keep<SessionTextSetArguments>();
  in_set.kind = words.kind;
  CLI::App* set = grammar.Add(*parent, "set", "Set " + what + ", or a new version (neutrals)",
                              in_set, kSessionGroup);
  Positional(set, "CASE", in_set.case_text, kCaseHelp);
  Positional(set, "TEXT", in_set.text, "The text; - reads it from standard input");
  if (several) AddNumber(set, in_set.number, "A new version of this one; otherwise a new summary");
  Explain(set,
          "It is refused where it repeats what was confided in a caucus. Each side answers; a new "
          "version starts without answers, and from the second on they name it (--version).");

  auto& in_show = grammar.Keep<SessionTextShowArguments>();
  in_show.kind = words.kind;
  CLI::App* show = grammar.Add(*parent, "show", "Show " + what + ", and who has answered", in_show,
                               kSessionGroup);
  Positional(show, "CASE", in_show.case_text, kCaseHelp);
  show->add_flag("--all", in_show.all, "Earlier versions, too");

  auto& in_confirm = grammar.Keep<SessionTextAnswerArguments>();
  in_confirm.kind = words.kind;
  CLI::App* confirm =
      grammar.Add(*parent, words.confirm, "Agree to " + what + " for your side (party or counsel)",
                  in_confirm, kSessionGroup);
  Positional(confirm, "CASE", in_confirm.case_text, kCaseHelp);
  confirm->add_option("WORDS", in_confirm.words, "What you add")->type_name("");

  auto& in_correct = grammar.Keep<SessionTextAnswerArguments>();
  in_correct.kind = words.kind;
  in_correct.confirmed = false;
  CLI::App* correct =
      grammar.Add(*parent, "correct", "Say what it should say instead (party or counsel)",
                  in_correct, kSessionGroup);
  Positional(correct, "CASE", in_correct.case_text, kCaseHelp);
  Positional(correct, "WORDS", in_correct.words, "What is wrong; - reads it from standard input");
  AddVersion(confirm, in_confirm.version);
  AddVersion(correct, in_correct.version);
  if (several) {
    AddNumber(confirm, in_confirm.number, "Which summary, where there are several");
    AddNumber(correct, in_correct.number, "Which summary, where there are several");
  }
}

void AddFloorCommands(Grammar& grammar) {
  CLI::App* floor = grammar.AddParent(grammar.app(), "floor",
                                      "Who may speak in the joint channel now", kSessionGroup);
  auto& in_show = grammar.Keep<FloorShowArguments>();
  CLI::App* show = grammar.Add(*floor, "show", "Show who has the floor, and who asks for it",
                               in_show, kSessionGroup);
  Positional(show, "CASE", in_show.case_text, kCaseHelp);
  auto& in_give = grammar.Keep<FloorGiveArguments>();
  CLI::App* give = grammar.Add(*floor, "give", "Give the floor (neutrals)", in_give, kSessionGroup);
  Positional(give, "CASE", in_give.case_text, kCaseHelp);
  Positional(give, "TO", in_give.to,
             "A participant's name, side:SIDE, all, or neutrals (nobody else)");
  Explain(give,
          "The others' programs hold what they write for the joint channel until the floor is "
          "theirs. What a modified program sends all the same is shown to everybody, marked. The "
          "neutrals can always speak; caucuses have no floor.");
  auto& in_ask = grammar.Keep<FloorAskArguments>();
  CLI::App* ask = grammar.Add(*floor, "ask", "Ask for the floor", in_ask, kSessionGroup);
  Positional(ask, "CASE", in_ask.case_text, kCaseHelp);
  ask->add_flag("--down", in_ask.lower, "Don't ask for it any more");
}

void AddBalance(Grammar& grammar) {
  auto& in_balance = grammar.Keep<BalanceArguments>();
  CLI::App* balance = grammar.Add(grammar.app(), "balance",
                                  "Show how much each has said in the joint channel (neutrals)",
                                  in_balance, kSessionGroup);
  Positional(balance, "CASE", in_balance.case_text, kCaseHelp);
  Explain(balance,
          "It is computed on this machine from what is stored here, and told to nobody. The shares "
          "are of what others than the neutrals have said, by characters.");
}

void AddIssueChange(Grammar& grammar, CLI::App& issues, const char* name, IssueChange change,
                    const char* about) {
  auto& in_change = grammar.Keep<IssueChangeArguments>();
  in_change.change = change;
  CLI::App* command = grammar.Add(issues, name, about, in_change, kSessionGroup);
  Positional(command, "CASE", in_change.case_text, kCaseHelp);
  Positional(command, "ISSUE", in_change.issue, kIssueHelp);
  if (change == IssueChange::kReword) {
    Positional(command, "TEXT", in_change.text, "The new words");
  }
}

void AddIssueCommands(Grammar& grammar) {
  CLI::App* issues =
      grammar.AddParent(grammar.app(), "issues", "The joint list of issues", kSessionGroup);
  auto& in_show = grammar.Keep<IssuesShowArguments>();
  CLI::App* show = grammar.Add(*issues, "show", "Show the list, and what is proposed for it",
                               in_show, kSessionGroup);
  Positional(show, "CASE", in_show.case_text, kCaseHelp);
  auto& in_add = grammar.Keep<IssueAddArguments>();
  CLI::App* add = grammar.Add(
      *issues, "add", "Put an issue on the list (neutrals), or propose one (party or counsel)",
      in_add, kSessionGroup);
  Positional(add, "CASE", in_add.case_text, kCaseHelp);
  Positional(add, "TEXT", in_add.text, "The issue, in a few words");
  AddIssueChange(grammar, *issues, "admit", IssueChange::kAdmit,
                 "Put a proposed issue on the list (neutrals)");
  AddIssueChange(grammar, *issues, "reword", IssueChange::kReword, "Reword an issue (neutrals)");
  AddIssueChange(grammar, *issues, "drop", IssueChange::kDrop,
                 "Take an issue off (neutrals; your own as long as it is only proposed)");
  auto& in_rank = grammar.Keep<IssuesRankArguments>();
  CLI::App* rank = grammar.Add(*issues, "rank", "Rank the issues for your side, in your caucus",
                               in_rank, kSessionGroup);
  Positional(rank, "CASE", in_rank.case_text, kCaseHelp);
  rank->add_option("ISSUES", in_rank.issues,
                   "The issues, the most important first: the beginnings of their ids")
      ->required()
      ->type_name("");
  Explain(rank,
          "It goes into your caucus and nowhere else: your side and the neutrals see it, the other "
          "sides don't. The latest of a side counts.");
  auto& in_rankings = grammar.Keep<IssuesRankingsArguments>();
  CLI::App* rankings =
      grammar.Add(*issues, "rankings", "Show how your side ranks them (neutrals: every side)",
                  in_rankings, kSessionGroup);
  Positional(rankings, "CASE", in_rankings.case_text, kCaseHelp);
}

}  // namespace

void AddSessionCommands(Grammar& grammar) {
  AddTextCommands(grammar, {SessionTextKind::kAgenda, "agenda",
                            "The agenda, which each side acknowledges", "the agenda", "ack"});
  AddTextCommands(grammar,
                  {SessionTextKind::kGroundRules, "ground-rules",
                   "The ground rules, which each side acknowledges", "the ground rules", "ack"});
  AddTextCommands(grammar, {SessionTextKind::kSummary, "summary",
                            "The mediator's summaries, which each side confirms or corrects",
                            "a summary", "confirm"});
  AddFloorCommands(grammar);
  AddIssueCommands(grammar);
  AddBalance(grammar);
}

}  // namespace parley::cli
