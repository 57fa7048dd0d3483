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

std::string RefusalOfStanding(const CalendarRecord& record, bool agrees) {
  const std::string start = "may not tell what is on the calendar: ";
  if (!IsNeutral(record.record.by.role)) return start + "only mediator or co-mediator may";
  if (Through(record) >= record.at) return start + "it tells of what is still to come";
  return agrees ? "" : start + "it isn't so";
}

// One playing of the records.
class Player {
 public:
  // `beginning`: the standing that a newcomer begins with; null for none.
  Player(ChannelKind kind, const JointPosition& joined, const CalendarRecord* beginning)
      : joined_(joined), beginning_(beginning), log_{CalendarBook(kind), {}} {}

  void Run(const std::vector<CalendarRecord>& records) {
    // Each standing is compared when the playing comes by the place that it tells of.
    std::multimap<JointPosition, const CalendarRecord*> told;
    for (const CalendarRecord& record : records) {
      if (TellsStanding(record)) told.emplace(Through(record), &record);
    }
    auto next = told.begin();
    for (const CalendarRecord& record : records) {
      for (; next != told.end() && next->first < record.at; ++next) Compare(*next->second);
      TakeRecord(record);
    }
  }

  // The first in the log that a newcomer can begin with: one that tells nothing else than what they
  // have seen themselves. Null for none.
  const CalendarRecord* CanBegin() const { return can_begin_; }
  CalendarLog Take() { return std::move(log_); }

 private:
  bool KnowsAll() const { return joined_.position == 0; }

  void Compare(const CalendarRecord& record) {
    const content::v1::CalendarStanding& standing = record.content.calendar_standing();
    if (Through(record) >= record.at) return;  // it is refused for that
    if (!log_.book.Agrees(standing, KnowsAll())) {
      differs_.insert(record.at);
      return;
    }
    if (KnowsAll() || Through(record) < joined_) return;
    if (&record == beginning_) {
      log_.book.Merge(standing);
      // What nothing could be said of is told now.
      std::erase_if(log_.steps, [](const CalendarLog::Step& step) { return step.undecided; });
    } else if (can_begin_ == nullptr || record.at < can_begin_->at) {
      if (CalendarBook(log_.book).Merge(standing)) can_begin_ = &record;
    }
  }

  void TakeRecord(const CalendarRecord& record) {
    CalendarLog::Step step{record.at, record.record, record.content.has_calendar_standing(), "",
                           false};
    step.undecided = record.pending || (!KnowsAll() && log_.book.IsAboutUnknown(record.content));
    step.overtaken = log_.book.IsOvertaken(record.record, record.content);
    if (step.standing) {
      step.refused = RefusalOfStanding(record, !differs_.contains(record.at));
    } else {
      step.refused = record.fault.empty() ? log_.book.Take(record.record, record.content)
                                          : "may not say this: " + record.fault;
    }
    step.undecided = step.undecided && !step.refused.empty();
    step.overtaken = step.overtaken && !step.refused.empty() && record.fault.empty();
    log_.steps.push_back(std::move(step));
  }

  const JointPosition joined_;
  const CalendarRecord* const beginning_;
  const CalendarRecord* can_begin_ = nullptr;
  std::set<JointPosition> differs_;
  CalendarLog log_;
};

}  // namespace

CalendarLog CalendarLog::Play(ChannelKind kind, const std::vector<CalendarRecord>& records,
                              const JointPosition& joined) {
  Player first(kind, joined, nullptr);
  first.Run(records);
  if (first.CanBegin() == nullptr) return first.Take();
  Player second(kind, joined, first.CanBegin());
  second.Run(records);
  return second.Take();
}

const CalendarLog::Step* CalendarLog::At(const JointPosition& at) const {
  const auto step =
      std::lower_bound(steps.begin(), steps.end(), at,
                       [](const Step& one, const JointPosition& place) { return one.at < place; });
  return step == steps.end() || step->at != at ? nullptr : &*step;
}

}  // namespace parley::client
