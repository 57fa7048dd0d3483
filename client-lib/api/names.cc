// The names of the public enumerations, and the library's version.
#include <array>
#include <utility>

#include "parley/briefs.h"
#include "parley/calendar.h"
#include "parley/documents.h"
#include "parley/session.h"
#include "parley/status.h"
#include "parley/transfers.h"
#include "parley/types.h"
#include "parley/version.h"

namespace parley {
namespace {

constexpr std::array<const char*, 9> kRoles = {"unknown",  "mediator",    "co-mediator",
                                               "party",    "counsel",     "expert",
                                               "observer", "interpreter", "support person"};
constexpr std::array<const char*, 7> kStates = {"unknown", "invited", "waiting", "approved",
                                                "removed", "left",    "expired"};
constexpr std::array<const char*, 7> kKinds = {"unknown", "joint", "caucus", "neutrals",
                                               "counsel", "team",  "group"};
constexpr std::array<const char*, 3> kStatuses = {"active", "halted", "closed"};
constexpr std::array<const char*, 8> kMessageKinds = {
    "text", "document", "unknown", "disclosure", "notice", "offer", "retracted", "destroyed"};
constexpr std::array<const char*, 5> kFloors = {"unknown", "all", "side", "participant",
                                                "neutrals"};
constexpr std::array<const char*, 3> kCalendarKinds = {"unknown", "meeting", "reminder"};
constexpr std::array<const char*, 5> kReplies = {"none", "yes", "maybe", "no", "done"};
constexpr std::array<const char*, 10> kTodos = {"sign",     "act",        "approve",    "text",
                                                "offer",    "offer-ends", "disclosure", "meeting",
                                                "reminder", "retention"};
constexpr std::array<const char*, 6> kAuthorisationStates = {"open",    "used",    "revoked",
                                                             "expired", "invalid", "author gone"};
constexpr std::array<const char*, 4> kDocumentClasses = {"general", "financial", "privileged",
                                                         "settlement"};
constexpr std::array<const char*, 3> kDocumentStates = {"available", "withdrawn", "expired"};
constexpr std::array<const char*, 3> kBriefKinds = {"", "exchanged", "mediator-only"};
constexpr std::array<const char*, 3> kTransferStates = {"interrupted", "running", "paused"};
constexpr std::array<const char*, 4> kBriefStates = {"held", "replaced", "withdrawn", "released"};
constexpr std::array<const char*, 15> kCodes = {"ok",
                                                "invalid argument",
                                                "not found",
                                                "already exists",
                                                "ambiguous",
                                                "permission denied",
                                                "unauthenticated",
                                                "failed precondition",
                                                "resource exhausted",
                                                "unavailable",
                                                "data loss",
                                                "cancelled",
                                                "unimplemented",
                                                "file error",
                                                "internal"};

constexpr std::array<const char*, 4> kOutcomes = {"not cleaned", "none found", "removed", "kept"};

template <size_t N, typename Enum>
const char* NameOf(const std::array<const char*, N>& names, Enum value) {
  const auto index = static_cast<size_t>(value);
  return index < N ? names[index] : "unknown";
}

}  // namespace

const char* DocumentClassName(DocumentClass document_class) {
  return NameOf(kDocumentClasses, document_class);
}

std::optional<DocumentClass> DocumentClassOf(std::string_view name) {
  for (size_t i = 0; i < kDocumentClasses.size(); ++i) {
    if (name == kDocumentClasses[i]) return static_cast<DocumentClass>(i);
  }
  return std::nullopt;
}

const char* DocumentStateName(DocumentState state) { return NameOf(kDocumentStates, state); }
const char* BriefKindName(BriefKind kind) { return NameOf(kBriefKinds, kind); }
const char* TransferStateName(TransferState state) { return NameOf(kTransferStates, state); }
const char* BriefStateName(BriefState state) { return NameOf(kBriefStates, state); }

const char* RoleName(Role role) { return NameOf(kRoles, role); }

std::optional<Role> ParseRole(std::string_view text) {
  if (text == "support-person") return Role::kSupportPerson;
  for (size_t i = 1; i < kRoles.size(); ++i) {
    if (text == kRoles[i]) return static_cast<Role>(i);
  }
  return std::nullopt;
}

const char* ParticipantStateName(ParticipantState state) { return NameOf(kStates, state); }
const char* ChannelKindName(ChannelKind kind) { return NameOf(kKinds, kind); }
const char* ChannelStatusName(ChannelStatus status) { return NameOf(kStatuses, status); }
const char* MessageKindName(MessageKind kind) { return NameOf(kMessageKinds, kind); }
const char* MetadataOutcomeName(MetadataOutcome outcome) { return NameOf(kOutcomes, outcome); }
const char* FloorToName(FloorTo to) { return NameOf(kFloors, to); }
const char* CalendarKindName(CalendarKind kind) { return NameOf(kCalendarKinds, kind); }
const char* CalendarReplyName(CalendarReply reply) { return NameOf(kReplies, reply); }
const char* TodoKindName(TodoKind kind) { return NameOf(kTodos, kind); }
const char* AuthorisationStateName(AuthorisationState state) {
  return NameOf(kAuthorisationStates, state);
}
const char* StatusCodeName(StatusCode code) { return NameOf(kCodes, code); }

const char* LibraryVersion() { return PARLEY_VERSION; }

}  // namespace parley
