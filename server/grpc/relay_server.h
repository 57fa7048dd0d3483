// The relay on the network: the gRPC service of relay.proto over TLS 1.3, and the health service.
//
//   RelayServer server(relay, tls);
//   absl::StatusOr<int> port = server.Start("127.0.0.1:0");
//   ...
//   server.Shutdown();
#ifndef PARLEY_SERVER_GRPC_RELAY_SERVER_H_
#define PARLEY_SERVER_GRPC_RELAY_SERVER_H_

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/core/relay.h"
#include "server/keys/tls_certificate.h"

namespace parley::server {

// Threading: Start and Shutdown from one thread. Lifetime: `relay` outlives the server.
class RelayServer {
 public:
  RelayServer(Relay& relay, const Limits& limits, TlsCertificate certificate);
  ~RelayServer();
  RelayServer(const RelayServer&) = delete;
  RelayServer& operator=(const RelayServer&) = delete;

  // Lets all servers of this process that start later answer gRPC's reflection service: which calls
  // and messages there are. Its calls take a thread each, of which there are few.
  static void OfferReflection();

  // Listens on "host:port" and returns the port, which the system chooses for port 0.
  // Errors: Unavailable when the address can't be had; InvalidArgument for the certificate.
  absl::StatusOr<int> Start(const std::string& address);

  // New connections get this certificate, and their clients are told of its key; open ones go on
  // with theirs. After Start. Errors: InvalidArgument or Unavailable when it can't be used; then
  // the old one stays.
  absl::Status UseCertificate(TlsCertificate certificate);
  // Of the certificate that new connections get. After Start.
  const std::string& key_hash() const;

  // Takes no new calls, ends the streams, lets the others finish until `grace` is over, and returns
  // when nothing runs any more. Calling it again does nothing.
  void Shutdown(std::chrono::milliseconds grace = std::chrono::seconds(10));

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace parley::server

#endif  // PARLEY_SERVER_GRPC_RELAY_SERVER_H_
