#include "client-lib/cases/membership.h"

#include <algorithm>

#include "client-lib/cases/calendar_work.h"
#include "client-lib/cases/key_stock.h"
#include "client-lib/cases/neutrals_log.h"
#include "client-lib/cases/procedure_gate.h"
#include "client-lib/cases/procedure_work.h"
#include "client-lib/cases/session_work.h"
#include "client-lib/cases/team.h"
#include "client-lib/channels/caucus_rule.h"
#include "client-lib/channels/names.h"
#include "client-lib/content/folded_text.h"
#include "client-lib/pairing/device.h"
#include "client-lib/pairing/inviting.h"
#include "client-lib/pairing/rendezvous.h"

namespace parley::client {
namespace {

constexpr int64_t kLeastValidity = 60;
constexpr int64_t kMostValidity = 366 * 24 * 60 * 60;
// "case/<id>/settled/<rendezvous id>": how many alarms of an invitation the person has answered.
struct SettledRecord {
  uint64_t alarms = 0;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.alarms);
  }
};

std::string SettledName(const CaseContext& context, const MadeInvitation& invitation) {
  return "case/" + context.id.ToString() + "/settled/" + crypto::ToHex(invitation.rendezvous_id);
}

// "case/<id>/seen/<channel id>": how many messages that are never sent the person has seen.
std::string SeenName(const CaseContext& context, const ChannelId& channel) {
  return "case/" + context.id.ToString() + "/seen/" + channel.ToString();
}

absl::Status Settle(Transaction& step, const CaseContext& context,
                    const MadeInvitation& invitation) {
  if (invitation.alarms.empty()) return absl::OkStatus();
  return PutRecord(step, RecordClass::kContent, SettledName(context, invitation),
                   SettledRecord{invitation.alarms.size()});
}

// What an inbox may take of the quota.
constexpr uint64_t kInboxVoucherBytes = 256 << 20;

absl::Status CheckRequest(const InvitationRequest& request) {
  PARLEY_RETURN_IF_ERROR(CheckName("the name", request.name));
  if (!request.side.empty()) PARLEY_RETURN_IF_ERROR(CheckName("the side", request.side));
  if (ToWire(request.role) == content::v1::ROLE_UNSPECIFIED) {
    return absl::InvalidArgumentError("the invitation needs a role");
  }
  if (request.role == Role::kMediator) {
    return absl::InvalidArgumentError(
        "a case has one mediator; invite further neutrals as co-mediators");
  }
  const std::string role = RoleName(request.role);
  if (IsNeutral(request.role) && !request.side.empty()) {
    return absl::InvalidArgumentError("a " + role + " is neutral and has no side");
  }
  if ((request.role == Role::kParty || request.role == Role::kCounsel) && request.side.empty()) {
    return absl::InvalidArgumentError("a " + role + " needs a side");
  }
  if (request.valid_for_seconds < kLeastValidity || request.valid_for_seconds > kMostValidity) {
    return absl::InvalidArgumentError("an invitation is valid for a minute to a year");
  }
  return absl::OkStatus();
}

absl::Status CheckNameIsFree(const ReadTransaction& step, const CaseContext& context,
                             const std::string& name) {
  const auto taken = [&name] {
    return absl::AlreadyExistsError(name +
                                    " takes part in this case or is invited already; remove them "
                                    "first, or give another name");
  };
  PARLEY_ASSIGN_OR_RETURN(std::vector<PersonRecord> people, context.Records().People(step));
  for (const PersonRecord& person : people) {
    if (person.name == name && (person.state == ParticipantState::kApproved ||
                                person.state == ParticipantState::kWaiting)) {
      return taken();
    }
  }
  PARLEY_ASSIGN_OR_RETURN(std::vector<MadeInvitation> invitations,
                          context.Pairings().invitations.All(step));
  for (const MadeInvitation& invitation : invitations) {
    if (invitation.name == name && invitation.state == InvitationState::kOpen &&
        invitation.expires_at > context.now_seconds()) {
      return taken();
    }
  }
  return absl::OkStatus();
}

// The case's sides as they are spelled: of its channels first, then of who takes part or is
// invited.
absl::StatusOr<std::vector<std::string>> SidesOf(const ReadTransaction& step,
                                                 const CaseContext& context) {
  std::vector<std::string> sides;
  const auto add = [&sides](const std::string& side) {
    if (side.empty() || std::find(sides.begin(), sides.end(), side) != sides.end()) return;
    sides.push_back(side);
  };
  PARLEY_ASSIGN_OR_RETURN(std::vector<CaseChannel> channels, ChannelsOf(step, context));
  for (const CaseChannel& channel : channels) {
    if (channel.info.state.kind != ChannelKind::kGroup) add(channel.info.state.side);
  }
  PARLEY_ASSIGN_OR_RETURN(std::vector<PersonRecord> people, context.Records().People(step));
  for (const PersonRecord& person : people) {
    if (person.TakesPart() || person.state == ParticipantState::kWaiting) add(person.side);
  }
  PARLEY_ASSIGN_OR_RETURN(std::vector<MadeInvitation> invitations,
                          context.Pairings().invitations.All(step));
  for (const MadeInvitation& invitation : invitations) {
    const bool out =
        invitation.state == InvitationState::kMaking || invitation.state == InvitationState::kOpen;
    if (out && invitation.expires_at > context.now_seconds()) add(invitation.side);
  }
  return sides;
}

// Puts into `request` the side that is meant, as the case spells it, and into `invitation` what the
// inviter should know of it. A caucus is one spelling's.
void ChooseSide(std::vector<std::string> sides, InvitationRequest& request,
                Invitation& invitation) {
  request.side = std::string(Trimmed(request.side));
  if (!request.side.empty() && std::find(sides.begin(), sides.end(), request.side) == sides.end()) {
    const auto same = std::find_if(sides.begin(), sides.end(), [&](const std::string& side) {
      return Folded(side) == Folded(request.side);
    });
    if (same != sides.end()) {
      request.side = *same;
    } else {
      invitation.opens_side = true;
    }
  }
  invitation.side = request.side;
  std::erase(sides, request.side);
  invitation.other_sides = std::move(sides);
}

absl::StatusOr<InvitationOffer> OfferOf(const CaseContext& context, const CaseRecord& record,
                                        const InvitationRequest& request, bool with_procedure) {
  InvitationOffer offer;
  offer.relay = record.Relay();
  offer.case_id = record.id;
  offer.case_title = record.title;
  offer.inviter_role = ToWire(record.own_role);
  offer.invitee_name = request.name;
  offer.invitee_role = ToWire(request.role);
  offer.invitee_side = request.side;
  offer.with_procedure = with_procedure;
  offer.created_at = context.now_seconds();
  offer.expires_at = offer.created_at + static_cast<uint64_t>(request.valid_for_seconds);
  PARLEY_ASSIGN_OR_RETURN(std::vector<Bytes> vouchers,
                          context.relay->IssueVouchers(record.sponsor_token.Reveal(), 1,
                                                       kInboxVoucherBytes, offer.expires_at));
  if (vouchers.size() != 1) return absl::DataLossError("the relay gave no voucher");
  offer.voucher = std::move(vouchers[0]);
  return offer;
}

// Withdraws an invitation if `id` is an open one's. Whether it was.
absl::StatusOr<bool> WithdrawInvitation(Transaction& step, const CaseContext& context,
                                        const ParticipantId& id) {
  PARLEY_ASSIGN_OR_RETURN(std::vector<MadeInvitation> invitations,
                          context.Pairings().invitations.All(step));
  for (MadeInvitation& invitation : invitations) {
    if (InvitationEntryId(invitation) != id || invitation.state == InvitationState::kUsed) continue;
    invitation.state = InvitationState::kWithdrawn;
    invitation.pairing_private = Secret();
    invitation.seal_key = Secret();
    invitation.pairing_salt = Secret();
    PARLEY_RETURN_IF_ERROR(context.Pairings().invitations.Put(
        step, crypto::ToHex(invitation.rendezvous_id), invitation));
    return true;
  }
  return false;
}

absl::StatusOr<PersonRecord> Known(const ReadTransaction& step, const CaseContext& context,
                                   const ParticipantId& id) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<PersonRecord> person, context.Records().Person(step, id));
  if (!person.has_value()) return absl::NotFoundError("this case has no such participant");
  return std::move(*person);
}

// Opens the own inbox's next generation, with more append keys, when all are given away.
absl::Status EnsureFreeSlot(const CaseContext& context) {
  {
    PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
    PARLEY_ASSIGN_OR_RETURN(OwnDevice device, context.Pairings().Device(step));
    if (FreeSlots(device) > 0) return absl::OkStatus();
    PlanInboxClosing(device, {}, kInboxSlots);  // false when one is on its way: that does it, too
    PARLEY_RETURN_IF_ERROR(context.Pairings().PutDevice(step, device));
    PARLEY_RETURN_IF_ERROR(step.Commit());
  }
  return context.OwnInbox().Flush(*context.relay).status();
}

}  // namespace

absl::StatusOr<ChannelId> NeutralsChannel(const ReadTransaction& step, const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(std::vector<CaseChannel> channels, ChannelsOf(step, context));
  const CaseChannel* neutrals = FindByKind(channels, ChannelKind::kNeutrals);
  if (neutrals == nullptr) {
    return absl::FailedPreconditionError(
        "you aren't in the neutrals' channel yet; sync, and try again when the mediator has been "
        "online");
  }
  return neutrals->id;
}

absl::Status RequireNeutral(const CaseRecord& record, const char* what) {
  if (record.own_state != ParticipantState::kApproved) {
    return absl::PermissionDeniedError(std::string("you don't take part in this case") +
                                       (record.own_state == ParticipantState::kWaiting
                                            ? " yet: the mediator has to approve you first"
                                            : " any more"));
  }
  if (record.IsNeutral()) return absl::OkStatus();
  return absl::PermissionDeniedError("only the mediator and co-mediators can " + std::string(what));
}

ParticipantId InvitationEntryId(const MadeInvitation& invitation) {
  ParticipantId::Bytes bytes{};
  std::copy_n(invitation.rendezvous_id.begin(), bytes.size(), bytes.begin());
  return ParticipantId(bytes);
}

absl::StatusOr<Invitation> Invite(const CaseContext& context, const InvitationRequest& asked) {
  std::optional<CaseRecord> record;
  bool with_procedure = false;
  InvitationRequest request = asked;
  Invitation invitation;
  {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, context.store->Read());
    PARLEY_ASSIGN_OR_RETURN(record, context.Records().Case(read));
    PARLEY_RETURN_IF_ERROR(RequireNeutral(*record, "invite"));
    PARLEY_ASSIGN_OR_RETURN(std::vector<std::string> sides, SidesOf(read, context));
    ChooseSide(std::move(sides), request, invitation);
    PARLEY_RETURN_IF_ERROR(CheckRequest(request));
    PARLEY_RETURN_IF_ERROR(CheckNameIsFree(read, context, request.name));
    PARLEY_ASSIGN_OR_RETURN(with_procedure, KeepsProcedure(read, context));
  }
  if (record->sponsor_token.empty()) {
    return absl::FailedPreconditionError(
        "this device hasn't been given the case's connection to the relay yet; sync, and try again "
        "when the mediator has been online");
  }
  PARLEY_ASSIGN_OR_RETURN(InvitationOffer offer,
                          OfferOf(context, *record, request, with_procedure));
  PARLEY_RETURN_IF_ERROR(EnsureFreeSlot(context));

  std::optional<PreparedInvitation> prepared;
  const PairingRecords records = context.Pairings();
  {
    PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
    PARLEY_ASSIGN_OR_RETURN(OwnDevice device, records.Device(step));
    PARLEY_RETURN_IF_ERROR(CheckNameIsFree(step, context, request.name));
    PARLEY_ASSIGN_OR_RETURN(prepared, PrepareInvitation(device, offer));
    PARLEY_RETURN_IF_ERROR(records.PutDevice(step, device));
    PARLEY_RETURN_IF_ERROR(records.invitations.Put(
        step, crypto::ToHex(prepared->record.rendezvous_id), prepared->record));
    PARLEY_RETURN_IF_ERROR(step.Commit());
  }
  const absl::Status posted = PostInvitation(
      *context.relay, Credential::SponsorToken(record->sponsor_token.Reveal()), *prepared);
  const std::string key = crypto::ToHex(prepared->record.rendezvous_id);
  PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
  if (posted.ok()) {
    prepared->record.state = InvitationState::kOpen;
    PARLEY_RETURN_IF_ERROR(records.invitations.Put(step, key, prepared->record));
  } else {
    PARLEY_ASSIGN_OR_RETURN(OwnDevice device, records.Device(step));
    // Nobody has seen the append key: it is free again.
    PassSlots(device, prepared->record.rendezvous_id, {});
    PARLEY_RETURN_IF_ERROR(records.PutDevice(step, device));
    PARLEY_RETURN_IF_ERROR(records.invitations.Delete(step, key));
  }
  PARLEY_RETURN_IF_ERROR(step.Commit());
  PARLEY_RETURN_IF_ERROR(posted);
  invitation.text = FormatInvitation(prepared->code);
  invitation.expires_at = static_cast<int64_t>(prepared->record.expires_at);
  return invitation;
}

namespace {

// Refuses one of whom there is only an invitation.
absl::Status CheckHasJoined(const ReadTransaction& step, const CaseContext& context,
                            const ParticipantId& id) {
  PARLEY_ASSIGN_OR_RETURN(std::vector<MadeInvitation> invitations,
                          context.Pairings().invitations.All(step));
  for (const MadeInvitation& invitation : invitations) {
    if (InvitationEntryId(invitation) == id) {
      return absl::FailedPreconditionError(invitation.name +
                                           " hasn't joined with the invitation yet");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Approve(const CaseContext& context, const ParticipantId& id) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
  PARLEY_ASSIGN_OR_RETURN(CaseRecord record, context.Records().Case(step));
  PARLEY_RETURN_IF_ERROR(RequireNeutral(record, "approve"));
  PARLEY_ASSIGN_OR_RETURN(std::optional<PersonRecord> person, context.Records().Person(step, id));
  if (!person.has_value()) {
    PARLEY_RETURN_IF_ERROR(CheckHasJoined(step, context, id));
    return absl::NotFoundError("this case has no such participant");
  }
  if (person->state == ParticipantState::kApproved) return absl::OkStatus();
  if (person->state != ParticipantState::kWaiting) {
    return absl::FailedPreconditionError(
        person->name + " " +
        (person->state == ParticipantState::kLeft ? "has left" : "was removed") +
        "; to let them in again, make a new invitation");
  }
  PARLEY_RETURN_IF_ERROR(CheckMayReadByRole(step, context, *person));
  PARLEY_ASSIGN_OR_RETURN(ChannelId neutrals, NeutralsChannel(step, context));
  person->state = ParticipantState::kApproved;
  person->approver = record.own_id;
  PARLEY_RETURN_IF_ERROR(PostRecord(step, context, neutrals, *person));
  PARLEY_RETURN_IF_ERROR(context.Records().PutPerson(step, *person));
  return step.Commit();
}

absl::Status RemoveParticipant(const CaseContext& context, const ParticipantId& id) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
  PARLEY_ASSIGN_OR_RETURN(CaseRecord record, context.Records().Case(step));
  PARLEY_RETURN_IF_ERROR(RequireNeutral(record, "remove participants"));
  if (id == record.own_id) {
    return absl::InvalidArgumentError("you can't remove yourself; leave the case instead");
  }
  PARLEY_ASSIGN_OR_RETURN(bool withdrawn, WithdrawInvitation(step, context, id));
  if (withdrawn) return step.Commit();
  PARLEY_ASSIGN_OR_RETURN(PersonRecord person, Known(step, context, id));
  switch (person.state) {
    case ParticipantState::kRemoved:
      return absl::OkStatus();
    case ParticipantState::kLeft:
      return absl::FailedPreconditionError(person.name + " has left already");
    case ParticipantState::kApproved: {
      PARLEY_ASSIGN_OR_RETURN(ChannelId neutrals, NeutralsChannel(step, context));
      person.state = ParticipantState::kRemoved;
      person.approver = record.own_id;
      PARLEY_RETURN_IF_ERROR(PostRecord(step, context, neutrals, person));
      break;
    }
    default:  // waiting: nobody else knows of them
      person.state = ParticipantState::kRemoved;
      person.recorded = person.state;
      break;
  }
  PARLEY_RETURN_IF_ERROR(context.Records().PutPerson(step, person));
  return step.Commit();
}

absl::Status LeaveCase(const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
  PARLEY_ASSIGN_OR_RETURN(CaseRecord record, context.Records().Case(step));
  if (record.own_state == ParticipantState::kLeft) {
    return absl::FailedPreconditionError("you have left this case already");
  }
  if (record.own_state == ParticipantState::kRemoved) {
    return absl::FailedPreconditionError("you were removed from this case already");
  }
  if (record.IsNeutral() && record.own_state == ParticipantState::kApproved) {
    PARLEY_ASSIGN_OR_RETURN(std::vector<PersonRecord> people, context.Records().People(step));
    const bool others = std::any_of(people.begin(), people.end(), [&](const PersonRecord& person) {
      return person.id != record.own_id && person.IsNeutral() && person.TakesPart();
    });
    if (!others) {
      return absl::FailedPreconditionError(
          "you are the last neutral of this case: without one nobody could be let in or put out "
          "any more; invite a co-mediator first");
    }
  }
  PARLEY_ASSIGN_OR_RETURN(std::vector<CaseChannel> channels, ChannelsOf(step, context));
  for (const CaseChannel& channel : channels) {
    if (channel.info.standing != Standing::kActive || !IsLastSteward(channel.info)) continue;
    return absl::FailedPreconditionError(
        "you are the only steward of " +
        DescribeChannel(channel.info.state.kind, channel.info.state.side) +
        ": without one nobody could be let in or put out any more; name another first (parley "
        "channel steward)");
  }
  for (const CaseChannel& channel : channels) {
    if (channel.info.standing != Standing::kActive || channel.info.leaving) continue;
    PARLEY_RETURN_IF_ERROR(context.Channel(channel.id).Leave(step));
  }
  PARLEY_ASSIGN_OR_RETURN(std::vector<Pairing> pairings, context.Pairings().pairings.All(step));
  for (Pairing& pairing : pairings) {
    if (pairing.ended != 0) continue;
    PARLEY_ASSIGN_OR_RETURN(const bool room, context.OwnInbox().HasRoom(step, pairing));
    if (!room) {
      pairing.farewell_due = 1;
      PARLEY_RETURN_IF_ERROR(context.Pairings().PutPairing(step, pairing));
      continue;
    }
    content::v1::InboxMessage message;
    message.mutable_removal()->set_left(true);
    PARLEY_RETURN_IF_ERROR(context.OwnInbox().Queue(step, pairing, std::move(message)));
  }
  record.own_state = ParticipantState::kLeft;
  PARLEY_RETURN_IF_ERROR(context.Records().PutCase(step, record));
  return step.Commit();
}

absl::Status ReopenChannel(const CaseContext& context, const ChannelId& channel,
                           bool mailbox_lost) {
  PARLEY_ASSIGN_OR_RETURN(const bool team, IsTeam(context, channel));
  if (team) return ReopenTeam(context, channel, mailbox_lost);
  PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
  PARLEY_ASSIGN_OR_RETURN(CaseRecord record, context.Records().Case(step));
  PARLEY_RETURN_IF_ERROR(RequireNeutral(record, "reopen a channel"));
  PARLEY_ASSIGN_OR_RETURN(ChannelInfo info, context.Channel(channel).Info(step));
  if (info.standing != Standing::kHalted && !mailbox_lost) {
    return absl::FailedPreconditionError("the channel " +
                                         DescribeChannel(info.state.kind, info.state.side) +
                                         " isn't halted, so there is nothing to reopen");
  }
  if (record.sponsor_token.empty()) {
    return absl::FailedPreconditionError(
        "this device hasn't been given the case's connection to the relay yet");
  }
  PARLEY_ASSIGN_OR_RETURN(OwnDevice device, context.Pairings().Device(step));
  PARLEY_RETURN_IF_ERROR(context.Channel(channel).Reopen(
      step, {Credential::Kind::kSponsorToken, record.sponsor_token.Clone()}, OwnCredential(device),
      mailbox_lost));
  return step.Commit();
}

absl::Status MarkCompared(const CaseContext& context, const ParticipantId& id) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
  PARLEY_ASSIGN_OR_RETURN(std::optional<Pairing> pairing, context.Pairings().PairingWith(step, id));
  if (!pairing.has_value()) {
    PARLEY_RETURN_IF_ERROR(CheckHasJoined(step, context, id));
    return absl::FailedPreconditionError(
        "there is no safety number with this participant: this device isn't paired with theirs");
  }
  pairing->compared = 1;
  PARLEY_RETURN_IF_ERROR(context.Pairings().PutPairing(step, *pairing));
  PARLEY_ASSIGN_OR_RETURN(std::vector<MadeInvitation> invitations,
                          context.Pairings().invitations.All(step));
  for (const MadeInvitation& invitation : invitations) {
    if (invitation.participant != id) continue;
    PARLEY_RETURN_IF_ERROR(Settle(step, context, invitation));
  }
  return step.Commit();
}

absl::StatusOr<size_t> SettledAlarms(const ReadTransaction& step, const CaseContext& context,
                                     const MadeInvitation& invitation) {
  PARLEY_ASSIGN_OR_RETURN(
      std::optional<SettledRecord> settled,
      GetRecord<SettledRecord>(step, RecordClass::kContent, SettledName(context, invitation)));
  if (!settled.has_value()) return size_t{0};
  return std::min<size_t>(settled->alarms, invitation.alarms.size());
}

absl::Status SettleAlarms(const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
  PARLEY_RETURN_IF_ERROR(context.Records().Case(step).status());
  PARLEY_ASSIGN_OR_RETURN(std::vector<MadeInvitation> invitations,
                          context.Pairings().invitations.All(step));
  for (const MadeInvitation& invitation : invitations) {
    PARLEY_RETURN_IF_ERROR(Settle(step, context, invitation));
  }
  PARLEY_ASSIGN_OR_RETURN(std::vector<CaseChannel> channels, ChannelsOf(step, context));
  for (const CaseChannel& channel : channels) {
    if (channel.info.never_sent == 0) continue;
    PARLEY_RETURN_IF_ERROR(PutRecord(step, RecordClass::kContent, SeenName(context, channel.id),
                                     SettledRecord{channel.info.never_sent}));
  }
  PARLEY_RETURN_IF_ERROR(SettlePassedOver(step, context));
  PARLEY_RETURN_IF_ERROR(SettleSession(step, context));
  PARLEY_RETURN_IF_ERROR(SettleCalendar(step, context));
  return step.Commit();
}

absl::StatusOr<uint64_t> SeenNeverSent(const ReadTransaction& step, const CaseContext& context,
                                       const ChannelId& channel) {
  PARLEY_ASSIGN_OR_RETURN(
      std::optional<SettledRecord> seen,
      GetRecord<SettledRecord>(step, RecordClass::kContent, SeenName(context, channel)));
  return seen.has_value() ? seen->alarms : 0;
}

}  // namespace parley::client
