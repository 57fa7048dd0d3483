// parley-relay: the command line. The only file here that includes CLI11, which is slow to compile.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <functional>
#include <list>
#include <string>
#include <vector>

#include "server/main/configuration.h"
#include "server/main/serve.h"
#include "server/main/sponsor_commands.h"
#include "server/main/store_commands.h"
#include "tools/help/help_text.h"

namespace parley::server {
namespace {

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kWrongUsage = 2;

int Report(const absl::Status& status) {
  if (status.ok()) return kDone;
  std::fprintf(stderr, "parley-relay: %s\n", std::string(status.message()).c_str());
  return status.code() == absl::StatusCode::kInvalidArgument ? kWrongUsage : kFailed;
}

constexpr const char* kFooter =
    "Exit status: 0 done; 1 refused or failed, with one line that says why; 2 wrong usage.\n"
    "Details of a command: parley-relay COMMAND --help";

constexpr const char* kServeFooter =
    "Each option but --config and --check-config can stand in the file too, as NAME = VALUE\n"
    "without the dashes: max-connections = 4096, listen = \"0.0.0.0:7743\". An option given here\n"
    "counts before the file. --check-config prints all values, defaults too, as such a file.";

// CLI11 wants an empty text for what is right.
std::string CheckCount(const std::string& text) {
  uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error == std::errc() && end == text.data() + text.size() && count > 0) return "";
  return "\"" + text + "\" is no number of objects: write a whole number of 1 or more";
}

// A command, and what it does. The options that it was given are in `run`.
struct Command {
  CLI::App* app;
  std::function<absl::Status()> run;
};
using Commands = std::list<Command>;

void AddName(CLI::App& command, std::string& name, const char* about) {
  command.add_option("NAME", name, about)->required()->type_name("");
}

void AddFolder(CLI::App& command, FolderOptions& folder) {
  CLI::Option* data =
      command.add_option("--data", folder.data, "The relay's data folder")->type_name("DIR");
  command.add_option("--config", folder.config, "The relay's configuration file, which names it")
      ->type_name("FILE")
      ->excludes(data);
}

void AddAddress(CLI::App& command, std::string& address) {
  command
      .add_option("--address", address, "Where clients reach the relay (default: where it listens)")
      ->type_name("HOST:PORT");
}

// What CLI11 writes options into lives as long as the program, hence is static.
Command AddServe(CLI::App& app) {
  static ServeOptions options;
  CLI::App* serve = app.add_subcommand("serve", "Run a relay until SIGTERM or SIGINT");
  for (const Setting& setting : AllSettings()) {
    const auto store = [&setting](const std::string& value) {
      options.flags.push_back(
          {std::string(setting.name), value, "--" + std::string(setting.name), ""});
    };
    serve
        ->add_option_function<std::string>("--" + std::string(setting.name), store,
                                           std::string(setting.about))
        ->type_name(std::string(setting.value))
        ->group(std::string(setting.group))
        ->check([&setting](const std::string& text) {
          Settings scratch;
          return std::string(setting.set(text, scratch).message());
        });
  }
  serve
      ->add_option("--config", options.config,
                   "A file with settings, like /etc/parley-relay/relay.toml")
      ->type_name("FILE");
  serve->add_flag("--check-config", options.check_only,
                  "Say what would be used, or what is wrong, and run nothing");
  serve->footer(kServeFooter);
  return {serve, [] { return Serve(options); }};
}

void AddSponsor(CLI::App& app, Commands& commands) {
  CLI::App* sponsor = app.add_subcommand("sponsor", "Who may make mailboxes and blobs");
  sponsor->require_subcommand(1);
  sponsor->group("Commands");

  static SponsorAddOptions add_options;
  CLI::App* add = sponsor->add_subcommand("add", "Add a sponsor and print its connection string");
  AddName(*add, add_options.name, "A name for the operator's own use");
  add->add_option("--quota", add_options.quota, "How much it may store, like 20GiB")
      ->required()
      ->type_name("SIZE");
  add->add_option("--objects", add_options.objects,
                  "How many mailboxes and blobs (default: 1000000)")
      ->type_name("N")
      ->check(CheckCount);
  AddFolder(*add, add_options.folder);
  AddAddress(*add, add_options.address);
  commands.push_back({add, [] { return SponsorAdd(add_options); }});

  static SponsorAddOptions renew_options;
  CLI::App* renew = sponsor->add_subcommand(
      "renew", "Print a new connection string for a sponsor and let the old one make nothing new");
  AddName(*renew, renew_options.name, "The sponsor's name");
  AddFolder(*renew, renew_options.folder);
  AddAddress(*renew, renew_options.address);
  commands.push_back({renew, [] { return SponsorRenew(renew_options); }});

  static FolderOptions list_folder;
  static bool json = false;
  CLI::App* list = sponsor->add_subcommand("list", "List sponsors and what they use");
  AddFolder(*list, list_folder);
  list->add_flag("--json", json, "Print one JSON object a line, for scripts");
  commands.push_back({list, [] { return SponsorList(list_folder, json); }});

  static FolderOptions remove_folder;
  static std::string removed;
  CLI::App* remove =
      sponsor->add_subcommand("remove", "Let a sponsor make nothing new; what it made stays");
  AddName(*remove, removed, "The sponsor's name");
  AddFolder(*remove, remove_folder);
  commands.push_back({remove, [] { return SponsorRemove(remove_folder, removed); }});
}

Command AddVerify(CLI::App& app) {
  static FolderOptions folder;
  CLI::App* verify = app.add_subcommand(
      "verify", "Read all that a relay which doesn't run has stored, and say what is wrong");
  AddFolder(*verify, folder);
  verify->footer("Nothing is changed. Exit status: 0 all is right, 1 something isn't.");
  return {verify, [] { return Verify(folder); }};
}

int Main(int argc, char** argv) {
  CLI::App app("The Parley relay: stores and forwards what only its clients can read.",
               "parley-relay");
  app.set_version_flag("--version", "parley-relay " PARLEY_VERSION);
  help::UseOurHelp(app);
  app.require_subcommand(1);
  Commands commands;
  commands.push_back(AddServe(app));
  AddSponsor(app, commands);
  commands.push_back(AddVerify(app));
  for (const Command& command : commands) command.app->group("Commands");
  app.footer(kFooter);

  std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    std::fprintf(stderr, "parley-relay: %s\n", help::Complaint(app, error).c_str());
    return kWrongUsage;
  }
  for (const Command& command : commands) {
    if (command.app->parsed()) return Report(command.run());
  }
  return kWrongUsage;  // not reached: a command is required
}

}  // namespace
}  // namespace parley::server

int main(int argc, char** argv) { return parley::server::Main(argc, argv); }
