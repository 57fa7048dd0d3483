// Channels beside those that each case has: teams, the counsel channel, groups; who is in them.
#include "client-lib/cases/further_channels.h"

#include "client-lib/api/profile_impl.h"
#include "client-lib/cases/membership.h"
#include "client-lib/cases/naming.h"
#include "client-lib/cases/team.h"
#include "client-lib/firewall/firewall.h"

namespace parley {

using client::CaseContext;

namespace {

// What others have decided meanwhile comes first, as far as the relay can be reached: a
// participant's record says all channels that they are let into, so it builds on the latest one.
SyncOptions OnlyCase(const CaseId& id) {
  SyncOptions options;
  options.case_id = id;
  return options;
}

// A group's name is read by all who are in it, or come into it: nothing may stand in it that
// couldn't be said to everybody in the joint channel.
absl::Status CheckGroupName(const CaseContext& context, const std::string& name) {
  std::optional<ChannelId> joint;
  {
    PARLEY_ASSIGN_OR_RETURN(const client::ReadTransaction read, context.store->Read());
    PARLEY_ASSIGN_OR_RETURN(const client::ChannelChoice choice,
                            client::ChannelChoice::Load(read, context));
    joint = choice.Of(ChannelKind::kJoint);
  }
  if (!joint.has_value()) {
    return absl::FailedPreconditionError(
        "the joint channel isn't there yet; sync, and try again when the mediator has been online");
  }
  PARLEY_RETURN_IF_ERROR(client::Firewall::BringUpToDate(context));
  PARLEY_ASSIGN_OR_RETURN(client::Transaction step, context.store->Begin());
  PARLEY_ASSIGN_OR_RETURN(const client::Firewall firewall,
                          client::Firewall::Create(step, context, *joint));
  return firewall.CheckText(step, name);
}

// Empty for a channel of another kind.
absl::StatusOr<std::string> GroupName(const CaseContext& context, const ChannelId& channel) {
  PARLEY_ASSIGN_OR_RETURN(const client::ReadTransaction read, context.store->Read());
  PARLEY_ASSIGN_OR_RETURN(const client::ChannelInfo info, context.Channel(channel).Info(read));
  return info.state.kind == ChannelKind::kGroup ? info.state.side : std::string();
}

}  // namespace

absl::StatusOr<Channel> Profile::Impl::CreateChannel(const CaseId& id,
                                                     const ChannelRequest& request) {
  Sync(OnlyCase(id)).status().IgnoreError();
  ChannelId made;
  const absl::Status decided = Decide(id, [&](const CaseContext& context) -> absl::Status {
    if (request.kind == ChannelKind::kTeam) {
      PARLEY_ASSIGN_OR_RETURN(made,
                              client::CreateTeam(context, {request.members, request.stewards}));
      return absl::OkStatus();
    }
    if (request.kind == ChannelKind::kGroup) {
      PARLEY_RETURN_IF_ERROR(CheckGroupName(context, request.name));
    }
    PARLEY_ASSIGN_OR_RETURN(made, client::CreateFurtherChannel(context, request));
    return absl::OkStatus();
  });
  PARLEY_RETURN_IF_ERROR(decided);
  absl::StatusOr<Channel> channel = GetChannel({id, made});
  if (!absl::IsNotFound(channel.status())) return channel;
  return absl::FailedPreconditionError(
      "the channel was decided on, and isn't open yet: another neutral's comes first, or a later "
      "sync opens it");
}

absl::Status Profile::Impl::Admit(const ChannelRef& channel, const ParticipantId& participant) {
  Sync(OnlyCase(channel.case_id)).status().IgnoreError();
  std::vector<client::CaseProblem> problems;
  PARLEY_RETURN_IF_ERROR(Decide(
      channel.case_id,
      [&](const CaseContext& context) -> absl::Status {
        PARLEY_ASSIGN_OR_RETURN(const bool team, client::IsTeam(context, channel.channel_id));
        if (team) return client::AdmitToTeam(context, channel.channel_id, participant);
        // Another neutral's program may have let the name pass.
        PARLEY_ASSIGN_OR_RETURN(const std::string name, GroupName(context, channel.channel_id));
        const absl::Status named = name.empty() ? absl::OkStatus() : CheckGroupName(context, name);
        if (!named.ok()) return named;
        return client::Admit(context, channel.channel_id, participant);
      },
      &problems));
  return CheckCarriedOut(channel.case_id, participant, /*put_out=*/false, problems);
}

absl::Status Profile::Impl::Dismiss(const ChannelRef& channel, const ParticipantId& participant) {
  Sync(OnlyCase(channel.case_id)).status().IgnoreError();
  return Decide(channel.case_id, [&](const CaseContext& context) -> absl::Status {
    PARLEY_ASSIGN_OR_RETURN(const bool team, client::IsTeam(context, channel.channel_id));
    if (team) return client::DismissFromTeam(context, channel.channel_id, participant);
    return client::Dismiss(context, channel.channel_id, participant);
  });
}

absl::Status Profile::Impl::LeaveTeam(const ChannelRef& channel) {
  return Decide(channel.case_id, [&](const CaseContext& context) {
    return client::LeaveTeam(context, channel.channel_id);
  });
}

absl::Status Profile::Impl::NameSteward(const ChannelRef& channel,
                                        const ParticipantId& participant) {
  return Decide(channel.case_id, [&](const CaseContext& context) {
    return client::NameSteward(context, channel.channel_id, participant);
  });
}

}  // namespace parley
