// What the words of the commands are put together from. Each group of commands has a file of its
// own beside this one, which adds them to a Grammar; command_line.cc calls them all.
//
// Internal to this folder, since CLI11 is slow to compile.
//
// Threading: one thread.
#ifndef PARLEY_TOOLS_PARLEY_COMMAND_LINE_GRAMMAR_H_
#define PARLEY_TOOLS_PARLEY_COMMAND_LINE_GRAMMAR_H_

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tools/parley/arguments.h"

namespace parley::cli {

inline constexpr const char* kCaseHelp = "The case: its title, or the beginning of its id";
inline constexpr const char* kChannelHelp =
    "The channel: joint, neutrals, caucus:SIDE (\"caucus\" where there is only one), counsel, "
    "team, group:NAME";
inline constexpr const char* kParticipantHelp =
    "The participant: their name or its first word, or the beginning of their id";
// Below each command's own help.
inline constexpr const char* kGeneralOptions =
    "Also: --profile, --passphrase-file, --json, --offline (parley --help)";

// The commands so far, what their options are read into, and the command that was chosen.
class Grammar {
 public:
  // `app` outlives the grammar.
  explicit Grammar(CLI::App& app) : app_(app) {}

  CLI::App& app() { return app_; }
  // "case", which the commands about a case stand below.
  CLI::App& case_command();

  // Room for what an option is read into, as long as the grammar lives.
  template <typename T>
  T& Keep() {
    auto kept = std::make_shared<T>();
    T& reference = *kept;
    kept_.push_back(std::move(kept));
    return reference;
  }

  // A command that, when it is given, chooses `arguments`, which are from Keep. `group` is the
  // heading in the list of commands. A final_callback of the caller's own takes the place of that,
  // for what must be read first, and calls Choose.
  template <typename Arguments>
  CLI::App* Add(CLI::App& parent, const std::string& name, const std::string& about,
                Arguments& arguments, const char* group) {
    CLI::App* const command = AddSubcommand(parent, name, about, group);
    command->final_callback([this, &arguments] { Choose(arguments); });
    return command;
  }
  // One that only has others below it, one of which must be given.
  CLI::App* AddParent(CLI::App& parent, const std::string& name, const std::string& about,
                      const char* group);

  void Choose(Command command) { command_ = std::move(command); }
  Command& command() { return command_; }

 private:
  static CLI::App* AddSubcommand(CLI::App& parent, const std::string& name,
                                 const std::string& about, const char* group);

  CLI::App& app_;
  CLI::App* case_ = nullptr;
  Command command_;
  std::vector<std::shared_ptr<void>> kept_;
};

// The text below a command's options.
void Explain(CLI::App* command, const char* text);

// An argument without a dash, which must be given.
void Positional(CLI::App* command, const char* name, std::string& target, const char* about);

// The groups, in the order of the help.
void AddProfileCommands(Grammar& grammar);
void AddCaseCommands(Grammar& grammar);
void AddParticipantCommands(Grammar& grammar);
void AddChannelCommands(Grammar& grammar);
void AddFurtherChannelCommands(Grammar& grammar);
void AddDocumentCommands(Grammar& grammar);
void AddTransferCommands(Grammar& grammar);
void AddBriefCommands(Grammar& grammar);
void AddDocumentContentsCommands(Grammar& grammar);
void AddDisclosureCommands(Grammar& grammar);
void AddRecordCommands(Grammar& grammar);
void AddSyncCommands(Grammar& grammar);
void AddProcedureCommands(Grammar& grammar);
void AddRetentionCommands(Grammar& grammar);
void AddOfferCommands(Grammar& grammar);
void AddSessionCommands(Grammar& grammar);
void AddCalendarCommands(Grammar& grammar);

}  // namespace parley::cli

#endif  // PARLEY_TOOLS_PARLEY_COMMAND_LINE_GRAMMAR_H_
