// parley-hostile-relay: stands before a true relay, with its operator's keys, and lies as told.
//
//   parley-hostile-relay --data DIR --relay 127.0.0.1:7443 --listen 127.0.0.1:0
//
// DIR is the true relay's data folder, for its TLS key. The first line of output is the port that
// it listens on. Then it takes commands from standard input, one a line, and answers each with
// lines that end in "ok" or "error: …" (README.md lists them). It ends with standard input.
#include <grpcpp/grpcpp.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include "crypto/base/bytes.h"
#include "crypto/primitives/hash.h"
#include "tests/hostile/proxy_service.h"

namespace parley::hostile {
namespace {

constexpr int kMostMessageBytes = 32 << 20;
constexpr size_t kNonceBytes = 24;  // at the beginning of a sealed entry

struct Flags {
  std::string data;
  std::string relay;
  std::string listen = "127.0.0.1:0";
};

bool ParseFlags(int argc, char** argv, Flags& flags) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--data") {
      flags.data = argv[i + 1];
    } else if (name == "--relay") {
      flags.relay = argv[i + 1];
    } else if (name == "--listen") {
      flags.listen = argv[i + 1];
    } else {
      return false;
    }
  }
  return argc % 2 == 1 && !flags.data.empty() && !flags.relay.empty();
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

// The true relay is a neighbour that the test has just started: nothing is checked.
std::shared_ptr<grpc::Channel> ConnectToTrueRelay(const std::string& address) {
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_verify_server_certs(false);
  options.set_check_call_host(false);
  options.set_certificate_verifier(std::make_shared<grpc::experimental::NoOpCertificateVerifier>());
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMostMessageBytes);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 200);
  return grpc::CreateCustomChannel(address, grpc::experimental::TlsCredentials(options), arguments);
}

void PrintAppends(ProxyService& service) {
  for (const NotedAppend& append : service.TakeAppends()) {
    std::cout << crypto::ToHex(crypto::ViewOf(append.mailbox_id)) << ' ' << append.position << ' '
              << append.generation << ' ' << (append.closing ? "closing" : "entry") << '\n';
  }
}

void PrintAttempts(ProxyService& service) {
  for (const NotedAttempt& attempt : service.TakeAttempts()) {
    const crypto::ByteView payload = crypto::ViewOf(attempt.request.payload());
    std::cout << crypto::ToHex(crypto::ViewOf(attempt.request.mailbox_id())) << ' '
              << attempt.request.generation() << ' '
              << crypto::ToHex(crypto::ViewOf(attempt.request.append_id())) << ' '
              << crypto::ToHex(payload.first(std::min(payload.size(), kNonceBytes))) << ' '
              << crypto::ToHex(crypto::Sha256({payload})) << ' ' << attempt.position << ' '
              << attempt.code << '\n';
  }
}

// Carries out one command; the empty string, or what is wrong with it.
std::string Obey(const std::string& line, ProxyService& service) {
  const std::shared_ptr<Rule> command = Rule::Parse(line);
  if (command == nullptr) return "not a command";
  const std::string& kind = command->kind();
  if (kind == "appends") {
    PrintAppends(service);
  } else if (kind == "attempts") {
    PrintAttempts(service);
  } else if (kind == "blobs") {
    for (const std::string& id : service.TakeBlobs()) {
      std::cout << crypto::ToHex(crypto::ViewOf(id)) << '\n';
    }
  } else if (kind == "hits") {
    std::cout << service.rules().hits() << '\n';
  } else if (kind == "clear") {
    service.rules().Clear();
  } else if (kind == "forget") {
    service.Forget();
  } else if (kind == "fork") {
    if (command->Raw("mailbox").size() != 32) return "fork wants mailbox, position, generation";
    service.Fork(command->Raw("mailbox"), command->Number("position", 1),
                 command->Number("generation", 1));
  } else if (ProxyService::IsCallRule(kind) || FindLogMutator(kind) != nullptr ||
             FindBlobMutator(kind) != nullptr) {
    service.rules().Add(command);
  } else {
    return "no such command or rule: " + kind;
  }
  return "";
}

int Run(const Flags& flags) {
  const std::string certificate = ReadFile(flags.data + "/keys/tls-certificate.pem");
  const std::string key = ReadFile(flags.data + "/keys/tls-key.pem");
  if (certificate.empty() || key.empty()) {
    std::cerr << "parley-hostile-relay: no TLS key in " << flags.data << "/keys\n";
    return 1;
  }
  ProxyService service(ConnectToTrueRelay(flags.relay));
  grpc::SslServerCredentialsOptions tls;
  tls.pem_key_cert_pairs.push_back({.private_key = key, .cert_chain = certificate});
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(flags.listen, grpc::SslServerCredentials(tls), &port);
  builder.SetMaxReceiveMessageSize(kMostMessageBytes);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port == 0) {
    std::cerr << "parley-hostile-relay: can't listen on " << flags.listen << '\n';
    return 1;
  }
  std::cout << port << std::endl;
  std::string line;
  while (std::getline(std::cin, line)) {
    const std::string error = Obey(line, service);
    std::cout << (error.empty() ? "ok" : "error: " + error) << std::endl;
  }
  service.Stop();
  server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(2));
  return 0;
}

}  // namespace
}  // namespace parley::hostile

int main(int argc, char** argv) {
  parley::hostile::Flags flags;
  if (!parley::hostile::ParseFlags(argc, argv, flags)) {
    std::cerr << "usage: parley-hostile-relay --data DIR --relay HOST:PORT [--listen HOST:PORT]\n";
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  return parley::hostile::Run(flags);
}
