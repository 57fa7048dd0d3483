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
#include <set>
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
#include "parley/types.h"

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

// What parties confirm as their settlement: SHA-256 over a label, the case id, and a document's
// content (the tree hash over it, and its size) or an offer's version (its hash).
DocumentHash SettlementHashOfDocument(const CaseId& id, crypto::ByteView plaintext_root,
                                      uint64_t size);
DocumentHash SettlementHashOfOffer(const CaseId& id, crypto::ByteView version_hash);

// What is said in caucus, by default.
enum class CaucusRule : uint8_t {
  kClosed,          // stays there unless released
  kOpen,            // may be carried on unless reserved
  kMustShareFacts,  // facts must be shared, the rest stays
};

// How long records of a class are kept.
struct KeepPeriod {
  enum class From : uint8_t {
    kNever = 0,  // "forever": they are never destroyed
    kEnd = 1,    // so long after the case has ended
    kClose = 2,  // "until closed"
  };
  From from = From::kEnd;
  uint64_t seconds = 0;
  friend bool operator==(const KeepPeriod&, const KeepPeriod&) = default;
};
// "7 days", "2 weeks", "6 months", "7 years", "until closed", "forever". A month counts as 31 days,
// a year as 366: rather too long than too short. Errors: InvalidArgument with what may be said.
absl::StatusOr<KeepPeriod> ParseKeepPeriod(std::string_view text);

struct Retention {
  std::string record_class;  // "notes", "settlement", …
  std::string how_long;      // as it is written
  KeepPeriod period;
};

// Who may read a kind of channel, beside what the caucus rule says.
struct Access {
  ChannelKind what = ChannelKind::kUnknown;
  std::string who;  // as it is written
  // Roles that may; of a caucus or team of its own side.
  std::set<Role> roles;
};

struct ConfidentialityPolicy {
  CaucusRule caucus = CaucusRule::kClosed;
  std::vector<std::string> exceptions;
  std::vector<Retention> retention;
  std::vector<Access> access;
  // "destroy: when due": programs destroy by themselves what isn't to be kept any longer. Otherwise
  // people do it ("destroy: by hand").
  bool destroys_when_due = false;

  // Whether somebody of that role may be in a channel of the kind: no line forbids it.
  bool MayRead(Role role, ChannelKind kind) const;
};

// A policy as it is written and signed: a line each, "key: value" or "key NAME: value".
absl::StatusOr<ConfidentialityPolicy> ParsePolicy(std::string_view text);
std::string PolicyForm();  // for people

// A text of at most kMostAgreementBytes in UTF-8, and a policy that can be read.
absl::Status CheckAgreement(std::string_view text, std::string_view policy);

std::vector<AgreementTemplate> Templates();

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_PROCEDURE_AGREEMENT_H_
