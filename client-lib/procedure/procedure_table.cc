#include "client-lib/procedure/procedure_table.h"

#include <algorithm>
#include <array>
#include <vector>

namespace parley::client {
namespace {

using enum CaseState;

template <typename... Items>
constexpr uint32_t Any(Items... items) {
  return (SetOf(items) | ...);
}

constexpr RoleSet kNeutrals = Any(Role::kMediator, Role::kCoMediator);
constexpr RoleSet kParties = Any(Role::kParty);
constexpr RoleSet kSides = Any(Role::kParty, Role::kCounsel);
constexpr RoleSet kEverybody =
    kNeutrals | kSides |
    Any(Role::kExpert, Role::kObserver, Role::kInterpreter, Role::kSupportPerson);

constexpr StateSet kBeginning = Any(kOpened, kRequested, kConsented);
// When nothing more is said: what the policy doesn't keep longer is destroyed.
constexpr StateSet kEnded =
    Any(kSettled, kWithdrawn, kImpasse, kTerminated, kClosed, kFollowUp, kRetained, kDestroyed);
// While people work towards a settlement.
constexpr StateSet kWorking = Any(kEngaged, kInSession, kSuspended, kAgreedInPrinciple, kSigning);
constexpr StateSet kLive = kBeginning | kWorking | Any(kReopened);
constexpr StateSet kAny = kLive | kEnded;

constexpr std::array kRules = {
    ActRule{CaseAct::kOpen, "open", Any(Role::kMediator), Quorum::kOne, Any(kNone), kOpened,
            "only as the joint channel's first record", "The case keeps this procedure.",
            "the joint channel's first record"},
    ActRule{
        CaseAct::kListParticipants, "list-participants", kNeutrals, Quorum::kOne, kAny, kNone,
        "tells the case's history as it was",
        "Says who takes part, and to who has joined what was done before; made by the neutrals' "
        "clients by themselves.",
        "the list, and the acts so far"},
    ActRule{CaseAct::kRequest, "request", kSides, Quorum::kOne, Any(kOpened), kRequested, "",
            "A side asks for mediation; the side consents to it by that.", "the request's words"},
    ActRule{CaseAct::kAccept, "accept", kSides, Quorum::kEverySide, Any(kRequested), kNone,
            "once for each side", "A side accepts the request.", "the acceptance"},
    ActRule{CaseAct::kDecline, "decline", kSides, Quorum::kOne, Any(kRequested, kConsented),
            kWithdrawn, "", "A side doesn't want mediation. No reason is needed.", "the refusal"},
    ActRule{CaseAct::kDiscloseConflict, "disclose-conflict", kNeutrals, Quorum::kOne, kLive, kNone,
            "suspends the case from engaged on",
            "A neutral tells what could make their neutrality doubtful.", "the disclosure's words"},
    ActRule{CaseAct::kWaive, "waive", kSides, Quorum::kEverySide, kLive, kNone,
            "names a disclosure that the side hasn't waived",
            "A side has no objection to what was disclosed.", "the waiver"},
    ActRule{CaseAct::kObject, "object", kSides, Quorum::kOne, kLive, kNone,
            "names a disclosure that the side hasn't answered; suspends the case from engaged on",
            "A side objects to the neutral who made the disclosure. The case goes on when the side "
            "waives after all, or that neutral takes no part any more.",
            "the objection's words"},
    ActRule{
        CaseAct::kProposeAgreement, "propose-agreement", kNeutrals, Quorum::kOne, kLive, kNone,
        "another text than was proposed before; a policy that can be read",
        "A neutral puts forward the agreement to mediate with its confidentiality policy, or an "
        "amended one. The one that all signed before stays in force until all have signed this "
        "one.",
        "text, policy and their hash"},
    ActRule{CaseAct::kSign, "sign", kEverybody, Quorum::kEveryParticipant,
            Any(kConsented, kReopened) | kWorking, kNone,
            "the hash of the latest proposal, or of the one in force; once; a signature that "
            "verifies",
            "A participant signs the agreement to mediate with their record key.",
            "the signature, verifiable outside"},
    ActRule{CaseAct::kBeginSession, "begin-session", kNeutrals, Quorum::kOne,
            Any(kEngaged, kSuspended, kReopened), kInSession,
            "everybody has signed, and no disclosure is unanswered or objected to",
            "The neutrals open the talks, or resume them.", "the act"},
    ActRule{CaseAct::kSuspend, "suspend", kNeutrals, Quorum::kOne,
            Any(kEngaged, kInSession, kAgreedInPrinciple, kSigning), kSuspended, "",
            "The neutrals interrupt the talks.", "the act and its words"},
    ActRule{CaseAct::kAgreeInPrinciple, "agree-in-principle", kNeutrals, Quorum::kOne,
            Any(kInSession), kAgreedInPrinciple, "",
            "The neutrals record that the sides agree in principle.", "the act and its words"},
    ActRule{
        CaseAct::kStartSigning, "start-signing", kNeutrals, Quorum::kOne, Any(kAgreedInPrinciple),
        kSigning, "names a document, or an offer, of the joint channel by its hash",
        "The settlement's text is final: it is that document or offer.", "the settlement's hash"},
    ActRule{CaseAct::kRevise, "revise", kNeutrals, Quorum::kOne, Any(kSigning), kAgreedInPrinciple,
            "", "The settlement's text is opened again; confirmations of it are void.", "the act"},
    ActRule{CaseAct::kConfirmSettlement, "confirm-settlement", kParties, Quorum::kEveryParty,
            Any(kSigning), kSettled, "the hash that start-signing names; once for each party",
            "A party says that it has agreed to that settlement, which its own client has. This is "
            "no signature: it can't be shown to others as one.",
            "each party's confirmation, with the hash"},
    ActRule{CaseAct::kWithdraw, "withdraw", kParties, Quorum::kOne,
            Any(kRequested, kConsented, kReopened) | kWorking, kWithdrawn, "",
            "A party ends the mediation. No reason is needed.", "the act"},
    ActRule{CaseAct::kDeclareImpasse, "declare-impasse", kNeutrals, Quorum::kOne,
            Any(kInSession, kSuspended, kAgreedInPrinciple, kSigning), kImpasse, "",
            "The neutrals record that no agreement can be reached.", "the act"},
    ActRule{CaseAct::kTerminate, "terminate", kNeutrals, Quorum::kOne, kLive, kTerminated, "",
            "The neutrals end the mediation. No reason is needed.", "the act"},
    ActRule{CaseAct::kClose, "close", kNeutrals, Quorum::kOne,
            Any(kSettled, kWithdrawn, kImpasse, kTerminated, kFollowUp), kClosed, "",
            "The neutrals close the case.", "the act"},
    ActRule{CaseAct::kFollowUp, "follow-up", kNeutrals, Quorum::kOne, Any(kClosed), kFollowUp, "",
            "The neutrals watch over what was agreed.", "the act"},
    ActRule{CaseAct::kReopen, "reopen", kSides, Quorum::kEverySide, Any(kClosed), kReopened,
            "once for each side", "A side asks to take the case up again.", "each side's wish"},
    ActRule{CaseAct::kRetain, "retain", kNeutrals, Quorum::kOne, Any(kClosed), kRetained, "",
            "From here on records are only kept, as the policy has it.", "the act"},
    ActRule{CaseAct::kDestroy, "destroy", kNeutrals, Quorum::kOne, Any(kRetained), kDestroyed, "",
            "A neutral, whose own client has destroyed first what the policy doesn't keep any "
            "longer, asks everybody to do the same (parley case destroy).",
            "the act; what whose clients have destroyed, their reports tell"},
    ActRule{CaseAct::kReportDestruction, "report-destruction", kEverybody, Quorum::kOne, kEnded,
            kNone, "names classes of record that this participant hasn't reported since the end",
            "A participant's client has destroyed the records of these classes on its device; made "
            "by the clients by themselves.",
            "the classes' names"},
};

constexpr std::array kFollowing = {
    FollowingRule{kRequested, kConsented,
                  "there are two sides or more, and each has requested or accepted"},
    FollowingRule{kConsented, kEngaged,
                  "everybody has signed the same agreement, and no disclosure is unanswered or "
                  "objected to"},
    FollowingRule{kEngaged, kSuspended, "a conflict is disclosed or objected to"},
    FollowingRule{kInSession, kSuspended, "a conflict is disclosed or objected to"},
    FollowingRule{kAgreedInPrinciple, kSuspended, "a conflict is disclosed or objected to"},
    FollowingRule{kSigning, kSuspended, "a conflict is disclosed or objected to"},
};

struct StateName {
  CaseState state;
  const char* name;
};
constexpr std::array kStates = {
    StateName{kNone, "none"},
    StateName{kOpened, "opened"},
    StateName{kRequested, "requested"},
    StateName{kConsented, "consented"},
    StateName{kEngaged, "engaged"},
    StateName{kInSession, "in session"},
    StateName{kSuspended, "suspended"},
    StateName{kAgreedInPrinciple, "agreed in principle"},
    StateName{kSigning, "signing"},
    StateName{kSettled, "settled"},
    StateName{kWithdrawn, "withdrawn"},
    StateName{kImpasse, "impasse"},
    StateName{kTerminated, "terminated"},
    StateName{kClosed, "closed"},
    StateName{kFollowUp, "follow-up"},
    StateName{kReopened, "reopened"},
    StateName{kRetained, "retained"},
    StateName{kDestroyed, "destroyed"},
};

std::string Joined(const std::vector<std::string>& words, const char* last) {
  std::string text;
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? last : ", ";
    text += words[i];
  }
  return text;
}

// Of those whose acts are theirs alone.
const char* RoleWord(Role role) {
  switch (role) {
    case Role::kMediator:
      return "mediator";
    case Role::kCoMediator:
      return "co-mediator";
    case Role::kParty:
      return "party";
    default:
      return "counsel";
  }
}

std::string Becomes(const ActRule& rule) {
  if (rule.quorum == Quorum::kEverySide && rule.to != kNone) {
    return std::string(NameOf(rule.to)) + ", when every side has done it";
  }
  if (rule.quorum == Quorum::kEveryParty) {
    return std::string(NameOf(rule.to)) + ", when every party has done it";
  }
  return rule.to == kNone ? "stays" : NameOf(rule.to);
}

}  // namespace

std::span<const ActRule> ActRules() { return kRules; }
std::span<const FollowingRule> FollowingRules() { return kFollowing; }

const ActRule* FindRule(CaseAct act) {
  const auto found = std::find_if(kRules.begin(), kRules.end(),
                                  [act](const ActRule& rule) { return rule.act == act; });
  return found == kRules.end() ? nullptr : &*found;
}

bool IsOpenTo(CaseAct act, CaseState state) {
  const ActRule* const rule = FindRule(act);
  return rule != nullptr && (rule->from & SetOf(state)) != 0;
}

bool MayFollow(CaseState from, CaseState to) {
  const bool by_act = std::any_of(kRules.begin(), kRules.end(), [&](const ActRule& rule) {
    return rule.to == to && (rule.from & SetOf(from)) != 0;
  });
  return by_act ||
         std::any_of(kFollowing.begin(), kFollowing.end(),
                     [&](const FollowingRule& rule) { return rule.from == from && rule.to == to; });
}

std::string DescribeWho(const ActRule& rule) {
  if (rule.who == kEverybody) return "every participant";
  std::vector<std::string> roles;
  for (const Role role : {Role::kMediator, Role::kCoMediator, Role::kParty, Role::kCounsel}) {
    if ((rule.who & SetOf(role)) != 0) roles.emplace_back(RoleWord(role));
  }
  return Joined(roles, " or ");
}

std::string DescribeFrom(const ActRule& rule) {
  if (rule.from == kAny) return "any";
  std::vector<std::string> states;
  for (const StateName& state : kStates) {
    if (state.state != kNone && (rule.from & SetOf(state.state)) != 0) {
      states.emplace_back(state.name);
    }
  }
  return states.empty() ? "the case's beginning" : Joined(states, ", ");
}

std::string ProcedureDocument() {
  std::string text =
      "# The procedure of a case\n\n"
      "Made from the table in `client-lib/procedure/procedure_table.cc`; a test compares them. "
      "Acts are records in the joint channel. Every\nclient applies them in that channel's order; "
      "one by somebody who may not do it, or in a state that doesn't allow it, is passed\nover by "
      "all of them alike, and shown with its author and the reason. No rule looks at a clock.\n\n"
      "| act | who | from | the state then | what else must hold | meaning | what remains |\n"
      "| --- | --- | --- | --- | --- | --- | --- |\n";
  for (const ActRule& rule : kRules) {
    text += "| `" + std::string(rule.name) + "` | " + DescribeWho(rule) + " | " +
            DescribeFrom(rule) + " | " + Becomes(rule) + " | " + rule.condition + " | " +
            rule.meaning + " | " + rule.evidence + " |\n";
  }
  text += "\nThese follow by themselves:\n\n| from | to | when |\n| --- | --- | --- |\n";
  for (const FollowingRule& rule : kFollowing) {
    text += std::string("| ") + NameOf(rule.from) + " | " + NameOf(rule.to) + " | " + rule.when +
            " |\n";
  }
  text +=
      "\nBefore everybody has signed the same agreement, nothing but these records can be said in "
      "any channel. Later a channel is closed to\ntalk as long as somebody who reads it has not "
      "signed the agreement that is in force.\n";
  return text;
}

const char* NameOf(CaseState state) {
  for (const StateName& entry : kStates) {
    if (entry.state == state) return entry.name;
  }
  return "unknown";
}

const char* NameOf(CaseAct act) {
  const ActRule* const rule = FindRule(act);
  return rule == nullptr ? "unknown" : rule->name;
}

std::optional<CaseAct> ActOf(std::string_view text) {
  for (const ActRule& rule : kRules) {
    if (text == rule.name) return rule.act;
  }
  return std::nullopt;
}

std::string ActsHelp() {
  std::string text;
  for (const ActRule& rule : kRules) {
    // What programs do by themselves, and what has calls of its own.
    if (rule.act == CaseAct::kOpen || rule.act == CaseAct::kListParticipants ||
        rule.act == CaseAct::kProposeAgreement || rule.act == CaseAct::kSign ||
        rule.act == CaseAct::kReportDestruction) {
      continue;
    }
    text += std::string(rule.name) + " (" + DescribeWho(rule) +
            "; while the case is: " + DescribeFrom(rule) + "). " + rule.meaning + "\n";
  }
  return text;
}

}  // namespace parley::client
