// The procedure of one case as a state machine: acts go in, in the order of the joint channel's
// log; out comes the state, or a refusal with a reason that people can read.
//
//   CaseProcedure procedure;
//   const Verdict verdict = procedure.Apply(author, act);
//   if (!verdict.counts()) Show(author.name + ": " + verdict.refusal);
//
// Deterministic: the same acts in the same order give the same object. It knows no clock, draws no
// random numbers and looks nothing up; signatures are verified by the caller (procedure_log.h).
//
// Threading: a plain value.
#ifndef PARLEY_CLIENT_LIB_PROCEDURE_CASE_PROCEDURE_H_
#define PARLEY_CLIENT_LIB_PROCEDURE_CASE_PROCEDURE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "crypto/base/bytes.h"
#include "parley/ids.h"
#include "parley/procedure.h"
#include "parley/types.h"

namespace parley::client {

using DocumentHash = crypto::ByteArray<32>;

// Who does something, as the joint channel's roster had them at that position.
struct Actor {
  ParticipantId id;
  std::string name;
  Role role = Role::kUnknown;
  std::string side;

  friend bool operator==(const Actor&, const Actor&) = default;
  friend auto operator<=>(const Actor&, const Actor&) = default;
};

inline bool SpeaksForSide(const Actor& actor) {
  return (actor.role == Role::kParty || actor.role == Role::kCounsel) && !actor.side.empty();
}

inline std::string VersionText(uint32_t version) { return "version " + std::to_string(version); }

struct Act {
  CaseAct kind = CaseAct::kUnknown;
  MessageId id;  // of the record
  // kListParticipants: everybody.
  std::vector<Actor> participants = {};
  // kWaive, kObject: the disclosure.
  MessageId about = {};
  // kProposeAgreement, kSign; of kStartSigning and kConfirmSettlement the settlement's.
  DocumentHash document{};
  // kReportDestruction: classes of record.
  std::vector<std::string> destroyed = {};
  // kSign, kProposeAgreement, kListParticipants: why the record itself is no good (a signature that
  // doesn't verify, a policy that can't be read, another history than this one); empty for none.
  std::string fault = {};
};

// Who it is that something is missing from, where it isn't one person or side.
inline constexpr char kAnySide[] = "a side";
inline constexpr char kAnyNeutral[] = "a neutral";
// Commands that supply what is missing: everybody's signature; what neutrals' programs do by
// themselves when they are online.
inline constexpr char kSignCommand[] = "parley case agreement sign";
inline constexpr char kProgramsDoIt[] = "parley sync";

struct Verdict {
  std::string refusal;  // one line, from "may not" on; empty: the act counts
  bool counts() const { return refusal.empty(); }
};

class CaseProcedure {
 public:
  struct Missing {
    std::string who;
    std::string what;
    // As CaseMissing has it.
    std::string command = {};
    friend bool operator==(const Missing&, const Missing&) = default;
  };
  struct Answer {
    Actor by;
    bool waived = false;
    MessageId record;
    friend bool operator==(const Answer&, const Answer&) = default;
  };
  struct Disclosure {
    MessageId id;
    Actor by;
    std::map<std::string, Answer> answers;  // by side: its latest
    friend bool operator==(const Disclosure&, const Disclosure&) = default;
  };
  struct Proposal {
    DocumentHash document{};
    uint32_t version = 0;
    Actor by;
    MessageId record;
    std::set<ParticipantId> signers;
    friend bool operator==(const Proposal&, const Proposal&) = default;
  };

  // An act that doesn't count changes nothing.
  Verdict Apply(const Actor& author, const Act& act);

  CaseState state() const { return state_; }
  const std::vector<Actor>& participants() const { return participants_; }
  const std::vector<Disclosure>& disclosures() const { return disclosures_; }
  const std::vector<Proposal>& proposals() const { return proposals_; }
  // The one that everybody had signed; null before.
  const Proposal* in_force() const;
  // The latest, unless it is in force.
  const Proposal* proposed() const;

  // The settlement that parties confirm, or have confirmed: its hash, and the document or offer
  // that start-signing named. All zero before.
  const DocumentHash& settlement() const { return settlement_; }
  const MessageId& settlement_item() const { return settlement_item_; }
  // The classes of record that somebody's client has destroyed since the case ended.
  std::set<std::string> DestroyedBy(const ParticipantId& id) const;

  // Whether every side has waived it, or who disclosed it takes no part any more.
  bool IsSettled(const Disclosure& disclosure) const;

  // What the case waits for before it can go on, and from whom.
  std::vector<Missing> WaitsFor() const;

  // What keeps the channel of this kind (and side) closed to talk by `speaker`: those of its
  // readers who have not signed what is in force. Empty: they may speak.
  std::vector<Missing> KeepsFromTalk(const ParticipantId& speaker, ChannelKind kind,
                                     const std::string& side) const;

  friend bool operator==(const CaseProcedure&, const CaseProcedure&) = default;

 private:
  std::string Refusal(const Actor& author, const Act& act) const;
  std::string ConditionOf(const Actor& author, const Act& act) const;
  std::string FaultOfReport(const Actor& author, const Act& act) const;
  void Carry(const Actor& author, const Act& act);
  void FollowUp();

  const Actor* Find(const ParticipantId& id) const;
  std::set<std::string> Sides() const;
  bool EverySide(const std::set<std::string>& done) const;
  bool EverySigned(const Proposal& proposal) const;
  bool ConflictOpen() const;
  std::vector<std::string> WhoHasNotSigned(const Proposal& proposal) const;
  void AddUnsigned(const Proposal& proposal, std::vector<Missing>& missing) const;
  Proposal* ProposalOf(const DocumentHash& document);
  const Proposal* ProposalOf(const DocumentHash& document) const;

  CaseState state_ = CaseState::kNone;
  std::vector<Actor> participants_;
  std::set<std::string> consented_;
  std::set<std::string> reopening_;
  std::set<ParticipantId> settled_;
  DocumentHash settlement_{};
  MessageId settlement_item_;
  std::map<ParticipantId, std::set<std::string>> destroyed_;
  std::vector<Disclosure> disclosures_;
  std::vector<Proposal> proposals_;
  std::optional<uint32_t> in_force_;  // a version
};

// Whether nothing more is said in a case that is in this state: its records are kept as long as the
// policy has it, counted from there.
bool HasEnded(CaseState state);

// At most so many classes are reported as destroyed by one participant, each of so many bytes.
inline constexpr size_t kMostClasses = 32;
inline constexpr size_t kMostClassBytes = 64;

// Whether a participant reads the channel of this kind and side, by the caucus rule.
bool Reads(const Actor& participant, ChannelKind kind, const std::string& side);

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_PROCEDURE_CASE_PROCEDURE_H_
