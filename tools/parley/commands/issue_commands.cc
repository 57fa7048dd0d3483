// issues show, add, admit, reword, drop, rank, rankings.
#include "tools/parley/commands/commands.h"
#include "tools/parley/output/records.h"
#include "tools/parley/output/text.h"
#include "tools/parley/try.h"

namespace parley::cli {
namespace {

Result<MessageId> FindIssue(const std::vector<Issue>& issues, const std::string& beginning) {
  std::vector<MessageId> fitting;
  for (const Issue& issue : issues) {
    if (!beginning.empty() && issue.id.ToString().starts_with(beginning)) {
      fitting.push_back(issue.id);
    }
  }
  if (fitting.size() == 1) return fitting.front();
  return Status(
      fitting.empty() ? StatusCode::kNotFound : StatusCode::kAmbiguous,
      fitting.empty()
          ? "there is no issue whose id begins with \"" + beginning + "\" (parley issues show)"
          : "\"" + beginning + "\" fits several issues; write more of the id");
}

std::string TextOf(const std::vector<Issue>& issues, const MessageId& id) {
  for (const Issue& issue : issues) {
    if (issue.id == id) return issue.text;
  }
  return "an issue that is off the list";
}

JsonObject ToJson(const Issue& issue) {
  return JsonObject()
      .Text("issue", issue.id.ToString())
      .Text("text", issue.text)
      .All(Who("by", issue.by))
      .Text("side", issue.by.side)
      .Bool("listed", issue.listed);
}

void PrintMade(Session& session, const MessageId& record, const char* text) {
  if (session.json()) {
    session.Print(JsonObject().Text("record", record.ToString()));
  } else {
    session.out() << text << '\n' << record.ToString() << '\n';
  }
}

}  // namespace

Status Run(Session& session, const IssuesShowArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info,
                    session.OpenCase(arguments.case_text, Session::Purpose::kShow));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const std::vector<Issue> issues, profile->Issues(info.id));
  for (const Issue& issue : issues) {
    if (session.json()) {
      session.Print(ToJson(issue));
    } else {
      session.out() << issue.id.ToString().substr(0, 8) << (issue.listed ? "  " : "  (proposed) ")
                    << Harmless(issue.text) << ", brought up by " << PersonText(issue.by) << '\n';
    }
  }
  if (issues.empty() && !session.json()) session.out() << "No issues yet.\n";
  return {};
}

Status Run(Session& session, const IssueAddArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const MessageId id, profile->AddIssue(info.id, arguments.text));
  PrintMade(session, id,
            IsNeutral(info.own_role) ? "It is on the list, for all to see."
                                     : "Proposed to all; a neutral puts it on the list.");
  return {};
}

Status Run(Session& session, const IssueChangeArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const std::vector<Issue> issues, profile->Issues(info.id));
  PARLEY_TRY_ASSIGN(const MessageId issue, FindIssue(issues, arguments.issue));
  Result<MessageId> record = Status(StatusCode::kInternal, "");
  switch (arguments.change) {
    case IssueChange::kAdmit:
      record = profile->AdmitIssue(info.id, issue);
      break;
    case IssueChange::kReword:
      record = profile->RewordIssue(info.id, issue, arguments.text);
      break;
    case IssueChange::kDrop:
      record = profile->DropIssue(info.id, issue);
      break;
  }
  PARLEY_TRY(record.status());
  PrintMade(session, *record, "The list is changed, for all to see.");
  return {};
}

Status Run(Session& session, const IssuesRankArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const std::vector<Issue> issues, profile->Issues(info.id));
  std::vector<MessageId> ranked;
  for (const std::string& text : arguments.issues) {
    PARLEY_TRY_ASSIGN(const MessageId issue, FindIssue(issues, text));
    ranked.push_back(issue);
  }
  PARLEY_TRY_ASSIGN(const SentMessage sent, profile->RankIssues(info.id, ranked));
  if (session.json()) {
    session.Print(JsonObject().Text("record", sent.id.ToString()).Bool("queued", sent.queued));
  } else {
    session.out() << "Your side's ranking" << (sent.queued ? ", will be read by " : ", read by ")
                  << PeopleText(sent.readers) << '\n'
                  << sent.id.ToString() << '\n';
  }
  return {};
}

Status Run(Session& session, const IssuesRankingsArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info,
                    session.OpenCase(arguments.case_text, Session::Purpose::kShow));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const std::vector<Issue> issues, profile->Issues(info.id));
  PARLEY_TRY_ASSIGN(const std::vector<IssueRanking> rankings, profile->IssueRankings(info.id));
  for (const IssueRanking& ranking : rankings) {
    std::vector<std::string> texts;
    std::vector<std::string> ids;
    for (const MessageId& issue : ranking.issues) {
      ids.push_back(issue.ToString());
      texts.push_back(TextOf(issues, issue));
    }
    if (session.json()) {
      session.Print(JsonObject()
                        .Text("side", ranking.side)
                        .All(Who("by", ranking.by))
                        .Text("time", IsoTime(ranking.time))
                        .Texts("issues", ids)
                        .Texts("texts", texts));
      continue;
    }
    session.out() << Harmless(ranking.side) << ", by " << PersonText(ranking.by) << '\n';
    for (size_t i = 0; i < texts.size(); ++i) {
      session.out() << "  " << i + 1 << ". " << Harmless(texts[i]) << '\n';
    }
  }
  if (rankings.empty() && !session.json()) session.out() << "No ranking yet.\n";
  return {};
}

}  // namespace parley::cli
