// agenda, ground-rules, summary: set, show, ack (confirm), correct.
#include <iostream>

#include "tools/parley/commands/commands.h"
#include "tools/parley/output/records.h"
#include "tools/parley/output/text.h"
#include "tools/parley/standard_input.h"
#include "tools/parley/try.h"

namespace parley::cli {
namespace {

const char* KindName(SessionTextKind kind) {
  switch (kind) {
    case SessionTextKind::kAgenda:
      return "agenda";
    case SessionTextKind::kGroundRules:
      return "ground rules";
    case SessionTextKind::kSummary:
      break;
  }
  return "summary";
}

const char* CommandOf(SessionTextKind kind) {
  return kind == SessionTextKind::kGroundRules ? "ground-rules" : KindName(kind);
}

std::string Title(const SessionText& text) {
  std::string title = KindName(text.kind);
  if (text.kind == SessionTextKind::kSummary) title += " " + std::to_string(text.number);
  return title + ", version " + std::to_string(text.version);
}

JsonObject ToJson(const SessionText& text) {
  std::vector<JsonObject> answers;
  for (const SessionAnswer& answer : text.answers) {
    answers.push_back(JsonObject()
                          .All(Who("by", answer.by))
                          .Text("side", answer.by.side)
                          .Text("answer", answer.confirmed ? "confirmed" : "corrected")
                          .Text("words", answer.words)
                          .Text("time", IsoTime(answer.time)));
  }
  return JsonObject()
      .Text("kind", KindName(text.kind))
      .Number("number", text.number)
      .Number("version", text.version)
      .Bool("latest", text.latest)
      .All(Who("by", text.by))
      .Text("text", text.text)
      .Text("time", IsoTime(text.time))
      .Objects("answers", answers)
      .Texts("unanswered", text.unanswered)
      .Text("record", text.id.ToString());
}

std::string ToText(const SessionText& text) {
  std::string out = Title(text) + ", by " + PersonText(text.by) + ", " + LocalTime(text.time) +
                    (text.latest ? "" : " (replaced)") + "\n" + HarmlessLines(text.text, "    ") +
                    "\n";
  for (const SessionAnswer& answer : text.answers) {
    out += "  " + PersonText(answer.by) + (answer.confirmed ? " confirms it" : " corrects it") +
           (answer.words.empty() ? "" : ":\n" + HarmlessLines(answer.words, "    ")) + "\n";
  }
  for (const std::string& side : text.unanswered) {
    out += "  " + Harmless(side) + " has not answered yet\n";
  }
  return out;
}

// The latest version of the one that is meant.
Result<SessionText> FindLatest(Profile& profile, const Case& info, SessionTextKind kind,
                               uint32_t number) {
  PARLEY_TRY_ASSIGN(const std::vector<SessionText> texts, profile.SessionTexts(info.id, kind));
  std::vector<SessionText> fitting;
  for (const SessionText& text : texts) {
    if (text.latest && (number == 0 || text.number == number)) fitting.push_back(text);
  }
  if (fitting.size() == 1) return fitting.front();
  const std::string name = KindName(kind);
  if (fitting.empty()) {
    return Status(StatusCode::kNotFound, "there is no such " + name + " yet; a neutral sets it");
  }
  return Status(StatusCode::kAmbiguous,
                std::string("there are several: say which with --of N (parley ") + CommandOf(kind) +
                    " show)");
}

}  // namespace

Status Run(Session& session, const SessionTextSetArguments& arguments) {
  PARLEY_TRY_ASSIGN(const std::string text, ArgumentOrInput(arguments.text, std::cin));
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const MessageId id,
                    profile->SetSessionText(info.id, arguments.kind, text, arguments.number));
  PARLEY_TRY_ASSIGN(const std::vector<SessionText> texts,
                    profile->SessionTexts(info.id, arguments.kind));
  for (const SessionText& one : texts) {
    if (one.id != id) continue;
    if (session.json()) {
      session.Print(ToJson(one));
    } else {
      session.out() << "Set for all participants: " << Title(one) << ". Each side answers it.\n"
                    << id.ToString() << '\n';
    }
    return {};
  }
  return Status(StatusCode::kFailedPrecondition,
                "another neutral set it just before; look at theirs first");
}

Status Run(Session& session, const SessionTextShowArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info,
                    session.OpenCase(arguments.case_text, Session::Purpose::kShow));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const std::vector<SessionText> texts,
                    profile->SessionTexts(info.id, arguments.kind));
  for (const SessionText& text : texts) {
    if (!text.latest && !arguments.all) continue;
    if (session.json()) {
      session.Print(ToJson(text));
    } else {
      session.out() << ToText(text);
    }
  }
  if (texts.empty() && !session.json()) session.out() << "There is none yet.\n";
  return {};
}

Status Run(Session& session, const SessionTextAnswerArguments& arguments) {
  PARLEY_TRY_ASSIGN(const std::string words, ArgumentOrInput(arguments.words, std::cin));
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const SessionText text,
                    FindLatest(*profile, info, arguments.kind, arguments.number));
  // A newer one may have come since they read it, in this very call.
  const bool is_meant =
      arguments.version == text.version || (arguments.version == 0 && text.version == 1);
  if (!is_meant) {
    return Status(StatusCode::kFailedPrecondition,
                  "nothing was answered: the latest is " + Title(text) + ". Read it (parley " +
                      CommandOf(arguments.kind) + " show), and answer it with --version " +
                      std::to_string(text.version));
  }
  PARLEY_TRY_ASSIGN(const MessageId id,
                    profile->AnswerSessionText(info.id, text.id, arguments.confirmed, words));
  if (session.json()) {
    session.Print(JsonObject()
                      .Text("record", id.ToString())
                      .Number("version", text.version)
                      .Text("answer", arguments.confirmed ? "confirmed" : "corrected"));
  } else {
    session.out() << "Answered for your side, to all: " << Title(text)
                  << (arguments.confirmed ? ", confirmed.\n" : ", to be corrected.\n")
                  << id.ToString() << '\n';
  }
  return {};
}

}  // namespace parley::cli
