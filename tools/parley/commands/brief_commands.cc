// brief submit, brief list, brief release.
#include "tools/parley/commands/commands.h"
#include "tools/parley/commands/sharing.h"
#include "tools/parley/interruption.h"
#include "tools/parley/output/progress.h"
#include "tools/parley/output/records.h"
#include "tools/parley/output/text.h"
#include "tools/parley/try.h"

namespace parley::cli {
namespace {

void PrintBrief(Session& session, const Brief& brief) {
  const Document& document = brief.document;
  if (session.json()) {
    JsonObject object;
    object.Text("kind", "brief").All(ToJson(document, "caucus:" + document.author.side));
    object.Text("state", BriefStateName(brief.state)).Texts("sides", brief.sides);
    session.Print(object);
    return;
  }
  session.out() << document.ref.message_id.ToString().substr(0, 8) << "  "
                << Harmless(document.name) << "\n          " << BriefKindName(document.brief)
                << ", " << BriefStateName(brief.state) << ", " << SizeText(document.size)
                << ", from " << PersonText(document.author) << ", " << LocalTime(document.time)
                << '\n';
  if (!document.note.empty()) session.out() << HarmlessLines(document.note, "          ") << '\n';
}

void PrintReleased(Session& session, const ReleasedBriefs& released) {
  if (session.json()) {
    JsonObject object;
    object.Text("kind", "release")
        .Text("release", released.id.ToString())
        .Number("position", released.position)
        .All(Who("by", released.by))
        .Text("time", IsoTime(released.time))
        .Bool("refused", released.refused)
        .Text("note", released.note);
    std::vector<JsonObject> documents;
    for (const Document& document : released.documents) {
      documents.push_back(ToJson(document, "joint"));
    }
    object.Objects("documents", std::move(documents));
    session.Print(object);
    return;
  }
  session.out() << (released.refused ? "Refused: " : "Released by ")
                << (released.refused ? Harmless(released.note) : PersonText(released.by)) << ", "
                << LocalTime(released.time) << ", in joint (" << released.position << ")\n";
  for (const Document& document : released.documents) {
    session.out() << document.ref.message_id.ToString().substr(0, 8) << "  "
                  << Harmless(document.name) << "\n          " << SizeText(document.size)
                  << ", from " << PersonText(document.author) << '\n';
  }
}

std::string Listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + Harmless(name);
  return text;
}

}  // namespace

Status Run(Session& session, const BriefSubmitArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  BriefRequest request;
  request.kind = arguments.mediator_only ? BriefKind::kMediatorOnly : BriefKind::kExchanged;
  request.name = arguments.name;
  request.note = arguments.note;
  request.keep_metadata = arguments.keep_metadata;
  request.document_class =
      DocumentClassOf(arguments.document_class).value_or(DocumentClass::kGeneral);
  Result<SentMessage> sent = Status(StatusCode::kCancelled, "");
  {
    ProgressBar bar("handing in");
    sent = profile->SubmitBrief(info.id, arguments.file, request, ShowOn(bar));
  }
  if (sent.status().code() == StatusCode::kCancelled) return Interrupted();
  PARLEY_TRY(sent.status());
  if (session.json()) {
    JsonObject object;
    object.Text("document", sent->id.ToString())
        .Text("brief", BriefKindName(request.kind))
        .Text("file", arguments.file)
        .Text("metadata", MetadataOutcomeName(sent->metadata))
        .Texts("removed", sent->removed)
        .Bool("queued", sent->queued)
        .Text("queued_because", sent->queued_because)
        .Objects("readers", ToJson(sent->readers));
    session.Print(object);
    return {};
  }
  if (sent->queued) {
    session.out() << "Not announced yet: " << Harmless(sent->queued_because)
                  << ". It is uploaded, and a later command announces it, once.\n";
  }
  session.out() << MetadataText(*sent) << '\n';
  session.out() << (request.kind == BriefKind::kExchanged
                        ? "Held by the neutrals until all sides have handed theirs in"
                        : "For the neutrals only")
                << "; until then read by " << PeopleText(sent->readers) << '\n'
                << sent->id.ToString() << '\n';
  return {};
}

Status Run(Session& session, const BriefListArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info,
                    session.OpenCase(arguments.case_text, Session::Purpose::kShow));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const BriefList list, profile->Briefs(info.id));
  for (const Brief& brief : list.briefs) PrintBrief(session, brief);
  for (const ReleasedBriefs& released : list.released) PrintReleased(session, released);
  const bool is_neutral = info.own_role == Role::kMediator || info.own_role == Role::kCoMediator;
  if (session.json()) {
    if (!is_neutral) return {};
    session.Print(JsonObject()
                      .Text("kind", "standing")
                      .Texts("missing", list.missing)
                      .Bool("can_release", list.can_release)
                      .Bool("release_waits", list.release_waits)
                      .Text("waits_because", list.waits_because));
    return {};
  }
  if (list.briefs.empty() && list.released.empty()) session.out() << "No briefs.\n";
  if (list.release_waits) {
    session.out() << "A release of yours waits here: the sides don't have each other's briefs yet. "
                  << (list.waits_because.empty()
                          ? "It goes out with the next command that reaches the relay.\n"
                          : "It can't go out: " + Harmless(list.waits_because) + ".\n");
  } else if (list.can_release) {
    session.out() << "All sides have handed theirs in: parley brief release shows them to all.\n";
  } else if (is_neutral && !list.missing.empty()) {
    session.out() << "No exchanged brief waits from " << Listed(list.missing) << ".\n";
  }
  return {};
}

Status Run(Session& session, const BriefReleaseArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  Result<SentMessage> sent = Status(StatusCode::kCancelled, "");
  {
    ProgressBar bar("releasing");
    sent = profile->ReleaseBriefs(info.id, ShowOn(bar));
  }
  if (sent.status().code() == StatusCode::kCancelled) return Interrupted();
  PARLEY_TRY(sent.status());
  PARLEY_TRY_ASSIGN(const BriefList list, profile->Briefs(info.id));
  for (const ReleasedBriefs& released : list.released) {
    if (released.id == sent->id) PrintReleased(session, released);
  }
  if (session.json()) {
    if (!sent->queued) return {};
    session.Print(JsonObject()
                      .Text("kind", "release")
                      .Text("release", sent->id.ToString())
                      .Bool("queued", true)
                      .Text("queued_because", sent->queued_because));
    return {};
  }
  if (sent->queued) {
    session.out() << "Not released yet: " << Harmless(sent->queued_because)
                  << ". The sides don't have each other's briefs yet; a later command releases "
                     "them, together and once.\n";
  }
  session.out() << sent->id.ToString() << '\n';
  return {};
}

}  // namespace parley::cli
