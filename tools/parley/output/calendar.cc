#include "tools/parley/output/calendar.h"

#include <algorithm>
#include <ctime>
#include <vector>

#include "tools/parley/output/records.h"
#include "tools/parley/output/text.h"

namespace parley::cli {
namespace {

constexpr int64_t kSecondsPerMinute = 60;

std::string ReplyText(CalendarReply reply) {
  return reply == CalendarReply::kNone ? "no answer yet" : CalendarReplyName(reply);
}

std::string NameText(const Person& person) {
  return person.self ? std::string("you") : PersonText(person);
}

// "  done by Ana (party, Harbor) for Harbor": those who have said so, and not whom they said it
// for. Empty where nobody has.
std::string DoneText(const CalendarEntry& entry) {
  std::string people;
  std::vector<ParticipantId> named;
  for (const CalendarAnswer& answer : entry.answers) {
    if (answer.reply != CalendarReply::kDone) continue;
    const Person& by = answer.answered_by ? *answer.answered_by : answer.by;
    if (std::find(named.begin(), named.end(), by.id) != named.end()) continue;
    named.push_back(by.id);
    const bool for_side =
        (by.role == Role::kParty || by.role == Role::kCounsel) && !by.side.empty();
    people += (people.empty() ? "  done by " : ", ") + NameText(by) +
              (for_side ? " for " + Harmless(by.side) : "");
  }
  return people.empty() ? "" : people + "\n";
}

// "  yes: Ana (party, Harbor), Ben (party, Northline)" for each answer that there is.
std::string AnswersText(const CalendarEntry& entry) {
  std::string text = DoneText(entry);
  for (const CalendarReply reply :
       {CalendarReply::kYes, CalendarReply::kMaybe, CalendarReply::kNo, CalendarReply::kNone}) {
    std::string people;
    for (const CalendarAnswer& answer : entry.answers) {
      if (answer.reply != reply) continue;
      people += (people.empty() ? "" : ", ") + NameText(answer.by);
    }
    const bool reminder = entry.kind == CalendarKind::kReminder;
    const std::string name =
        reminder && reply == CalendarReply::kNone ? "not done yet" : ReplyText(reply);
    if (!people.empty()) text += "  " + name + ": " + people + "\n";
  }
  return text;
}

}  // namespace

bool AnyNotCompared(const CalendarEntry& entry) {
  std::vector<Person> people = {entry.by};
  if (entry.version > 1) people.push_back(entry.changed_by);
  for (const CalendarAnswer& answer : entry.answers) {
    if (entry.cancelled) break;
    people.push_back(answer.by);
    if (answer.answered_by) people.push_back(*answer.answered_by);
  }
  return AnyNotCompared(people);
}

std::string YourTime(int64_t time) { return LocalTime(time) + " your time"; }

bool IsPast(const CalendarEntry& entry) {
  const int64_t end = entry.start + entry.minutes * kSecondsPerMinute;
  return end <= static_cast<int64_t>(std::time(nullptr));
}

JsonObject ToJson(const CalendarEntry& entry) {
  std::vector<JsonObject> answers;
  for (const CalendarAnswer& answer : entry.answers) {
    JsonObject& one = answers.emplace_back();
    one.Text("name", answer.by.name)
        .Text("participant", answer.by.id.ToString())
        .Text("side", answer.by.side)
        .Bool("self", answer.by.self)
        .Text("answer", CalendarReplyName(answer.reply));
    if (answer.answered_by) one.All(Who("answered_by", *answer.answered_by));
    if (answer.time != 0) one.Text("time", IsoTime(answer.time));
  }
  JsonObject object;
  object.Text(CalendarKindName(entry.kind), entry.id.ToString())
      .Text("channel", entry.channel_name)
      .Text("title", entry.title)
      .Number("version", entry.version)
      .Bool("cancelled", entry.cancelled)
      .Text("start", IsoTime(entry.start))
      .Text("start_here", LocalTime(entry.start))
      .Text("start_there", entry.start_there)
      .Text("zone", entry.zone)
      .Text("offset_there", entry.offset_there)
      .Bool("past", IsPast(entry));
  if (entry.kind == CalendarKind::kMeeting) {
    object.Number("minutes", entry.minutes).Text("place", entry.place);
  } else {
    object.Text("side", entry.side);
  }
  return object.All(Who("by", entry.by))
      .All(Who("changed_by", entry.changed_by))
      .Text("changed", IsoTime(entry.changed))
      .Bool("asked", entry.asked)
      .Text("own", CalendarReplyName(entry.own))
      .Text("rests", entry.rests)
      .Text("zone_note", entry.zone_note)
      .Objects("answers", answers);
}

std::string ToText(const CalendarEntry& entry) {
  const bool meeting = entry.kind == CalendarKind::kMeeting;
  std::string text = entry.id.ToString().substr(0, 8) + "  " + Harmless(entry.title) +
                     (entry.cancelled ? " (cancelled)" : "") + "\n";
  text += std::string("  ") + (meeting ? "" : "by ") + YourTime(entry.start) + "; " +
          entry.start_there + " in " + Harmless(entry.zone) + " (" + entry.offset_there + ")";
  if (meeting) text += ", " + std::to_string(entry.minutes) + " minutes";
  if (!entry.cancelled && IsPast(entry)) text += meeting ? ", over" : ", overdue";
  text += "\n";
  if (!entry.place.empty()) text += "  at: " + Harmless(entry.place) + "\n";
  text += "  " + Harmless(entry.channel_name) +
          (entry.side.empty() ? "" : ", for the side " + Harmless(entry.side)) +
          (meeting ? ", proposed by " : ", set by ") + PersonText(entry.by) +
          (entry.version > 1 ? ", version " + std::to_string(entry.version) + " by " +
                                   PersonText(entry.changed_by)
                             : "") +
          "\n";
  if (!entry.zone_note.empty()) text += "  note: " + Harmless(entry.zone_note) + "\n";
  if (!entry.rests.empty()) text += "  it rests: " + Harmless(entry.rests) + "\n";
  return entry.cancelled ? text : text + AnswersText(entry);
}

}  // namespace parley::cli
