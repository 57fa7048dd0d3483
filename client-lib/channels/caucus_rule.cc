#include "client-lib/channels/caucus_rule.h"

#include "client-lib/channels/names.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

enum class Who { kNobody, kSameSide, kAnybody };

// One row for each kind: who of each group may be in. "Others" are experts, observers, interpreters
// and support persons.
struct Rule {
  ChannelKind kind;
  bool has_side;  // or, of a group, a name
  Who neutrals;
  Who parties;
  Who counsel;
  Who experts_and_interpreters;
  Who observers_and_support;
};

constexpr Rule kRules[] = {
    {ChannelKind::kJoint, false, Who::kAnybody, Who::kAnybody, Who::kAnybody, Who::kAnybody,
     Who::kAnybody},
    {ChannelKind::kCaucus, true, Who::kAnybody, Who::kSameSide, Who::kSameSide, Who::kSameSide,
     Who::kSameSide},
    {ChannelKind::kNeutrals, false, Who::kAnybody, Who::kNobody, Who::kNobody, Who::kNobody,
     Who::kNobody},
    {ChannelKind::kCounsel, false, Who::kAnybody, Who::kNobody, Who::kAnybody, Who::kAnybody,
     Who::kNobody},
    {ChannelKind::kTeam, true, Who::kNobody, Who::kSameSide, Who::kSameSide, Who::kSameSide,
     Who::kSameSide},
    // Whom the neutrals name; that a neutral is in it follows from who may open it.
    {ChannelKind::kGroup, true, Who::kAnybody, Who::kAnybody, Who::kAnybody, Who::kAnybody,
     Who::kAnybody},
};

const Rule* FindRule(ChannelKind kind) {
  for (const Rule& rule : kRules) {
    if (rule.kind == kind) return &rule;
  }
  return nullptr;
}

Who WhoOf(const Rule& rule, Role role) {
  switch (role) {
    case Role::kMediator:
    case Role::kCoMediator:
      return rule.neutrals;
    case Role::kParty:
      return rule.parties;
    case Role::kCounsel:
      return rule.counsel;
    case Role::kExpert:
    case Role::kInterpreter:
      return rule.experts_and_interpreters;
    case Role::kObserver:
    case Role::kSupportPerson:
      return rule.observers_and_support;
    case Role::kUnknown:
      break;
  }
  return Who::kNobody;
}

// Neutrals have no side, parties and counsel have one; the others may.
absl::Status CheckSideOf(const RosterMember& member) {
  const bool side = !member.side.empty();
  if (IsNeutral(member.role) && side) {
    return absl::PermissionDeniedError(Describe(member) + " is a neutral and has a side");
  }
  if ((member.role == Role::kParty || member.role == Role::kCounsel) && !side) {
    return absl::PermissionDeniedError(Describe(member) + " has no side");
  }
  return absl::OkStatus();
}

}  // namespace

bool MayBeIn(ChannelKind kind, const std::string& channel_side, Role role,
             const std::string& member_side) {
  const Rule* rule = FindRule(kind);
  if (rule == nullptr) return false;
  switch (WhoOf(*rule, role)) {
    case Who::kNobody:
      return false;
    case Who::kSameSide:
      return member_side == channel_side;
    case Who::kAnybody:
      return true;
  }
  return false;
}

absl::Status CheckCaucusRule(const ChannelState& state) {
  const Rule* rule = FindRule(state.kind);
  if (rule == nullptr) return absl::PermissionDeniedError("the kind of channel is unknown");
  const std::string channel = DescribeChannel(state.kind, state.side);
  if (rule->has_side && state.side.empty()) {
    return absl::PermissionDeniedError(
        "the channel " + channel +
        (state.kind == ChannelKind::kGroup ? " has no name" : " has no side"));
  }
  if (state.kind == ChannelKind::kGroup && !IsGroupName(state.side)) {
    return absl::PermissionDeniedError("the channel " + channel +
                                       " is called as one of another kind");
  }
  if (!rule->has_side && !state.side.empty()) {
    return absl::PermissionDeniedError("the channel " + channel + " must have no side");
  }
  for (const RosterMember& member : state.members) {
    PARLEY_RETURN_IF_ERROR(CheckSideOf(member));
    if (!MayBeIn(state.kind, state.side, member.role, member.side)) {
      return absl::PermissionDeniedError(Describe(member) + " may not be in the channel " +
                                         channel);
    }
  }
  return absl::OkStatus();
}

}  // namespace parley::client
