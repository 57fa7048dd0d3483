// The participants of a case as they are shown.
#include <algorithm>
#include <tuple>

#include "client-lib/api/views.h"
#include "client-lib/cases/membership.h"
#include "client-lib/pairing/device.h"

namespace parley::client {
namespace {

// Participants of one case, put together from what this device has of them.
class ParticipantList {
 public:
  ParticipantList(const ReadTransaction& step, const CaseContext& context)
      : step_(step), context_(context) {}

  absl::StatusOr<std::vector<Participant>> Make() {
    PARLEY_ASSIGN_OR_RETURN(record_, context_.Records().Case(step_));
    PARLEY_ASSIGN_OR_RETURN(pairings_, context_.Pairings().pairings.All(step_));
    AddSelf();
    PARLEY_RETURN_IF_ERROR(AddPeople());
    PARLEY_RETURN_IF_ERROR(AddRosters());
    PARLEY_RETURN_IF_ERROR(AddPaired());
    PARLEY_RETURN_IF_ERROR(AddInvitations());
    for (Participant& participant : list_) AddSafetyNumber(participant);
    Sort();
    return std::move(list_);
  }

 private:
  Participant* Find(const ParticipantId& id) {
    for (Participant& participant : list_) {
      if (participant.id == id) return &participant;
    }
    return nullptr;
  }

  Participant& Add(const ParticipantId& id) {
    Participant participant;
    participant.id = id;
    participant.self = id == record_.own_id;
    list_.push_back(std::move(participant));
    return list_.back();
  }

  void AddSelf() {
    Participant& self = Add(record_.own_id);
    self.name = record_.own_name;
    self.role = record_.own_role;
    self.side = record_.own_side;
    self.state = record_.own_state;
    self.compared = true;
  }

  absl::Status AddPeople() {
    PARLEY_ASSIGN_OR_RETURN(std::vector<PersonRecord> people, context_.Records().People(step_));
    for (const PersonRecord& person : people) {
      if (Find(person.id) != nullptr) continue;
      Participant& participant = Add(person.id);
      participant.name = person.name;
      participant.role = person.role;
      participant.side = person.side;
      participant.state = person.state;
    }
    return absl::OkStatus();
  }

  absl::Status AddRosters() {
    PARLEY_ASSIGN_OR_RETURN(std::vector<CaseChannel> channels, ChannelsOf(step_, context_));
    for (const CaseChannel& channel : channels) {
      for (const RosterMember& member : channel.info.state.members) {
        if (Find(member.participant_id) != nullptr) continue;
        Participant& participant = Add(member.participant_id);
        participant.name = member.name;
        participant.role = member.role;
        participant.side = member.side;
        // What was the roster when one was put out isn't news of the others.
        participant.state = channel.info.standing == Standing::kActive ? ParticipantState::kApproved
                                                                       : ParticipantState::kUnknown;
      }
    }
    return absl::OkStatus();
  }

  // Who invited, before there is any channel.
  absl::Status AddPaired() {
    for (const Pairing& pairing : pairings_) {
      if (Find(pairing.peer) != nullptr) continue;
      PARLEY_ASSIGN_OR_RETURN(content::v1::DeviceCard card, ParseCard(pairing.peer_card));
      Participant& participant = Add(pairing.peer);
      participant.name = card.name();
      participant.role = static_cast<Role>(pairing.peer_role);
      participant.state =
          pairing.ended != 0 ? ParticipantState::kRemoved : ParticipantState::kApproved;
    }
    return absl::OkStatus();
  }

  absl::Status AddInvitations() {
    PARLEY_ASSIGN_OR_RETURN(std::vector<MadeInvitation> invitations,
                            context_.Pairings().invitations.All(step_));
    for (const MadeInvitation& invitation : invitations) {
      if (invitation.state == InvitationState::kUsed) {
        Participant* joined = Find(invitation.participant);
        if (joined != nullptr) PARLEY_RETURN_IF_ERROR(SetAlarms(invitation, *joined));
        continue;
      }
      if (invitation.state == InvitationState::kMaking) continue;
      Participant& participant = Add(InvitationEntryId(invitation));
      participant.name = invitation.name;
      participant.role = static_cast<Role>(invitation.role);
      participant.side = invitation.side;
      participant.invitation_expires_at = static_cast<int64_t>(invitation.expires_at);
      PARLEY_RETURN_IF_ERROR(SetAlarms(invitation, participant));
      const bool expired = invitation.state == InvitationState::kExpired ||
                           invitation.expires_at <= context_.now_seconds();
      participant.state = invitation.state == InvitationState::kWithdrawn
                              ? ParticipantState::kRemoved
                          : expired ? ParticipantState::kExpired
                                    : ParticipantState::kInvited;
    }
    return absl::OkStatus();
  }

  absl::Status SetAlarms(const MadeInvitation& invitation, Participant& participant) const {
    PARLEY_ASSIGN_OR_RETURN(size_t settled, SettledAlarms(step_, context_, invitation));
    const auto open = invitation.alarms.begin() + static_cast<ptrdiff_t>(settled);
    participant.settled_alarms.assign(invitation.alarms.begin(), open);
    participant.alarms.assign(open, invitation.alarms.end());
    return absl::OkStatus();
  }

  void AddSafetyNumber(Participant& participant) const {
    for (const Pairing& pairing : pairings_) {
      if (pairing.peer != participant.id) continue;
      participant.safety_number = pairing.safety_number;
      participant.compared = pairing.compared != 0;
      if (pairing.ended == 0) return;
    }
  }

  void Sort() {
    const auto key = [](const Participant& p) {
      return std::make_tuple(!p.self, !IsNeutral(p.role), p.side, p.role, p.name);
    };
    std::stable_sort(list_.begin(), list_.end(),
                     [&](const Participant& a, const Participant& b) { return key(a) < key(b); });
  }

  const ReadTransaction& step_;
  const CaseContext& context_;
  CaseRecord record_;
  std::vector<Pairing> pairings_;
  std::vector<Participant> list_;
};

}  // namespace

absl::StatusOr<std::vector<Participant>> ViewParticipants(const ReadTransaction& step,
                                                          const CaseContext& context) {
  return ParticipantList(step, context).Make();
}

}  // namespace parley::client
