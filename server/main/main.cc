// parley-relay: the command line. The only file here that includes CLI11, which is slow to compile.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <functional>
#include <list>
#include <string>
#include <vector>

#include "server/main/backup_commands.h"
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
  if (!status.message().empty()) {
    std::fprintf(stderr, "parley-relay: %s\n", std::string(status.message()).c_str());
  }
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
  return "\"" + text + "\" is no whole number of 1 or more";
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

void AddFrom(CLI::App& command, std::string& from) {
  command.add_option("--from", from, "The folder with backups")->required()->type_name("DIR");
}

void AddKeep(CLI::App& command, uint32_t& keep, const char* about) {
  command.add_option("--keep", keep, about)->type_name("N")->check(CheckCount);
}

void AddNumber(CLI::App& command, uint32_t& number) {
  command.add_option("--backup", number, "Its number in the list (default: the latest)")
      ->type_name("N")
      ->check(CheckCount);
}

// "backup" is a command itself, and has commands: those come first in the list.
void AddBackup(CLI::App& app, Commands& commands) {
  static BackupOptions options;
  static BackupFolderOptions folder;
  CLI::App* backup = app.add_subcommand(
      "backup", "Back up a relay, also while it runs; or list, check and remove backups");
  backup->require_subcommand(0, 1);
  backup->group("Commands");
  AddFolder(*backup, options.folder);
  backup->add_option("--to", options.to, "The folder for backups; what it has isn't copied again")
      ->type_name("DIR");
  AddKeep(*backup, options.keep, "Afterwards remove all but the latest N (default: none)");
  backup->add_flag("--verify", options.verify,
                   "Read all that is stored first, and make no backup of what is damaged");
  backup->add_flag("--without-keys", options.without_keys,
                   "Leave out the relay's keys, of which you then need a copy elsewhere");

  CLI::App* list = backup->add_subcommand("list", "List the backups in a folder");
  AddFrom(*list, folder.from);
  list->add_flag("--json", folder.json, "Print one JSON object a line, for scripts");
  commands.push_back({list, [] { return BackupList(folder); }});

  CLI::App* check =
      backup->add_subcommand("check", "Compare a backup's files with their checksums");
  AddFrom(*check, folder.from);
  AddNumber(*check, folder.number);
  commands.push_back({check, [] { return BackupCheck(folder); }});

  CLI::App* prune = backup->add_subcommand("prune", "Remove all but the latest backups");
  AddFrom(*prune, folder.from);
  AddKeep(*prune, folder.keep, "How many are left");
  prune->get_option("--keep")->required();
  commands.push_back({prune, [] { return BackupPrune(folder); }});

  for (const char* name : {"list", "check", "prune"}) {
    backup->get_subcommand(name)->group("Commands");
  }
  commands.push_back({backup, [] { return Backup(options); }});
}

Command AddRestore(CLI::App& app) {
  static RestoreOptions options;
  CLI::App* restore = app.add_subcommand(
      "restore", "Put a backup into an empty folder, and verify what is there then");
  AddFrom(*restore, options.from);
  restore->add_option("--data", options.data, "The data folder: empty, or made now")
      ->required()
      ->type_name("DIR");
  AddNumber(*restore, options.number);
  restore->add_flag("--accept-damage", options.accept_damage,
                    "Keep it though the store was damaged before the backup was made");
  return {restore, [] { return Restore(options); }};
}

Command AddPurge(CLI::App& app) {
  static FolderOptions folder;
  CLI::App* purge = app.add_subcommand(
      "purge", "Remove what was deleted from the files now, also while the relay runs");
  AddFolder(*purge, folder);
  purge->footer(
      "Until then deleted bytes may stand there, as in every database; a relay does this\n"
      "by itself, see purge-hours. Of records, entries and documents' chunks, those in which\n"
      "something was are written anew as a whole, for which there must be room beside them;\n"
      "the next backup copies them anew.");
  return {purge, [] { return Purge(folder); }};
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
  AddBackup(app, commands);
  commands.push_back(AddRestore(app));
  commands.push_back(AddVerify(app));
  commands.push_back(AddPurge(app));
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
