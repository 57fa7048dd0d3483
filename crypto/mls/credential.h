// Credentials (RFC 9420 section 5.3): what a leaf claims to be. Whether the claim holds is the
// application's to say; MLS carries the bytes.
#ifndef PARLEY_CRYPTO_MLS_CREDENTIAL_H_
#define PARLEY_CRYPTO_MLS_CREDENTIAL_H_

#include <cstdint>
#include <tuple>
#include <vector>

#include "crypto/base/codec.h"

namespace parley::mls {

using crypto::Bytes;
using crypto::ByteView;
using crypto::Secret;

// uint16 CredentialType;
enum class CredentialType : uint16_t { kBasic = 1, kX509 = 2 };

// struct {
//     opaque cert_data<V>;
// } Certificate;
struct Certificate {
  Bytes cert_data;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.cert_data);
  }
  friend bool operator==(const Certificate&, const Certificate&) = default;
};

// How long a chain may be (ours): far longer than any that is used.
inline constexpr size_t kMaxCertificates = 64;
// Errors: InvalidArgument also for more than kMaxCertificates.
absl::Status Decode(crypto::Reader& r, std::vector<Certificate>& certificates);

// struct {
//     CredentialType credential_type;
//     select (Credential.credential_type) {
//         case basic: opaque identity<V>;
//         case x509:  Certificate certificates<V>;
//     };
// } Credential;
//
// Certificate chains are carried, not verified: see leaf_checks.h for who judges them.
struct Credential {
  CredentialType type = CredentialType::kBasic;
  Bytes identity;                         // of a basic credential
  std::vector<Certificate> certificates;  // of an X.509 credential

  static Credential Basic(Bytes identity) {
    return {CredentialType::kBasic, std::move(identity), {}};
  }
  // A chain of DER certificates, the end entity's first.
  static Credential X509(std::vector<Certificate> certificates) {
    return {CredentialType::kX509, {}, std::move(certificates)};
  }
  friend bool operator==(const Credential&, const Credential&) = default;
};

void Encode(crypto::Writer& w, const Credential& credential);
// Errors: InvalidArgument for a type other than these two, whose end can't be known.
absl::Status Decode(crypto::Reader& r, Credential& credential);

}  // namespace parley::mls

#endif  // PARLEY_CRYPTO_MLS_CREDENTIAL_H_
