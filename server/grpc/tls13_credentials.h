// Server credentials that speak TLS 1.3 and nothing older.
#ifndef PARLEY_SERVER_GRPC_TLS13_CREDENTIALS_H_
#define PARLEY_SERVER_GRPC_TLS13_CREDENTIALS_H_

#include <grpcpp/security/server_credentials.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "crypto/base/secret.h"

namespace parley::server {

// `private_key_pem` without a terminator. Errors: InvalidArgument when gRPC doesn't take the pair.
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> Tls13ServerCredentials(
    const std::string& certificate_pem, const crypto::Secret& private_key_pem);

}  // namespace parley::server

#endif  // PARLEY_SERVER_GRPC_TLS13_CREDENTIALS_H_
