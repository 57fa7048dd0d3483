#include "client-lib/cases/calendar_work.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "client-lib/cases/naming.h"
#include "client-lib/cases/procedure_gate.h"
#include "client-lib/cases/procedure_work.h"
#include "client-lib/channels/entry_log.h"
#include "client-lib/content/parse.h"
#include "client-lib/procedure/procedure_table.h"
#include "client-lib/procedure/session_log.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

using content::v1::Content;

const LoadedProcedure* Pointer(const std::optional<LoadedProcedure>& procedure) {
  return procedure.has_value() ? &*procedure : nullptr;
}

absl::StatusOr<std::vector<ChannelMessage>> CalendarMessages(const ReadTransaction& step,
                                                             const CaseContext& context,
                                                             const ChannelId& channel) {
  MessageQuery query;
  query.kinds = {ContentKind::kCalendar};
  return context.Channel(channel).Messages(step, query);
}

// Where this device has come into the channel first, as far as it knows.
absl::StatusOr<JointPosition> JoinedAt(const ReadTransaction& step, const ChannelId& channel) {
  PARLEY_ASSIGN_OR_RETURN(const std::vector<LoggedIncarnation> logs,
                          ListIncarnations(step, channel));
  if (logs.empty()) return JointPosition{};
  return JointPosition{logs.front().incarnation, logs.front().joined.position};
}

absl::StatusOr<std::vector<CalendarRecord>> RecordsOf(const ReadTransaction& step,
                                                      const LoadedProcedure* procedure,
                                                      const ChannelState& state,
                                                      const std::vector<ChannelMessage>& messages) {
  std::vector<CalendarRecord> records;
  for (const ChannelMessage& message : messages) {
    CalendarRecord record;
    if (!ParseFromPeer(record.content, message.content.Reveal())) continue;
    record.at = {message.incarnation, message.position};
    record.record = {message.id, ActorOf(message.author),
                     static_cast<int64_t>(message.claimed_time)};
    if (procedure != nullptr) {
      PARLEY_ASSIGN_OR_RETURN(record.fault,
                              WhyAgainst(step, *procedure, state, message, &record.pending));
    }
    records.push_back(std::move(record));
  }
  return records;
}

// Notes what was passed over, and up to where who came later has been told.
void NoteSteps(const std::vector<ChannelMessage>& messages, LoadedCalendar& calendar) {
  if (!messages.empty()) calendar.told_number = messages.front().number;
  for (const ChannelMessage& message : messages) {
    const CalendarLog::Step* const step = calendar.log.At({message.incarnation, message.position});
    if (step == nullptr) continue;
    if (step->standing && step->refused.empty()) {
      calendar.told_number = std::max(calendar.told_number, message.number);
    }
    if (step->refused.empty() || step->undecided || step->overtaken) continue;
    calendar.passed_over.push_back({message.number, ActorOf(message.author), step->refused});
  }
}

// Whether an own standing waits to be sent.
absl::StatusOr<bool> StandingWaits(const ReadTransaction& step, const CaseContext& context,
                                   const ChannelId& channel) {
  PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> unsent,
                          context.Channel(channel).Unsent(step));
  return std::any_of(unsent.begin(), unsent.end(), [](const ChannelMessage& message) {
    Content content;
    return message.kind == ContentKind::kCalendar &&
           ParseFromPeer(content, message.content.Reveal()) && content.has_calendar_standing();
  });
}

// Whether somebody is in the channel who has come since it was last told.
bool OwesStanding(const ChannelInfo& info, uint64_t told_number) {
  if (told_number == 0) return false;
  return std::any_of(info.since.begin(), info.since.end(), [&](const MemberSince& since) {
    return since.number > told_number && info.state.FindMember(since.participant_id) != nullptr;
  });
}

// Whether the told entry is what the record is about, or was made by it.
bool IsAbout(const CalendarRecord& record, const content::v1::CalendarStanding::Entry& told) {
  const Content& said = record.content;
  return told.entry().entry_id() == said.calendar_entry().entry_id() ||
         told.entry().entry_id() == ToField(record.record.id) ||
         (said.has_calendar_answer() && told.id() == said.calendar_answer().version_id());
}

// What newcomers are told. A record of which this device can't judge yet whether it counts isn't
// foretold: the standing is as it was before the first of them; or, where somebody has come only
// after that, it leaves out what such records are about.
absl::StatusOr<content::v1::CalendarStanding> StandingFor(
    const ReadTransaction& step, const CaseContext& context, const LoadedProcedure* procedure,
    const CaseChannel& channel, const std::vector<ChannelMessage>& messages,
    const LoadedCalendar& calendar) {
  const JointPosition head{channel.info.state.incarnation, channel.info.head.position};
  PARLEY_ASSIGN_OR_RETURN(std::vector<CalendarRecord> records,
                          RecordsOf(step, procedure, channel.info.state, messages));
  const auto pending =
      std::find_if(records.begin(), records.end(), [](const auto& one) { return one.pending; });
  if (pending == records.end()) return calendar.log.book.Standing(head, context.now_seconds());
  const auto first = std::find_if(messages.begin(), messages.end(), [&](const auto& message) {
    return message.incarnation == pending->at.incarnation &&
           message.position == pending->at.position;
  });
  const bool all_were_there =
      std::all_of(channel.info.since.begin(), channel.info.since.end(),
                  [&](const MemberSince& since) { return since.number < first->number; });
  if (all_were_there && pending->at.position > 1) {
    const JointPosition before{pending->at.incarnation, pending->at.position - 1};
    const std::vector<CalendarRecord> earlier(records.begin(), pending);
    PARLEY_ASSIGN_OR_RETURN(const JointPosition joined, JoinedAt(step, channel.id));
    return CalendarLog::Play(channel.info.state.kind, earlier, joined)
        .book.Standing(before, context.now_seconds());
  }
  content::v1::CalendarStanding standing = calendar.log.book.Standing(head, context.now_seconds());
  for (const CalendarRecord& record : records) {
    if (!record.pending) continue;
    auto& entries = *standing.mutable_entries();
    entries.erase(std::remove_if(entries.begin(), entries.end(),
                                 [&](const auto& told) { return IsAbout(record, told); }),
                  entries.end());
  }
  return standing;
}

// Up to which number of a channel what was passed over has been seen.
struct SeenCalendar {
  uint64_t number = 0;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.number);
  }
};

std::string CalendarSeenName(const ChannelId& channel) {
  return "calendar-seen/" + channel.ToString();
}

}  // namespace

absl::StatusOr<LoadedCalendar> LoadCalendar(const ReadTransaction& step, const CaseContext& context,
                                            const LoadedProcedure* procedure,
                                            const ChannelId& channel) {
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord own, context.Records().Case(step));
  PARLEY_ASSIGN_OR_RETURN(const ChannelInfo info, context.Channel(channel).Info(step));
  PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> messages,
                          CalendarMessages(step, context, channel));
  PARLEY_ASSIGN_OR_RETURN(const JointPosition joined, JoinedAt(step, channel));
  PARLEY_ASSIGN_OR_RETURN(const std::vector<CalendarRecord> records,
                          RecordsOf(step, procedure, info.state, messages));
  LoadedCalendar calendar{channel,
                          DescribeChannel(info.state.kind, info.state.side),
                          info.standing == Standing::kActive && !info.leaving,
                          {},
                          {},
                          CalendarLog::Play(info.state.kind, records, joined),
                          {},
                          0};
  for (const RosterMember& member : info.state.members) {
    calendar.roster.push_back(ActorOf(member));
    if (member.participant_id == own.own_id) calendar.self = ActorOf(member);
  }
  std::sort(calendar.roster.begin(), calendar.roster.end());
  NoteSteps(messages, calendar);
  return calendar;
}

absl::StatusOr<std::vector<LoadedCalendar>> LoadCalendars(const ReadTransaction& step,
                                                          const CaseContext& context) {
  std::vector<LoadedCalendar> calendars;
  PARLEY_ASSIGN_OR_RETURN(const std::optional<LoadedProcedure> procedure,
                          LoadProcedure(step, context));
  PARLEY_ASSIGN_OR_RETURN(const std::vector<CaseChannel> channels, ChannelsOf(step, context));
  for (const CaseChannel& channel : channels) {
    PARLEY_ASSIGN_OR_RETURN(LoadedCalendar calendar,
                            LoadCalendar(step, context, Pointer(procedure), channel.id));
    if (!calendar.log.book.entries().empty() || !calendar.log.steps.empty()) {
      calendars.push_back(std::move(calendar));
    }
  }
  return calendars;
}

std::string WhyCalendarRests(const LoadedProcedure* procedure) {
  if (procedure == nullptr) return {};
  const CaseState state = procedure->log.At(procedure->head).state();
  return IsAtRest(state) ? std::string("the case is ") + NameOf(state) : std::string();
}

absl::StatusOr<bool> RunCalendarErrands(Transaction& step, const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord record, context.Records().Case(step));
  if (!record.IsNeutral()) return false;
  bool did = false;
  std::optional<LoadedProcedure> procedure;  // loaded when it is first needed
  bool loaded = false;
  PARLEY_ASSIGN_OR_RETURN(const std::vector<CaseChannel> channels, ChannelsOf(step, context));
  for (const CaseChannel& channel : channels) {
    if (channel.info.standing != Standing::kActive || channel.info.leaving) continue;
    PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> messages,
                            CalendarMessages(step, context, channel.id));
    if (messages.empty() || !OwesStanding(channel.info, messages.front().number)) continue;
    if (!loaded) {
      PARLEY_ASSIGN_OR_RETURN(procedure, LoadProcedure(step, context));
      loaded = true;
    }
    PARLEY_ASSIGN_OR_RETURN(const LoadedCalendar calendar,
                            LoadCalendar(step, context, Pointer(procedure), channel.id));
    PARLEY_ASSIGN_OR_RETURN(const bool waits, StandingWaits(step, context, channel.id));
    if (waits || !OwesStanding(channel.info, calendar.told_number)) continue;
    Content content;
    PARLEY_ASSIGN_OR_RETURN(
        *content.mutable_calendar_standing(),
        StandingFor(step, context, Pointer(procedure), channel, messages, calendar));
    if (content.calendar_standing().entries().empty()) continue;
    PARLEY_RETURN_IF_ERROR(context.Channel(channel.id).Queue(step, content).status());
    did = true;
  }
  return did;
}

absl::StatusOr<std::vector<std::pair<ChannelId, std::string>>> RefusedCalendar(
    const ReadTransaction& step, const CaseContext& context) {
  std::vector<std::pair<ChannelId, std::string>> lines;
  PARLEY_ASSIGN_OR_RETURN(const std::vector<LoadedCalendar> calendars,
                          LoadCalendars(step, context));
  for (const LoadedCalendar& calendar : calendars) {
    if (calendar.passed_over.empty()) continue;
    PARLEY_ASSIGN_OR_RETURN(
        const std::optional<SeenCalendar> seen,
        GetRecord<SeenCalendar>(step, RecordClass::kContent, CalendarSeenName(calendar.channel)));
    std::map<ParticipantId, std::pair<std::string, size_t>> by_author;
    for (const LoadedCalendar::PassedOver& one : calendar.passed_over) {
      if (seen.has_value() && one.number <= seen->number) continue;
      auto& [text, count] = by_author[one.by.id];
      if (count++ == 0) text = "in " + calendar.name + ", " + one.by.name + " " + one.text;
    }
    for (const auto& [author, said] : by_author) {
      const std::string more =
          said.second > 1 ? " (and " + std::to_string(said.second - 1) + " more records)" : "";
      lines.emplace_back(calendar.channel, said.first + more + "; every client has passed it over");
    }
  }
  return lines;
}

absl::Status SettleCalendar(Transaction& step, const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(const std::vector<LoadedCalendar> calendars,
                          LoadCalendars(step, context));
  for (const LoadedCalendar& calendar : calendars) {
    if (calendar.passed_over.empty()) continue;
    PARLEY_RETURN_IF_ERROR(PutRecord(step, RecordClass::kContent,
                                     CalendarSeenName(calendar.channel),
                                     SeenCalendar{calendar.passed_over.back().number}));
  }
  return absl::OkStatus();
}

}  // namespace parley::client
