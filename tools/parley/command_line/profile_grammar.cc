#include "tools/parley/command_line/grammar.h"

namespace parley::cli {
namespace {

void AddPassphraseCommands(Grammar& grammar) {
  auto& in_passphrase_change = grammar.Keep<PassphraseChangeArguments>();
  auto& in_passphrase_remove = grammar.Keep<PassphraseRemoveArguments>();
  CLI::App* passphrase =
      grammar.AddParent(grammar.app(), "passphrase",
                        "Set, change or remove your profile's passphrase", "Your profile");
  CLI::App* change = grammar.Add(*passphrase, "change", "Set a passphrase, or another one",
                                 in_passphrase_change, "Your profile");
  change
      ->add_option("--new-passphrase-file", in_passphrase_change.new_passphrase_file,
                   "Read the new passphrase from the first line of this file; without it, it is "
                   "asked for on the terminal")
      ->type_name("FILE");
  Explain(change,
          "The one from before is needed as for every command. Programs that have the profile "
          "open go on. Copies of the folder that were made before still open with the old one.");
  CLI::App* remove = grammar.Add(*passphrase, "remove", "Go on without a passphrase",
                                 in_passphrase_remove, "Your profile");
  remove->add_flag("-y,--yes", in_passphrase_remove.yes, "Don't ask");
  Explain(remove, "Whoever can read the profile's folder can then read your cases.");
}

}  // namespace

void AddProfileCommands(Grammar& grammar) {
  auto& in_init = grammar.Keep<InitArguments>();
  auto& in_who_am_i = grammar.Keep<WhoAmIArguments>();
  auto& in_warnings = grammar.Keep<WarningsArguments>();
  CLI::App* init = grammar.Add(grammar.app(), "init", "Make a profile for yourself on this machine",
                               in_init, "Your profile");
  init->add_option("--name", in_init.name, "Your name, as the others will see it")
      ->required()
      ->type_name("NAME");
  Explain(init,
          "With --passphrase-file, or when a passphrase is typed on the terminal, the profile is "
          "locked with it.");
  grammar.Add(grammar.app(), "whoami", "Show whose profile this is, and in which cases",
              in_who_am_i, "Your profile");
  AddPassphraseCommands(grammar);
  CLI::App* warnings =
      grammar.Add(grammar.app(), "warnings", "Show what is wrong and wants your attention",
                  in_warnings, "Your profile");
  warnings->add_option("CASE", in_warnings.case_text, kCaseHelp)->type_name("");
  warnings->add_flag("--seen", in_warnings.seen,
                     "Don't show those about invitations again; other warnings end when their "
                     "cause does");
}

}  // namespace parley::cli
