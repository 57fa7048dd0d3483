// From the joint channel's records to the case's procedure: the same records give the same result
// on every device, also on one that joined later and begins with a neutral's overview.
//
// Who has read the channel from its first record begins with that. Who has joined later begins with
// the first overview by a neutral that reaches at least as far as where they joined: its history is
// played by the same rules, signatures included. From then on both apply what follows, in order. An
// overview that tells another history than a device has itself doesn't count there, and is named.
// Who was away and has missed something waits for an overview in the same way. Both take from it
// only what stands where they haven't read: all else must be, byte for byte, what they have read
// themselves. Whoever waits again takes all such places from the new overview: what an earlier one
// told has no part in it, so that nobody is held for ever by what one neutral once told.
//
// Threading: plain values and free functions. Nothing here reads the profile.
#ifndef PARLEY_CLIENT_LIB_PROCEDURE_PROCEDURE_LOG_H_
#define PARLEY_CLIENT_LIB_PROCEDURE_PROCEDURE_LOG_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client-lib/procedure/case_procedure.h"
#include "crypto/base/bytes.h"
#include "parley/content/v1/content.pb.h"

namespace parley::client {

struct JointPosition {
  uint32_t incarnation = 0;
  uint64_t position = 0;
  friend auto operator<=>(const JointPosition&, const JointPosition&) = default;
};

// What a device hasn't read, between the last entry that it had and the one that let it in again.
struct Absence {
  JointPosition left;
  JointPosition back;
};

// A content of the joint channel that may be an act.
struct LoggedRecord {
  JointPosition at;
  Actor author;
  crypto::Bytes content;  // the serialised Content, as it was received
};

struct SignatureRecord {
  DocumentHash document{};
  ParticipantId signer;
  crypto::Bytes record_key;
};

// One act, read from a record.
struct ReadAct {
  Act act;
  int64_t time = 0;  // claimed
  std::string words;
  content::v1::AgreementProposal proposal;
  crypto::Bytes record_key;
};

// Nothing for what is no act, or can't be read.
std::optional<ReadAct> ReadActOf(const CaseId& id, const LoggedRecord& record);

class ProcedureLog {
 public:
  struct Step {
    LoggedRecord record;
    ReadAct read;
    std::string refused;       // empty: it counts
    CaseProcedure afterwards;  // of one that counts
    // Of what this device knows by an overview alone, where that stands; else zero.
    JointPosition told_at;
    // From where on it was judged so here: of what waited for an overview, where that stands.
    JointPosition known_at;
  };

  // Plays `records`, which are in order, as the `absences` are. `joined` is where this device came
  // in first; position 0 for who has created the channel.
  static ProcedureLog Play(const CaseId& id, const std::vector<LoggedRecord>& records,
                           const JointPosition& joined, const std::vector<Absence>& absences = {});

  // Whether there was a beginning to go by, and nothing is missing since: otherwise a neutral's
  // overview is awaited.
  bool has_begun() const { return !waits_ && procedure_.state() != CaseState::kNone; }
  // In its first state until it has begun.
  const CaseProcedure& procedure() const { return waits_ ? unknown_ : procedure_; }
  // All acts, those that were passed over included.
  const std::vector<Step>& steps() const { return steps_; }

  // As it was after the acts up to there; in its first state before any.
  CaseProcedure At(const JointPosition& at) const;

  // How far the histories reach that were told in this log, and count: who has come in up to there
  // can go by one of them. The opening tells that there is nothing before it.
  JointPosition ToldThrough() const;

  // The proposals' texts, by the proposal's record id; null for none.
  const content::v1::AgreementProposal* TextOf(const MessageId& record) const;
  // The signatures that count.
  std::vector<SignatureRecord> Signatures() const;

  // An overview for who has joined since: everything that counted up to `through`.
  content::v1::CaseOverview MakeOverview(const std::vector<Actor>& participants,
                                         const JointPosition& through) const;

 private:
  explicit ProcedureLog(const CaseId& id) : id_(id) {}

  struct ReadRecord {
    const LoggedRecord* record = nullptr;
    ReadAct read;
  };

  std::optional<ProcedureLog> Completed(const ReadRecord& by, const JointPosition& from,
                                        const std::vector<ReadRecord>& own) const;
  void NoteKnown(const std::vector<Step>& before, const JointPosition& told_at);
  void NameLiars(const std::vector<ReadRecord>& own, const JointPosition& back);
  bool IsUnread(const JointPosition& at) const;
  bool TakeTold(const LoggedRecord& record, const JointPosition& told_at);
  void Take(const LoggedRecord& record, ReadAct read);
  bool TellsOurHistory(const content::v1::CaseOverview& overview) const;

  CaseId id_;
  CaseProcedure procedure_;
  CaseProcedure unknown_;
  std::vector<Step> steps_;
  std::vector<Absence> unread_;  // before the first joining, too
  bool waits_ = false;           // for an overview, after the last of them
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_PROCEDURE_PROCEDURE_LOG_H_
