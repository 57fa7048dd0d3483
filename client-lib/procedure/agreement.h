// The agreement to mediate: its hash, its signatures, and the confidentiality policy beside it.
//
// A record key signs the agreement's hash and nothing of how it came here: no leaf key, roster,
// group state or message (docs/protocol.md section 9). The hash covers the case's random id, the
// text and the policy, so a signature counts for no other case and no other wording.
//
// Threading: free functions.
// Errors: InvalidArgument with the line and what may stand there, for a policy that can't be read.
#ifndef PARLEY_CLIENT_LIB_PROCEDURE_AGREEMENT_H_
#define PARLEY_CLIENT_LIB_PROCEDURE_AGREEMENT_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-lib/procedure/case_procedure.h"
#include "crypto/base/bytes.h"
#include "crypto/primitives/signature.h"
#include "parley/ids.h"
#include "parley/procedure.h"

namespace parley::client {

// Over these a proposal is refused: an overview repeats every proposal, in one content.
inline constexpr size_t kMostAgreementBytes = 128 * 1024;
inline constexpr size_t kMostPolicyBytes = 16 * 1024;

// SHA-256 over a label, the case id, the text and the policy, each with its length.
DocumentHash AgreementHash(const CaseId& id, std::string_view text, std::string_view policy);

// The signature with the record key, over a label, the case id and the hash.
crypto::Bytes SignAgreement(const crypto::SignatureKey& record_key, const CaseId& id,
                            const DocumentHash& document);
bool VerifyAgreement(crypto::ByteView record_key, const CaseId& id, const DocumentHash& document,
                     crypto::ByteView signature);

// What is said in caucus, by default.
enum class CaucusRule : uint8_t {
  kClosed,          // stays there unless released
  kOpen,            // may be carried on unless reserved
  kMustShareFacts,  // facts must be shared, the rest stays
};

struct Retention {
  std::string record_class;  // "notes", "settlement", …
  std::string how_long;      // "7 days", "7 years", "until closed"
};

struct Access {
  std::string what;  // "joint", "caucus", …
  std::string who;
};

struct ConfidentialityPolicy {
  CaucusRule caucus = CaucusRule::kClosed;
  std::vector<std::string> exceptions;
  std::vector<Retention> retention;
  std::vector<Access> access;
};

// A policy as it is written and signed: a line each, "key: value" or "key NAME: value".
absl::StatusOr<ConfidentialityPolicy> ParsePolicy(std::string_view text);
std::string PolicyForm();  // for people

// A text of at most kMostAgreementBytes in UTF-8, and a policy that can be read.
absl::Status CheckAgreement(std::string_view text, std::string_view policy);

std::vector<AgreementTemplate> Templates();

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_PROCEDURE_AGREEMENT_H_
