#include "crypto/mls/credential.h"

#include "crypto/mls/bounded_list.h"

namespace parley::mls {

absl::Status Decode(crypto::Reader& r, std::vector<Certificate>& certificates) {
  return DecodeAtMost(kMaxCertificates, "a chain of too many certificates", r, certificates);
}

void Encode(crypto::Writer& w, const Credential& credential) {
  Encode(w, credential.type);
  if (credential.type == CredentialType::kBasic) {
    Encode(w, credential.identity);
  } else {
    Encode(w, credential.certificates);
  }
}

absl::Status Decode(crypto::Reader& r, Credential& credential) {
  PARLEY_RETURN_IF_ERROR(Decode(r, credential.type));
  switch (credential.type) {
    case CredentialType::kBasic:
      return Decode(r, credential.identity);
    case CredentialType::kX509:
      return Decode(r, credential.certificates);
  }
  return absl::InvalidArgumentError("a credential of an unknown type");
}

}  // namespace parley::mls
