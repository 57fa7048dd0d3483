// A case's procedure: its states, the acts that move it, and what a profile shows of both.
//
// One table holds all rules (docs/procedure.md is made from it): every client applies the acts of
// the joint channel in its log's order, and so all come to the same state. The numbers are those of
// the protocol.
#ifndef PARLEY_PROCEDURE_H_
#define PARLEY_PROCEDURE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parley/export.h"
#include "parley/ids.h"
#include "parley/types.h"

namespace parley {

enum class CaseState : uint8_t {
  kNone = 0,  // the case keeps no procedure, or its records haven't come yet
  kOpened = 1,
  kRequested = 2,
  kConsented = 3,
  kEngaged = 4,
  kInSession = 5,
  kSuspended = 6,
  kAgreedInPrinciple = 7,
  kSigning = 8,
  kSettled = 9,
  kWithdrawn = 10,
  kImpasse = 11,
  kTerminated = 12,
  kClosed = 13,
  kFollowUp = 14,
  kReopened = 15,
  kRetained = 16,
  kDestroyed = 17,
};
// "requested", "in session", "agreed in principle", … Lives as long as the program.
PARLEY_EXPORT const char* CaseStateName(CaseState state);

enum class CaseAct : uint8_t {
  kUnknown = 0,
  kOpen = 1,
  kListParticipants = 2,
  kRequest = 3,
  kAccept = 4,
  kDecline = 5,
  kDiscloseConflict = 6,
  kWaive = 7,
  kObject = 8,
  kProposeAgreement = 9,
  kSign = 10,
  kBeginSession = 11,
  kSuspend = 12,
  kAgreeInPrinciple = 13,
  kStartSigning = 14,
  kRevise = 15,
  kConfirmSettlement = 16,
  kWithdraw = 17,
  kDeclareImpasse = 18,
  kTerminate = 19,
  kClose = 20,
  kFollowUp = 21,
  kReopen = 22,
  kRetain = 23,
  kDestroy = 24,
  kReportDestruction = 25,
};
// "request", "disclose-conflict", "begin-session", … Lives as long as the program.
PARLEY_EXPORT const char* CaseActName(CaseAct act);
// The other direction; nothing for any other text.
PARLEY_EXPORT std::optional<CaseAct> ParseCaseAct(std::string_view text);
// One line for each act that Profile::Act does: its name, who may do it, in which states, and what
// it means.
PARLEY_EXPORT std::string CaseActsHelp();

// ---- The agreement to mediate ----

// A text to begin from, with the confidentiality policy beside it.
struct AgreementTemplate {
  std::string name;
  std::string about;   // one line
  std::string text;    // with places to fill in, in brackets
  std::string policy;  // as Profile::ProposeAgreement takes it
};
PARLEY_EXPORT std::vector<AgreementTemplate> AgreementTemplates();
// How a policy is written: its keys and what each may say.
PARLEY_EXPORT std::string PolicyHelp();

struct AgreementSigner {
  Person person;
  bool signed_it = false;
  // Whether the key of the signature is known to be theirs: a neutral has said so over a pairing.
  bool vouched = false;
};

struct Agreement {
  // In the order in which they were proposed, from 1 on.
  uint32_t version = 0;
  std::string hash;  // 64 hexadecimal digits: what is signed
  Person proposed_by;
  std::string text;
  std::string policy;
  std::vector<AgreementSigner> signers;  // everybody who has to sign
};

// ---- What a case shows ----

// Something that the case waits for.
struct CaseMissing {
  std::string who;   // a name, a side ("Harbor"), "a neutral", "a side"
  std::string what;  // "signs the agreement to mediate (version 1)"
  // What to type to supply it, without the arguments: "parley case waive, object". Empty where
  // whoever it is missing from can't do it here, or not yet.
  std::string command = {};
};

struct ConflictAnswer {
  std::string side;
  Person by;
  bool waived = false;  // otherwise objected
  std::string words;
};

struct ConflictDisclosure {
  MessageId id;
  Person by;
  std::string words;
  std::vector<ConflictAnswer> answers;
  // Every side has waived it, or who disclosed it takes no part any more.
  bool settled = false;
};

// An act that counts, or one that every client has passed over.
struct CaseEntry {
  MessageId id;
  Person by;
  CaseAct act = CaseAct::kUnknown;
  std::string words;
  int64_t time = 0;                    // the author's claim
  CaseState state = CaseState::kNone;  // the case's, afterwards
  std::string refused;                 // why it was passed over; empty for one that counts
};

struct CaseProgress {
  // False for a case that was opened without: then nothing else is set.
  bool with_procedure = false;
  CaseState state = CaseState::kNone;
  // Whether the owner may speak in the joint channel, and if not what is missing and from whom.
  bool may_speak = false;
  std::vector<CaseMissing> missing;
  std::vector<ConflictDisclosure> disclosures;
  // The one that everybody signed last; and a later proposal, or the first, that isn't signed by
  // all.
  std::optional<Agreement> in_force;
  std::optional<Agreement> proposed;
  // The hash of what start-signing named as the settlement (64 hexadecimal digits), and its
  // message; empty before.
  std::string settlement;
  MessageId settlement_item;
  std::vector<CaseEntry> entries;
};

struct CaseOptions {
  // Whether nothing but the intake may be said before all have signed the agreement to mediate.
  bool with_procedure = false;
};

}  // namespace parley

#endif  // PARLEY_PROCEDURE_H_
