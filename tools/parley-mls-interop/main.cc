// parley-mls-interop: the command line.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "tools/parley-mls-interop/service.h"

int main(int argc, char** argv) {
  CLI::App app(
      "Serves the MLS working group's MLSClient interface, for tests with other implementations.\n"
      "Anybody who reaches it gets the keys of its groups: never use it for anything but tests.",
      "parley-mls-interop");
  std::string host = "localhost";
  int port = 0;
  app.add_option("--port", port, "Where to listen; 0 takes a free port, which is printed")
      ->required()
      ->check(CLI::Range(0, 65535));
  app.add_option("--host", host, "The address to listen on (default: localhost)");
  CLI11_PARSE(app, argc, argv);

  absl::StatusOr<parley::interop::InteropServer> server =
      parley::interop::InteropServer::Start(host, port);
  if (!server.ok()) {
    std::fprintf(stderr, "parley-mls-interop: %s\n",
                 std::string(server.status().message()).c_str());
    return 1;
  }
  std::printf("listening on %s:%d\n", host.c_str(), server->port());
  std::fflush(stdout);
  server->Wait();
  return 0;
}
