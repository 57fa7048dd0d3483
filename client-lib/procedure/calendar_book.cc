#include "client-lib/procedure/calendar_book.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "client-lib/channels/channel_ids.h"
#include "client-lib/content/folded_text.h"
#include "client-lib/content/shown_text.h"
#include "client-lib/procedure/time_zone.h"

namespace parley::client {
namespace {

namespace pb = content::v1;

constexpr uint64_t kSecondsPerMinute = 60;

bool IsMeeting(const pb::CalendarEntry& said) {
  return said.kind() == pb::CalendarEntry::KIND_MEETING;
}

std::string What(const pb::CalendarEntry& said) { return IsMeeting(said) ? "meeting" : "reminder"; }

// Whether a cancellation says nothing but that.
bool IsBare(const pb::CalendarEntry& said) {
  return said.title().empty() && said.place().empty() && said.zone().empty() &&
         said.side().empty() && said.start() == 0 && said.minutes() == 0 &&
         said.offset_minutes() == 0;
}

bool Fits(const pb::CalendarEntry& said, pb::CalendarAnswer::Answer answer) {
  if (!IsMeeting(said)) return answer == pb::CalendarAnswer::ANSWER_DONE;
  return answer == pb::CalendarAnswer::ANSWER_YES || answer == pb::CalendarAnswer::ANSWER_MAYBE ||
         answer == pb::CalendarAnswer::ANSWER_NO;
}

pb::CalendarStanding::Entry Write(const CalendarBook::Entry& entry) {
  pb::CalendarStanding::Entry told;
  *told.mutable_entry() = entry.said;
  told.mutable_entry()->set_entry_id(ToField(entry.id));
  told.set_id(ToField(entry.latest.id));
  *told.mutable_by() = WriteActor(entry.by);
  *told.mutable_changed_by() = WriteActor(entry.latest.by);
  told.set_time(static_cast<uint64_t>(entry.latest.time));
  for (const CalendarBook::Answer& answer : entry.answers) {
    pb::CalendarStanding::Answer& said = *told.add_answers();
    *said.mutable_by() = WriteActor(answer.by);
    said.set_answer(static_cast<pb::CalendarAnswer::Answer>(answer.reply));
    said.set_time(static_cast<uint64_t>(answer.time));
  }
  return told;
}

}  // namespace

bool CalendarBook::MayMake(pb::CalendarEntry::Kind kind, const Actor& author) const {
  if (IsNeutral(author.role)) return true;
  if (!AnswersForSide(author)) return false;
  return kind_ == ChannelKind::kTeam ||
         (kind_ == ChannelKind::kCaucus && kind == pb::CalendarEntry::KIND_MEETING);
}

bool CalendarBook::MayChange(const Entry& entry, const Actor& member) {
  return IsNeutral(member.role) || member.id == entry.by.id;
}

bool CalendarBook::IsAsked(const Entry& entry, const Actor& member) const {
  if (entry.said.cancelled()) return false;
  if (IsMeeting(entry.said)) return true;
  if (!entry.said.side().empty()) return member.side == entry.said.side();
  const bool among_equals = kind_ == ChannelKind::kNeutrals || kind_ == ChannelKind::kTeam;
  return among_equals ? member.id != entry.by.id : !IsNeutral(member.role);
}

const CalendarBook::Entry* CalendarBook::Find(const MessageId& id) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return entry.id == id; });
  return found == entries_.end() ? nullptr : &*found;
}

bool CalendarBook::IsTaken(const MessageId& id, const Entry* own) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return &entry != own && (entry.id == id || entry.latest.id == id);
  });
}

bool CalendarBook::IsAboutUnknown(const pb::Content& content) const {
  if (content.has_calendar_entry()) {
    const std::optional<MessageId> id = IdFrom<MessageId>(content.calendar_entry().entry_id());
    return id.has_value() && Find(*id) == nullptr;
  }
  if (!content.has_calendar_answer()) return false;
  return std::none_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return ToField(entry.latest.id) == content.calendar_answer().version_id();
  });
}

bool CalendarBook::IsOvertaken(const SessionRecord& record, const pb::Content& content) const {
  // Which versions there were isn't kept: an answer to one that isn't the latest was overtaken.
  if (content.has_calendar_answer()) return IsAboutUnknown(content);
  const pb::CalendarEntry& said = content.calendar_entry();
  const std::optional<MessageId> id = IdFrom<MessageId>(said.entry_id());
  const Entry* const entry = id.has_value() ? Find(*id) : nullptr;
  return entry != nullptr && MayChange(*entry, record.by) && said.kind() == entry->said.kind() &&
         (entry->said.cancelled() || said.version() <= entry->said.version());
}

std::string CalendarBook::Take(const SessionRecord& record, const pb::Content& content) {
  if (content.has_calendar_entry()) return Set(record, content.calendar_entry());
  if (content.has_calendar_answer()) return Reply(record, content.calendar_answer());
  return "may not say this: it is nothing for the calendar";
}

std::string CalendarBook::FaultOf(const pb::CalendarEntry& said) const {
  if (IsBlank(said.title())) return "it says nothing";
  if (said.title().size() > kMostCalendarTitle || said.place().size() > kMostCalendarPlace) {
    return "it is too long";
  }
  const bool is_time = said.start() > 0 && said.start() <= static_cast<uint64_t>(kLatestTime);
  const bool is_offset =
      said.offset_minutes() >= -kMostOffsetMinutes && said.offset_minutes() <= kMostOffsetMinutes;
  if (!is_time || !is_offset || !IsZoneName(said.zone())) return "its time is none";
  if (!IsMeeting(said)) {
    if (said.minutes() != 0 || !said.place().empty()) return "it has what only a meeting has";
    if (said.side().empty()) return "";
    const bool has_sides = kind_ == ChannelKind::kJoint && IsGoodName(said.side());
    return has_sides ? "" : "it names a side that this channel can't have";
  }
  if (!said.side().empty()) return "a meeting is for everybody in the channel";
  return said.minutes() >= 1 && said.minutes() <= kMostMeetingMinutes ? "" : "its length is none";
}

namespace {

// Of a channel of that kind, for people.
const char* WhoMayMake(ChannelKind kind, bool is_meeting) {
  if (kind == ChannelKind::kTeam || (kind == ChannelKind::kCaucus && is_meeting)) {
    return "only the neutrals and party or counsel of a side may";
  }
  return is_meeting ? "only mediator or co-mediator may; party or counsel may in their caucus"
                    : "only mediator or co-mediator may";
}

}  // namespace

std::string CalendarBook::Set(const SessionRecord& record, const pb::CalendarEntry& said) {
  if (said.kind() != pb::CalendarEntry::KIND_MEETING &&
      said.kind() != pb::CalendarEntry::KIND_REMINDER) {
    return "may not put this on the calendar: it is neither a meeting nor a reminder";
  }
  if (said.version() != 1 || !said.entry_id().empty()) {
    for (Entry& entry : entries_) {
      if (ToField(entry.id) == said.entry_id()) return Change(entry, record, said);
    }
    return "may not change a " + What(said) + " that there isn't";
  }
  const std::string start = "may not make a " + What(said) + ": ";
  if (!MayMake(said.kind(), record.by)) {
    return start + WhoMayMake(kind_, IsMeeting(said));
  }
  if (said.cancelled() || !said.replaces().empty()) return start + "it is no first version";
  const std::string fault = FaultOf(said);
  if (!fault.empty()) return start + fault;
  if (IsTaken(record.id, nullptr)) return start + "its id is another's";
  MakeRoom(said, record.by.id);
  entries_.push_back({record.id, record, record.by, said, {}});
  return "";
}

std::string CalendarBook::Change(Entry& entry, const SessionRecord& record,
                                 const pb::CalendarEntry& said) {
  const std::string start = std::string("may not ") + (said.cancelled() ? "cancel" : "change") +
                            " this " + What(said) + ": ";
  if (!MayChange(entry, record.by)) return start + "only who made it, or a neutral, may";
  if (entry.said.kind() != said.kind()) return start + "it is something else";
  if (entry.said.cancelled()) return start + "it is cancelled already";
  if (said.replaces() != ToField(entry.latest.id) || said.version() != entry.said.version() + 1) {
    return start + "version " + std::to_string(entry.said.version()) + " has come before";
  }
  // Answers find what they are to by the version's id.
  if (IsTaken(record.id, &entry)) return start + "its id is another's";
  if (said.cancelled()) {
    if (!IsBare(said)) return start + "it changes what it cancels";
    entry.said.set_cancelled(true);
    entry.said.set_version(said.version());
    entry.said.set_replaces(said.replaces());
    entry.latest = record;
    return "";
  }
  const std::string fault = FaultOf(said);
  if (!fault.empty()) return start + fault;
  if (said.side() != entry.said.side()) return start + "it asks somebody else";
  entry.said = said;
  entry.latest = record;
  entry.answers.clear();
  return "";
}

void CalendarBook::MakeRoom(const pb::CalendarEntry& said, const ParticipantId& author) {
  auto goes = entries_.end();
  size_t count = 0;
  const auto rank = [](const Entry& entry) {
    return std::pair(!entry.said.cancelled(), entry.said.start());
  };
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    if (entry->by.id != author || entry->said.kind() != said.kind()) continue;
    ++count;
    if (goes == entries_.end() || rank(*entry) < rank(*goes)) goes = entry;
  }
  if (count >= kMostEntriesOfOne) entries_.erase(goes);
}

std::string CalendarBook::Reply(const SessionRecord& record, const pb::CalendarAnswer& said) {
  const std::string start = "may not answer this: ";
  for (Entry& entry : entries_) {
    if (ToField(entry.latest.id) != said.version_id()) continue;
    if (entry.said.cancelled()) return start + "it is cancelled";
    if (!IsAsked(entry, record.by)) return start + "they aren't asked";
    if (!Fits(entry.said, said.answer())) return start + "it is no answer to a " + What(entry.said);
    const Answer answer{record.by, static_cast<CalendarReply>(said.answer()), record.time};
    const auto own = std::find_if(entry.answers.begin(), entry.answers.end(),
                                  [&](const Answer& one) { return one.by.id == record.by.id; });
    if (own != entry.answers.end()) {
      *own = answer;
    } else {
      entry.answers.push_back(answer);
    }
    return "";
  }
  return start + "it has been changed, or there is no such meeting or reminder";
}

pb::CalendarStanding CalendarBook::Standing(const JointPosition& through, uint64_t now) const {
  pb::CalendarStanding standing;
  standing.set_through_incarnation(through.incarnation);
  standing.set_through_position(through.position);
  std::vector<const Entry*> order;
  for (const Entry& entry : entries_) {
    // Reminders stand until they are done or cancelled.
    const bool over = IsMeeting(entry.said) &&
                      entry.said.start() + entry.said.minutes() * kSecondsPerMinute <= now;
    if (!entry.said.cancelled() && !over) order.push_back(&entry);
  }
  std::stable_sort(order.begin(), order.end(), [](const Entry* a, const Entry* b) {
    return a->said.start() < b->said.start();
  });
  size_t bytes = 0;
  for (const Entry* entry : order) {
    pb::CalendarStanding::Entry told = Write(*entry);
    bytes += told.ByteSizeLong() + 8;
    if (bytes > kMostCalendarStandingBytes) break;
    *standing.add_entries() = std::move(told);
  }
  return standing;
}

bool CalendarBook::Read(const pb::CalendarStanding& standing) {
  CalendarBook told(kind_);
  for (const pb::CalendarStanding::Entry& one : standing.entries()) {
    Entry entry;
    const std::optional<MessageId> id = IdFrom<MessageId>(one.entry().entry_id());
    const std::optional<MessageId> version = IdFrom<MessageId>(one.id());
    const std::optional<Actor> by = ReadActor(one.by());
    const std::optional<Actor> changed_by = ReadActor(one.changed_by());
    const bool known = one.entry().kind() == pb::CalendarEntry::KIND_MEETING ||
                       one.entry().kind() == pb::CalendarEntry::KIND_REMINDER;
    if (!id.has_value() || !version.has_value() || !by.has_value() || !changed_by.has_value() ||
        !known || one.entry().cancelled() || !FaultOf(one.entry()).empty() ||
        told.IsTaken(*id, nullptr) || told.IsTaken(*version, nullptr)) {
      return false;
    }
    entry.id = *id;
    entry.latest = {*version, *changed_by, static_cast<int64_t>(one.time())};
    entry.by = *by;
    entry.said = one.entry();
    for (const pb::CalendarStanding::Answer& said : one.answers()) {
      const std::optional<Actor> answers = ReadActor(said.by());
      if (!answers.has_value() || !Fits(entry.said, said.answer())) return false;
      entry.answers.push_back(
          {*answers, static_cast<CalendarReply>(said.answer()), static_cast<int64_t>(said.time())});
    }
    told.entries_.push_back(std::move(entry));
  }
  entries_ = std::move(told.entries_);
  return true;
}

bool CalendarBook::Merge(const pb::CalendarStanding& standing) {
  CalendarBook told(kind_);
  if (!told.Read(standing)) return false;
  std::erase_if(told.entries_, [&](const Entry& entry) { return Find(entry.id) != nullptr; });
  const bool clashes =
      std::any_of(told.entries_.begin(), told.entries_.end(), [&](const Entry& entry) {
        return IsTaken(entry.id, nullptr) || IsTaken(entry.latest.id, nullptr);
      });
  if (clashes) return false;
  entries_.insert(entries_.begin(), std::make_move_iterator(told.entries_.begin()),
                  std::make_move_iterator(told.entries_.end()));
  return true;
}

bool CalendarBook::Agrees(const pb::CalendarStanding& standing, bool knows_all) const {
  return std::all_of(standing.entries().begin(), standing.entries().end(), [&](const auto& told) {
    const std::optional<MessageId> id = IdFrom<MessageId>(told.entry().entry_id());
    const Entry* const own = id.has_value() ? Find(*id) : nullptr;
    if (own == nullptr) return !knows_all;
    return Write(*own).SerializeAsString() == told.SerializeAsString();
  });
}

}  // namespace parley::client
