// parley-relay: the command line. The only file that includes CLI11, which is slow to compile.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "server/main/serve.h"
#include "server/main/sponsor_commands.h"

namespace {

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kWrongUsage = 2;

int Report(const absl::Status& status) {
  if (status.ok()) return kDone;
  std::fprintf(stderr, "parley-relay: %s\n", std::string(status.message()).c_str());
  return status.code() == absl::StatusCode::kInvalidArgument ? kWrongUsage : kFailed;
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
  app.require_subcommand(1);

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
  add->add_option("NAME", add_options.name, "A name for the operator's own use")->required();
  add->add_option("--quota", add_options.quota, "How much it may store, like 20GiB")
      ->required()
      ->type_name("SIZE");
  add->add_option("--objects", add_options.objects,
                  "How many mailboxes and blobs (default: 1000000)");
  AddDataOption(*add, add_options.data_folder);
  add->add_option("--address", add_options.address,
                  "Where clients reach the relay (default: where it listens)")
      ->type_name("HOST:PORT");

  server::SponsorAddOptions renew_options;
  CLI::App* renew = sponsor->add_subcommand(
      "renew", "Print a new connection string for a sponsor and let the old one make nothing new");
  renew->add_option("NAME", renew_options.name, "The sponsor's name")->required();
  AddDataOption(*renew, renew_options.data_folder);
  renew
      ->add_option("--address", renew_options.address,
                   "Where clients reach the relay (default: where it listens)")
      ->type_name("HOST:PORT");

  std::string folder;
  std::string name;
  CLI::App* list = sponsor->add_subcommand("list", "List sponsors and what they use");
  AddDataOption(*list, folder);
  CLI::App* remove =
      sponsor->add_subcommand("remove", "Let a sponsor make nothing new; what it made stays");
  remove->add_option("NAME", name, "The sponsor's name")->required();
  AddDataOption(*remove, folder);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    std::fprintf(stderr, "parley-relay: %s (see --help)\n", error.what());
    return kWrongUsage;
  }
  if (serve->parsed()) return Report(server::Serve(serve_options));
  if (add->parsed()) return Report(server::SponsorAdd(add_options));
  if (renew->parsed()) return Report(server::SponsorRenew(renew_options));
  if (list->parsed()) return Report(server::SponsorList(folder));
  return Report(server::SponsorRemove(folder, name));
}
