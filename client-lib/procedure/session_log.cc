#include "client-lib/procedure/session_log.h"

#include <algorithm>
#include <map>
#include <set>

#include "client-lib/channels/channel_ids.h"
#include "client-lib/content/parse.h"
#include "client-lib/procedure/procedure_table.h"

namespace parley::client {
namespace {

using content::v1::Content;
using content::v1::SessionStanding;

// The latest of the entries, which are in order, that is at or before the place; null for none.
template <typename T>
const T* LatestAt(const std::vector<std::pair<JointPosition, T>>& entries,
                  const JointPosition& at) {
  const auto after =
      std::upper_bound(entries.begin(), entries.end(), at,
                       [](const JointPosition& place, const auto& e) { return place < e.first; });
  return after == entries.begin() ? nullptr : &std::prev(after)->second;
}

// How many bytes a record that counts may add to the standing.
size_t BytesOf(const SessionRecord& record, const Content& content) {
  return PartBytes(record.by, content.session_text().text().size() +
                                  content.session_answer().words().size() +
                                  content.issue().text().size());
}

// What others than neutrals have said that a standing carries.
size_t BytesOfSides(const SessionState& state) {
  size_t bytes = 0;
  for (const SessionTexts::Series& series : state.texts.series()) {
    for (const SessionTexts::Answer& answer : series.versions.back().answers) {
      bytes += PartBytes(answer.record.by, answer.words.size());
    }
  }
  for (const SessionIssues::Issue& issue : state.issues.issues()) {
    const bool proposed = !issue.listed && !IsNeutral(issue.record.by.role);
    if (proposed) bytes += PartBytes(issue.record.by, issue.text.size());
  }
  return bytes;
}

size_t BytesOfNeutrals(const SessionState& state) {
  return state.texts.Bytes() + state.issues.Bytes() - BytesOfSides(state);
}

}  // namespace

struct SessionLog::Parsed {
  JointPosition at;
  SessionRecord record;
  Content content;
};

bool IsAtRest(CaseState state) {
  return state == CaseState::kSuspended || state == CaseState::kWithdrawn ||
         state == CaseState::kImpasse || state == CaseState::kTerminated ||
         state == CaseState::kClosed || state == CaseState::kRetained ||
         state == CaseState::kDestroyed;
}

std::string SessionState::Take(const SessionRecord& record, const Content& content) {
  const std::string refusal = NoRoomFor(record, content);
  return refusal.empty() ? Apply(record, content) : refusal;
}

std::string SessionState::NoRoomFor(const SessionRecord& record, const Content& content) const {
  const bool admits =
      content.has_issue() && content.issue().deed() == content::v1::IssueRecord::DEED_ADMIT;
  const bool adds = content.has_session_text() || content.has_session_answer() || admits ||
                    (content.has_issue() && !content.issue().text().empty());
  if (!adds) return "";
  const std::string full =
      "may not add to the session: more couldn't be told to who comes later; shorten or drop "
      "something first";
  const size_t added = BytesOf(record, content);
  if (!IsNeutral(record.by.role)) {
    const size_t own = texts.BytesBy(record.by.id) + issues.BytesBy(record.by.id);
    if (own + added > kMostStandingBytesOfOne) {
      return "may not add to the session: they have said too much there already";
    }
    return BytesOfSides(*this) + added > kMostStandingBytesOfSides ? full : "";
  }
  const size_t before = BytesOfNeutrals(*this);
  if (!admits && before + added <= kMostStandingBytesOfNeutrals) return "";
  // It may take the place of something longer.
  SessionState then = *this;
  if (!then.Apply(record, content).empty()) return "";  // and says why
  const size_t after = BytesOfNeutrals(then);
  return after > kMostStandingBytesOfNeutrals && after > before ? full : "";
}

std::string SessionState::Apply(const SessionRecord& record, const Content& content) {
  switch (content.body_case()) {
    case Content::kSessionText:
      return texts.Set(record, content.session_text());
    case Content::kSessionAnswer:
      return texts.Take(record, content.session_answer());
    case Content::kFloorGrant:
      return floor.Give(record, content.floor_grant());
    case Content::kRaisedHand:
      return floor.Raise(record, content.raised_hand());
    case Content::kIssue:
      return issues.Take(record, content.issue());
    default:
      return "may not say this: it is no record of a session";
  }
}

SessionStanding SessionState::Standing(const JointPosition& through) const {
  SessionStanding standing;
  standing.set_through_incarnation(through.incarnation);
  standing.set_through_position(through.position);
  texts.Write(standing);
  floor.Write(standing);
  issues.Write(standing);
  return standing;
}

SessionGate NoGate() {
  return [](const Actor&, const JointPosition&) { return std::string(); };
}

SessionGate GateOf(const ProcedureLog& procedure) {
  return [&procedure](const Actor& author, const JointPosition& at) -> std::string {
    const CaseProcedure then = procedure.At(at);
    // Who has come later doesn't know what was before.
    if (then.state() == CaseState::kNone) return "";
    if (IsAtRest(then.state())) {
      return std::string("may not lead or answer anything now: the case is ") +
             NameOf(then.state());
    }
    const std::vector<CaseProcedure::Missing> missing =
        then.KeepsFromTalk(author.id, ChannelKind::kJoint, "");
    if (missing.empty()) return "";
    return "may not lead or answer anything yet; missing is: " + missing.front().who + " " +
           missing.front().what;
  };
}

Rests RestsOf(const ProcedureLog& procedure) {
  Rests rests;
  bool resting = false;
  for (const ProcedureLog::Step& step : procedure.steps()) {
    if (!step.refused.empty() || IsAtRest(step.afterwards.state()) == resting) continue;
    resting = !resting;
    rests.emplace_back(step.record.at, resting);
  }
  return rests;
}

bool RoleAllows(const Actor& author, const Content& content) {
  switch (content.body_case()) {
    case Content::kSessionAnswer:
      return AnswersForSide(author);
    case Content::kRaisedHand:
      return !IsNeutral(author.role);
    case Content::kIssue:
      return IsNeutral(author.role) ||
             (AnswersForSide(author) &&
              (content.issue().deed() == content::v1::IssueRecord::DEED_PROPOSE ||
               content.issue().deed() == content::v1::IssueRecord::DEED_DROP));
    default:
      return IsNeutral(author.role);
  }
}

namespace {

JointPosition Through(const Content& standing) {
  return {standing.session_standing().through_incarnation(),
          standing.session_standing().through_position()};
}

}  // namespace

bool SessionLog::BeginWith(const Parsed& record, const JointPosition& joined) {
  const SessionStanding& standing = record.content.session_standing();
  const JointPosition through = Through(record.content);
  if (!IsNeutral(record.record.by.role) || through < joined || through >= record.at) return false;
  SessionState told;
  if (!told.texts.Read(standing) || !told.floor.Read(standing) || !told.issues.Read(standing)) {
    return false;
  }
  based_ = true;
  told_ = true;
  base_through_ = through;
  state_ = std::move(told);
  Note(through);
  return true;
}

// `same`: whether it tells what counted there by this device's own log.
std::string SessionLog::CheckStanding(const Parsed& standing, bool same) const {
  const std::string start = "may not tell how the session stands: ";
  if (!IsNeutral(standing.record.by.role)) return start + "only mediator or co-mediator may";
  const JointPosition through = Through(standing.content);
  if (through >= standing.at) return start + "it tells of what is still to come";
  if (!based_ || through < base_through_ || same) return "";
  return start + "it isn't so";
}

SessionLog SessionLog::Play(const std::vector<LoggedRecord>& records, const JointPosition& joined,
                            const SessionGate& gate, Rests rests) {
  std::vector<Parsed> parsed;
  for (const LoggedRecord& logged : records) {
    Parsed record{logged.at, {}, {}};
    if (!ParseFromPeer(record.content, logged.content)) continue;
    const std::optional<MessageId> id = IdFrom<MessageId>(record.content.message_id());
    if (!id.has_value()) continue;
    record.record = {*id, logged.author, static_cast<int64_t>(record.content.claimed_time())};
    parsed.push_back(std::move(record));
  }
  SessionLog log;
  log.rests_ = std::move(rests);
  if (joined.position == 0) {
    log.based_ = true;
    log.Note({});
  }
  for (size_t i = 0; i < parsed.size() && !log.based_; ++i) {
    if (parsed[i].content.has_session_standing()) log.BeginWith(parsed[i], joined);
  }
  // Each standing is compared when the playing comes by the place that it tells of.
  std::multimap<JointPosition, const Parsed*> told;
  std::set<JointPosition> same;
  for (const Parsed& record : parsed) {
    if (!record.content.has_session_standing() || !IsNeutral(record.record.by.role)) continue;
    told.emplace(Through(record.content), &record);
  }
  auto next = told.begin();
  for (const Parsed& record : parsed) {
    if (record.at <= log.base_through_) continue;
    for (; next != told.end() && next->first < record.at; ++next) {
      const SessionStanding& standing = next->second->content.session_standing();
      if (next->first >= log.base_through_ &&
          log.state_.Standing(next->first).SerializeAsString() == standing.SerializeAsString()) {
        same.insert(next->second->at);
      }
    }
    Step step{record.at, record.record, record.content.has_session_standing(), ""};
    step.refused = step.standing ? log.CheckStanding(record, same.contains(record.at))
                                 : gate(record.record.by, record.at);
    if (step.refused.empty() && !step.standing) {
      step.refused = log.state_.Take(record.record, record.content);
      if (record.content.has_floor_grant() && step.refused.empty()) log.Note(record.at);
    }
    log.told_ = log.told_ || (step.standing && step.refused.empty());
    log.steps_.push_back(std::move(step));
  }
  return log;
}

std::string SessionLog::RefusalAt(const JointPosition& at) const {
  const auto step =
      std::lower_bound(steps_.begin(), steps_.end(), at,
                       [](const Step& one, const JointPosition& place) { return one.at < place; });
  return step == steps_.end() || step->at != at ? "" : step->refused;
}

const SessionFloor* SessionLog::FloorAt(const JointPosition& at) const {
  static const SessionFloor open;
  const SessionFloor* const floor = LatestAt(floors_, at);
  const bool* const rests = LatestAt(rests_, at);
  return floor != nullptr && rests != nullptr && *rests ? &open : floor;
}

}  // namespace parley::client
