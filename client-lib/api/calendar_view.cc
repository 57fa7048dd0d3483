#include "client-lib/api/calendar_view.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "client-lib/api/views.h"
#include "client-lib/content/parse.h"
#include "client-lib/procedure/time_zone.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

using content::v1::Content;

class Viewer {
 public:
  Viewer(CaseId id, ParticipantId self, std::set<ParticipantId> compared, std::string rests)
      : id_(id), self_(self), compared_(std::move(compared)), rests_(std::move(rests)) {}

  CalendarEntry Show(const LoadedCalendar& calendar, const CalendarBook::Entry& entry) const {
    CalendarEntry shown;
    shown.channel = {id_, calendar.channel};
    shown.channel_name = calendar.name;
    shown.kind = static_cast<CalendarKind>(entry.said.kind());
    shown.id = entry.id;
    shown.version_id = entry.latest.id;
    shown.version = entry.said.version();
    shown.cancelled = entry.said.cancelled();
    shown.by = ShowPerson(entry.by);
    shown.changed_by = ShowPerson(entry.latest.by);
    shown.title = entry.said.title();
    shown.place = entry.said.place();
    shown.side = entry.said.side();
    shown.changed = entry.latest.time;
    shown.start = static_cast<int64_t>(entry.said.start());
    shown.minutes = entry.said.minutes();
    ShowZone(entry.said, shown);
    if (!shown.cancelled) shown.rests = rests_;
    ShowAnswers(calendar, entry, shown);
    shown.may_change =
        calendar.is_active && !shown.cancelled && CalendarBook::MayChange(entry, calendar.self);
    return shown;
  }

 private:
  Person ShowPerson(const Actor& actor) const {
    Person person;
    person.id = actor.id;
    person.name = actor.name;
    person.role = actor.role;
    person.side = actor.side;
    person.self = actor.id == self_;
    person.compared = person.self || compared_.contains(actor.id);
    return person;
  }

  static void ShowZone(const content::v1::CalendarEntry& said, CalendarEntry& shown) {
    shown.zone = said.zone();
    shown.start_there = LocalTimeText(shown.start, said.offset_minutes());
    shown.offset_there = OffsetText(said.offset_minutes());
    const std::optional<int32_t> here = OffsetMinutesAt(said.zone(), shown.start);
    if (!here.has_value()) {
      shown.zone_note = "this machine doesn't know the time zone " + said.zone();
    } else if (*here != said.offset_minutes()) {
      shown.zone_note = "by this machine's rules the clocks in " + said.zone() + " show " +
                        LocalTimeText(shown.start, *here) +
                        " then: ask which is meant, and bring the package tzdata up to date";
    }
  }

  // Everybody who is asked, with what they have said; for a reminder one of a side says so for all.
  void ShowAnswers(const LoadedCalendar& calendar, const CalendarBook::Entry& entry,
                   CalendarEntry& shown) const {
    const bool is_reminder = shown.kind == CalendarKind::kReminder;
    std::map<ParticipantId, CalendarBook::Answer> said;
    std::map<std::string, CalendarBook::Answer> of_side;
    for (const CalendarBook::Answer& answer : entry.answers) {
      said.emplace(answer.by.id, answer);
      if (is_reminder && AnswersForSide(answer.by)) of_side.emplace(answer.by.side, answer);
    }
    for (const Actor& member : calendar.roster) {
      if (!calendar.log.book.IsAsked(entry, member)) continue;
      const auto own = said.find(member.id);
      const auto side = of_side.find(member.side);
      const CalendarBook::Answer* answer = nullptr;
      if (own != said.end()) answer = &own->second;
      if (answer == nullptr && side != of_side.end() && AnswersForSide(member)) {
        answer = &side->second;
      }
      CalendarAnswer& line = shown.answers.emplace_back();
      line.by = ShowPerson(member);
      if (answer != nullptr) {
        line.reply = answer->reply;
        line.time = answer->time;
        if (answer->by.id != member.id) line.answered_by = ShowPerson(answer->by);
      }
      if (member.id != self_) continue;
      shown.own = line.reply;
      shown.asked = calendar.is_active;
    }
  }

  CaseId id_;
  ParticipantId self_;
  std::set<ParticipantId> compared_;
  std::string rests_;
};

std::string ReplyText(content::v1::CalendarAnswer::Answer answer) {
  switch (answer) {
    case content::v1::CalendarAnswer::ANSWER_YES:
      return "will be there";
    case content::v1::CalendarAnswer::ANSWER_MAYBE:
      return "may be there";
    case content::v1::CalendarAnswer::ANSWER_NO:
      return "can't be there";
    case content::v1::CalendarAnswer::ANSWER_DONE:
      return "has done what they were reminded of";
    default:
      return "answers";
  }
}

}  // namespace

std::string DescribeCalendar(const Content& content) {
  if (content.has_calendar_answer()) return ReplyText(content.calendar_answer().answer());
  if (!content.has_calendar_entry()) return "";
  const content::v1::CalendarEntry& said = content.calendar_entry();
  const bool meeting = said.kind() == content::v1::CalendarEntry::KIND_MEETING;
  const std::string what = meeting ? "meeting" : "reminder";
  if (said.cancelled()) return "cancels a " + what;
  // A time that is none is shown as such by the refusal beside it.
  const auto start = static_cast<int64_t>(std::min<uint64_t>(said.start(), kLatestTime));
  const int32_t offset = std::clamp(said.offset_minutes(), -kMostOffsetMinutes, kMostOffsetMinutes);
  std::string text = (said.version() > 1 ? "changes a " + what
                      : meeting          ? std::string("proposes a meeting")
                                         : std::string("reminds")) +
                     (said.side().empty() ? "" : " the side " + said.side()) + ": " + said.title() +
                     (meeting ? ", " : ", by ") + LocalTimeText(start, offset) + " " + said.zone();
  if (meeting) text += ", " + std::to_string(said.minutes()) + " minutes";
  if (!said.place().empty()) text += ", " + said.place();
  return text;
}

absl::StatusOr<std::vector<CalendarEntry>> ViewCalendar(const ReadTransaction& step,
                                                        const CaseContext& context) {
  std::vector<CalendarEntry> shown;
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord record, context.Records().Case(step));
  PARLEY_ASSIGN_OR_RETURN(std::set<ParticipantId> compared, ComparedPeers(step, context));
  PARLEY_ASSIGN_OR_RETURN(const std::optional<LoadedProcedure> procedure,
                          LoadProcedure(step, context));
  const Viewer viewer(context.id, record.own_id, std::move(compared),
                      WhyCalendarRests(procedure.has_value() ? &*procedure : nullptr));
  PARLEY_ASSIGN_OR_RETURN(const std::vector<LoadedCalendar> calendars,
                          LoadCalendars(step, context));
  for (const LoadedCalendar& calendar : calendars) {
    for (const CalendarBook::Entry& entry : calendar.log.book.entries()) {
      shown.push_back(viewer.Show(calendar, entry));
    }
  }
  std::sort(shown.begin(), shown.end(), [](const CalendarEntry& a, const CalendarEntry& b) {
    return std::tie(a.start, a.id) < std::tie(b.start, b.id);
  });
  return shown;
}

absl::Status CaseView::ShowCalendar(const ReadTransaction& step, const ChannelId& id,
                                    const ChannelMessage& message, LoadedRecords& loaded,
                                    Message& view) const {
  Content content;
  if (!ParseFromPeer(content, message.content.Reveal())) return absl::OkStatus();
  view.kind = MessageKind::kNotice;
  view.text = DescribeCalendar(content);
  auto calendar = loaded.calendars.find(id);
  if (calendar == loaded.calendars.end()) {
    PARLEY_ASSIGN_OR_RETURN(LoadedCalendar read,
                            LoadCalendar(step, context_, procedure_.get(), id));
    calendar = loaded.calendars.emplace(id, std::move(read)).first;
  }
  const CalendarLog::Step* const judged =
      calendar->second.log.At({message.incarnation, message.position});
  if (judged == nullptr || judged->refused.empty()) return absl::OkStatus();
  view.refused = true;
  view.note = judged->undecided
                  ? "this device can't tell whether it counts: it came into the channel later"
                  : judged->refused;
  return absl::OkStatus();
}

}  // namespace parley::client
