#include "client-lib/cases/team_records.h"

#include <algorithm>

namespace parley::client {
namespace {

std::string NameOf(const CaseContext& context) { return "case/" + context.id.ToString() + "/team"; }

const CaseChannel* Active(const std::vector<CaseChannel>& channels,
                          const std::optional<ChannelId>& id) {
  const auto found = std::find_if(channels.begin(), channels.end(), [&](const CaseChannel& one) {
    return id == one.id && one.info.standing == Standing::kActive;
  });
  return found == channels.end() ? nullptr : &*found;
}

// Whether a device of the one is one of the other's, by its id or its key.
bool ShareADevice(const RosterMember& a, const RosterMember& b) {
  for (const RosterDevice& one : a.devices) {
    for (const RosterDevice& other : b.devices) {
      if (one.device_id == other.device_id || one.identity_key == other.identity_key) return true;
    }
  }
  return false;
}

const FirstDevice* FirstDeviceOf(const TeamRecord& record, const ParticipantId& id) {
  const auto found =
      std::find_if(record.first_devices.begin(), record.first_devices.end(),
                   [&id](const FirstDevice& one) { return one.participant_id == id; });
  return found == record.first_devices.end() ? nullptr : &*found;
}

bool IsThatDevice(const FirstDevice& first, const RosterMember& member) {
  return member.devices.size() == 1 && member.devices[0].device_id == first.device_id &&
         member.devices[0].identity_key == first.identity_key;
}

bool IsSame(const RosterMember& a, const RosterMember& b) {
  return a.name == b.name && a.role == b.role && a.side == b.side && a.devices == b.devices;
}

}  // namespace

absl::StatusOr<TeamRecord> LoadTeam(const ReadTransaction& step, const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<TeamRecord> record,
                          GetRecord<TeamRecord>(step, RecordClass::kKeys, NameOf(context)));
  return record.has_value() ? std::move(*record) : TeamRecord();
}

absl::Status PutTeam(Transaction& step, const CaseContext& context, const TeamRecord& record) {
  return PutRecord(step, RecordClass::kKeys, NameOf(context), record);
}

absl::Status ForgetDecisions(Transaction& step, const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(TeamRecord team, LoadTeam(step, context));
  team.wanted.clear();
  team.wanted_stewards.clear();
  team.dismissed.clear();
  return PutTeam(step, context, team);
}

void AddId(std::vector<ParticipantId>& ids, const ParticipantId& id) {
  if (!HasId(ids, id)) ids.push_back(id);
}

bool HasId(const std::vector<ParticipantId>& ids, const ParticipantId& id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

absl::Status SideView::Load(const ReadTransaction& step, const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(record, context.Records().Case(step));
  PARLEY_ASSIGN_OR_RETURN(channels, ChannelsOf(step, context));
  const ChannelChoice choice(record, {}, channels);
  joint = Active(channels, choice.Of(ChannelKind::kJoint));
  caucus = Active(channels, choice.Of(ChannelKind::kCaucus, record.own_side));
  team = Active(channels, choice.Of(ChannelKind::kTeam, record.own_side));
  counting = ThoseThatCount(choice, channels);
  if (caucus == nullptr) return absl::OkStatus();
  PARLEY_ASSIGN_OR_RETURN(const TeamRecord known, LoadTeam(step, context));
  for (const RosterMember& member : caucus->info.state.members) {
    const FirstDevice* first = FirstDeviceOf(known, member.participant_id);
    if (first != nullptr && !IsThatDevice(*first, member))
      replaced.push_back(member.participant_id);
  }
  return absl::OkStatus();
}

bool SideView::HasSide() const {
  return record.own_state == ParticipantState::kApproved && !record.IsNeutral() &&
         !record.own_side.empty();
}

const RosterMember* SideView::OnOwnSide(const ParticipantId& id) const {
  if (caucus == nullptr) return nullptr;
  const RosterMember* member = caucus->info.state.FindMember(id);
  const bool fits = member != nullptr && !IsNeutral(member->role) &&
                    member->side == record.own_side && !HasId(replaced, id);
  return fits ? member : nullptr;
}

bool NoteFirstDevices(const SideView& view, TeamRecord& record) {
  bool any = false;
  for (const RosterMember& member : view.caucus->info.state.members) {
    if (IsNeutral(member.role) || member.side != view.record.own_side) continue;
    if (member.devices.size() != 1 || FirstDeviceOf(record, member.participant_id) != nullptr) {
      continue;
    }
    record.first_devices.push_back(
        {member.participant_id, member.devices[0].device_id, member.devices[0].identity_key});
    any = true;
  }
  return any;
}

absl::StatusOr<std::optional<Pairing>> SidePairingWith(const ReadTransaction& step,
                                                       const CaseContext& context,
                                                       const ParticipantId& id) {
  PARLEY_ASSIGN_OR_RETURN(std::vector<Pairing> all, context.Pairings().pairings.All(step));
  for (Pairing& pairing : all) {
    if (pairing.peer == id && pairing.ended == 0 &&
        !IsNeutral(static_cast<Role>(pairing.peer_role))) {
      return std::optional<Pairing>(std::move(pairing));
    }
  }
  return std::optional<Pairing>();
}

namespace {

// What one channel shows of a team's member: the same person, nothing, or somebody else, whom it
// returns.
struct Shown {
  const RosterMember* as = nullptr;  // who contradicts
  bool same = false;
};

Shown LookIn(const ChannelState& channel, const RosterMember& member) {
  Shown shown;
  for (const RosterMember& other : channel.members) {
    const bool same_id = other.participant_id == member.participant_id;
    if (!same_id && !ShareADevice(other, member)) continue;
    if (same_id && IsSame(other, member)) {
      shown.same = true;
    } else if (shown.as == nullptr) {
      shown.as = &other;
    }
  }
  return shown;
}

std::string Line(const RosterMember& member, const RosterMember& other,
                 const ChannelState& channel) {
  return "it shows " + Describe(member) + ", who is " + Describe(other) + " in " +
         DescribeChannel(channel.kind, channel.side);
}

// Where all of the side are, and all neutrals: no neutral alone can show there what they like
// without the others' seeing it.
bool IsWitness(const ChannelState& team, const ChannelState& channel) {
  return channel.kind == ChannelKind::kJoint ||
         (channel.kind == ChannelKind::kCaucus && channel.side == team.side);
}

}  // namespace

TeamCheck CheckTeam(const ChannelState& team, const std::vector<CaseChannel>& channels) {
  TeamCheck check;
  for (const RosterMember& member : team.members) {
    bool vouched = false;
    bool known = false;
    for (const bool witnesses : {true, false}) {
      for (const CaseChannel& channel : channels) {
        const ChannelState& state = channel.info.state;
        const bool looked_at = channel.info.standing == Standing::kActive &&
                               state.kind != ChannelKind::kTeam &&
                               IsWitness(team, state) == witnesses;
        if (!looked_at) continue;
        const Shown shown = LookIn(state, member);
        known = known || shown.same || shown.as != nullptr;
        vouched = vouched || (witnesses && shown.same);
        if (shown.as == nullptr) continue;
        const std::string line = Line(member, *shown.as, state);
        if (!witnesses && vouched) {
          check.doubts.push_back(line);
        } else if (check.contradiction.empty()) {
          check.contradiction = line;
        }
      }
    }
    if (!known) check.unknown.push_back(Describe(member));
  }
  return check;
}

std::vector<CaseChannel> ThoseThatCount(const ChannelChoice& choice,
                                        const std::vector<CaseChannel>& channels) {
  std::vector<CaseChannel> counting;
  std::copy_if(channels.begin(), channels.end(), std::back_inserter(counting),
               [&choice](const CaseChannel& channel) { return choice.Counts(channel); });
  return counting;
}

}  // namespace parley::client
