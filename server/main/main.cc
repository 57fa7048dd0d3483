// parley-relay: the command line. The only file here that includes CLI11, which is slow to compile.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <string>
#include <vector>

#include "server/main/serve.h"
#include "server/main/sponsor_commands.h"
#include "tools/help/help_text.h"

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

// CLI11 wants an empty text for what is right.
std::string CheckCount(const std::string& text) {
  uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error == std::errc() && end == text.data() + text.size() && count > 0) return "";
  return "\"" + text + "\" is no number of objects: write a whole number of 1 or more";
}

void AddName(CLI::App& command, std::string& name, const char* about) {
  command.add_option("NAME", name, about)->required()->type_name("");
}

void AddDataOption(CLI::App& command, std::string& folder) {
  command.add_option("--data", folder, "The relay's data folder")->required()->type_name("DIR");
}

}  // namespace

int main(int argc, char** argv) {
  namespace server = parley::server;
  CLI::App app("The Parley relay: stores and forwards what only its clients can read.",
               "parley-relay");
  app.set_version_flag("--version", "parley-relay " PARLEY_VERSION);
  parley::help::UseOurHelp(app);
  app.require_subcommand(1);
  app.footer(kFooter);

  server::ServeOptions serve_options;
  CLI::App* serve = app.add_subcommand("serve", "Run a relay until SIGTERM or SIGINT");
  AddDataOption(*serve, serve_options.data_folder);
  serve
      ->add_option("--listen", serve_options.listen,
                   "Where to listen; port 0 lets the system choose")
      ->required()
      ->type_name("ADDR:PORT");
  CLI::Option* certificate =
      serve
          ->add_option("--cert", serve_options.certificate_file,
                       "A publicly trusted certificate with its chain, PEM (default: its own)")
          ->type_name("FILE");
  CLI::Option* key =
      serve->add_option("--key", serve_options.key_file, "The certificate's private key, PEM")
          ->type_name("FILE");
  certificate->needs(key);
  key->needs(certificate);

  serve
      ->add_option("--max-connections", serve_options.max_connections,
                   "How many connections it takes at once (default: 2048)")
      ->check(CLI::Range(1, 1'000'000));
  serve
      ->add_option("--max-connections-per-address", serve_options.max_connections_per_address,
                   "How many of them from one address, or one IPv6 network (default: 256)")
      ->check(CLI::Range(1, 1'000'000));

  CLI::App* sponsor = app.add_subcommand("sponsor", "Who may make mailboxes and blobs");
  sponsor->require_subcommand(1);
  server::SponsorAddOptions add_options;
  CLI::App* add = sponsor->add_subcommand("add", "Add a sponsor and print its connection string");
  AddName(*add, add_options.name, "A name for the operator's own use");
  add->add_option("--quota", add_options.quota, "How much it may store, like 20GiB")
      ->required()
      ->type_name("SIZE");
  add->add_option("--objects", add_options.objects,
                  "How many mailboxes and blobs (default: 1000000)")
      ->type_name("N")
      ->check(CheckCount);
  AddDataOption(*add, add_options.data_folder);
  add->add_option("--address", add_options.address,
                  "Where clients reach the relay (default: where it listens)")
      ->type_name("HOST:PORT");

  server::SponsorAddOptions renew_options;
  CLI::App* renew = sponsor->add_subcommand(
      "renew", "Print a new connection string for a sponsor and let the old one make nothing new");
  AddName(*renew, renew_options.name, "The sponsor's name");
  AddDataOption(*renew, renew_options.data_folder);
  renew
      ->add_option("--address", renew_options.address,
                   "Where clients reach the relay (default: where it listens)")
      ->type_name("HOST:PORT");

  std::string folder;
  std::string name;
  CLI::App* list = sponsor->add_subcommand("list", "List sponsors and what they use");
  AddDataOption(*list, folder);
  bool json = false;
  list->add_flag("--json", json, "Print one JSON object a line, for scripts");
  CLI::App* remove =
      sponsor->add_subcommand("remove", "Let a sponsor make nothing new; what it made stays");
  AddName(*remove, name, "The sponsor's name");
  AddDataOption(*remove, folder);

  for (CLI::App* command : {serve, sponsor, add, renew, list, remove}) {
    command->group("Commands");
    command->footer("");
  }
  std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    std::fprintf(stderr, "parley-relay: %s\n", parley::help::Complaint(app, error).c_str());
    return kWrongUsage;
  }
  if (serve->parsed()) return Report(server::Serve(serve_options));
  if (add->parsed()) return Report(server::SponsorAdd(add_options));
  if (renew->parsed()) return Report(server::SponsorRenew(renew_options));
  if (list->parsed()) return Report(server::SponsorList(folder, json));
  return Report(server::SponsorRemove(folder, name));
}
