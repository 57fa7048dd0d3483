// The relay's TLS key and certificate.
//
// A relay makes its own: an ECDSA P-256 key and a self-signed certificate for the address that it
// listens on. A publicly trusted pair can be given instead; clients pin the identity key, which
// vouches for whichever TLS key is in use.
//
// Threading: free functions without shared state.
#ifndef PARLEY_SERVER_KEYS_TLS_CERTIFICATE_H_
#define PARLEY_SERVER_KEYS_TLS_CERTIFICATE_H_

#include <string>

#include "absl/status/statusor.h"
#include "crypto/base/secret.h"

namespace parley::server {

struct TlsCertificate {
  std::string certificate_pem;  // the leaf first, then its chain
  crypto::Secret private_key_pem;
  std::string key_hash;  // SHA-256 of the leaf's SubjectPublicKeyInfo (DER), 32 bytes
};

// A new ECDSA P-256 key, as PEM (PKCS #8).
crypto::Secret MakeTlsKey();

// A certificate of `private_key_pem` for `host` (an IP address or a name) and, always, for
// 127.0.0.1 and localhost; good for ten years. Errors: InvalidArgument for a key that can't be
// read.
absl::StatusOr<TlsCertificate> MakeTlsCertificate(const crypto::Secret& private_key_pem,
                                                  const std::string& host);

// Reads a pair. Errors: InvalidArgument when either can't be read or they don't belong together.
absl::StatusOr<TlsCertificate> ParseTlsCertificate(std::string certificate_pem,
                                                   crypto::Secret private_key_pem);

}  // namespace parley::server

#endif  // PARLEY_SERVER_KEYS_TLS_CERTIFICATE_H_
