#include "client-lib/cases/team.h"

#include <algorithm>

#include "client-lib/cases/key_stock.h"
#include "client-lib/cases/team_records.h"
#include "client-lib/channels/channel_records.h"
#include "client-lib/pairing/device.h"
#include "crypto/primitives/signature.h"

namespace parley::client {
namespace {

// Control keys that wait; a side has few stewards.
constexpr size_t kMostHeard = 16;
constexpr size_t kMostHeardOfOne = 4;

absl::Status RequireSide(const SideView& view) {
  if (view.HasSide()) return absl::OkStatus();
  const CaseRecord& record = view.record;
  if (record.own_state != ParticipantState::kApproved) {
    return absl::PermissionDeniedError(std::string("you don't take part in this case") +
                                       (record.own_state == ParticipantState::kWaiting
                                            ? " yet: the mediator has to approve you first"
                                            : " any more"));
  }
  if (record.IsNeutral()) {
    return absl::PermissionDeniedError(
        "a team channel is one side's own, without the neutrals: only that side's participants "
        "open it and let people in");
  }
  return absl::PermissionDeniedError("you stand on no side, so you have no team channel");
}

// How somebody is known in any channel here.
const RosterMember* FindAnywhere(const SideView& view, const ParticipantId& id) {
  for (const CaseChannel& channel : view.channels) {
    const RosterMember* member = channel.info.state.FindMember(id);
    if (member != nullptr) return member;
  }
  return nullptr;
}

// Whether the caucus rule lets them be in the own side's team.
absl::Status CheckBelongs(const SideView& view, const ParticipantId& id) {
  if (view.OnOwnSide(id) != nullptr) return absl::OkStatus();
  const std::string team = DescribeChannel(ChannelKind::kTeam, view.record.own_side);
  const RosterMember* member = FindAnywhere(view, id);
  if (member == nullptr) return absl::NotFoundError("this case has no such participant");
  if (IsNeutral(member->role)) {
    return absl::InvalidArgumentError(Describe(*member) + " may not be in " + team +
                                      ": a team is one side without the neutrals");
  }
  if (member->side != view.record.own_side) {
    return absl::InvalidArgumentError(
        Describe(*member) + " may not be in " + team + ": a team is of one side alone" +
        (member->side.empty() ? ""
                              : "; who stands on different sides speaks with each other where the "
                                "neutrals are, so ask the mediator for a group"));
  }
  return absl::InvalidArgumentError(Describe(*member) + " isn't in the caucus of " +
                                    view.record.own_side +
                                    " now; sync, and try again when they are");
}

// The team that the call is about, where the owner is a steward.
absl::Status RequireSteward(const SideView& view, const ChannelId& channel) {
  PARLEY_RETURN_IF_ERROR(RequireSide(view));
  if (view.team == nullptr || view.team->id != channel) {
    return absl::FailedPreconditionError("this is not your side's team channel, or it is halted");
  }
  if (view.team->info.committer) return absl::OkStatus();
  std::string names;
  for (const ParticipantId& steward : view.team->info.state.stewards) {
    const RosterMember* member = view.team->info.state.FindMember(steward);
    if (member != nullptr) names += (names.empty() ? "" : ", ") + member->name;
  }
  return absl::PermissionDeniedError("only a steward of the team can do that: ask " + names);
}

// Who becomes a steward beside the founder when nobody is named.
std::vector<ParticipantId> DefaultStewards(const SideView& view,
                                           const std::vector<ParticipantId>& members) {
  for (const Role role : {Role::kCounsel, Role::kParty}) {
    for (const ParticipantId& id : members) {
      const RosterMember* member = view.OnOwnSide(id);
      if (member != nullptr && member->role == role) return {id};
    }
  }
  return {};
}

absl::Status RequireNoTeam(const ReadTransaction& step, const CaseContext& context,
                           const SideView& view) {
  PARLEY_ASSIGN_OR_RETURN(const ChannelChoice choice, ChannelChoice::Load(step, context));
  const std::optional<ChannelId> team = choice.Of(ChannelKind::kTeam, view.record.own_side);
  if (!team.has_value()) return absl::OkStatus();
  return absl::AlreadyExistsError(
      view.team != nullptr
          ? "your side has its team channel already; its stewards let people in"
          : "your side has a team channel, and it is halted; a steward can open it again");
}

// A team that would be over at once isn't opened.
absl::Status CheckFounding(const SideView& view, const std::vector<ParticipantId>& members) {
  ChannelState state;
  state.kind = ChannelKind::kTeam;
  state.side = view.record.own_side;
  for (const RosterMember& member : view.caucus->info.state.members) {
    const ParticipantId& id = member.participant_id;
    if (id == view.record.own_id || HasId(members, id)) state.members.push_back(member);
  }
  const std::string wrong = CheckTeam(state, view.counting).contradiction;
  if (wrong.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "your side's caucus contradicts another channel: " + wrong +
      "; ask the neutrals what is true, and open the team without them or later");
}

absl::Status FoundTeam(Transaction& step, const CaseContext& context, CaseRecord& record,
                       const ChannelId& id) {
  PARLEY_ASSIGN_OR_RETURN(const OwnDevice device, context.Pairings().Device(step));
  NewChannel options;
  options.case_id = record.id;
  options.kind = ChannelKind::kTeam;
  options.side = record.own_side;
  options.self = OwnCredential(device);
  options.name = record.own_name;
  options.role = record.own_role;
  options.own_side = record.own_side;
  options.stewards = {record.own_id};
  options.payment = {Credential::Kind::kVoucher, Secret::CopyOf(record.vouchers.back())};
  record.vouchers.pop_back();
  PARLEY_RETURN_IF_ERROR(context.Channel(id).Create(step, std::move(options)));
  record.channels.push_back(id);
  return context.Records().PutCase(step, record);
}

// Nobody asks anybody to be put out who is alone: the team is over, and another one can count.
absl::Status GiveUpAlone(Transaction step, const CaseContext& context, const ChannelId& channel) {
  PARLEY_RETURN_IF_ERROR(
      context.Channel(channel).Halt(step, "you have left it, and nobody else was in it"));
  PARLEY_ASSIGN_OR_RETURN(CaseRecord record, context.Records().Case(step));
  record.given_up.push_back(channel);
  PARLEY_RETURN_IF_ERROR(context.Records().PutCase(step, record));
  PARLEY_RETURN_IF_ERROR(ForgetDecisions(step, context));
  return step.Commit();
}

}  // namespace

absl::StatusOr<ChannelId> CreateTeam(const CaseContext& context, const NewTeam& asked) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
  SideView view;
  PARLEY_RETURN_IF_ERROR(view.Load(step, context));
  PARLEY_RETURN_IF_ERROR(RequireSide(view));
  PARLEY_RETURN_IF_ERROR(RequireNoTeam(step, context, view));
  if (view.caucus == nullptr) {
    return absl::FailedPreconditionError(
        "your side's caucus isn't there yet, or is halted; the team's members are found through "
        "it: sync, and try again");
  }
  std::vector<ParticipantId> members;
  for (const ParticipantId& id : asked.members) AddId(members, id);
  for (const ParticipantId& id : asked.stewards) AddId(members, id);
  for (const ParticipantId& id : members) PARLEY_RETURN_IF_ERROR(CheckBelongs(view, id));
  if (asked.members.empty()) {
    for (const RosterMember& member : view.caucus->info.state.members) {
      if (view.OnOwnSide(member.participant_id) != nullptr) AddId(members, member.participant_id);
    }
  }
  std::erase(members, view.record.own_id);
  PARLEY_RETURN_IF_ERROR(CheckFounding(view, members));
  CaseRecord record = std::move(view.record);
  if (record.vouchers.empty()) {
    return absl::FailedPreconditionError(
        "this device has nothing to pay for a channel with; sync, and try again when a neutral "
        "has been online");
  }
  PARLEY_ASSIGN_OR_RETURN(TeamRecord team, LoadTeam(step, context));
  team.wanted = members;
  team.dismissed.clear();
  view.record.own_side = record.own_side;
  team.wanted_stewards = asked.stewards.empty() ? DefaultStewards(view, members) : asked.stewards;
  const ChannelId id = RandomId<ChannelId>();
  PARLEY_RETURN_IF_ERROR(FoundTeam(step, context, record, id));
  PARLEY_RETURN_IF_ERROR(PutTeam(step, context, team));
  PARLEY_RETURN_IF_ERROR(step.Commit());
  return id;
}

absl::Status AdmitToTeam(const CaseContext& context, const ChannelId& channel,
                         const ParticipantId& id) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
  SideView view;
  PARLEY_RETURN_IF_ERROR(view.Load(step, context));
  PARLEY_RETURN_IF_ERROR(RequireSteward(view, channel));
  PARLEY_RETURN_IF_ERROR(CheckBelongs(view, id));
  PARLEY_ASSIGN_OR_RETURN(TeamRecord team, LoadTeam(step, context));
  std::erase(team.dismissed, id);
  if (view.team->info.state.FindMember(id) == nullptr) AddId(team.wanted, id);
  PARLEY_RETURN_IF_ERROR(PutTeam(step, context, team));
  return step.Commit();
}

absl::Status DismissFromTeam(const CaseContext& context, const ChannelId& channel,
                             const ParticipantId& id) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
  SideView view;
  PARLEY_RETURN_IF_ERROR(view.Load(step, context));
  PARLEY_RETURN_IF_ERROR(RequireSteward(view, channel));
  if (id == view.record.own_id) {
    return absl::InvalidArgumentError("you can't put yourself out of the team");
  }
  PARLEY_ASSIGN_OR_RETURN(TeamRecord team, LoadTeam(step, context));
  const bool wanted = HasId(team.wanted, id);
  std::erase(team.wanted, id);
  std::erase(team.wanted_stewards, id);
  if (view.team->info.state.FindMember(id) != nullptr) {
    AddId(team.dismissed, id);
  } else if (!wanted) {
    return absl::NotFoundError("they aren't in the team");
  }
  PARLEY_RETURN_IF_ERROR(PutTeam(step, context, team));
  return step.Commit();
}

absl::Status NameSteward(const CaseContext& context, const ChannelId& channel,
                         const ParticipantId& id) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
  SideView view;
  PARLEY_RETURN_IF_ERROR(view.Load(step, context));
  PARLEY_RETURN_IF_ERROR(RequireSteward(view, channel));
  PARLEY_RETURN_IF_ERROR(CheckBelongs(view, id));
  PARLEY_ASSIGN_OR_RETURN(TeamRecord team, LoadTeam(step, context));
  if (view.team->info.state.FindMember(id) == nullptr && !HasId(team.wanted, id)) {
    return absl::FailedPreconditionError(
        view.OnOwnSide(id)->name + " isn't in the team; let them in first, then name them steward");
  }
  AddId(team.wanted_stewards, id);
  PARLEY_RETURN_IF_ERROR(PutTeam(step, context, team));
  return step.Commit();
}

absl::Status LeaveTeam(const CaseContext& context, const ChannelId& channel) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
  PARLEY_ASSIGN_OR_RETURN(const ChannelInfo info, context.Channel(channel).Info(step));
  const std::string name = DescribeChannel(info.state.kind, info.state.side);
  if (info.state.kind != ChannelKind::kTeam) {
    return absl::InvalidArgumentError(
        name + " isn't a team: ask a neutral to put you out of it, or leave the case");
  }
  if (info.state.members.size() == 1) return GiveUpAlone(std::move(step), context, channel);
  PARLEY_ASSIGN_OR_RETURN(const OwnDevice device, context.Pairings().Device(step));
  PARLEY_ASSIGN_OR_RETURN(const std::vector<ParticipantId> leavers,
                          context.Channel(channel).Leavers(step));
  const auto stays = [&](const ParticipantId& steward) {
    return steward != device.participant_id && !HasId(leavers, steward);
  };
  if (info.committer &&
      std::none_of(info.state.stewards.begin(), info.state.stewards.end(), stays)) {
    return absl::FailedPreconditionError(
        "no other steward stays in " + name +
        ": without one nobody could be let in or put out any more; name another first (parley "
        "channel steward)");
  }
  if (info.leaving) return absl::OkStatus();
  PARLEY_RETURN_IF_ERROR(context.Channel(channel).Leave(step));
  PARLEY_RETURN_IF_ERROR(ForgetDecisions(step, context));
  return step.Commit();
}

absl::Status ReopenTeam(const CaseContext& context, const ChannelId& channel, bool mailbox_lost) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
  SideView view;
  PARLEY_RETURN_IF_ERROR(view.Load(step, context));
  PARLEY_RETURN_IF_ERROR(RequireSide(view));
  PARLEY_ASSIGN_OR_RETURN(const ChannelInfo info, context.Channel(channel).Info(step));
  if (!info.committer) {
    return absl::PermissionDeniedError("only a steward of the team can open it anew");
  }
  if (info.standing != Standing::kHalted && !mailbox_lost) {
    return absl::FailedPreconditionError("the channel " +
                                         DescribeChannel(info.state.kind, info.state.side) +
                                         " isn't halted, so there is nothing to reopen");
  }
  if (view.record.vouchers.empty()) {
    return absl::FailedPreconditionError(
        "this device has nothing to pay for a channel with; sync, and try again when a neutral "
        "has been online");
  }
  PARLEY_ASSIGN_OR_RETURN(TeamRecord team, LoadTeam(step, context));
  for (const RosterMember& member : info.state.members) {
    const bool own = member.participant_id == view.record.own_id;
    if (!own && view.OnOwnSide(member.participant_id) != nullptr) {
      AddId(team.wanted, member.participant_id);
      if (info.state.IsCommitter(member.participant_id)) {
        AddId(team.wanted_stewards, member.participant_id);
      }
    }
  }
  PARLEY_ASSIGN_OR_RETURN(const OwnDevice device, context.Pairings().Device(step));
  MailboxPayment payment = {Credential::Kind::kVoucher,
                            Secret::CopyOf(view.record.vouchers.back())};
  view.record.vouchers.pop_back();
  std::erase(view.record.given_up, channel);
  PARLEY_RETURN_IF_ERROR(context.Channel(channel).Reopen(step, std::move(payment),
                                                         OwnCredential(device), mailbox_lost));
  PARLEY_RETURN_IF_ERROR(context.Records().PutCase(step, view.record));
  PARLEY_RETURN_IF_ERROR(PutTeam(step, context, team));
  return step.Commit();
}

absl::StatusOr<bool> PayAnew(Transaction& step, const CaseContext& context,
                             const ChannelId& channel) {
  PARLEY_ASSIGN_OR_RETURN(const ChannelInfo info, context.Channel(channel).Info(step));
  PARLEY_ASSIGN_OR_RETURN(CaseRecord record, context.Records().Case(step));
  if (info.state.kind != ChannelKind::kTeam || info.mailbox_made || record.vouchers.empty()) {
    return false;
  }
  PaymentRecord payment;
  payment.kind = static_cast<uint8_t>(Credential::Kind::kVoucher);
  payment.bytes = Secret::CopyOf(record.vouchers.back());
  record.vouchers.pop_back();
  PARLEY_RETURN_IF_ERROR(StoreRecord(
      step, RecordClass::kKeys, ChannelNames(channel).Payment(info.state.incarnation), payment));
  PARLEY_RETURN_IF_ERROR(context.Records().PutCase(step, record));
  return true;
}

absl::StatusOr<bool> IsTeam(const CaseContext& context, const ChannelId& channel) {
  PARLEY_ASSIGN_OR_RETURN(const ReadTransaction read, context.store->Read());
  PARLEY_ASSIGN_OR_RETURN(const ChannelInfo info, context.Channel(channel).Info(read));
  return info.state.kind == ChannelKind::kTeam;
}

bool IsLastSteward(const ChannelInfo& team) {
  return team.state.kind == ChannelKind::kTeam && team.committer &&
         team.state.stewards.size() == 1 && team.state.members.size() > 1;
}

absl::Status TakeControlKey(Transaction& step, const CaseContext& context, const Pairing& pairing,
                            const content::v1::ControlKey& key) {
  const std::optional<ChannelId> channel = IdFrom<ChannelId>(key.channel_id());
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord record, context.Records().Case(step));
  if (record.IsNeutral() || IsNeutral(static_cast<Role>(pairing.peer_role))) {
    return absl::PermissionDeniedError("a message that its sender may not send: a control key");
  }
  if (!channel.has_value() || key.control_seed().size() != crypto::kSignatureSeedSize) {
    return absl::InvalidArgumentError("a control key that isn't one");
  }
  PARLEY_ASSIGN_OR_RETURN(TeamRecord team, LoadTeam(step, context));
  const auto of_sender = [&](const HeardControl& heard) { return heard.from == pairing.peer; };
  const auto drop_first = [&team](const auto& which) {
    const auto found = std::find_if(team.heard.begin(), team.heard.end(), which);
    if (found != team.heard.end()) team.heard.erase(found);
  };
  if (std::count_if(team.heard.begin(), team.heard.end(), of_sender) >=
      static_cast<ptrdiff_t>(kMostHeardOfOne)) {
    drop_first(of_sender);
  } else if (team.heard.size() >= kMostHeard) {
    drop_first([](const HeardControl&) { return true; });
  }
  team.heard.push_back(
      {pairing.peer, *channel, Secret::CopyOf(crypto::ViewOf(key.control_seed()))});
  return PutTeam(step, context, team);
}

}  // namespace parley::client
