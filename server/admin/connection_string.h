// The text that an operator hands to a sponsor: where the relay is, who it is, and the token.
//
//   parley-relay1:<base64url>   of   version 1 (1) || identity key (32) || opaque16 "host:port" ||
//                                    opaque16 sponsor token        (docs/protocol.md section 1)
//
// Threading: free functions without shared state.
#ifndef PARLEY_SERVER_ADMIN_CONNECTION_STRING_H_
#define PARLEY_SERVER_ADMIN_CONNECTION_STRING_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "crypto/base/secret.h"
#include "storage/records/records.h"

namespace parley::server {

std::string ConnectionString(const storage::PublicKey& identity_key, const std::string& address,
                             const crypto::Secret& sponsor_token);

// "host:port" in its parts; an IPv6 address stands in brackets: "[::1]:7743".
struct HostAndPort {
  std::string host;  // without brackets
  uint16_t port = 0;
};
// Errors: InvalidArgument.
absl::StatusOr<HostAndPort> ParseHostAndPort(const std::string& address);
std::string FormatHostAndPort(const HostAndPort& address);

// Whether an address is one to listen on and none to connect to: 0.0.0.0 or [::].
bool IsWildcard(const std::string& host);

// "20GiB", "500 MB", "1048576": B, kB, MB, GB, TB are powers of 1000, KiB to TiB of 1024.
// Errors: InvalidArgument.
absl::StatusOr<uint64_t> ParseByteSize(const std::string& text);
// The largest binary unit that fits, with one decimal: "1.5 GiB".
std::string FormatByteSize(uint64_t bytes);

}  // namespace parley::server

#endif  // PARLEY_SERVER_ADMIN_CONNECTION_STRING_H_
