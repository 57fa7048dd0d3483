#include "client-lib/procedure/session_issues.h"

#include <algorithm>

#include "client-lib/channels/channel_ids.h"
#include "client-lib/content/folded_text.h"

namespace parley::client {
namespace {

using content::v1::IssueRecord;

std::string FaultOf(const std::string& text) {
  if (IsBlank(text)) return "there is nothing in it";
  return text.size() > kMostIssueBytes ? "it is too long" : "";
}

}  // namespace

std::string SessionIssues::Propose(const SessionRecord& record, const IssueRecord& said) {
  const std::string start = "may not bring up an issue: ";
  if (!IsNeutral(record.by.role) && !AnswersForSide(record.by)) {
    return start + "only the neutrals and party or counsel of a side may";
  }
  const std::string fault = FaultOf(said.text());
  if (!fault.empty()) return start + fault;
  if (issues_.size() >= kMostIssues) return start + "there are too many";
  const bool known = std::any_of(issues_.begin(), issues_.end(),
                                 [&](const Issue& one) { return one.record.id == record.id; });
  if (known) return start + "its id is another's";
  const auto proposed = std::count_if(issues_.begin(), issues_.end(), [&](const Issue& one) {
    return !one.listed && one.record.by.id == record.by.id;
  });
  if (!IsNeutral(record.by.role) && static_cast<size_t>(proposed) >= kMostProposedIssues) {
    return start + "too many of theirs wait to be put on the list";
  }
  issues_.push_back({record, said.text(), IsNeutral(record.by.role)});
  return "";
}

std::string SessionIssues::Take(const SessionRecord& record, const IssueRecord& said) {
  if (said.deed() == IssueRecord::DEED_PROPOSE) return Propose(record, said);
  const std::string start = "may not change the list of issues: ";
  const auto issue = std::find_if(issues_.begin(), issues_.end(), [&](const Issue& one) {
    return ToField(one.record.id) == said.issue_id();
  });
  if (issue == issues_.end()) return start + "there is no such issue on it";
  const bool takes_back = said.deed() == IssueRecord::DEED_DROP && !issue->listed &&
                          issue->record.by.id == record.by.id;
  if (!IsNeutral(record.by.role) && !takes_back) return start + "only mediator or co-mediator may";
  switch (said.deed()) {
    case IssueRecord::DEED_ADMIT:
      if (issue->listed) return start + "the issue is on it already";
      issue->listed = true;
      return "";
    case IssueRecord::DEED_REWORD: {
      const std::string fault = FaultOf(said.text());
      if (!fault.empty()) return start + fault;
      issue->text = said.text();
      return "";
    }
    case IssueRecord::DEED_DROP:
      issues_.erase(issue);
      return "";
    default:
      return start + "it doesn't say how";
  }
}

size_t SessionIssues::Bytes() const {
  size_t bytes = 0;
  for (const Issue& issue : issues_) bytes += PartBytes(issue.record.by, issue.text.size());
  return bytes;
}

size_t SessionIssues::BytesBy(const ParticipantId& author) const {
  size_t bytes = 0;
  for (const Issue& issue : issues_) {
    if (issue.listed || issue.record.by.id != author) continue;
    bytes += PartBytes(issue.record.by, issue.text.size());
  }
  return bytes;
}

void SessionIssues::Write(content::v1::SessionStanding& standing) const {
  for (const Issue& issue : issues_) {
    content::v1::SessionStanding::Issue& told = *standing.add_issues();
    told.set_id(ToField(issue.record.id));
    *told.mutable_by() = WriteActor(issue.record.by);
    told.set_text(issue.text);
    told.set_listed(issue.listed);
  }
}

bool SessionIssues::Read(const content::v1::SessionStanding& standing) {
  issues_.clear();
  for (const content::v1::SessionStanding::Issue& told : standing.issues()) {
    const std::optional<Actor> by = ReadActor(told.by());
    const std::optional<MessageId> id = IdFrom<MessageId>(told.id());
    if (!by.has_value() || !id.has_value()) return false;
    issues_.push_back({{*id, *by, 0}, told.text(), told.listed()});
  }
  return true;
}

}  // namespace parley::client
