#include "client-lib/api/views.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "client-lib/api/inbox_alarms.h"
#include "client-lib/api/procedure_view.h"
#include "client-lib/cases/membership.h"
#include "client-lib/cases/naming.h"
#include "client-lib/cases/opening.h"
#include "client-lib/cases/reconcile.h"
#include "client-lib/documents/transfer.h"
#include "client-lib/pairing/device.h"

namespace parley::client {
namespace {

constexpr uint64_t kConfirmationIsOldSeconds = 7 * 24 * 60 * 60;

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
    alarms.push_back({AlarmKind::kStaleCheckpoint, id, ref, std::nullopt,
                      "nobody has confirmed the log of " + name + " since " + DateText(since) +
                          ": others may be silent, or the relay may keep back what they say; ask "
                          "another member by another way, and to come online"});
  }
}

absl::Status AddNeverSent(const ReadTransaction& step, const CaseContext& context,
                          const CaseChannel& channel, std::vector<Alarm>& alarms) {
  PARLEY_ASSIGN_OR_RETURN(const uint64_t seen, SeenNeverSent(step, context, channel.id));
  const uint64_t count = channel.info.never_sent;
  if (count <= seen) return absl::OkStatus();
  alarms.push_back({AlarmKind::kNeverSent, context.id, ChannelRef{context.id, channel.id},
                    std::nullopt,
                    std::to_string(count) + (count == 1 ? " message" : " messages") +
                        " of yours waited when you were put out of " +
                        DescribeChannel(channel.info.state.kind, channel.info.state.side) +
                        (count == 1 ? " and is never sent; it is kept"
                                    : " and are never sent; "
                                      "they are kept") +
                        " with what you received there"});
  return absl::OkStatus();
}

// What the records ask for and the rosters don't show.
void AddWaitingJobs(const CaseId& id, const std::vector<PersonRecord>& people,
                    const std::vector<CaseChannel>& channels, const ChannelChoice& choice,
                    std::vector<Alarm>& alarms) {
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
                 BelongsIn(person, channel.id, channel.info.state)) {
        alarms.push_back({AlarmKind::kJobWaiting, id, ChannelRef{id, channel.id}, person.id,
                          person.name + " isn't in " + name +
                              " yet; sync, or wait until their device has been online"});
      }
    }
  }
}

}  // namespace

absl::StatusOr<Case> ViewCase(const ReadTransaction& step, const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(CaseRecord record, context.Records().Case(step));
  Case view;
  view.id = record.id;
  view.title = record.title;
  view.own_id = record.own_id;
  view.own_name = record.own_name;
  view.own_role = record.own_role;
  view.own_side = record.own_side;
  view.own_state = record.own_state;
  view.relay_address = record.relay_address;
  view.created_at = static_cast<int64_t>(record.created_at);
  if (record.inviter.is_zero()) return view;
  PARLEY_ASSIGN_OR_RETURN(std::vector<Pairing> pairings, context.Pairings().pairings.All(step));
  for (const Pairing& pairing : pairings) {
    if (pairing.peer != record.inviter) continue;
    PARLEY_ASSIGN_OR_RETURN(content::v1::DeviceCard card, ParseCard(pairing.peer_card));
    view.invited_by = card.name();
    view.inviter_safety_number = pairing.safety_number;
  }
  return view;
}

absl::StatusOr<std::vector<Participant>> ViewParticipants(const ReadTransaction& step,
                                                          const CaseContext& context) {
  return ParticipantList(step, context).Make();
}

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
  PARLEY_ASSIGN_OR_RETURN(CaseRecord record, context.Records().Case(step));
  for (const std::string& text : record.refused) {
    alarms.push_back({AlarmKind::kRefused, id, std::nullopt, std::nullopt, text});
  }
  if (record.IsNeutral() && record.own_state == ParticipantState::kApproved) {
    PARLEY_ASSIGN_OR_RETURN(std::vector<PersonRecord> people, context.Records().People(step));
    AddWaitingJobs(id, people, channels, ChannelChoice(record, people, channels), alarms);
  }
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

// ---- CaseView ----

absl::StatusOr<CaseView> CaseView::Create(const ReadTransaction& step, const CaseContext& context) {
  CaseView view;
  view.context_ = context;
  PARLEY_ASSIGN_OR_RETURN(view.record_, context.Records().Case(step));
  PARLEY_ASSIGN_OR_RETURN(std::vector<Pairing> pairings, context.Pairings().pairings.All(step));
  for (const Pairing& pairing : pairings) {
    if (pairing.compared != 0) view.compared_[pairing.peer] = true;
  }
  PARLEY_ASSIGN_OR_RETURN(std::optional<LoadedProcedure> procedure, LoadProcedure(step, context));
  if (procedure.has_value()) {
    view.procedure_ = std::make_shared<const LoadedProcedure>(std::move(*procedure));
  }
  return view;
}

Person CaseView::PersonOf(const RosterMember& member) const {
  Person person;
  person.id = member.participant_id;
  person.name = member.name;
  person.role = member.role;
  person.side = member.side;
  person.self = member.participant_id == record_.own_id;
  person.compared = person.self || compared_.contains(member.participant_id);
  return person;
}

parley::Channel CaseView::ShowChannel(const ChannelId& id, const ChannelInfo& info) const {
  parley::Channel channel;
  channel.ref = {record_.id, id};
  channel.kind = info.state.kind;
  channel.side = info.state.side;
  channel.name = DescribeChannel(info.state.kind, info.state.side);
  switch (info.standing) {
    case Standing::kActive:
      channel.status = info.leaving ? ChannelStatus::kClosed : ChannelStatus::kActive;
      break;
    case Standing::kHalted:
    case Standing::kRestored:
      channel.status = ChannelStatus::kHalted;
      channel.halted_reason = info.reason;
      break;
    case Standing::kRemoved:
    case Standing::kLeft:
      channel.status = ChannelStatus::kClosed;
      break;
  }
  channel.head = info.head.position;
  for (const RosterMember& member : info.state.members) channel.readers.push_back(PersonOf(member));
  channel.passed_over = info.passed_over;
  channel.unsent = info.unsent;
  channel.never_sent = info.never_sent;
  return channel;
}

absl::StatusOr<parley::Channel> CaseView::Channel(const ReadTransaction& step,
                                                  const ChannelId& id) const {
  if (std::find(record_.channels.begin(), record_.channels.end(), id) == record_.channels.end()) {
    return absl::NotFoundError("this case has no such channel");
  }
  PARLEY_ASSIGN_OR_RETURN(ChannelInfo info, context_.Channel(id).Info(step));
  return ShowChannel(id, info);
}

absl::StatusOr<std::vector<parley::Channel>> CaseView::Channels(const ReadTransaction& step) const {
  std::vector<parley::Channel> channels;
  for (const ChannelId& id : record_.channels) {
    PARLEY_ASSIGN_OR_RETURN(parley::Channel channel, Channel(step, id));
    channels.push_back(std::move(channel));
  }
  PARLEY_ASSIGN_OR_RETURN(const ChannelChoice choice, ChannelChoice::Load(step, context_));
  const std::set<ChannelId> counting = choice.All();
  // The one that counts comes before others of its name.
  const auto key = [&](const parley::Channel& channel) {
    return std::make_tuple(channel.kind, channel.side, !counting.contains(channel.ref.channel_id),
                           channel.ref.channel_id);
  };
  std::sort(channels.begin(), channels.end(),
            [&](const parley::Channel& a, const parley::Channel& b) { return key(a) < key(b); });
  return channels;
}

Message CaseView::ShowMessage(const ChannelId& id, const ChannelMessage& message) const {
  Message view;
  view.channel = {record_.id, id};
  view.id = message.id;
  view.position = message.number;
  view.author = PersonOf(message.author);
  view.time = static_cast<int64_t>(message.claimed_time);
  content::v1::Content content;
  const ByteView bytes = message.content.Reveal();
  const bool parsed = content.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  if (parsed && content.has_text()) {
    view.kind = MessageKind::kText;
    view.text = content.text().text();
  } else if (parsed && content.has_document()) {
    view.kind = MessageKind::kDocument;
    const content::v1::Document& manifest = content.document();
    Document document;
    document.ref = {view.channel, view.id};
    document.position = view.position;
    document.author = view.author;
    document.name = SafeFileName(manifest.name());
    document.media_type = manifest.media_type();
    document.size = manifest.size();
    document.time = view.time;
    document.replaces = IdFrom<MessageId>(manifest.replaces_message_id());
    view.document = std::move(document);
  } else {
    view.kind = MessageKind::kUnknown;
  }
  return view;
}

absl::StatusOr<std::vector<Message>> CaseView::Messages(const ReadTransaction& step,
                                                        const ChannelId& id, uint64_t after) const {
  MessageQuery query;
  query.after = after;
  query.kinds = {ContentKind::kText, ContentKind::kDocument, ContentKind::kUnknown};
  PARLEY_ASSIGN_OR_RETURN(std::vector<ChannelMessage> messages,
                          context_.Channel(id).Messages(step, query));
  std::vector<Message> views;
  PARLEY_ASSIGN_OR_RETURN(const ChannelInfo info, context_.Channel(id).Info(step));
  for (const ChannelMessage& message : messages) {
    views.push_back(ShowMessage(id, message));
    PARLEY_ASSIGN_OR_RETURN(views.back().against_procedure,
                            AgainstProcedure(step, info.state, message));
  }
  return views;
}

absl::StatusOr<std::vector<Message>> CaseView::Unsent(const ReadTransaction& step,
                                                      const ChannelId& id) const {
  PARLEY_ASSIGN_OR_RETURN(std::vector<ChannelMessage> messages, context_.Channel(id).Unsent(step));
  return ForPeople(id, messages);
}

absl::StatusOr<std::vector<Message>> CaseView::NeverSent(const ReadTransaction& step,
                                                         const ChannelId& id) const {
  PARLEY_ASSIGN_OR_RETURN(std::vector<ChannelMessage> messages,
                          context_.Channel(id).NeverSent(step));
  return ForPeople(id, messages);
}

std::vector<Message> CaseView::ForPeople(const ChannelId& id,
                                         const std::vector<ChannelMessage>& messages) const {
  std::vector<Message> views;
  for (const ChannelMessage& message : messages) {
    if (message.kind == ContentKind::kText || message.kind == ContentKind::kDocument) {
      views.push_back(ShowMessage(id, message));
    }
  }
  return views;
}

absl::StatusOr<std::vector<Document>> CaseView::Documents(const ReadTransaction& step,
                                                          const ChannelId& id) const {
  MessageQuery query;
  query.kinds = {ContentKind::kDocument};
  PARLEY_ASSIGN_OR_RETURN(std::vector<ChannelMessage> messages,
                          context_.Channel(id).Messages(step, query));
  std::vector<Document> documents;
  for (const ChannelMessage& message : messages) {
    Message view = ShowMessage(id, message);
    if (view.document.has_value()) documents.push_back(std::move(*view.document));
  }
  return documents;
}

absl::StatusOr<content::v1::Document> CaseView::Manifest(const ReadTransaction& step,
                                                         const DocumentRef& document) const {
  MessageQuery query;
  query.kinds = {ContentKind::kDocument};
  PARLEY_ASSIGN_OR_RETURN(std::vector<ChannelMessage> messages,
                          context_.Channel(document.channel.channel_id).Messages(step, query));
  for (const ChannelMessage& message : messages) {
    if (message.id != document.message_id) continue;
    content::v1::Content content;
    const ByteView bytes = message.content.Reveal();
    if (content.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) &&
        content.has_document()) {
      return std::move(*content.mutable_document());
    }
  }
  return absl::NotFoundError("this channel has no such document");
}

}  // namespace parley::client
