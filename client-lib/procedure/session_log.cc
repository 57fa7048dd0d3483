#include "client-lib/procedure/session_log.h"

#include <algorithm>

#include "client-lib/channels/channel_ids.h"
#include "client-lib/content/parse.h"
#include "client-lib/procedure/procedure_table.h"

namespace parley::client {
namespace {

using content::v1::Content;
using content::v1::SessionStanding;

// Nothing is led any more, or not now.
bool IsAtRest(CaseState state) {
  return state == CaseState::kSuspended || state == CaseState::kWithdrawn ||
         state == CaseState::kImpasse || state == CaseState::kTerminated ||
         state == CaseState::kClosed || state == CaseState::kRetained ||
         state == CaseState::kDestroyed;
}

}  // namespace

struct SessionLog::Parsed {
  JointPosition at;
  SessionRecord record;
  Content content;
};

std::string SessionState::Take(const SessionRecord& record, const Content& content) {
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

bool SessionLog::BeginWith(const Parsed& record, const JointPosition& joined) {
  const SessionStanding& standing = record.content.session_standing();
  const JointPosition through{standing.through_incarnation(), standing.through_position()};
  if (!IsNeutral(record.record.by.role) || through < joined || through >= record.at) return false;
  SessionState told;
  if (!told.texts.Read(standing) || !told.floor.Read(standing) || !told.issues.Read(standing)) {
    return false;
  }
  based_ = true;
  told_ = true;
  base_through_ = through;
  base_ = told;
  state_ = std::move(told);
  Note(through);
  return true;
}

// Against what counted there by this device's own log.
std::string SessionLog::CheckStanding(const std::vector<Parsed>& records,
                                      const Parsed& standing) const {
  const std::string start = "may not tell how the session stands: ";
  if (!IsNeutral(standing.record.by.role)) return start + "only mediator or co-mediator may";
  const SessionStanding& told = standing.content.session_standing();
  const JointPosition through{told.through_incarnation(), told.through_position()};
  if (through >= standing.at) return start + "it tells of what is still to come";
  if (!based_ || through < base_through_) return "";
  SessionState then = base_;
  for (const Parsed& record : records) {
    if (record.at > through) break;
    if (record.at <= base_through_ || record.content.has_session_standing()) continue;
    const auto step = std::find_if(steps_.begin(), steps_.end(),
                                   [&](const Step& one) { return one.at == record.at; });
    if (step != steps_.end() && step->refused.empty()) then.Take(record.record, record.content);
  }
  const bool same = then.Standing(through).SerializeAsString() == told.SerializeAsString();
  return same ? "" : start + "it isn't so";
}

SessionLog SessionLog::Play(const std::vector<LoggedRecord>& records, const JointPosition& joined,
                            const SessionGate& gate) {
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
  if (joined.position == 0) {
    log.based_ = true;
    log.Note({});
  }
  for (size_t i = 0; i < parsed.size() && !log.based_; ++i) {
    if (parsed[i].content.has_session_standing()) log.BeginWith(parsed[i], joined);
  }
  for (const Parsed& record : parsed) {
    if (record.at <= log.base_through_) continue;
    Step step{record.at, record.record, record.content.has_session_standing(), ""};
    step.refused =
        step.standing ? log.CheckStanding(parsed, record) : gate(record.record.by, record.at);
    if (step.refused.empty() && !step.standing) {
      step.refused = log.state_.Take(record.record, record.content);
      if (record.content.has_floor_grant() && step.refused.empty()) log.Note(record.at);
    }
    log.told_ = log.told_ || (step.standing && step.refused.empty());
    log.steps_.push_back(std::move(step));
  }
  return log;
}

const SessionFloor* SessionLog::FloorAt(const JointPosition& at) const {
  const SessionFloor* latest = nullptr;
  for (const auto& [from, floor] : floors_) {
    if (from <= at) latest = &floor;
  }
  return latest;
}

}  // namespace parley::client
