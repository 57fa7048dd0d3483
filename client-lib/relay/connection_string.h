// Where a relay is and how it is known: what connection strings and invitations carry
// (docs/protocol.md section 1).
//
// Threading: free functions without shared state.
#ifndef PARLEY_CLIENT_LIB_RELAY_CONNECTION_STRING_H_
#define PARLEY_CLIENT_LIB_RELAY_CONNECTION_STRING_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/base/bytes.h"
#include "crypto/base/secret.h"

namespace parley::client {

// A relay to connect to: everything but a right to create things there.
struct ConnectionInfo {
  std::string address;                   // "host:port", "[v6]:port"
  crypto::ByteArray<32> identity_key{};  // Ed25519

  friend bool operator==(const ConnectionInfo&, const ConnectionInfo&) = default;
};

// What the relay's operator gives to a sponsor: `parley-relay1:…`.
struct ConnectionString {
  ConnectionInfo relay;
  crypto::Secret sponsor_token;
};

// Errors: InvalidArgument, saying what is wrong: another kind of text (an invitation, say), a newer
// version, a damaged or cut text, an address that isn't "host:port".
absl::StatusOr<ConnectionString> ParseConnectionString(std::string_view text);

// The text of which ParseConnectionString makes the same again. It holds the token, a secret.
std::string FormatConnectionString(const ConnectionInfo& relay, crypto::ByteView sponsor_token);

// InvalidArgument unless `address` is "host:port" with a port from 1 to 65535 and a host of
// letters, digits, dots and dashes, or an IPv6 address in brackets; at most 300 bytes.
absl::Status CheckAddress(std::string_view address);

// How people name an identity key: the form that parley-relay prints when it starts.
std::string IdentityFingerprint(crypto::ByteView identity_key);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_RELAY_CONNECTION_STRING_H_
