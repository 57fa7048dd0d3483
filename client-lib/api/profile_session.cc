// Profile's calls about sessions, converted as in profile.cc.
#include "client-lib/api/profile_impl.h"
#include "client-lib/api/status_conversion.h"
#include "parley/profile.h"

namespace parley {

using client::Guarded;

Result<std::vector<SessionText>> Profile::SessionTexts(const CaseId& id,
                                                       SessionTextKind kind) const {
  return Guarded([&] { return impl_->SessionTexts(id, kind); });
}

Result<MessageId> Profile::SetSessionText(const CaseId& id, SessionTextKind kind,
                                          std::string_view text, uint32_t number) {
  return Guarded([&] { return impl_->SetSessionText(id, kind, text, number); });
}

Result<MessageId> Profile::AnswerSessionText(const CaseId& id, const MessageId& version,
                                             bool confirmed, std::string_view words) {
  return Guarded([&] { return impl_->AnswerSessionText(id, version, confirmed, words); });
}

Result<Floor> Profile::GetFloor(const CaseId& id) const {
  return Guarded([&] { return impl_->GetFloor(id); });
}

Result<MessageId> Profile::GiveFloor(const CaseId& id, const FloorRequest& request) {
  return Guarded([&] { return impl_->GiveFloor(id, request); });
}

Result<MessageId> Profile::AskForFloor(const CaseId& id, bool lower) {
  return Guarded([&] { return impl_->AskForFloor(id, lower); });
}

Result<std::vector<Issue>> Profile::Issues(const CaseId& id) const {
  return Guarded([&] { return impl_->Issues(id); });
}

Result<MessageId> Profile::AddIssue(const CaseId& id, std::string_view text) {
  return Guarded([&] { return impl_->AddIssue(id, text); });
}

Result<MessageId> Profile::AdmitIssue(const CaseId& id, const MessageId& issue) {
  return Guarded([&] { return impl_->AdmitIssue(id, issue); });
}

Result<MessageId> Profile::RewordIssue(const CaseId& id, const MessageId& issue,
                                       std::string_view text) {
  return Guarded([&] { return impl_->RewordIssue(id, issue, text); });
}

Result<MessageId> Profile::DropIssue(const CaseId& id, const MessageId& issue) {
  return Guarded([&] { return impl_->DropIssue(id, issue); });
}

Result<SentMessage> Profile::RankIssues(const CaseId& id, const std::vector<MessageId>& issues) {
  return Guarded([&] { return impl_->RankIssues(id, issues); });
}

Result<std::vector<IssueRanking>> Profile::IssueRankings(const CaseId& id) const {
  return Guarded([&] { return impl_->IssueRankings(id); });
}

Result<std::vector<SpeakingShare>> Profile::Balance(const CaseId& id) const {
  return Guarded([&] { return impl_->Balance(id); });
}

}  // namespace parley
