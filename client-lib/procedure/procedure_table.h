// The one table of the procedure: which acts there are, who may do each, from which states, to
// which, and what remains as evidence. The checks (case_procedure.h), the command line's help and
// docs/procedure.md all come from it.
//
// Threading: constants and pure functions.
#ifndef PARLEY_CLIENT_LIB_PROCEDURE_PROCEDURE_TABLE_H_
#define PARLEY_CLIENT_LIB_PROCEDURE_PROCEDURE_TABLE_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "parley/procedure.h"
#include "parley/types.h"

namespace parley::client {

// Sets of roles and of states, as bits.
using RoleSet = uint32_t;
using StateSet = uint32_t;
constexpr RoleSet SetOf(Role role) { return 1u << static_cast<uint32_t>(role); }
constexpr StateSet SetOf(CaseState state) { return 1u << static_cast<uint32_t>(state); }

// How many have to do an act before the case's state changes.
enum class Quorum : uint8_t {
  kOne,
  kEverySide,         // a party or counsel of each side
  kEveryParty,        // every participant whose role is party
  kEveryParticipant,  // everybody
};

struct ActRule {
  CaseAct act;
  const char* name;
  RoleSet who;
  Quorum quorum;
  StateSet from;
  CaseState to;           // kNone: the state stays
  const char* condition;  // what else must hold, for people; empty for nothing
  const char* meaning;
  const char* evidence;
};

// What follows by itself when all that it needs is there.
struct FollowingRule {
  CaseState from;
  CaseState to;
  const char* when;
};

std::span<const ActRule> ActRules();
std::span<const FollowingRule> FollowingRules();
// Null for an act that there is none of.
const ActRule* FindRule(CaseAct act);
// Whether the act can be done in that state, by whoever may do it.
bool IsOpenTo(CaseAct act, CaseState state);

// Whether the table has a way from one state to the other: by an act, or by what follows.
bool MayFollow(CaseState from, CaseState to);

// "a mediator or co-mediator", "every side", "requested, consented".
std::string DescribeWho(const ActRule& rule);
std::string DescribeFrom(const ActRule& rule);

// "in session"; "begin-session", and back: nothing for what is no act's name.
const char* NameOf(CaseState state);
const char* NameOf(CaseAct act);
std::optional<CaseAct> ActOf(std::string_view text);

// One line for each act that people do, but those that have calls of their own.
std::string ActsHelp();

// docs/procedure.md, whole.
std::string ProcedureDocument();

}  // namespace parley::client

#endif  // PARLEY_CLIENT_LIB_PROCEDURE_PROCEDURE_TABLE_H_
