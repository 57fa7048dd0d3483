#include "client-lib/api/session_view.h"

#include <algorithm>
#include <set>

#include "client-lib/api/views.h"
#include "client-lib/cases/naming.h"
#include "client-lib/content/parse.h"

namespace parley::client {
namespace {

using content::v1::Content;

// Of one case, with those of its channels; more records are counted.
constexpr size_t kMostAlarms = 64;

std::string DescribeText(const content::v1::SessionText& said) {
  const auto kind = static_cast<SessionTextKind>(said.kind());
  const std::string version =
      said.version() == 1 ? "" : " anew (version " + std::to_string(said.version()) + ")";
  return "sets " + DescribeSessionText(kind, said.number()) + version + ":\n" + said.text();
}

std::string DescribeGrant(const content::v1::FloorGrant& grant) {
  switch (grant.to()) {
    case content::v1::FloorGrant::TO_ALL:
      return "gives the floor to all";
    case content::v1::FloorGrant::TO_SIDE:
      return "gives the floor to the side " + grant.side();
    case content::v1::FloorGrant::TO_PARTICIPANT:
      return "gives the floor to " + grant.name();
    default:
      return "keeps the floor among the neutrals";
  }
}

std::string DescribeIssue(const content::v1::IssueRecord& issue) {
  switch (issue.deed()) {
    case content::v1::IssueRecord::DEED_PROPOSE:
      return "brings up an issue: " + issue.text();
    case content::v1::IssueRecord::DEED_ADMIT:
      return "puts a proposed issue on the list";
    case content::v1::IssueRecord::DEED_REWORD:
      return "rewords an issue: " + issue.text();
    default:
      return "takes an issue off the list";
  }
}

}  // namespace

absl::StatusOr<SessionView> SessionView::Create(const ReadTransaction& step,
                                                const CaseContext& context,
                                                const LoadedProcedure* procedure) {
  SessionView view;
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord record, context.Records().Case(step));
  view.self_ = record.own_id;
  PARLEY_ASSIGN_OR_RETURN(view.compared_, ComparedPeers(step, context));
  PARLEY_ASSIGN_OR_RETURN(std::optional<LoadedSession> session,
                          LoadSession(step, context, procedure));
  if (session.has_value()) {
    view.session_ = std::make_shared<const LoadedSession>(std::move(*session));
  }
  return view;
}

Person SessionView::Show(const Actor& actor) const {
  Person person;
  person.id = actor.id;
  person.name = actor.name;
  person.role = actor.role;
  person.side = actor.side;
  person.self = actor.id == self_;
  person.compared = person.self || compared_.contains(actor.id);
  return person;
}

std::vector<SessionText> SessionView::Texts(SessionTextKind kind) const {
  std::vector<SessionText> shown;
  if (session_ == nullptr) return shown;
  for (const SessionTexts::Series& series : session_->log.state().texts.series()) {
    if (series.kind != kind) continue;
    for (const SessionTexts::Version& version : series.versions) {
      SessionText text;
      text.kind = kind;
      text.number = series.number;
      text.version = version.version;
      text.id = version.record.id;
      text.by = Show(version.record.by);
      text.text = version.text;
      text.time = version.record.time;
      text.latest = &version == &series.versions.back();
      std::set<std::string> silent;
      for (const Actor& member : session_->roster) {
        if (AnswersForSide(member)) silent.insert(member.side);
      }
      for (const SessionTexts::Answer& answer : version.answers) {
        text.answers.push_back(
            {Show(answer.record.by), answer.confirmed, answer.words, answer.record.time});
        silent.erase(answer.record.by.side);
      }
      if (text.latest) text.unanswered.assign(silent.begin(), silent.end());
      shown.push_back(std::move(text));
    }
  }
  return shown;
}

Floor SessionView::ShowFloor() const {
  Floor shown;
  shown.text = "all";
  if (session_ == nullptr) return shown;
  const SessionFloor* const now = session_->log.FloorAt(session_->head);
  const SessionFloor& floor = now == nullptr ? session_->log.state().floor : *now;
  shown.to = floor.to();
  shown.side = floor.side();
  shown.text = floor.Holder();
  shown.may_speak = floor.MaySpeak(session_->self);
  if (!floor.given_by().id.is_zero()) shown.given_by = Show(floor.given_by());
  if (floor.to() == FloorTo::kParticipant) {
    Actor holder{floor.participant(), floor.name(), Role::kUnknown, ""};
    for (const Actor& member : session_->roster) {
      if (member.id == holder.id) holder = member;
    }
    shown.holder = Show(holder);
  }
  for (const Actor& hand : session_->log.state().floor.hands()) shown.hands.push_back(Show(hand));
  return shown;
}

std::vector<Issue> SessionView::Issues() const {
  std::vector<Issue> shown;
  if (session_ == nullptr) return shown;
  for (const SessionIssues::Issue& issue : session_->log.state().issues.issues()) {
    shown.push_back({issue.record.id, issue.text, Show(issue.record.by), issue.listed});
  }
  return shown;
}

std::string SessionView::Describe(const Content& content) {
  switch (content.body_case()) {
    case Content::kSessionText:
      return DescribeText(content.session_text());
    case Content::kSessionAnswer:
      return (content.session_answer().confirmed() ? "confirms it" : "asks to correct it") +
             (content.session_answer().words().empty() ? std::string()
                                                       : ": " + content.session_answer().words());
    case Content::kFloorGrant:
      return DescribeGrant(content.floor_grant());
    case Content::kRaisedHand:
      return content.raised_hand().lowered() ? "doesn't ask for the floor any more"
                                             : "asks for the floor";
    case Content::kIssue:
      return DescribeIssue(content.issue());
    default:
      return "";
  }
}

std::string SessionView::RefusalAt(const JointPosition& at) const {
  if (session_ == nullptr) return "";
  return session_->log.RefusalAt(at);
}

std::string SessionView::WithoutFloor(const Actor& author, const JointPosition& at,
                                      const JointPosition& seen) const {
  if (session_ == nullptr) return "";
  const SessionFloor* const floor = session_->log.FloorAt(at);
  if (floor == nullptr || floor->MaySpeak(author)) return "";
  const SessionFloor* const before = seen < at ? session_->log.FloorAt(seen) : nullptr;
  if (before != nullptr && before->MaySpeak(author)) {
    return "said just as the floor went to " + floor->Holder();
  }
  return "said without the floor, which was given to " + floor->Holder();
}

std::string SessionView::Hold() const {
  if (session_ == nullptr || IsNeutral(session_->self.role)) return "";
  const SessionFloor* const floor = session_->log.FloorAt(session_->head);
  if (floor != nullptr && !floor->MaySpeak(session_->self)) {
    return "the floor is given to " + floor->Holder() +
           ": it is held here and goes out by itself when the floor is yours";
  }
  if (session_->missing.empty()) return "";
  return "it is held here and goes out by itself when you may speak; missing is: " +
         session_->missing;
}

absl::Status AddSessionAlarms(const ReadTransaction& step, const CaseContext& context,
                              std::vector<Alarm>& alarms) {
  PARLEY_ASSIGN_OR_RETURN(std::optional<LoadedSession> session, LoadSession(step, context));
  if (!session.has_value() || !session->log.is_based()) return absl::OkStatus();
  const ChannelRef joint{context.id, session->joint};
  PARLEY_ASSIGN_OR_RETURN(uint64_t seen, SeenOfSession(step, context));
  PARLEY_ASSIGN_OR_RETURN(const bool cant_tell, CantTell(step, context, *session));
  if (cant_tell) {
    alarms.push_back({AlarmKind::kJobWaiting, context.id, joint, std::nullopt,
                      "who has come into the joint channel can't be told how the session stands: "
                      "it is too long. Take issues off the list, or set shorter texts"});
  }
  size_t more = 0;
  for (const SessionLog::Step& passed : session->log.steps()) {
    if (passed.refused.empty()) continue;
    if (seen > 0) {
      --seen;
    } else if (alarms.size() >= kMostAlarms) {
      ++more;
    } else {
      alarms.push_back(
          {AlarmKind::kRefused, context.id, joint, passed.record.by.id,
           passed.record.by.name + " " + passed.refused + "; every client has passed it over"});
    }
  }
  if (more > 0) {
    alarms.push_back({AlarmKind::kRefused, context.id, joint, std::nullopt,
                      std::to_string(more) + " more records of the session were passed over"});
  }
  return absl::OkStatus();
}

absl::StatusOr<ChannelId> CaucusOf(const ReadTransaction& step, const CaseContext& context,
                                   const std::string& side) {
  PARLEY_ASSIGN_OR_RETURN(const ChannelChoice choice, ChannelChoice::Load(step, context));
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord record, context.Records().Case(step));
  const std::optional<ChannelId> caucus = choice.Of(ChannelKind::kCaucus, side);
  const bool here = caucus.has_value() && std::find(record.channels.begin(), record.channels.end(),
                                                    *caucus) != record.channels.end();
  if (here) return *caucus;
  return absl::NotFoundError("you have no caucus with the neutrals yet");
}

absl::StatusOr<std::vector<IssueRanking>> ViewRankings(const ReadTransaction& step,
                                                       const CaseContext& context) {
  std::vector<IssueRanking> shown;
  PARLEY_ASSIGN_OR_RETURN(const CaseView view, CaseView::Create(step, context));
  PARLEY_ASSIGN_OR_RETURN(const ChannelChoice choice, ChannelChoice::Load(step, context));
  PARLEY_ASSIGN_OR_RETURN(std::vector<CaseChannel> channels, ChannelsOf(step, context));
  for (const CaseChannel& channel : channels) {
    if (channel.info.state.kind != ChannelKind::kCaucus || !choice.Counts(channel)) continue;
    MessageQuery query;
    query.kinds = {ContentKind::kIssueRanking};
    PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> messages,
                            context.Channel(channel.id).Messages(step, query));
    std::optional<IssueRanking> latest;
    for (const ChannelMessage& message : messages) {
      const RosterMember& by = message.author;
      Content content;
      // A side is ranked for by its own people alone.
      if (by.side != channel.info.state.side ||
          !AnswersForSide({by.participant_id, by.name, by.role, by.side}) ||
          !ParseFromPeer(content, message.content.Reveal())) {
        continue;
      }
      IssueRanking ranking;
      ranking.side = by.side;
      ranking.by = view.PersonOf(by);
      ranking.time = static_cast<int64_t>(message.claimed_time);
      for (const std::string& issue : content.issue_ranking().issue_ids()) {
        const std::optional<MessageId> id = IdFrom<MessageId>(issue);
        if (id.has_value() && ranking.issues.size() < kMostIssues) ranking.issues.push_back(*id);
      }
      latest = std::move(ranking);
    }
    if (latest.has_value()) shown.push_back(std::move(*latest));
  }
  return shown;
}

}  // namespace parley::client
