// What leads a session: Profile::Impl's part.
#include <algorithm>
#include <set>

#include "client-lib/api/profile_impl.h"
#include "client-lib/api/session_view.h"
#include "client-lib/cases/session_work.h"
#include "client-lib/channels/names.h"
#include "client-lib/content/folded_text.h"
#include "client-lib/firewall/firewall.h"
#include "client-lib/procedure/session_issues.h"

namespace parley {
namespace {

using client::CaseContext;
using client::LoadedSession;
using client::ReadTransaction;
using client::Transaction;
using content::v1::Content;

absl::Status CheckWords(std::string_view text, size_t most) {
  if (client::IsBlank(text)) {
    return absl::InvalidArgumentError("there is nothing in the text: say something in it");
  }
  if (text.size() > most || !client::IsUtf8(text)) {
    return absl::InvalidArgumentError("the text is no text in UTF-8 of at most " +
                                      std::to_string(most / 1024) + " KiB");
  }
  return absl::OkStatus();
}

absl::StatusOr<LoadedSession> MustLoad(const ReadTransaction& step, const CaseContext& context) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<LoadedSession> session, client::LoadSession(step, context));
  if (session.has_value()) return std::move(*session);
  return absl::FailedPreconditionError(
      "you aren't in the joint channel yet; the mediator has to let you in first");
}

// What a new text of that kind replaces.
content::v1::SessionText NextVersion(const client::SessionTexts& texts, SessionTextKind kind,
                                     uint32_t number) {
  content::v1::SessionText next;
  next.set_kind(static_cast<content::v1::SessionText::Kind>(kind));
  next.set_version(1);
  next.set_number(1);
  if (kind != SessionTextKind::kSummary) number = 1;
  if (number == 0) {
    for (const auto& series : texts.series())
      next.set_number(next.number() + (series.kind == kind));
    return next;
  }
  next.set_number(number);
  const client::SessionTexts::Series* const series = texts.Find(kind, number);
  if (series == nullptr) return next;
  next.set_version(series->versions.back().version + 1);
  next.set_replaces(client::ToField(series->versions.back().record.id));
  return next;
}

}  // namespace

absl::StatusOr<MessageId> Profile::Impl::RecordInSession(const CaseId& id, const Content& content,
                                                         std::string_view text) {
  ChannelId joint;
  {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
    PARLEY_ASSIGN_OR_RETURN(const LoadedSession session, MustLoad(read, LocalContext(id)));
    joint = session.joint;
  }
  PARLEY_RETURN_IF_ERROR(CheckWritable({id, joint}));
  PARLEY_RETURN_IF_ERROR(client::Firewall::BringUpToDate(LocalContext(id)));
  MessageId record;
  const auto decide = [&](const CaseContext& context) -> absl::Status {
    PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
    PARLEY_ASSIGN_OR_RETURN(const client::Firewall firewall,
                            client::Firewall::Create(step, context, joint));
    if (!text.empty()) PARLEY_RETURN_IF_ERROR(firewall.CheckText(step, text));
    const client::Readers readers =
        text.empty() ? client::Readers::kWhoeverIsIn : firewall.AllowedReaders();
    PARLEY_ASSIGN_OR_RETURN(record, client::QueueSessionRecord(step, context, content, readers));
    return step.Commit();
  };
  PARLEY_RETURN_IF_ERROR(Decide(id, decide));
  return record;
}

// ---- Texts ----

absl::StatusOr<std::vector<SessionText>> Profile::Impl::SessionTexts(const CaseId& id,
                                                                     SessionTextKind kind) {
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
  PARLEY_ASSIGN_OR_RETURN(const client::SessionView view,
                          client::SessionView::Create(read, LocalContext(id)));
  return view.Texts(kind);
}

absl::StatusOr<MessageId> Profile::Impl::SetSessionText(const CaseId& id, SessionTextKind kind,
                                                        std::string_view text, uint32_t number) {
  PARLEY_RETURN_IF_ERROR(CheckWords(text, client::kMostSessionTextBytes));
  Content content;
  {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
    PARLEY_ASSIGN_OR_RETURN(const LoadedSession session, MustLoad(read, LocalContext(id)));
    *content.mutable_session_text() = NextVersion(session.log.state().texts, kind, number);
  }
  content.mutable_session_text()->set_text(std::string(text));
  return RecordInSession(id, content, text);
}

absl::StatusOr<MessageId> Profile::Impl::AnswerSessionText(const CaseId& id,
                                                           const MessageId& version, bool confirmed,
                                                           std::string_view words) {
  if (!confirmed || !words.empty()) {
    PARLEY_RETURN_IF_ERROR(CheckWords(words, client::kMostAnswerBytes));
  }
  Content content;
  content.mutable_session_answer()->set_text_id(client::ToField(version));
  content.mutable_session_answer()->set_confirmed(confirmed);
  content.mutable_session_answer()->set_words(std::string(words));
  return RecordInSession(id, content, words);
}

// ---- The floor ----

absl::StatusOr<Floor> Profile::Impl::GetFloor(const CaseId& id) {
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
  PARLEY_ASSIGN_OR_RETURN(const client::SessionView view,
                          client::SessionView::Create(read, LocalContext(id)));
  return view.ShowFloor();
}

absl::StatusOr<MessageId> Profile::Impl::GiveFloor(const CaseId& id, const FloorRequest& request) {
  Content content;
  content::v1::FloorGrant& grant = *content.mutable_floor_grant();
  grant.set_to(static_cast<content::v1::FloorGrant::To>(request.to));
  if (request.to == FloorTo::kSide || request.to == FloorTo::kParticipant) {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
    PARLEY_ASSIGN_OR_RETURN(const LoadedSession session, MustLoad(read, LocalContext(id)));
    const bool to_side = request.to == FloorTo::kSide;
    const std::string side(client::Folded(request.side));
    const auto found =
        std::find_if(session.roster.begin(), session.roster.end(), [&](const client::Actor& one) {
          return to_side ? !one.side.empty() && client::Folded(one.side) == side
                         : one.id == request.participant;
        });
    if (found == session.roster.end()) {
      return absl::NotFoundError(to_side ? "nobody in the joint channel is on the side \"" +
                                               request.side + "\""
                                         : "they aren't in the joint channel");
    }
    if (to_side) {
      grant.set_side(found->side);
    } else {
      grant.set_participant_id(client::ToField(found->id));
      grant.set_name(found->name);
    }
  }
  return RecordInSession(id, content, {});
}

absl::StatusOr<MessageId> Profile::Impl::AskForFloor(const CaseId& id, bool lower) {
  Content content;
  content.mutable_raised_hand()->set_lowered(lower);
  return RecordInSession(id, content, {});
}

// ---- Issues ----

absl::StatusOr<std::vector<Issue>> Profile::Impl::Issues(const CaseId& id) {
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
  PARLEY_ASSIGN_OR_RETURN(const client::SessionView view,
                          client::SessionView::Create(read, LocalContext(id)));
  return view.Issues();
}

namespace {

Content IssueDeed(content::v1::IssueRecord::Deed deed, const MessageId& issue,
                  std::string_view text) {
  Content content;
  content.mutable_issue()->set_deed(deed);
  if (!issue.is_zero()) content.mutable_issue()->set_issue_id(client::ToField(issue));
  content.mutable_issue()->set_text(std::string(text));
  return content;
}

}  // namespace

absl::StatusOr<MessageId> Profile::Impl::AddIssue(const CaseId& id, std::string_view text) {
  PARLEY_RETURN_IF_ERROR(CheckWords(text, client::kMostIssueBytes));
  return RecordInSession(id, IssueDeed(content::v1::IssueRecord::DEED_PROPOSE, {}, text), text);
}

absl::StatusOr<MessageId> Profile::Impl::AdmitIssue(const CaseId& id, const MessageId& issue) {
  return RecordInSession(id, IssueDeed(content::v1::IssueRecord::DEED_ADMIT, issue, {}), {});
}

absl::StatusOr<MessageId> Profile::Impl::RewordIssue(const CaseId& id, const MessageId& issue,
                                                     std::string_view text) {
  PARLEY_RETURN_IF_ERROR(CheckWords(text, client::kMostIssueBytes));
  return RecordInSession(id, IssueDeed(content::v1::IssueRecord::DEED_REWORD, issue, text), text);
}

absl::StatusOr<MessageId> Profile::Impl::DropIssue(const CaseId& id, const MessageId& issue) {
  return RecordInSession(id, IssueDeed(content::v1::IssueRecord::DEED_DROP, issue, {}), {});
}

absl::StatusOr<SentMessage> Profile::Impl::RankIssues(const CaseId& id,
                                                      const std::vector<MessageId>& issues) {
  Content content;
  ChannelRef caucus{id, {}};
  {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
    PARLEY_ASSIGN_OR_RETURN(const LoadedSession session, MustLoad(read, LocalContext(id)));
    if (!client::AnswersForSide(session.self)) {
      return absl::PermissionDeniedError(
          "you may not rank issues: only party or counsel of a side may");
    }
    PARLEY_ASSIGN_OR_RETURN(caucus.channel_id,
                            client::CaucusOf(read, LocalContext(id), session.self.side));
    const std::set<MessageId> once(issues.begin(), issues.end());
    const auto& list = session.log.state().issues.issues();
    const bool known = std::all_of(once.begin(), once.end(), [&](const MessageId& issue) {
      return std::any_of(list.begin(), list.end(),
                         [&](const auto& one) { return one.record.id == issue; });
    });
    if (issues.empty() || once.size() != issues.size() || !known) {
      return absl::InvalidArgumentError(
          "a ranking names issues of the list, each once, the most important first (parley issues "
          "show)");
    }
  }
  for (const MessageId& issue : issues) {
    content.mutable_issue_ranking()->add_issue_ids(client::ToField(issue));
  }
  PARLEY_RETURN_IF_ERROR(CheckWritable(caucus));
  PARLEY_RETURN_IF_ERROR(SayUnderProcedure(caucus, content));
  return QueueAndDeliver(caucus, content, /*may_stay_queued=*/true);
}

// ---- Balance ----

absl::StatusOr<std::vector<SpeakingShare>> Profile::Impl::Balance(const CaseId& id) {
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
  PARLEY_ASSIGN_OR_RETURN(const client::CaseRecord record, LocalContext(id).Records().Case(read));
  if (!record.IsNeutral()) {
    return absl::PermissionDeniedError(
        "the balance of speaking is for the neutrals alone: only mediator or co-mediator may see "
        "it");
  }
  PARLEY_ASSIGN_OR_RETURN(const LoadedSession session, MustLoad(read, LocalContext(id)));
  PARLEY_ASSIGN_OR_RETURN(const client::CaseView view,
                          client::CaseView::Create(read, LocalContext(id)));
  PARLEY_ASSIGN_OR_RETURN(const Channel joint, view.Channel(read, session.joint));
  PARLEY_ASSIGN_OR_RETURN(const std::vector<Message> messages, view.Messages(read, session.joint));
  return client::ShowBalance(joint.readers, messages);
}

absl::StatusOr<std::vector<IssueRanking>> Profile::Impl::IssueRankings(const CaseId& id) {
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
  return client::ViewRankings(read, LocalContext(id));
}

}  // namespace parley
