#include "client-lib/cases/further_channels.h"

#include <algorithm>

#include "client-lib/cases/membership.h"
#include "client-lib/cases/naming.h"
#include "client-lib/cases/neutrals_log.h"
#include "client-lib/cases/procedure_gate.h"
#include "client-lib/channels/caucus_rule.h"
#include "client-lib/channels/names.h"
#include "client-lib/content/folded_text.h"
#include "client-lib/content/shown_text.h"

namespace parley::client {
namespace {

RosterMember AsMember(const PersonRecord& person) {
  RosterMember member;
  member.name = person.name;
  member.role = person.role;
  member.side = person.side;
  return member;
}

std::string Described(const PersonRecord& person) { return Describe(AsMember(person)); }

bool IsAdmitted(const PersonRecord& person, const ChannelId& channel) {
  return std::find(person.admitted.begin(), person.admitted.end(), channel) !=
         person.admitted.end();
}

absl::StatusOr<PersonRecord> Known(const ReadTransaction& step, const CaseContext& context,
                                   const ParticipantId& id) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<PersonRecord> person, context.Records().Person(step, id));
  if (!person.has_value()) return absl::NotFoundError("this case has no such participant");
  return std::move(*person);
}

// Whom the rule lets into each kind, for people.
const char* RuleOf(ChannelKind kind) {
  switch (kind) {
    case ChannelKind::kCounsel:
      return "the neutrals, all counsel, and experts or interpreters whom the neutrals admit";
    case ChannelKind::kCaucus:
      return "the neutrals and one side, and who has no side where the neutrals admit them";
    case ChannelKind::kNeutrals:
      return "the mediator and co-mediators";
    default:
      return "those whom the neutrals admit";
  }
}

// Whether somebody can be let into such a channel by admitting them.
absl::Status CheckAdmission(const PersonRecord& person, ChannelKind kind, const std::string& side) {
  const std::string channel = DescribeChannel(kind, side);
  if (!person.TakesPart()) {
    return absl::FailedPreconditionError(person.name + " doesn't take part in the case");
  }
  if (!MayBeIn(kind, side, person.role, person.side)) {
    return absl::InvalidArgumentError(Described(person) + " may not be in " + channel +
                                      ": it is for " + RuleOf(kind));
  }
  const bool by_role = kind == ChannelKind::kCounsel && person.role == Role::kCounsel;
  const bool by_side =
      !person.side.empty() && kind != ChannelKind::kCounsel && kind != ChannelKind::kGroup;
  if (IsNeutral(person.role) || by_role || by_side) {
    return absl::InvalidArgumentError(Described(person) + " is in " + channel +
                                      " by their role and side, and needn't be admitted");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> NameOf(const ChannelRequest& request) {
  if (request.kind == ChannelKind::kCounsel) {
    if (request.name.empty()) return std::string();
    return absl::InvalidArgumentError("the counsel channel has no name of its own");
  }
  if (request.kind != ChannelKind::kGroup) {
    return absl::InvalidArgumentError(
        "a neutral opens the counsel channel or a group; each side's caucus opens by itself");
  }
  std::string name(Trimmed(request.name));
  PARLEY_RETURN_IF_ERROR(CheckName("the group's name", name));
  if (!IsGroupName(name)) {
    return absl::InvalidArgumentError(
        "a group may not be called as channels of another kind are, nor have a colon in its name: "
        "choose another name");
  }
  if (request.members.empty()) {
    return absl::InvalidArgumentError("a group needs members: name who is to be in it");
  }
  return name;
}

absl::Status RequireNew(const ChannelChoice& choice, const CaseRecord& record, ChannelKind kind,
                        const std::string& name) {
  const auto is_it = [&](const NamedChannel& named) {
    return static_cast<ChannelKind>(named.kind) == kind && Folded(named.side) == Folded(name);
  };
  const std::vector<NamedChannel> names = choice.Names();
  if (std::none_of(names.begin(), names.end(), is_it) &&
      std::none_of(record.naming.begin(), record.naming.end(), is_it)) {
    return absl::OkStatus();
  }
  return absl::AlreadyExistsError("this case has the channel " + DescribeChannel(kind, name) +
                                  " already");
}

}  // namespace

absl::StatusOr<ChannelId> CreateFurtherChannel(const CaseContext& context,
                                               const ChannelRequest& request) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
  PARLEY_ASSIGN_OR_RETURN(CaseRecord record, context.Records().Case(step));
  PARLEY_RETURN_IF_ERROR(RequireNeutral(record, "open such a channel"));
  PARLEY_ASSIGN_OR_RETURN(const std::string name, NameOf(request));
  PARLEY_ASSIGN_OR_RETURN(const ChannelId neutrals, NeutralsChannel(step, context));
  PARLEY_ASSIGN_OR_RETURN(const ChannelChoice choice, ChannelChoice::Load(step, context));
  if (record.sponsor_token.empty() || !choice.Briefed()) {
    return absl::FailedPreconditionError(
        "this device hasn't been given the case's connection to the relay yet; sync, and try again "
        "when the mediator has been online");
  }
  PARLEY_RETURN_IF_ERROR(RequireNew(choice, record, request.kind, name));
  std::vector<PersonRecord> members;
  for (const ParticipantId& id : request.members) {
    PARLEY_ASSIGN_OR_RETURN(PersonRecord person, Known(step, context, id));
    PARLEY_RETURN_IF_ERROR(CheckAdmission(person, request.kind, name));
    PARLEY_RETURN_IF_ERROR(CheckMayRead(step, context, AsMember(person), request.kind));
    PARLEY_RETURN_IF_ERROR(CheckIsBound(step, context, person.id, person.name));
    members.push_back(std::move(person));
  }
  const NamedChannel named{RandomId<ChannelId>(), static_cast<uint8_t>(request.kind), name, {}};
  PARLEY_RETURN_IF_ERROR(PostNames(step, context, neutrals, record, {named}));
  for (PersonRecord& person : members) {
    if (IsAdmitted(person, named.channel_id)) continue;
    person.admitted.push_back(named.channel_id);
    PARLEY_RETURN_IF_ERROR(PostRecord(step, context, neutrals, person));
    PARLEY_RETURN_IF_ERROR(context.Records().PutPerson(step, person));
  }
  PARLEY_RETURN_IF_ERROR(context.Records().PutCase(step, record));
  PARLEY_RETURN_IF_ERROR(step.Commit());
  return named.channel_id;
}

absl::Status Admit(const CaseContext& context, const ChannelId& channel, const ParticipantId& id) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
  PARLEY_ASSIGN_OR_RETURN(CaseRecord record, context.Records().Case(step));
  PARLEY_RETURN_IF_ERROR(RequireNeutral(record, "admit participants to a channel"));
  PARLEY_ASSIGN_OR_RETURN(PersonRecord person, Known(step, context, id));
  PARLEY_ASSIGN_OR_RETURN(ChannelInfo info, context.Channel(channel).Info(step));
  PARLEY_RETURN_IF_ERROR(CheckAdmission(person, info.state.kind, info.state.side));
  PARLEY_RETURN_IF_ERROR(CheckMayRead(step, context, AsMember(person), info.state.kind));
  if (info.state.kind != ChannelKind::kJoint) {
    PARLEY_RETURN_IF_ERROR(CheckIsBound(step, context, person.id, person.name));
  }
  if (IsAdmitted(person, channel)) return absl::OkStatus();
  PARLEY_ASSIGN_OR_RETURN(ChannelId neutrals, NeutralsChannel(step, context));
  person.admitted.push_back(channel);
  PARLEY_RETURN_IF_ERROR(PostRecord(step, context, neutrals, person));
  PARLEY_RETURN_IF_ERROR(context.Records().PutPerson(step, person));
  return step.Commit();
}

absl::Status Dismiss(const CaseContext& context, const ChannelId& channel,
                     const ParticipantId& id) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
  PARLEY_ASSIGN_OR_RETURN(CaseRecord record, context.Records().Case(step));
  PARLEY_RETURN_IF_ERROR(RequireNeutral(record, "put participants out of a channel"));
  PARLEY_ASSIGN_OR_RETURN(PersonRecord person, Known(step, context, id));
  PARLEY_ASSIGN_OR_RETURN(ChannelInfo info, context.Channel(channel).Info(step));
  const std::string name = DescribeChannel(info.state.kind, info.state.side);
  if (!IsAdmitted(person, channel)) {
    if (info.state.FindMember(id) == nullptr) {
      return absl::NotFoundError(person.name + " isn't in " + name);
    }
    return absl::InvalidArgumentError(Described(person) + " is in " + name +
                                      " by their role and side; remove them from the case instead");
  }
  PARLEY_ASSIGN_OR_RETURN(ChannelId neutrals, NeutralsChannel(step, context));
  std::erase(person.admitted, channel);
  // Who can't sign the agreement to mediate any more reads nothing that is said under it.
  PARLEY_ASSIGN_OR_RETURN(const bool signs, KeepsProcedure(step, context));
  if (signs && info.state.kind == ChannelKind::kJoint) person.admitted.clear();
  PARLEY_RETURN_IF_ERROR(PostRecord(step, context, neutrals, person));
  PARLEY_RETURN_IF_ERROR(context.Records().PutPerson(step, person));
  return step.Commit();
}

}  // namespace parley::client
