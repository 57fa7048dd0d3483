// case status, request, accept, decline, disclose-conflict, waive, object, act; case agreement
// propose, show, sign; template list, show.
#include <fstream>
#include <iostream>
#include <sstream>

#include "tools/parley/commands/commands.h"
#include "tools/parley/output/records.h"
#include "tools/parley/output/text.h"
#include "tools/parley/standard_input.h"
#include "tools/parley/try.h"

namespace parley::cli {
namespace {

JsonObject ToJson(const CaseMissing& missing) {
  return JsonObject()
      .Text("who", missing.who)
      .Text("what", missing.what)
      .Text("command", missing.command);
}

JsonObject ToJson(const ConflictDisclosure& disclosure) {
  std::vector<JsonObject> answers;
  for (const ConflictAnswer& answer : disclosure.answers) {
    answers.push_back(JsonObject()
                          .Text("side", answer.side)
                          .All(Who("by", answer.by))
                          .Text("answer", answer.waived ? "waived" : "objected")
                          .Text("words", answer.words));
  }
  return JsonObject()
      .Text("disclosure", disclosure.id.ToString())
      .All(Who("by", disclosure.by))
      .Text("words", disclosure.words)
      .Bool("settled", disclosure.settled)
      .Objects("answers", answers);
}

JsonObject ToJson(const Agreement& agreement) {
  std::vector<JsonObject> signers;
  for (const AgreementSigner& signer : agreement.signers) {
    signers.push_back(JsonObject()
                          .Text("name", signer.person.name)
                          .Text("participant", signer.person.id.ToString())
                          .Bool("signed", signer.signed_it)
                          .Bool("key_vouched_for", signer.vouched));
  }
  return JsonObject()
      .Number("version", agreement.version)
      .Text("hash", agreement.hash)
      .All(Who("proposed_by", agreement.proposed_by))
      .Text("text", agreement.text)
      .Text("policy", agreement.policy)
      .Objects("signers", signers);
}

JsonObject ToJson(const CaseEntry& entry) {
  return JsonObject()
      .Text("act", CaseActName(entry.act))
      .All(Who("by", entry.by))
      .Text("words", entry.words)
      .Text("time", IsoTime(entry.time))
      .Text("state", entry.refused.empty() ? CaseStateName(entry.state) : "")
      .Text("refused", entry.refused)
      .Text("record", entry.id.ToString());
}

JsonObject ToJson(const CaseProgress& progress) {
  JsonObject object;
  object.Bool("procedure", progress.with_procedure);
  if (!progress.with_procedure) return object;
  std::vector<JsonObject> missing;
  for (const CaseMissing& entry : progress.missing) missing.push_back(ToJson(entry));
  std::vector<JsonObject> disclosures;
  for (const ConflictDisclosure& entry : progress.disclosures) {
    disclosures.push_back(ToJson(entry));
  }
  std::vector<JsonObject> entries;
  for (const CaseEntry& entry : progress.entries) entries.push_back(ToJson(entry));
  object.Text("state", CaseStateName(progress.state))
      .Bool("may_speak", progress.may_speak)
      .Text("settlement", progress.settlement)
      .Objects("missing", missing)
      .Objects("disclosures", disclosures);
  if (progress.in_force) object.Objects("in_force", {ToJson(*progress.in_force)});
  if (progress.proposed) object.Objects("proposed", {ToJson(*progress.proposed)});
  return object.Objects("entries", entries);
}

std::string SignersText(const Agreement& agreement) {
  std::string out;
  for (const AgreementSigner& signer : agreement.signers) {
    out += "    " + PersonText(signer.person) + ": " + (signer.signed_it ? "signed" : "not yet") +
           (signer.signed_it && !signer.vouched ? ", with a key that nobody has vouched for yet"
                                                : "") +
           "\n";
  }
  return out;
}

std::string ToText(const ConflictDisclosure& disclosure) {
  std::string out = PersonText(disclosure.by) + " has disclosed (" +
                    disclosure.id.ToString().substr(0, 8) +
                    (disclosure.settled ? ", settled):\n" : ", open):\n") +
                    HarmlessLines(disclosure.words, "    ") + "\n";
  for (const ConflictAnswer& answer : disclosure.answers) {
    out += "    " + Harmless(answer.side) + (answer.waived ? " waives" : " objects") +
           (answer.words.empty() ? "" : ": " + Harmless(answer.words)) + "\n";
  }
  return out;
}

bool IsOver(CaseState state) {
  switch (state) {
    case CaseState::kSettled:
    case CaseState::kWithdrawn:
    case CaseState::kImpasse:
    case CaseState::kTerminated:
    case CaseState::kClosed:
    case CaseState::kFollowUp:
    case CaseState::kRetained:
    case CaseState::kDestroyed:
      return true;
    default:
      return false;
  }
}

std::string ToText(const CaseProgress& progress) {
  std::string out = std::string("The case is ") + CaseStateName(progress.state) + ".\n";
  if (progress.may_speak) {
    out += "You may speak.\n";
  } else {
    out += IsOver(progress.state) ? "Nothing can be said any more.\n"
                                  : "Nothing but the intake can be said yet.\n";
  }
  for (const CaseMissing& missing : progress.missing) {
    out += "Missing: " + Harmless(missing.who) + " " + Harmless(missing.what) + "\n";
  }
  for (const ConflictDisclosure& disclosure : progress.disclosures) out += ToText(disclosure);
  if (progress.in_force) {
    out += "In force: the agreement to mediate, version " +
           std::to_string(progress.in_force->version) + "\n" + SignersText(*progress.in_force);
  }
  if (progress.proposed) {
    out += "Proposed: the agreement to mediate, version " +
           std::to_string(progress.proposed->version) + "\n" + SignersText(*progress.proposed);
  }
  if (!progress.settlement.empty()) out += "The settlement: " + progress.settlement + "\n";
  for (const CaseEntry& entry : progress.entries) {
    if (entry.refused.empty()) continue;
    out += "Passed over: " + PersonText(entry.by) + " " + Harmless(entry.refused) + "\n";
  }
  return out;
}

Result<std::string> ReadTextFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  if (file) text << file.rdbuf();
  if (!file) {
    return Status(StatusCode::kFileError, "\"" + path + "\" can't be read; name a file of text");
  }
  return text.str();
}

Result<AgreementTemplate> FindTemplate(const std::string& name) {
  std::string names;
  for (AgreementTemplate& entry : AgreementTemplates()) {
    if (entry.name == name) return std::move(entry);
    names += (names.empty() ? "" : ", ") + entry.name;
  }
  return Status(StatusCode::kNotFound,
                "there is no template \"" + name + "\"; there are: " + names);
}

// The disclosure that is meant.
Result<MessageId> FindDisclosure(Profile& profile, const Case& info, const std::string& beginning) {
  PARLEY_TRY_ASSIGN(const CaseProgress progress, profile.Progress(info.id));
  std::vector<MessageId> found;
  for (const ConflictDisclosure& disclosure : progress.disclosures) {
    const bool named = !beginning.empty() && disclosure.id.ToString().starts_with(beginning);
    if (named || (beginning.empty() && !disclosure.settled)) found.push_back(disclosure.id);
  }
  if (found.size() == 1) return found[0];
  if (found.empty()) {
    return Status(StatusCode::kNotFound,
                  beginning.empty() ? "no disclosure waits for an answer"
                                    : "there is no disclosure whose id begins with " + beginning);
  }
  return Status(StatusCode::kAmbiguous,
                "several disclosures fit: name one with --disclosure (parley case status)");
}

// The one of that hash; without one what is proposed, or what is in force and not signed here.
Result<Agreement> FindAgreement(const CaseProgress& progress, const std::string& beginning) {
  if (progress.proposed && progress.proposed->hash.starts_with(beginning)) {
    return *progress.proposed;
  }
  if (progress.in_force && progress.in_force->hash.starts_with(beginning)) {
    return *progress.in_force;
  }
  return Status(StatusCode::kNotFound,
                beginning.empty() || (!progress.proposed && !progress.in_force)
                    ? "no agreement to mediate is proposed yet; a neutral does that"
                    : "no agreement that can be signed has a hash that begins with " + beginning +
                          ": it may have been replaced; read it again (parley case agreement "
                          "show)");
}

// The message of a document of the joint channel, or of an offer's latest version there; zero where
// nothing is named.
Result<MessageId> FindSettlement(const Profile& profile, const Case& info,
                                 const std::string& item) {
  if (item.empty()) return MessageId();
  PARLEY_TRY_ASSIGN(const Channel joint, profile.FindChannel(info.id, "joint"));
  const Result<Document> document = profile.FindDocument(joint.ref, item);
  if (document.ok()) return document->ref.message_id;
  if (document.status().code() == StatusCode::kAmbiguous) return document.status();
  const Result<Offer> offer = profile.FindOffer(info.id, item);
  if (offer.ok()) return offer->current().record;
  return Status(StatusCode::kNotFound, "the joint channel has no document or offer \"" + item +
                                           "\" (parley documents, parley offers)");
}

std::string ToText(const Agreement& agreement) {
  return "The agreement to mediate, version " + std::to_string(agreement.version) +
         ", proposed by " + PersonText(agreement.proposed_by) + "\n\n" +
         HarmlessLines(agreement.text, "    ") + "\n\nConfidentiality policy:\n\n" +
         HarmlessLines(agreement.policy, "    ") + "\n\n" + SignersText(agreement);
}

}  // namespace

Status Run(Session& session, const CaseStatusArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info,
                    session.OpenCase(arguments.case_text, Session::Purpose::kShow));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const CaseProgress progress, profile->Progress(info.id));
  PARLEY_TRY_ASSIGN(const std::vector<TodoItem> items, profile->Todo(info.id));
  if (session.json()) {
    std::vector<JsonObject> todo;
    for (const TodoItem& item : items) todo.push_back(cli::ToJson(item));
    session.Print(
        JsonObject().Text("case", info.id.ToString()).All(ToJson(progress)).Objects("todo", todo));
    return {};
  }
  if (!progress.with_procedure) {
    session.out() << "\"" << Harmless(info.title) << "\" was opened without a procedure.\n";
  } else {
    session.out() << ToText(progress);
  }
  if (!items.empty()) session.out() << "Waits for you:\n";
  for (const TodoItem& item : items) session.out() << ToText(item);
  return {};
}

Status Run(Session& session, const CaseActArguments& arguments) {
  PARLEY_TRY_ASSIGN(const std::string words, ArgumentOrInput(arguments.words, std::cin));
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  if (arguments.act == CaseAct::kDiscloseConflict && words.empty()) {
    return Status(StatusCode::kInvalidArgument, "say what you disclose");
  }
  MessageId about;
  if (arguments.act == CaseAct::kWaive || arguments.act == CaseAct::kObject) {
    PARLEY_TRY_ASSIGN(about, FindDisclosure(*profile, info, arguments.disclosure));
  }
  if (arguments.act == CaseAct::kConfirmSettlement && arguments.settlement.empty()) {
    return Status(StatusCode::kInvalidArgument,
                  "say which document or offer of the joint channel you confirm, after having read "
                  "it (--settlement): it is confirmed only if it is the one that is to be signed");
  }
  if (arguments.act == CaseAct::kStartSigning || arguments.act == CaseAct::kConfirmSettlement) {
    PARLEY_TRY_ASSIGN(about, FindSettlement(*profile, info, arguments.settlement));
  } else if (!arguments.settlement.empty()) {
    return Status(StatusCode::kInvalidArgument,
                  "--settlement goes with start-signing and confirm-settlement");
  }
  PARLEY_TRY_ASSIGN(const MessageId id, profile->Act(info.id, arguments.act, words, about));
  PARLEY_TRY_ASSIGN(const CaseProgress progress, profile->Progress(info.id));
  if (session.json()) {
    session.Print(JsonObject()
                      .Text("record", id.ToString())
                      .Text("act", CaseActName(arguments.act))
                      .Text("state", CaseStateName(progress.state)));
  } else {
    session.out() << "Recorded for all participants: " << CaseActName(arguments.act)
                  << ". The case is " << CaseStateName(progress.state) << ".\n";
    const bool of_settlement =
        arguments.act == CaseAct::kStartSigning || arguments.act == CaseAct::kConfirmSettlement;
    if (of_settlement) session.out() << "The settlement: " << progress.settlement << '\n';
    session.out() << id.ToString() << '\n';
  }
  return {};
}

Status Run(Session& session, const AgreementProposeArguments& arguments) {
  AgreementTemplate from;
  if (!arguments.template_name.empty()) {
    PARLEY_TRY_ASSIGN(from, FindTemplate(arguments.template_name));
  }
  if (!arguments.text_file.empty()) {
    PARLEY_TRY_ASSIGN(from.text, ReadTextFile(arguments.text_file));
  }
  if (!arguments.policy_file.empty()) {
    PARLEY_TRY_ASSIGN(from.policy, ReadTextFile(arguments.policy_file));
  }
  if (from.text.empty() || from.policy.empty()) {
    return Status(StatusCode::kInvalidArgument,
                  "an agreement has a text and a policy: give --template, or --text and --policy "
                  "(parley template list)");
  }
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const std::string hash,
                    profile->ProposeAgreement(info.id, from.text, from.policy));
  if (from.text.find('[') != std::string::npos) {
    session.Note(
        "the text has places in brackets, as templates have: if they are to be filled in, do that "
        "in a file (parley template show writes one), and propose it anew before anybody signs "
        "(parley case agreement propose --text FILE)");
  }
  if (session.json()) {
    session.Print(JsonObject().Text("hash", hash));
  } else {
    session.out() << "Proposed to all participants. Each signs it (parley case agreement sign).\n"
                  << hash << '\n';
  }
  return {};
}

Status Run(Session& session, const AgreementShowArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info,
                    session.OpenCase(arguments.case_text, Session::Purpose::kShow));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const CaseProgress progress, profile->Progress(info.id));
  PARLEY_TRY_ASSIGN(const Agreement agreement, FindAgreement(progress, ""));
  if (session.json()) {
    session.Print(ToJson(agreement));
  } else {
    session.out() << ToText(agreement) << agreement.hash << '\n';
  }
  return {};
}

Status Run(Session& session, const AgreementSignArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const CaseProgress progress, profile->Progress(info.id));
  PARLEY_TRY_ASSIGN(const Agreement agreement, FindAgreement(progress, arguments.hash));
  for (const AgreementSigner& signer : agreement.signers) {
    if (!signer.person.self || !signer.signed_it) continue;
    return Status(StatusCode::kFailedPrecondition,
                  info.own_name + " has signed it already: version " +
                      std::to_string(agreement.version) + " of the agreement to mediate");
  }
  if (!arguments.yes && arguments.hash.empty() && !InputIsTerminal()) {
    return Status(
        StatusCode::kInvalidArgument,
        "there is no terminal to show the agreement and ask on: name the hash of what you "
        "have read (parley case agreement show), or add -y");
  }
  if (!arguments.yes) {
    std::cerr << ToText(agreement);
    if (!Confirm("Sign this agreement as " + Harmless(info.own_name) + "?")) {
      return Status(StatusCode::kCancelled, "you have not signed");
    }
  }
  PARLEY_TRY(profile->SignAgreement(info.id, agreement.hash));
  PARLEY_TRY_ASSIGN(const CaseProgress now, profile->Progress(info.id));
  if (session.json()) {
    session.Print(JsonObject()
                      .Text("hash", agreement.hash)
                      .Number("version", agreement.version)
                      .Text("state", CaseStateName(now.state)));
  } else {
    session.out() << "You have signed version " << agreement.version << ". The case is "
                  << CaseStateName(now.state) << ".\n"
                  << agreement.hash << '\n';
  }
  return {};
}

Status Run(Session& session, const TemplateListArguments& /*arguments*/) {
  for (const AgreementTemplate& entry : AgreementTemplates()) {
    if (session.json()) {
      session.Print(JsonObject().Text("template", entry.name).Text("about", entry.about));
    } else {
      session.out() << Padded(entry.name, 14) << entry.about << '\n';
    }
  }
  return {};
}

Status Run(Session& session, const TemplateShowArguments& arguments) {
  PARLEY_TRY_ASSIGN(const AgreementTemplate entry, FindTemplate(arguments.name));
  if (session.json()) {
    session.Print(JsonObject()
                      .Text("template", entry.name)
                      .Text("text", entry.text)
                      .Text("policy", entry.policy));
  } else {
    session.out() << (arguments.policy ? entry.policy : entry.text);
  }
  return {};
}

}  // namespace parley::cli
