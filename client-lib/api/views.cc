#include "client-lib/api/views.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "client-lib/api/calendar_view.h"
#include "client-lib/api/inbox_alarms.h"
#include "client-lib/api/offer_view.h"
#include "client-lib/api/procedure_view.h"
#include "client-lib/api/retention.h"
#include "client-lib/api/session_view.h"
#include "client-lib/cases/membership.h"
#include "client-lib/cases/naming.h"
#include "client-lib/cases/opening.h"
#include "client-lib/cases/reconcile.h"
#include "client-lib/cases/team_records.h"
#include "client-lib/channels/message_log.h"
#include "client-lib/content/parse.h"
#include "client-lib/documents/transfer.h"
#include "client-lib/file_worker/file_worker.h"
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

namespace {

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

// ---- CaseView ----

absl::StatusOr<std::set<ParticipantId>> ComparedPeers(const ReadTransaction& step,
                                                      const CaseContext& context) {
  std::set<ParticipantId> compared;
  PARLEY_ASSIGN_OR_RETURN(const std::vector<Pairing> pairings,
                          context.Pairings().pairings.All(step));
  for (const Pairing& pairing : pairings) {
    if (pairing.compared != 0) compared.insert(pairing.peer);
  }
  return compared;
}

absl::StatusOr<CaseView> CaseView::Create(const ReadTransaction& step, const CaseContext& context) {
  CaseView view;
  view.context_ = context;
  PARLEY_ASSIGN_OR_RETURN(view.record_, context.Records().Case(step));
  PARLEY_ASSIGN_OR_RETURN(view.compared_, ComparedPeers(step, context));
  PARLEY_ASSIGN_OR_RETURN(std::optional<LoadedProcedure> procedure, LoadProcedure(step, context));
  if (procedure.has_value()) {
    view.procedure_ = std::make_shared<const LoadedProcedure>(std::move(*procedure));
  }
  return view;
}

std::string CaseView::WhyActDoesntCount(uint32_t incarnation, uint64_t position) const {
  if (procedure_ == nullptr) return {};
  for (const ProcedureLog::Step& step : procedure_->log.steps()) {
    const auto& at = step.record.at;
    if (at.incarnation == incarnation && at.position == position) return step.refused;
  }
  return {};
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
  for (const RosterMember& member : info.state.members) {
    channel.readers.push_back(PersonOf(member));
    if (info.state.IsCommitter(member.participant_id)) {
      channel.stewards.push_back(channel.readers.back());
    }
  }
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

namespace {

// In words.
std::string DescribeOverride(const content::v1::FirewallOverride& record) {
  std::string where = "another channel";
  const auto kind = static_cast<ChannelKind>(record.kind());
  if (kind >= ChannelKind::kJoint && kind <= ChannelKind::kGroup) {
    where = DescribeChannel(kind, record.side());
  }
  const std::optional<MessageId> message = IdFrom<MessageId>(record.message_id());
  return "said in " + where +
         (message.has_value() ? " (message " + message->ToString().substr(0, 8) + ")" : "") +
         " what the firewall held back, as the agreement has caucuses open: " + record.reason();
}

}  // namespace

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
  if (message.kind == ContentKind::kDestroyed) {
    view.kind = MessageKind::kDestroyed;
  } else if (parsed && content.has_text()) {
    view.kind = MessageKind::kText;
    view.text = content.text().text();
    view.reserved = content.reserved();
  } else if (parsed && content.has_document()) {
    view.kind = MessageKind::kDocument;
    view.document = ShowDocument(view, content.document());
  } else if (parsed && IsOfOffers(message.kind)) {
    view.kind = MessageKind::kOffer;
    view.text = DescribeRecord(content, ChannelKind::kUnknown);
  } else if (parsed && content.has_firewall_override()) {
    view.kind = MessageKind::kNotice;
    view.text = DescribeOverride(content.firewall_override());
  } else if (parsed && content.has_retraction()) {
    view.kind = MessageKind::kRetracted;
  } else {
    view.kind = MessageKind::kUnknown;
  }
  return view;
}

absl::StatusOr<std::vector<ChannelMessage>> CaseView::Shown(const ReadTransaction& step,
                                                            const ChannelId& id,
                                                            const Page& page) const {
  MessageQuery query;
  query.after = page.after;
  query.kinds = DisclosureKinds();
  query.kinds.insert(
      query.kinds.end(),
      {ContentKind::kText, ContentKind::kDocument, ContentKind::kUnknown, ContentKind::kOffer,
       ContentKind::kOfferAnswer, ContentKind::kOfferEnd, ContentKind::kOptionSheet,
       ContentKind::kOptionEvaluation, ContentKind::kSession, ContentKind::kIssueRanking,
       ContentKind::kRetraction, ContentKind::kCalendar, ContentKind::kDocumentEnd,
       ContentKind::kBriefUse, ContentKind::kBriefRelease, ContentKind::kDestroyed,
       ContentKind::kFirewallOverride});
  const bool from_end = page.last != SIZE_MAX;
  const size_t wanted = from_end ? page.last : page.first;
  // What is silent takes no room in a page: where there is such, more is asked for.
  for (size_t ask = wanted;; ask = ask > SIZE_MAX / 2 ? SIZE_MAX : 2 * ask) {
    query.limit = ask;
    PARLEY_ASSIGN_OR_RETURN(
        std::vector<ChannelMessage> messages,
        from_end ? LastMessages(step, id, query) : context_.Channel(id).Messages(step, query));
    const bool is_all = messages.size() < ask || ask == SIZE_MAX;
    std::erase_if(messages, IsSilent);
    if (!is_all && messages.size() < wanted) continue;
    if (messages.size() > wanted) {
      const auto more = static_cast<ptrdiff_t>(messages.size() - wanted);
      const auto first = from_end ? messages.begin() : messages.end() - more;
      messages.erase(first, first + more);
    }
    return messages;
  }
}

absl::StatusOr<std::vector<Message>> CaseView::Messages(const ReadTransaction& step,
                                                        const ChannelId& id,
                                                        const Page& page) const {
  PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> messages, Shown(step, id, page));
  std::vector<Message> views;
  LoadedRecords loaded;
  PARLEY_ASSIGN_OR_RETURN(const ChannelInfo info, context_.Channel(id).Info(step));
  for (const ChannelMessage& message : messages) {
    PARLEY_ASSIGN_OR_RETURN(Message view, View(step, id, info.state, message, loaded));
    views.push_back(std::move(view));
  }
  return views;
}

absl::StatusOr<Message> CaseView::View(const ReadTransaction& step, const ChannelId& id,
                                       const ChannelState& channel, const ChannelMessage& message,
                                       LoadedRecords& loaded) const {
  Message view = ShowMessage(id, message);
  content::v1::Content said;
  if (message.kind == ContentKind::kOptionEvaluation &&
      ParseFromPeer(said, message.content.Reveal())) {
    view.text = DescribeRecord(said, channel.kind);
  }
  PARLEY_ASSIGN_OR_RETURN(view.against_procedure, AgainstProcedure(step, channel, message));
  if (channel.kind == ChannelKind::kJoint && loaded.session == nullptr) {
    PARLEY_ASSIGN_OR_RETURN(SessionView session,
                            SessionView::Create(step, context_, procedure_.get()));
    loaded.session = std::make_shared<const SessionView>(std::move(session));
  }
  const LoadedSession* const led = loaded.session == nullptr ? nullptr : loaded.session->session();
  const bool is_led = led != nullptr && led->joint == id;  // there may be others of that kind
  PARLEY_RETURN_IF_ERROR(
      ShowSession(step, id, message, is_led ? loaded.session.get() : nullptr, view));
  if (IsOfferKind(message.kind)) {
    auto offers = loaded.offers.find(id);
    if (offers == loaded.offers.end()) {
      PARLEY_ASSIGN_OR_RETURN(ChannelOffers read, LoadOffersOf(step, context_, id));
      offers = loaded.offers.emplace(id, std::move(read)).first;
    }
    ShowOfferRecord(offers->second, message, view);
  }
  if (message.kind == ContentKind::kCalendar) {
    PARLEY_RETURN_IF_ERROR(ShowCalendar(step, id, message, loaded, view));
  }
  PARLEY_RETURN_IF_ERROR(ShowDocuments(step, id, message, loaded, view));
  if (!IsDisclosureKind(message.kind)) return view;
  if (!loaded.disclosures.has_value()) {
    PARLEY_ASSIGN_OR_RETURN(loaded.disclosures, Disclosures::Load(step, context_));
  }
  ShownRecord shown = loaded.disclosures->Show(id, message);
  view.kind =
      message.kind == ContentKind::kDisclosure ? MessageKind::kDisclosure : MessageKind::kNotice;
  view.text = std::move(shown.text);
  view.note = std::move(shown.note);
  view.refused = shown.refused;
  if (shown.document.has_value()) {
    view.document = ShowDocument(view, *shown.document);
    view.document->carried_by = view.author;
  }
  return view;
}

absl::StatusOr<std::vector<Message>> CaseView::Unsent(const ReadTransaction& step,
                                                      const ChannelId& id) const {
  PARLEY_ASSIGN_OR_RETURN(std::vector<ChannelMessage> messages, context_.Channel(id).Unsent(step));
  if (messages.empty()) return std::vector<Message>();
  PARLEY_ASSIGN_OR_RETURN(const SessionView session,
                          SessionView::Create(step, context_, procedure_.get()));
  const bool joint = session.session() != nullptr && session.session()->joint == id;
  return ForPeople(id, messages, joint ? session.Hold() : "");
}

absl::StatusOr<std::vector<Message>> CaseView::NeverSent(const ReadTransaction& step,
                                                         const ChannelId& id) const {
  PARLEY_ASSIGN_OR_RETURN(std::vector<ChannelMessage> messages,
                          context_.Channel(id).NeverSent(step));
  return ForPeople(id, messages, "");
}

std::vector<Message> CaseView::ForPeople(const ChannelId& id,
                                         const std::vector<ChannelMessage>& messages,
                                         const std::string& hold) const {
  std::vector<Message> views;
  for (const ChannelMessage& message : messages) {
    if (message.kind == ContentKind::kText || message.kind == ContentKind::kDocument ||
        IsOfOffers(message.kind)) {
      views.push_back(ShowMessage(id, message));
      const bool can_wait = !IsOfOffers(message.kind) && message.incarnation == 0;
      views.back().note = message.reason.empty() && can_wait ? hold : message.reason;
    } else if ((message.kind == ContentKind::kSession || message.kind == ContentKind::kCalendar) &&
               !IsSilent(message)) {
      Message& view = views.emplace_back(ShowMessage(id, message));
      content::v1::Content content;
      if (!ParseFromPeer(content, message.content.Reveal())) continue;
      view.kind = MessageKind::kNotice;
      view.text = message.kind == ContentKind::kCalendar ? DescribeCalendar(content)
                                                         : SessionView::Describe(content);
      view.note = message.reason;
    }
  }
  return views;
}

}  // namespace parley::client
