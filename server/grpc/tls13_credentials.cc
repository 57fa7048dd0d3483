#include "server/grpc/tls13_credentials.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include <utility>

// gRPC 1.51 can hold a server to TLS 1.3, but no public header says how: the switch is a member
// function that libgrpc exports, declared here under its symbol. The test that offers TLS 1.2 to a
// running relay, and must be refused, guards this.
extern "C" void
ParleySetMinTlsVersion(grpc_server_credentials* ssl_credentials, grpc_tls_version version) __asm__(
    "_ZN27grpc_ssl_server_credentials19set_min_tls_versionE16grpc_tls_version");

namespace parley::server {
namespace {

// gRPC's C credentials as C++ ones: the library has a class for this, but doesn't export it.
class WrappedCredentials final : public grpc::ServerCredentials {
 public:
  explicit WrappedCredentials(grpc_server_credentials* credentials) : credentials_(credentials) {}
  ~WrappedCredentials() override { grpc_server_credentials_release(credentials_); }

  void SetAuthMetadataProcessor(
      const std::shared_ptr<grpc::AuthMetadataProcessor>& /*processor*/) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  grpc_server_credentials* const credentials_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> Tls13ServerCredentials(
    const std::string& certificate_pem, const crypto::Secret& private_key_pem) {
  // gRPC wants a string that ends with a zero byte, and keeps a copy of its own.
  crypto::Secret key(private_key_pem.size() + 1);
  const crypto::ByteView pem = private_key_pem.Reveal();
  std::copy(pem.begin(), pem.end(), key.RevealMutable().begin());
  grpc_ssl_pem_key_cert_pair pair = {reinterpret_cast<const char*>(key.Reveal().data()),
                                     certificate_pem.c_str()};
  grpc_ssl_server_certificate_config* config =
      grpc_ssl_server_certificate_config_create(nullptr, &pair, 1);
  grpc_ssl_server_credentials_options* options =
      grpc_ssl_server_credentials_create_options_using_config(
          GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE, config);
  grpc_server_credentials* credentials = grpc_ssl_server_credentials_create_with_options(options);
  if (credentials == nullptr) {
    return absl::InvalidArgumentError("the TLS certificate and key can't be used");
  }
  ParleySetMinTlsVersion(credentials, grpc_tls_version::TLS1_3);
  return std::shared_ptr<grpc::ServerCredentials>(
      std::make_shared<WrappedCredentials>(credentials));
}

}  // namespace parley::server
