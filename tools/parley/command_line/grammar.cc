#include "tools/parley/command_line/grammar.h"

#include "tools/help/help_text.h"

namespace parley::cli {

CLI::App& Grammar::case_command() {
  if (case_ == nullptr) {
    case_ = AddParent(app_, "case", "Open cases; invite, approve and remove participants", "Cases");
  }
  return *case_;
}

CLI::App* Grammar::AddSubcommand(CLI::App& parent, const std::string& name,
                                 const std::string& about, const char* group) {
  CLI::App* const command = parent.add_subcommand(name, about);
  command->group(group);
  command->footer(kGeneralOptions);
  return command;
}

CLI::App* Grammar::AddParent(CLI::App& parent, const std::string& name, const std::string& about,
                             const char* group) {
  CLI::App* const command = AddSubcommand(parent, name, about, group);
  command->require_subcommand(1);
  return command;
}

void Explain(CLI::App* command, const char* text) {
  command->footer(help::Wrapped(text) + "\n\n" + kGeneralOptions);
}

void Positional(CLI::App* command, const char* name, std::string& target, const char* about) {
  command->add_option(name, target, about)->required()->type_name("");
}

}  // namespace parley::cli
