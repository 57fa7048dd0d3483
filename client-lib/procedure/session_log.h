// From the joint channel's records to a session's state: the same records give the same result on
// every device that was there from the beginning.
//
// A neutral's client tells how the session stands before its own first record, and again whenever
// somebody has come. Everybody but who has created the channel begins with the first standing that
// reaches at least as far as where they came in, and goes on from there; until one comes they can't
// know whether they have seen everything (is_based). A standing that tells another state than a
// device has itself is passed over there, and named.
//
// Threading: plain values and free functions. Nothing here reads the profile.
#ifndef PARLEY_CLIENT_LIB_PROCEDURE_SESSION_LOG_H_
#define PARLEY_CLIENT_LIB_PROCEDURE_SESSION_LOG_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "client-lib/procedure/procedure_log.h"
#include "client-lib/procedure/session_floor.h"
#include "client-lib/procedure/session_issues.h"
#include "client-lib/procedure/session_texts.h"

namespace parley::client {

// What a standing carries, in bytes of texts, words, names and sides, and kPartBytes for each text,
// answer and issue: of the neutrals (their texts, and the list of issues), of all others (answers,
// and proposals that aren't on the list), and of one of these. What would bring it above is
// refused, so that it can always be told to who comes later, and nobody takes the room from others.
inline constexpr size_t kMostStandingBytesOfNeutrals = 384 * 1024;
inline constexpr size_t kMostStandingBytesOfSides = 128 * 1024;
inline constexpr size_t kMostStandingBytesOfOne = 32 * 1024;

// Everything that counts at a position of the log.
struct SessionState {
  SessionTexts texts;
  SessionFloor floor;
  SessionIssues issues;

  // Why it doesn't count, from "may not" on; empty: it counts.
  std::string Take(const SessionRecord& record, const content::v1::Content& content);
  content::v1::SessionStanding Standing(const JointPosition& through) const;

 private:
  std::string Apply(const SessionRecord& record, const content::v1::Content& content);
  std::string NoRoomFor(const SessionRecord& record, const content::v1::Content& content) const;
};

// Why nothing of a session may be done by somebody at a position; empty for nothing.
using SessionGate = std::function<std::string(const Actor& author, const JointPosition& at)>;
// What the procedure says, which outlives the gate.
SessionGate GateOf(const ProcedureLog& procedure);
// For cases without a procedure.
SessionGate NoGate();

// Nothing is led any more, or not now.
bool IsAtRest(CaseState state);

// From where on the case rests (suspended, or over), and from where on it doesn't any more; in
// order.
using Rests = std::vector<std::pair<JointPosition, bool>>;
Rests RestsOf(const ProcedureLog& procedure);

// Whether the author's role lets them do such a thing at all.
bool RoleAllows(const Actor& author, const content::v1::Content& content);

class SessionLog {
 public:
  struct Step {
    JointPosition at;
    SessionRecord record;
    bool standing = false;
    std::string refused;  // empty: it counts
  };

  // Plays `records`, which are in order. `joined`: as for ProcedureLog.
  static SessionLog Play(const std::vector<LoggedRecord>& records, const JointPosition& joined,
                         const SessionGate& gate, Rests rests = {});

  // Whether there is a beginning to go by.
  bool is_based() const { return based_; }
  // Whether a standing counts.
  bool was_told() const { return told_; }
  const SessionState& state() const { return state_; }
  // But for those that a standing has told here.
  const std::vector<Step>& steps() const { return steps_; }
  // Why the record there doesn't count; empty: it does, or there is none.
  std::string RefusalAt(const JointPosition& at) const;
  // Who had the floor there; null where this device doesn't know. While the case rests nobody could
  // give it to anybody else, so it is everybody's.
  const SessionFloor* FloorAt(const JointPosition& at) const;

 private:
  struct Parsed;
  bool BeginWith(const Parsed& record, const JointPosition& joined);
  std::string CheckStanding(const Parsed& standing, bool same) const;
  void Note(const JointPosition& at) { floors_.emplace_back(at, state_.floor); }

  bool based_ = false;
  bool told_ = false;
  JointPosition base_through_;
  SessionState state_;
  std::vector<Step> steps_;
  std::vector<std::pair<JointPosition, SessionFloor>> floors_;  // in order
  Rests rests_;
};

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_PROCEDURE_SESSION_LOG_H_
