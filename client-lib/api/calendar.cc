// Meetings and reminders: Profile::Impl's part.
#include <algorithm>
#include <ctime>
#include <utility>

#include "client-lib/api/calendar_view.h"
#include "client-lib/api/profile_impl.h"
#include "client-lib/api/status_conversion.h"
#include "client-lib/cases/procedure_gate.h"
#include "client-lib/content/folded_text.h"
#include "client-lib/content/utf8.h"
#include "client-lib/procedure/time_zone.h"

namespace parley {
namespace {

using client::CalendarBook;
using client::LoadedCalendar;
using client::LoadedProcedure;
using client::ReadTransaction;
using client::ResolvedTime;
using content::v1::Content;

std::string NameOf(CalendarKind kind) { return CalendarKindName(kind); }

absl::Status CheckText(const std::string& text, size_t most, const std::string& what) {
  if (text.size() > most) {
    return absl::InvalidArgumentError("the " + what + " has " + std::to_string(text.size()) +
                                      " bytes; at most " + std::to_string(most) +
                                      " can be sent: say the rest in a message");
  }
  if (!client::IsWellFormedUtf8(text)) {
    return absl::InvalidArgumentError("the " + what + " is not UTF-8");
  }
  return absl::OkStatus();
}

absl::Status CheckTexts(const content::v1::CalendarEntry& said) {
  if (client::IsBlank(said.title())) {
    return absl::InvalidArgumentError("there is nothing in the title: say what it is about");
  }
  PARLEY_RETURN_IF_ERROR(CheckText(said.title(), client::kMostCalendarTitle, "title"));
  return CheckText(said.place(), client::kMostCalendarPlace, "place");
}

absl::Status SetTime(std::string_view start, std::string_view zone, Occurrence occurrence,
                     content::v1::CalendarEntry& said) {
  PARLEY_ASSIGN_OR_RETURN(const ResolvedTime time, client::ResolveTime(start, zone, occurrence));
  if (time.time <= static_cast<int64_t>(std::time(nullptr))) {
    return absl::InvalidArgumentError(std::string(start) + " in " + std::string(zone) +
                                      " is in the past");
  }
  said.set_start(static_cast<uint64_t>(time.time));
  said.set_zone(std::string(zone));
  said.set_offset_minutes(time.offset_minutes);
  return absl::OkStatus();
}

absl::Status SetMinutes(uint32_t minutes, content::v1::CalendarEntry& said) {
  if (minutes < 1 || minutes > client::kMostMeetingMinutes) {
    return absl::InvalidArgumentError("a meeting takes from one minute up to a week");
  }
  said.set_minutes(minutes);
  return absl::OkStatus();
}

// The entry's next version, as it is so far.
content::v1::CalendarEntry NextVersion(const CalendarBook::Entry& entry) {
  content::v1::CalendarEntry next = entry.said;
  next.set_entry_id(client::ToField(entry.id));
  next.set_version(entry.said.version() + 1);
  next.set_replaces(client::ToField(entry.latest.id));
  return next;
}

// What is there that a call can be about.
absl::StatusOr<CalendarBook::Entry> MustFind(const ReadTransaction& step,
                                             const client::CaseContext& context,
                                             const CalendarEntry& entry) {
  PARLEY_ASSIGN_OR_RETURN(const std::vector<LoadedCalendar> calendars,
                          client::LoadCalendars(step, context));
  for (const LoadedCalendar& calendar : calendars) {
    if (calendar.channel != entry.channel.channel_id) continue;
    const CalendarBook::Entry* const found = calendar.log.book.Find(entry.id);
    if (found != nullptr) return *found;
  }
  return absl::NotFoundError("there is no such " + NameOf(entry.kind) + " any more");
}

// Of an own record that is in the log: whether it counts there, where somebody may have been
// quicker.
absl::Status CheckCounts(client::ProfileStore& store, const client::CaseContext& context,
                         const ChannelId& channel, const MessageId& record) {
  PARLEY_ASSIGN_OR_RETURN(const ReadTransaction read, store.Read());
  PARLEY_ASSIGN_OR_RETURN(const std::optional<LoadedProcedure> procedure,
                          client::LoadProcedure(read, context));
  PARLEY_ASSIGN_OR_RETURN(
      const LoadedCalendar calendar,
      client::LoadCalendar(read, context, procedure.has_value() ? &*procedure : nullptr, channel));
  for (const client::CalendarLog::Step& step : calendar.log.steps) {
    const bool own = step.record.id == record && step.record.by.id == calendar.self.id;
    if (own && !step.refused.empty()) {
      return absl::FailedPreconditionError("it came too late: you " + step.refused);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<CalendarEntry>> Profile::Impl::Calendar(const CaseId& id) {
  PARLEY_ASSIGN_OR_RETURN(const ReadTransaction read, store_->Read());
  return client::ViewCalendar(read, LocalContext(id));
}

absl::StatusOr<CalendarEntry> Profile::Impl::FindInCalendar(const CaseId& id, CalendarKind kind,
                                                            std::string_view text) {
  PARLEY_ASSIGN_OR_RETURN(const std::vector<CalendarEntry> all, Calendar(id));
  const std::string sought = client::Folded(text);
  std::vector<const CalendarEntry*> fitting;
  std::vector<const CalendarEntry*> named;
  for (const CalendarEntry& entry : all) {
    if (entry.kind != kind || sought.empty()) continue;
    if (entry.id.ToString().starts_with(sought)) fitting.push_back(&entry);
    if (client::Folded(entry.title) == sought) named.push_back(&entry);
  }
  if (fitting.empty()) fitting = named;
  const std::string what = NameOf(kind);
  if (fitting.empty()) {
    return absl::NotFoundError("there is no " + what + " \"" + std::string(text) + "\"; \"parley " +
                               what + "s\" shows those that there are");
  }
  if (fitting.size() > 1) {
    return client::AmbiguousError("\"" + std::string(text) + "\" fits several " + what +
                                  "s; write more of the id");
  }
  return *fitting.front();
}

absl::StatusOr<CalendarEntry> Profile::Impl::RecordInCalendar(
    const ChannelRef& channel, const MessageId& entry, Content content,
    const std::vector<std::string>& texts) {
  PARLEY_RETURN_IF_ERROR(CheckWritable(channel));
  CatchUp(channel);
  if (!content.calendar_entry().cancelled()) {
    PARLEY_RETURN_IF_ERROR(SayUnderProcedure(channel, content));
  }
  const MessageId record = client::RandomId<MessageId>();
  content.set_message_id(client::ToField(record));
  const client::CaseContext context = LocalContext(channel.case_id);
  {
    PARLEY_ASSIGN_OR_RETURN(const ReadTransaction read, store_->Read());
    PARLEY_ASSIGN_OR_RETURN(const std::optional<LoadedProcedure> procedure,
                            client::LoadProcedure(read, context));
    const LoadedProcedure* const known = procedure.has_value() ? &*procedure : nullptr;
    PARLEY_ASSIGN_OR_RETURN(LoadedCalendar calendar,
                            client::LoadCalendar(read, context, known, channel.channel_id));
    if (known != nullptr && content.has_calendar_entry() && !content.calendar_entry().cancelled()) {
      const std::string why = client::WhyNoMeetings(known->log.At(known->head).state());
      if (!why.empty()) return absl::FailedPreconditionError(why);
    }
    const client::SessionRecord said{record, calendar.self, std::time(nullptr)};
    const std::string refusal = calendar.log.book.Take(said, content);
    const bool by_role =
        refusal.find(": only ") != std::string::npos || refusal.ends_with("they aren't asked");
    if (by_role) return absl::PermissionDeniedError("you " + refusal);
    if (!refusal.empty()) return absl::FailedPreconditionError("you " + refusal);
  }
  PARLEY_RETURN_IF_ERROR(QueueChecked(channel, content, texts).status());
  PARLEY_ASSIGN_OR_RETURN(const SentMessage sent,
                          Deliver(channel, record, /*may_stay_queued=*/false));
  const MessageId sought = entry.is_zero() ? record : entry;
  CalendarEntry waiting;
  waiting.channel = channel;
  waiting.id = sought;
  waiting.version = 0;
  if (!sent.position.has_value()) return waiting;
  PARLEY_RETURN_IF_ERROR(CheckCounts(*store_, context, channel.channel_id, record));
  PARLEY_ASSIGN_OR_RETURN(const std::vector<CalendarEntry> all, Calendar(channel.case_id));
  for (const CalendarEntry& one : all) {
    if (one.id == sought && one.channel == channel) return one;
  }
  return absl::NotFoundError("there is no such entry any more");
}

absl::StatusOr<CalendarEntry> Profile::Impl::AddToCalendar(const ChannelRef& channel,
                                                           CalendarKind kind,
                                                           const CalendarRequest& request) {
  Content content;
  content::v1::CalendarEntry& said = *content.mutable_calendar_entry();
  said.set_kind(static_cast<content::v1::CalendarEntry::Kind>(kind));
  said.set_version(1);
  said.set_title(request.title);
  if (kind == CalendarKind::kMeeting) {
    said.set_place(request.place);
    PARLEY_RETURN_IF_ERROR(SetMinutes(request.minutes, said));
  }
  PARLEY_RETURN_IF_ERROR(CheckTexts(said));
  PARLEY_RETURN_IF_ERROR(SetTime(request.start, request.zone, request.occurrence, said));
  if (!request.side.empty()) {
    PARLEY_ASSIGN_OR_RETURN(const parley::Channel shown, GetChannel(channel));
    const auto member =
        std::find_if(shown.readers.begin(), shown.readers.end(), [&](const Person& person) {
          return !person.side.empty() &&
                 client::Folded(person.side) == client::Folded(request.side);
        });
    if (member == shown.readers.end()) {
      return absl::NotFoundError("nobody in the channel " + shown.name + " is on the side \"" +
                                 request.side + "\"");
    }
    // In a caucus there is one side only.
    if (shown.kind == ChannelKind::kJoint) said.set_side(member->side);
  }
  std::vector<std::string> texts{request.title};
  if (!said.place().empty()) texts.push_back(said.place());
  return RecordInCalendar(channel, {}, std::move(content), texts);
}

absl::StatusOr<CalendarEntry> Profile::Impl::ChangeInCalendar(const CalendarEntry& entry,
                                                              const CalendarChange& change) {
  Content content;
  content::v1::CalendarEntry& said = *content.mutable_calendar_entry();
  {
    PARLEY_ASSIGN_OR_RETURN(const ReadTransaction read, store_->Read());
    PARLEY_ASSIGN_OR_RETURN(const CalendarBook::Entry found,
                            MustFind(read, LocalContext(entry.channel.case_id), entry));
    said = NextVersion(found);
  }
  if (change.title.has_value()) said.set_title(*change.title);
  if (change.place.has_value() && entry.kind == CalendarKind::kMeeting) {
    said.set_place(*change.place);
  }
  if (change.minutes.has_value() && entry.kind == CalendarKind::kMeeting) {
    PARLEY_RETURN_IF_ERROR(SetMinutes(*change.minutes, said));
  }
  PARLEY_RETURN_IF_ERROR(CheckTexts(said));
  if (change.zone.has_value() && !change.start.has_value()) {
    return absl::InvalidArgumentError(
        "another time zone needs a start in it: give both (--start and --zone)");
  }
  if (change.start.has_value()) {
    PARLEY_RETURN_IF_ERROR(
        SetTime(*change.start, change.zone.value_or(said.zone()), change.occurrence, said));
  }
  // Of what stays the same the channel knows whose words they are.
  std::vector<std::string> texts;
  if (change.title.has_value()) texts.push_back(*change.title);
  if (change.place.has_value() && !change.place->empty()) texts.push_back(*change.place);
  return RecordInCalendar(entry.channel, entry.id, std::move(content), texts);
}

absl::StatusOr<CalendarEntry> Profile::Impl::CancelInCalendar(const CalendarEntry& entry) {
  Content content;
  content::v1::CalendarEntry& said = *content.mutable_calendar_entry();
  {
    PARLEY_ASSIGN_OR_RETURN(const ReadTransaction read, store_->Read());
    PARLEY_ASSIGN_OR_RETURN(const CalendarBook::Entry found,
                            MustFind(read, LocalContext(entry.channel.case_id), entry));
    const content::v1::CalendarEntry next = NextVersion(found);
    said.set_kind(next.kind());
    said.set_entry_id(next.entry_id());
    said.set_version(next.version());
    said.set_replaces(next.replaces());
    said.set_cancelled(true);
  }
  return RecordInCalendar(entry.channel, entry.id, std::move(content), {});
}

absl::StatusOr<CalendarEntry> Profile::Impl::AnswerInCalendar(const CalendarEntry& entry,
                                                              CalendarReply reply) {
  Content content;
  content::v1::CalendarAnswer& said = *content.mutable_calendar_answer();
  said.set_version_id(client::ToField(entry.version_id));
  said.set_answer(static_cast<content::v1::CalendarAnswer::Answer>(reply));
  return RecordInCalendar(entry.channel, entry.id, std::move(content), {});
}

absl::StatusOr<std::string> Profile::Impl::MeetingFile(const CalendarEntry& meeting,
                                                       bool with_details) {
  if (meeting.kind != CalendarKind::kMeeting) {
    return absl::InvalidArgumentError("only a meeting can be brought into a calendar");
  }
  PARLEY_ASSIGN_OR_RETURN(const client::CaseRecord own, LoadCase(meeting.channel.case_id));
  return client::WriteCalendarFile(meeting, own.own_id, with_details);
}

}  // namespace parley
