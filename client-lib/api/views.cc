#include "client-lib/api/views.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "client-lib/api/calendar_view.h"
#include "client-lib/api/offer_view.h"
#include "client-lib/api/override_view.h"
#include "client-lib/api/session_view.h"
#include "client-lib/cases/naming.h"
#include "client-lib/channels/message_log.h"
#include "client-lib/content/parse.h"
#include "client-lib/firewall/disclosures.h"
#include "client-lib/firewall/offer_log.h"
#include "client-lib/pairing/device.h"

namespace parley::client {
namespace {

const char* CautionOf(CaucusRule rule) {
  switch (rule) {
    case CaucusRule::kOpen:
      return "by the agreement the neutrals may carry on what is said here, unless who says it "
             "reserves it (parley send --reserved)";
    case CaucusRule::kMustShareFacts:
      return "by the agreement facts that are told here must be shared: who tells one gives the "
             "neutrals leave to carry it (parley authorise). No program knows what is a fact";
    case CaucusRule::kClosed:
      break;
  }
  return "";
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
    const std::optional<ConfidentialityPolicy> policy = PolicyOf(*view.procedure_);
    if (policy.has_value()) view.caucus_rule_ = policy->caucus;
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
  if (channel.kind == ChannelKind::kCaucus) channel.caution = CautionOf(caucus_rule_);
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
  if (message.kind == ContentKind::kFirewallOverride &&
      ParseFromPeer(said, message.content.Reveal())) {
    PARLEY_ASSIGN_OR_RETURN(view.text, DescribeOverride(step, context_, said.firewall_override()));
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
