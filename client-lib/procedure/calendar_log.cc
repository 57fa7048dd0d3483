#include "client-lib/procedure/calendar_log.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace parley::client {
namespace {

JointPosition Through(const CalendarRecord& record) {
  return {record.content.calendar_standing().through_incarnation(),
          record.content.calendar_standing().through_position()};
}

bool TellsStanding(const CalendarRecord& record) {
  return record.content.has_calendar_standing() && IsNeutral(record.record.by.role);
}

// The first standing that a newcomer can begin with; null for none.
const CalendarRecord* BeginningOf(ChannelKind kind, const std::vector<CalendarRecord>& records,
                                  const JointPosition& joined) {
  for (const CalendarRecord& record : records) {
    if (!TellsStanding(record) || Through(record) < joined || Through(record) >= record.at) {
      continue;
    }
    if (CalendarBook(kind).Read(record.content.calendar_standing())) return &record;
  }
  return nullptr;
}

std::string RefusalOfStanding(const CalendarRecord& record, bool agrees) {
  const std::string start = "may not tell what is on the calendar: ";
  if (!IsNeutral(record.record.by.role)) return start + "only mediator or co-mediator may";
  if (Through(record) >= record.at) return start + "it tells of what is still to come";
  return agrees ? "" : start + "it isn't so";
}

}  // namespace

CalendarLog CalendarLog::Play(ChannelKind kind, const std::vector<CalendarRecord>& records,
                              const JointPosition& joined) {
  CalendarLog log{CalendarBook(kind), {}};
  const bool knows_all = joined.position == 0;
  const CalendarRecord* const beginning = knows_all ? nullptr : BeginningOf(kind, records, joined);
  JointPosition base;
  if (beginning != nullptr) {
    log.book.Read(beginning->content.calendar_standing());
    base = Through(*beginning);
  }
  // Each standing is compared when the playing comes by the place that it tells of.
  std::multimap<JointPosition, const CalendarRecord*> told;
  std::set<JointPosition> differs;
  for (const CalendarRecord& record : records) {
    if (TellsStanding(record)) told.emplace(Through(record), &record);
  }
  auto next = told.begin();
  for (const CalendarRecord& record : records) {
    if (record.at <= base) continue;
    for (; next != told.end() && next->first < record.at; ++next) {
      if (next->first >= base &&
          !log.book.Agrees(next->second->content.calendar_standing(), knows_all)) {
        differs.insert(next->second->at);
      }
    }
    Step step{record.at, record.record, record.content.has_calendar_standing(), "", false};
    step.undecided = record.pending || (!knows_all && log.book.IsAboutUnknown(record.content));
    if (step.standing) {
      step.refused = RefusalOfStanding(record, !differs.contains(record.at));
    } else {
      step.refused = record.fault.empty() ? log.book.Take(record.record, record.content)
                                          : "may not say this: " + record.fault;
    }
    step.undecided = step.undecided && !step.refused.empty();
    log.steps.push_back(std::move(step));
  }
  return log;
}

const CalendarLog::Step* CalendarLog::At(const JointPosition& at) const {
  const auto step =
      std::lower_bound(steps.begin(), steps.end(), at,
                       [](const Step& one, const JointPosition& place) { return one.at < place; });
  return step == steps.end() || step->at != at ? nullptr : &*step;
}

}  // namespace parley::client
