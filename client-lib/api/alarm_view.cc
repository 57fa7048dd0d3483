// What the owner should know and do something about: Profile::Alarms.
#include <algorithm>

#include "client-lib/api/calendar_view.h"
#include "client-lib/api/inbox_alarms.h"
#include "client-lib/api/procedure_view.h"
#include "client-lib/api/retention.h"
#include "client-lib/api/session_view.h"
#include "client-lib/api/views.h"
#include "client-lib/cases/membership.h"
#include "client-lib/cases/naming.h"
#include "client-lib/cases/opening.h"
#include "client-lib/cases/reconcile.h"
#include "client-lib/cases/team_records.h"
#include "client-lib/firewall/disclosures.h"
#include "client-lib/firewall/offer_log.h"
#include "client-lib/pairing/device.h"

namespace parley::client {
namespace {

constexpr uint64_t kDay = 24 * 60 * 60;
constexpr uint64_t kConfirmationIsOldSeconds = 7 * kDay;

AlarmKind KindOf(ChannelAlarmKind kind) {
  switch (kind) {
    case ChannelAlarmKind::kHalted:
      return AlarmKind::kHalted;
    case ChannelAlarmKind::kRestored:
      return AlarmKind::kRestored;
    case ChannelAlarmKind::kRefused:
      return AlarmKind::kRefused;
    case ChannelAlarmKind::kReopened:
      return AlarmKind::kReopened;
    default:
      return AlarmKind::kFork;
  }
}

// Alarms of one channel.
void AddChannelAlarms(const CaseId& id, const CaseChannel& channel, uint64_t now,
                      std::vector<Alarm>& alarms) {
  const ChannelRef ref{id, channel.id};
  const std::string name = DescribeChannel(channel.info.state.kind, channel.info.state.side);
  for (const ChannelAlarm& alarm : channel.info.alarms) {
    // An incarnation that was replaced has been dealt with.
    if (alarm.kind == ChannelAlarmKind::kHalted &&
        alarm.incarnation < channel.info.state.incarnation) {
      continue;
    }
    const bool names_channel = alarm.text.find(name) != std::string::npos;
    alarms.push_back({KindOf(alarm.kind), id, ref, alarm.author,
                      names_channel ? alarm.text : name + ": " + alarm.text});
  }
  if (channel.info.passed_over > 0) {
    alarms.push_back({AlarmKind::kPassedOver, id, ref, std::nullopt,
                      std::to_string(channel.info.passed_over) + " entries of " + name +
                          " could not be opened or verified, and were passed over"});
  }
  // Others could confirm it since they came or, for who came to them, since then.
  const uint64_t since = std::max(channel.info.confirmed_at, channel.info.company_since);
  if (channel.info.standing == Standing::kActive && channel.info.company_since != 0 &&
      since + kConfirmationIsOldSeconds < now) {
    alarms.push_back(
        {AlarmKind::kStaleCheckpoint, id, ref, std::nullopt,
         "nobody has confirmed the log of " + name + " since " + DateText(since) + ", " +
             std::to_string((now - since) / kDay) +
             " days ago: others may be silent, or the relay may keep back what they say; ask "
             "another member by another way, and to come online"});
  }
}

absl::Status AddNeverSent(const ReadTransaction& step, const CaseContext& context,
                          const CaseChannel& channel, std::vector<Alarm>& alarms) {
  PARLEY_ASSIGN_OR_RETURN(const uint64_t seen, SeenNeverSent(step, context, channel.id));
  const uint64_t count = channel.info.never_sent;
  if (count <= seen) return absl::OkStatus();
  alarms.push_back(
      {AlarmKind::kNeverSent, context.id, ChannelRef{context.id, channel.id}, std::nullopt,
       std::to_string(count) + (count == 1 ? " message" : " messages") + " of yours waited for " +
           DescribeChannel(channel.info.state.kind, channel.info.state.side) +
           (count == 1 ? " and is never sent; it is kept"
                       : " and are never sent; "
                         "they are kept") +
           ", with the reason, beside what you received there"});
  return absl::OkStatus();
}

// What the records ask for and the rosters don't show.
void AddWaitingJobs(const CaseId& id, const std::vector<PersonRecord>& people,
                    const std::vector<CaseChannel>& channels, const ChannelChoice& choice,
                    const std::optional<ChannelId>& signing_in, std::vector<Alarm>& alarms) {
  for (const PersonRecord& person : people) {
    for (const CaseChannel& channel : channels) {
      if (channel.info.standing != Standing::kActive) continue;
      const bool in = channel.info.state.FindMember(person.id) != nullptr;
      const bool gone =
          person.state == ParticipantState::kRemoved || person.state == ParticipantState::kLeft;
      const std::string name = DescribeChannel(channel.info.state.kind, channel.info.state.side);
      if (in && gone) {
        alarms.push_back({AlarmKind::kJobWaiting, id, ChannelRef{id, channel.id}, person.id,
                          person.name + " is still in " + name + "; sync to finish the removal"});
      } else if (!in && choice.Counts(channel) &&
                 BelongsIn(person, channel.id, channel.info.state, signing_in)) {
        alarms.push_back({AlarmKind::kJobWaiting, id, ChannelRef{id, channel.id}, person.id,
                          person.name + " isn't in " + name +
                              " yet; sync, or wait until their device has been online"});
      }
    }
  }
}

// Of a team: whom a steward has still to let in or put out, and who is in it unknown.
absl::Status AddTeamAlarms(const ReadTransaction& step, const CaseContext& context,
                           std::vector<Alarm>& alarms) {
  SideView view;
  PARLEY_RETURN_IF_ERROR(view.Load(step, context));
  if (!view.HasSide() || view.team == nullptr) return absl::OkStatus();
  const ChannelState& team = view.team->info.state;
  const ChannelRef ref{context.id, view.team->id};
  const std::string name = DescribeChannel(team.kind, team.side);
  const TeamCheck check = CheckTeam(team, view.counting);
  for (const std::string& doubt : check.doubts) {
    alarms.push_back({AlarmKind::kRefused, context.id, ref, std::nullopt,
                      name + " goes on, though " + doubt.substr(std::string("it ").size()) +
                          ": ask the neutrals who said that there"});
  }
  for (const std::string& who : check.unknown) {
    alarms.push_back({AlarmKind::kRefused, context.id, ref, std::nullopt,
                      who + " reads " + name +
                          ", and no other channel here shows them; ask its stewards who that is"});
  }
  PARLEY_ASSIGN_OR_RETURN(const TeamRecord record, LoadTeam(step, context));
  for (const ParticipantId& id : record.wanted) {
    const RosterMember* member = view.OnOwnSide(id);
    if (member == nullptr || team.FindMember(id) != nullptr) continue;
    alarms.push_back({AlarmKind::kJobWaiting, context.id, ref, id,
                      member->name + " isn't in " + name +
                          " yet; they come in when their program has been online, and yours then"});
  }
  for (const ParticipantId& id : record.dismissed) {
    const RosterMember* member = team.FindMember(id);
    if (member == nullptr) continue;
    alarms.push_back({AlarmKind::kJobWaiting, context.id, ref, id,
                      member->name + " is still in " + name + "; sync to finish the removal"});
  }
  return absl::OkStatus();
}

// What was said in a channel and doesn't count. Of a case that is being destroyed nobody is
// accused: what would show that it was right may be gone.
absl::Status AddRefusedRecords(const ReadTransaction& step, const CaseContext& context,
                               std::vector<Alarm>& alarms) {
  const CaseId& id = context.id;
  PARLEY_ASSIGN_OR_RETURN(const bool destroying, IsDestroying(step, context));
  if (destroying) return absl::OkStatus();
  PARLEY_ASSIGN_OR_RETURN(const auto refused, RefusedDisclosures(step, context));
  for (const auto& [channel, text] : refused) {
    alarms.push_back({AlarmKind::kRefused, id, ChannelRef{id, channel}, std::nullopt, text});
  }
  PARLEY_ASSIGN_OR_RETURN(const auto releases, RefusedReleases(step, context));
  for (const auto& [channel, text] : releases) {
    alarms.push_back({AlarmKind::kRefused, id, ChannelRef{id, channel}, std::nullopt, text});
  }
  PARLEY_ASSIGN_OR_RETURN(const auto offers, RefusedOffers(step, context));
  for (const auto& [channel, text] : offers) {
    alarms.push_back({AlarmKind::kRefused, id, ChannelRef{id, channel}, std::nullopt, text});
  }
  PARLEY_ASSIGN_OR_RETURN(const auto calendar, RefusedCalendar(step, context));
  for (const auto& [channel, text] : calendar) {
    alarms.push_back({AlarmKind::kRefused, id, ChannelRef{id, channel}, std::nullopt, text});
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<Alarm>> ViewAlarms(const ReadTransaction& step,
                                              const CaseContext& context) {
  std::vector<Alarm> alarms;
  const CaseId& id = context.id;
  PARLEY_ASSIGN_OR_RETURN(std::vector<MadeInvitation> invitations,
                          context.Pairings().invitations.All(step));
  for (const MadeInvitation& invitation : invitations) {
    const ParticipantId who = invitation.state == InvitationState::kUsed
                                  ? invitation.participant
                                  : InvitationEntryId(invitation);
    PARLEY_ASSIGN_OR_RETURN(size_t settled, SettledAlarms(step, context, invitation));
    for (size_t i = settled; i < invitation.alarms.size(); ++i) {
      alarms.push_back(
          {AlarmKind::kInvitationUsedTwice, id, std::nullopt, who, invitation.alarms[i]});
    }
  }
  PARLEY_ASSIGN_OR_RETURN(std::vector<CaseChannel> channels, ChannelsOf(step, context));
  for (const CaseChannel& channel : channels) {
    AddChannelAlarms(id, channel, context.now_seconds(), alarms);
    PARLEY_RETURN_IF_ERROR(AddNeverSent(step, context, channel, alarms));
  }
  PARLEY_RETURN_IF_ERROR(AddInboxAlarms(step, context, alarms));
  PARLEY_RETURN_IF_ERROR(AddProcedureAlarms(step, context, alarms));
  PARLEY_RETURN_IF_ERROR(AddSessionAlarms(step, context, alarms));
  PARLEY_ASSIGN_OR_RETURN(CaseRecord record, context.Records().Case(step));
  for (const std::string& text : record.refused) {
    alarms.push_back({AlarmKind::kRefused, id, std::nullopt, std::nullopt, text});
  }
  PARLEY_RETURN_IF_ERROR(AddRefusedRecords(step, context, alarms));
  if (record.IsNeutral() && record.own_state == ParticipantState::kApproved) {
    PARLEY_ASSIGN_OR_RETURN(std::vector<PersonRecord> people, context.Records().People(step));
    const ChannelChoice choice(record, people, channels);
    PARLEY_ASSIGN_OR_RETURN(const auto signing_in, SigningIn(step, context, choice));
    AddWaitingJobs(id, people, channels, choice, signing_in, alarms);
  }
  PARLEY_RETURN_IF_ERROR(AddTeamAlarms(step, context, alarms));
  PARLEY_ASSIGN_OR_RETURN(std::vector<Participant> participants, ViewParticipants(step, context));
  for (const Participant& participant : participants) {
    const bool counts = participant.state == ParticipantState::kApproved ||
                        participant.state == ParticipantState::kWaiting;
    if (counts && !participant.compared && !participant.safety_number.empty()) {
      alarms.push_back(
          {AlarmKind::kNotCompared, id, std::nullopt, participant.id,
           "the safety number with " + participant.name + " has not been compared yet"});
    }
  }
  return alarms;
}

}  // namespace parley::client
