// The names of the public enumerations, and the library's version.
#include <array>
#include <utility>

#include "parley/session.h"
#include "parley/status.h"
#include "parley/types.h"
#include "parley/version.h"

namespace parley {
namespace {

constexpr std::array<const char*, 9> kRoles = {"unknown",  "mediator",    "co-mediator",
                                               "party",    "counsel",     "expert",
                                               "observer", "interpreter", "support person"};
constexpr std::array<const char*, 7> kStates = {"unknown", "invited", "waiting", "approved",
                                                "removed", "left",    "expired"};
constexpr std::array<const char*, 6> kKinds = {"unknown",  "joint",   "caucus",
                                               "neutrals", "counsel", "team"};
constexpr std::array<const char*, 3> kStatuses = {"active", "halted", "closed"};
constexpr std::array<const char*, 7> kMessageKinds = {
    "text", "document", "unknown", "disclosure", "notice", "offer", "retracted"};
constexpr std::array<const char*, 5> kFloors = {"unknown", "all", "side", "participant",
                                                "neutrals"};
constexpr std::array<const char*, 6> kAuthorisationStates = {"open",    "used",    "revoked",
                                                             "expired", "invalid", "author gone"};
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
const char* AuthorisationStateName(AuthorisationState state) {
  return NameOf(kAuthorisationStates, state);
}
const char* StatusCodeName(StatusCode code) { return NameOf(kCodes, code); }

const char* LibraryVersion() { return PARLEY_VERSION; }

}  // namespace parley
