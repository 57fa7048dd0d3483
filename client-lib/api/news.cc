#include "client-lib/api/news.h"

#include <algorithm>

#include "client-lib/api/views.h"
#include "client-lib/content/parse.h"

namespace parley::client {
namespace {

std::string StateText(const Participant& participant) {
  std::string text = participant.name + " (" + RoleName(participant.role) +
                     (participant.side.empty() ? "" : ", " + participant.side) + ")";
  switch (participant.state) {
    case ParticipantState::kInvited:
      return text + " is invited";
    case ParticipantState::kWaiting:
      return text + " has joined and waits for approval";
    case ParticipantState::kApproved:
      return text + " takes part";
    case ParticipantState::kRemoved:
      return text + " was removed";
    case ParticipantState::kLeft:
      return text + " has left";
    case ParticipantState::kExpired:
      return "the invitation for " + text + " has expired";
    case ParticipantState::kUnknown:
      break;
  }
  return text + " is known";
}

std::string Names(const std::vector<Person>& readers) {
  std::vector<std::string> names;
  for (const Person& reader : readers) names.push_back(reader.name);
  std::sort(names.begin(), names.end());
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

Event News::Make(EventKind kind, std::string text) const {
  Event event;
  event.kind = kind;
  event.case_id = context_.id;
  event.text = std::move(text);
  return event;
}

void News::CompareParticipants(const std::vector<Participant>& participants,
                               std::vector<Event>& events) {
  for (const Participant& participant : participants) {
    const auto known = people_.find(participant.id);
    if (known != people_.end() && known->second == participant.state) continue;
    people_[participant.id] = participant.state;
    events.push_back(Make(EventKind::kParticipants, StateText(participant)));
  }
}

void News::CompareChannel(const parley::Channel& channel, std::vector<Event>& events) {
  ChannelFace face{channel.status, Names(channel.readers)};
  const auto known = channels_.find(channel.ref.channel_id);
  if (known != channels_.end() && known->second == face) return;
  std::string text;
  if (channel.status == ChannelStatus::kHalted) {
    text = "the channel " + channel.name + " is halted: " + channel.halted_reason;
  } else if (channel.status == ChannelStatus::kClosed) {
    text = "you are not in the channel " + channel.name + " any more";
  } else {
    text = "the channel " + channel.name + " can be read by " + face.readers;
  }
  Event event = Make(EventKind::kChannels, std::move(text));
  event.channel = channel.ref;
  events.push_back(std::move(event));
  channels_[channel.ref.channel_id] = std::move(face);
}

absl::Status News::CollectRetracted(const ReadTransaction& read, const CaseView& view,
                                    const ChannelRef& channel, std::vector<Event>& events) {
  uint64_t& up_to = retractions_up_to_[channel.channel_id];
  const uint64_t shown_up_to = read_up_to_[channel.channel_id];
  MessageQuery query;
  query.after = up_to;
  query.kinds = {ContentKind::kRetraction};
  const Channel log = context_.Channel(channel.channel_id);
  PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> said, log.Messages(read, query));
  for (const ChannelMessage& retraction : said) {
    up_to = std::max(up_to, retraction.number);
    content::v1::Content content;
    if (!ParseFromPeer(content, retraction.content.Reveal())) continue;
    const std::optional<MessageId> id = IdFrom<MessageId>(content.retraction().message_id());
    if (!id.has_value() || *id == retraction.id) continue;
    PARLEY_ASSIGN_OR_RETURN(const std::optional<ChannelMessage> gone,
                            log.Find(read, retraction.author.participant_id, *id));
    // What was never shown is shown as taken back when it is first read.
    if (!gone.has_value() || gone->kind != ContentKind::kRetraction || gone->number > shown_up_to) {
      continue;
    }
    PARLEY_ASSIGN_OR_RETURN(
        std::vector<Message> shown,
        view.Messages(read, channel.channel_id, {.after = gone->number - 1, .first = 1}));
    if (shown.empty() || shown.front().id != *id) continue;
    Event event = Make(EventKind::kMessage, {});
    event.channel = channel;
    event.message = std::move(shown.front());
    events.push_back(std::move(event));
  }
  return absl::OkStatus();
}

absl::Status News::Collect(std::vector<Event>& events) {
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, context_.store->Read());
  PARLEY_ASSIGN_OR_RETURN(std::vector<Participant> participants, ViewParticipants(read, context_));
  CompareParticipants(participants, events);
  PARLEY_ASSIGN_OR_RETURN(CaseView view, CaseView::Create(read, context_));
  PARLEY_ASSIGN_OR_RETURN(std::vector<parley::Channel> channels, view.Channels(read));
  for (const parley::Channel& channel : channels) CompareChannel(channel, events);
  for (const parley::Channel& channel : channels) {
    PARLEY_RETURN_IF_ERROR(CollectRetracted(read, view, channel.ref, events));
    uint64_t& up_to = read_up_to_[channel.ref.channel_id];
    PARLEY_ASSIGN_OR_RETURN(std::vector<Message> messages,
                            view.Messages(read, channel.ref.channel_id, {.after = up_to}));
    for (Message& message : messages) {
      up_to = message.position;
      Event event = Make(EventKind::kMessage, {});
      event.channel = channel.ref;
      event.message = std::move(message);
      events.push_back(std::move(event));
    }
  }
  PARLEY_ASSIGN_OR_RETURN(std::vector<Alarm> alarms, ViewAlarms(read, context_));
  std::set<std::string> texts;
  for (Alarm& alarm : alarms) {
    texts.insert(alarm.text);
    if (alarms_.contains(alarm.text)) continue;
    Event event = Make(EventKind::kAlarm, alarm.text);
    event.channel = alarm.channel;
    event.alarm = std::move(alarm);
    events.push_back(std::move(event));
  }
  alarms_ = std::move(texts);
  return absl::OkStatus();
}

absl::Status News::Start() {
  std::vector<Event> events;
  return Collect(events);
}

absl::Status News::Report(const std::function<void(const Event&)>& on_event) {
  std::vector<Event> events;
  PARLEY_RETURN_IF_ERROR(Collect(events));
  for (const Event& event : events) on_event(event);
  return absl::OkStatus();
}

}  // namespace parley::client
