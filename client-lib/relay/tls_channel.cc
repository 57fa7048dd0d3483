#include "client-lib/relay/tls_channel.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <utility>

#include "crypto/primitives/hash.h"
#include "grpc/grpc_security.h"
#include "grpc/support/log.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/tls_certificate_verifier.h"
#include "grpcpp/security/tls_credentials_options.h"
#include "grpcpp/support/channel_arguments.h"

namespace parley::client::internal {
namespace {

namespace tls = grpc::experimental;

class KeyVerifier : public tls::ExternalCertificateVerifier {
 public:
  KeyVerifier(std::optional<TlsKeyHash> pinned, std::shared_ptr<ShownKeys> shown)
      : pinned_(pinned), shown_(std::move(shown)) {}

  bool Verify(tls::TlsCustomVerificationCheckRequest* request, std::function<void(grpc::Status)>,
              grpc::Status* sync_status) override {
    const grpc::string_ref pem = request->peer_cert();
    const std::optional<TlsKeyHash> hash =
        HashOfCertificateKey(std::string_view(pem.data(), pem.size()));
    const bool accepted = hash.has_value() && (!pinned_.has_value() || *hash == *pinned_);
    if (hash.has_value()) shown_->Note(*hash, accepted);
    *sync_status = accepted ? grpc::Status::OK
                            : grpc::Status(grpc::StatusCode::UNAUTHENTICATED, "another TLS key");
    return true;
  }
  void Cancel(tls::TlsCustomVerificationCheckRequest*) override {}

 private:
  const std::optional<TlsKeyHash> pinned_;
  const std::shared_ptr<ShownKeys> shown_;
};

// gRPC 1.51 knows the least TLS version of its credentials but offers no function to set it; later
// ones do. Here the field is found behind its neighbours, which can be set: they must follow, and
// the two versions behind them must have their known defaults. Whatever else is found there,
// nothing is written, and there is no connection: it is TLS 1.3 or none.
struct VersionFields {
  int32_t certificate_request;
  bool verify_server;
  int32_t least_version;
  int32_t greatest_version;
};

constexpr int32_t kTls12 = 0;
constexpr int32_t kTls13 = 1;

// Whether the fields are those at `place`, as seen when their neighbours are set.
bool AreVersionFields(grpc_tls_credentials_options* options, const unsigned char* place) {
  VersionFields seen;
  for (int request : {4, 3, 2, 1, 0}) {
    for (int verify : {1, 0}) {
      grpc_tls_credentials_options_set_cert_request_type(
          options, static_cast<grpc_ssl_client_certificate_request_type>(request));
      grpc_tls_credentials_options_set_verify_server_cert(options, verify);
      std::memcpy(&seen, place, sizeof(seen));
      if (seen.certificate_request != request ||
          place[offsetof(VersionFields, verify_server)] != verify || seen.least_version != kTls12 ||
          seen.greatest_version != kTls13) {
        return false;
      }
    }
  }
  return true;
}

bool SetLeastVersionInPlace(grpc_tls_credentials_options* options) {
  // Before them stand the table of virtual functions and the count of references, which in builds
  // without NDEBUG, Debian's among them, has a pointer beside it.
  auto* raw = reinterpret_cast<unsigned char*>(options);
  for (const size_t start : {3 * sizeof(void*), 2 * sizeof(void*)}) {
    if (!AreVersionFields(options, raw + start)) continue;
    std::memcpy(raw + start + offsetof(VersionFields, least_version), &kTls13, sizeof(kTls13));
    return true;
  }
  return false;
}

template <typename Options>
bool RequireTls13(Options& options) {
  if constexpr (requires { options.set_min_tls_version(grpc_tls_version::TLS1_3); }) {
    options.set_min_tls_version(grpc_tls_version::TLS1_3);
    return true;
  } else {
    return SetLeastVersionInPlace(options.c_credentials_options());
  }
}

grpc::ChannelArguments Arguments(const std::string& address) {
  grpc::ChannelArguments arguments;
  // Our own calls decide how long they try, so gRPC's pauses are short.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5'000);  // in truth: the connection's timeout
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1'000);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetMaxReceiveMessageSize(32 << 20);
  arguments.SetMaxSendMessageSize(32 << 20);
  arguments.SetUserAgentPrefix("parley");
  if (address.starts_with("127.") || address.starts_with("localhost:") ||
      address.starts_with("[::1]")) {
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  }
  return arguments;
}

}  // namespace

void ShownKeys::Note(const TlsKeyHash& hash, bool accepted) {
  std::lock_guard lock(mutex_);
  latest_ = hash;
  refused_ |= !accepted;
}

std::optional<TlsKeyHash> ShownKeys::latest() const {
  std::lock_guard lock(mutex_);
  return latest_;
}

bool ShownKeys::TakeRefused() {
  std::lock_guard lock(mutex_);
  return std::exchange(refused_, false);
}

std::optional<TlsKeyHash> HashOfCertificateKey(std::string_view pem) {
  std::unique_ptr<BIO, decltype(&BIO_free)> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  if (bio == nullptr) return std::nullopt;
  std::unique_ptr<X509, decltype(&X509_free)> certificate(
      PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free);
  if (certificate == nullptr) return std::nullopt;
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate.get()), &der);
  if (size <= 0) return std::nullopt;
  const TlsKeyHash hash = crypto::Sha256({crypto::ByteView(der, static_cast<size_t>(size))});
  OPENSSL_free(der);
  return hash;
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeTlsChannel(
    const std::string& address, const std::optional<TlsKeyHash>& pinned,
    std::shared_ptr<ShownKeys> shown) {
  SilenceGrpc();
  tls::TlsChannelCredentialsOptions options;
  if (!RequireTls13(options)) {
    return absl::InternalError(
        "this build of gRPC can't be held to TLS 1.3; Parley needs gRPC 1.51 or one that can be "
        "told");
  }
  // No authority vouches for a relay: the key is what counts, and the verifier looks at it in every
  // handshake. The signature that proves the key is TLS 1.3's own.
  options.set_verify_server_certs(false);
  options.set_check_call_host(false);
  options.set_certificate_verifier(
      tls::ExternalCertificateVerifier::Create<KeyVerifier>(pinned, std::move(shown)));
  return grpc::CreateCustomChannel("dns:///" + address, tls::TlsCredentials(options),
                                   Arguments(address));
}

void SilenceGrpc() {
  static const bool silenced = [] {
    if (std::getenv("GRPC_VERBOSITY") == nullptr && std::getenv("GRPC_TRACE") == nullptr) {
      gpr_set_log_function([](gpr_log_func_args*) {});
    }
    return true;
  }();
  (void)silenced;
}

}  // namespace parley::client::internal
