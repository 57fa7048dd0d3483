// gRPC channels over TLS 1.3 that accept one TLS key, or note the key that was shown.
//
// Threading: safe from any thread.
#ifndef PARLEY_CLIENT_LIB_RELAY_TLS_CHANNEL_H_
#define PARLEY_CLIENT_LIB_RELAY_TLS_CHANNEL_H_

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "client-lib/relay/relay_client.h"
#include "grpcpp/channel.h"

namespace parley::client::internal {

// What the handshakes of one channel have shown.
class ShownKeys {
 public:
  void Note(const TlsKeyHash& hash, bool accepted);
  // The key of the latest handshake.
  std::optional<TlsKeyHash> latest() const;
  // Whether a handshake was refused for its key since the last call.
  bool TakeRefused();

 private:
  mutable std::mutex mutex_;
  std::optional<TlsKeyHash> latest_;
  bool refused_ = false;
};

// A channel to `address` whose handshakes accept `pinned` and no other key; or, without it, any
// key, for the check of the relay's identity alone. What they show is noted in `shown`. Errors:
// Internal when this build of gRPC can't be held to TLS 1.3.
absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeTlsChannel(
    const std::string& address, const std::optional<TlsKeyHash>& pinned,
    std::shared_ptr<ShownKeys> shown);

// SHA-256 of the DER SubjectPublicKeyInfo of a certificate in PEM; nullopt when it isn't one.
std::optional<TlsKeyHash> HashOfCertificateKey(std::string_view pem);

// Keeps gRPC's own lines off standard error, unless GRPC_VERBOSITY asks for them.
void SilenceGrpc();

}  // namespace parley::client::internal

#endif  // PARLEY_CLIENT_LIB_RELAY_TLS_CHANNEL_H_
