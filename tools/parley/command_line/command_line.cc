#include "tools/parley/command_line/command_line.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include "parley/version.h"
#include "tools/help/help_text.h"
#include "tools/parley/command_line/grammar.h"

namespace parley::cli {
namespace {

constexpr const char* kAbout =
    "Parley: confidential messages and documents for mediations.\n\n"
    "Everything that you write or share is encrypted on this machine and can be read only by those "
    "who take part in the channel you name. The mediator holds a private channel (a caucus) with "
    "each side, and a joint channel with all.\n";

constexpr const char* kFooter =
    "Exit status: 0 done; 1 refused or failed, with one line that says why; 2 wrong usage.\n"
    "What a command makes (a case, an invitation, a message) stands alone on the last line.\n"
    "Details of a command: parley COMMAND --help";

// Holds what the options are read into, until the command is complete.
class CommandLine {
 public:
  CommandLine() : app_(kAbout, "parley"), grammar_(app_) {
    help::UseOurHelp(app_);
    app_.fallthrough();  // the general options may also stand behind the command
    app_.require_subcommand(1);
    app_.set_version_flag("--version", std::string("parley ") + LibraryVersion());
    app_.footer(kFooter);
    AddGeneralOptions();
    AddProfileCommands(grammar_);
    AddCaseCommands(grammar_);
    AddParticipantCommands(grammar_);
    AddChannelCommands(grammar_);
    AddFurtherChannelCommands(grammar_);
    AddDocumentCommands(grammar_);
    AddTransferCommands(grammar_);
    AddBriefCommands(grammar_);
    AddDocumentContentsCommands(grammar_);
    AddDisclosureCommands(grammar_);
    AddRecordCommands(grammar_);
    AddSyncCommands(grammar_);
    AddProcedureCommands(grammar_);
    AddRetentionCommands(grammar_);
    AddOfferCommands(grammar_);
    AddSessionCommands(grammar_);
    AddCalendarCommands(grammar_);
  }

  ParsedLine Parse(std::vector<std::string> arguments) {
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
    try {
      app_.parse(std::move(arguments));
    } catch (const CLI::ParseError& error) {
      return Ended(error);
    }
    const bool needs_profile = !std::holds_alternative<TemplateListArguments>(grammar_.command()) &&
                               !std::holds_alternative<TemplateShowArguments>(grammar_.command());
    if (settings_.profile.empty() && needs_profile) {
      return Finished{2, "", "which profile? Give --profile FOLDER, or set PARLEY_PROFILE"};
    }
    return Invocation{std::move(settings_), std::move(grammar_.command())};
  }

 private:
  ParsedLine Ended(const CLI::ParseError& error) {
    std::ostringstream output;
    std::ostringstream complaint;
    if (app_.exit(error, output, complaint) == 0) return Finished{0, output.str(), ""};
    return Finished{2, "", help::Complaint(app_, error)};
  }

  void AddGeneralOptions() {
    app_.add_option("--profile", settings_.profile,
                    "The folder that holds your keys, cases and messages on this machine (or set "
                    "PARLEY_PROFILE)")
        ->type_name("FOLDER")
        ->envname("PARLEY_PROFILE");
    app_.add_option("--passphrase-file", settings_.passphrase_file,
                    "Read the profile's passphrase from the first line of this file; without it, "
                    "a locked profile asks on the terminal")
        ->type_name("FILE");
    app_.add_flag("--json", settings_.json,
                  "Print one JSON object a line, for scripts; errors and notes stay lines of text "
                  "on standard error");
    app_.add_flag("--offline", settings_.offline,
                  "Show what is stored on this machine without asking the relay for news first");
  }

  CLI::App app_;
  Settings settings_;
  Grammar grammar_;
};

}  // namespace

ParsedLine ParseCommandLine(const std::vector<std::string>& arguments) {
  return CommandLine().Parse(arguments);
}

}  // namespace parley::cli
