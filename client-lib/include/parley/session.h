// What leads a session: agenda, ground rules, summaries, the floor, the list of issues.
//
// All of it are records in the joint channel; every client plays them in its log's order, and so
// all come to the same result. What its author had no right to do is passed over by all alike, and
// named (AlarmKind::kRefused). In a case that keeps a procedure nothing of it counts before the
// agreement to mediate is signed, nor while the case is suspended or over; other cases have no such
// gate, and all of it works there as well.
#ifndef PARLEY_SESSION_H_
#define PARLEY_SESSION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "parley/export.h"
#include "parley/ids.h"
#include "parley/types.h"

namespace parley {

// ---- Texts that the sides answer ----

// The numbers are those of the protocol.
enum class SessionTextKind : uint8_t {
  kAgenda = 1,
  kGroundRules = 2,
  kSummary = 3,
};

struct SessionAnswer {
  Person by;
  bool confirmed = false;  // otherwise `words` say what the text should say instead
  std::string words;
  int64_t time = 0;  // their claim
};

// A version of a text by a neutral.
struct SessionText {
  SessionTextKind kind = SessionTextKind::kAgenda;
  uint32_t number = 1;  // of several summaries: which
  uint32_t version = 1;
  MessageId id;  // of this version: what is answered
  Person by;
  std::string text;
  int64_t time = 0;  // the author's claim
  // Whether it is the latest version, and so can be answered.
  bool latest = false;
  std::vector<SessionAnswer> answers;
  // Of the latest: sides in the joint channel for which nobody has answered yet.
  std::vector<std::string> unanswered;
};

// ---- The floor ----

// The numbers are those of the protocol.
enum class FloorTo : uint8_t {
  kAll = 1,
  kSide = 2,
  kParticipant = 3,
  kNeutrals = 4,  // nobody but the neutrals, who may always speak
};
// "all", "side", "participant", "neutrals". Lives as long as the program.
PARLEY_EXPORT const char* FloorToName(FloorTo to);

struct Floor {
  FloorTo to = FloorTo::kAll;
  std::string side;              // kSide
  std::optional<Person> holder;  // kParticipant
  // For people: "all", "the side Harbor", "Ana", "the neutrals".
  std::string text;
  bool may_speak = true;           // the profile's owner
  std::optional<Person> given_by;  // nothing as long as nobody has given it to anybody
  std::vector<Person> hands;       // who asks for it, in order
};

struct FloorRequest {
  FloorTo to = FloorTo::kAll;
  std::string side = {};           // kSide
  ParticipantId participant = {};  // kParticipant
};

// ---- Issues ----

struct Issue {
  MessageId id;
  std::string text;
  Person by;            // who brought it up
  bool listed = false;  // on the list; otherwise proposed by a side
};

// How a side ranks issues: only its own people and the neutrals ever get it.
struct IssueRanking {
  std::string side;
  Person by;
  int64_t time = 0;
  std::vector<MessageId> issues;  // the most important first
};

// ---- Balance of speaking ----

// How much somebody has said in the joint channel, as far as this profile has it.
struct SpeakingShare {
  Person person;
  uint64_t messages = 0;    // texts; retracted ones don't count
  uint64_t characters = 0;  // of these, without spaces
  // Of all that others than the neutrals have said, in thousandths; 0 for the neutrals.
  uint32_t per_mille = 0;
};

}  // namespace parley

#endif  // PARLEY_SESSION_H_
