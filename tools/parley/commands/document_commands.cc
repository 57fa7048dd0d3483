// share, documents, fetch.
#include "tools/parley/commands/commands.h"
#include "tools/parley/interruption.h"
#include "tools/parley/output/progress.h"
#include "tools/parley/output/records.h"
#include "tools/parley/output/text.h"
#include "tools/parley/try.h"

namespace parley::cli {
namespace {

// What became of the file's metadata, in a line.
std::string MetadataLine(const SentMessage& sent) {
  switch (sent.metadata) {
    case MetadataOutcome::kRemoved: {
      std::string removed;
      for (const std::string& one : sent.removed) removed += (removed.empty() ? "" : ", ") + one;
      return "Removed from the copy that was shared: " + removed + ".";
    }
    case MetadataOutcome::kKept:
      return "Shared as it is, with its metadata.";
    case MetadataOutcome::kNoneFound:
      return "It has no metadata to remove.";
    case MetadataOutcome::kNotCleaned:
      break;
  }
  return "Shared as it is: files of this kind are not cleaned of metadata.";
}

void PrintShared(Session& session, const ShareArguments& arguments, const Channel& channel,
                 const SentMessage& sent) {
  if (session.json()) {
    JsonObject object;
    object.Text("document", sent.id.ToString())
        .Text("channel", channel.name)
        .Text("file", arguments.file)
        .Bool("queued", sent.queued)
        .Text("queued_because", sent.queued_because)
        .Objects("readers", ToJson(sent.readers))
        .Text("metadata", MetadataOutcomeName(sent.metadata))
        .Texts("removed", sent.removed);
    if (sent.position) object.Number("position", *sent.position);
    session.Print(object);
    return;
  }
  if (sent.queued) {
    session.out() << "Not announced yet: " << Harmless(sent.queued_because)
                  << ". The document is uploaded, and a later command announces it, once.\n";
  }
  session.out() << Harmless(channel.name) << (sent.queued ? ", will be read by " : ", read by ")
                << PeopleText(sent.readers) << '\n';
  session.out() << Harmless(MetadataLine(sent)) << '\n';
  if (AnyNotCompared(sent.readers)) session.out() << kNotComparedNote << '\n';
  session.out() << sent.id.ToString() << '\n';
}

}  // namespace

Status Run(Session& session, const ShareArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const Channel channel, session.OpenChannel(info, arguments.channel));
  ShareOptions options;
  options.name = arguments.name;
  options.keep_metadata = arguments.keep_metadata;
  if (!arguments.replaces.empty()) {
    PARLEY_TRY_ASSIGN(const Document replaced,
                      profile->FindDocument(channel.ref, arguments.replaces));
    options.replaces = replaced.ref.message_id;
  }
  Result<SentMessage> sent = Status(StatusCode::kCancelled, "");
  {
    ProgressBar bar("sharing");
    sent = profile->Share(channel.ref, arguments.file, options, ShowOn(bar));
  }
  if (sent.status().code() == StatusCode::kCancelled) return Interrupted();
  if (sent.status().code() == StatusCode::kUnavailable) {
    return Status(
        StatusCode::kUnavailable,
        sent.status().message() + ". Nothing was shared; run the same command again later");
  }
  PARLEY_TRY(sent.status());
  PrintShared(session, arguments, channel, *sent);
  return {};
}

Status Run(Session& session, const DocumentsArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info,
                    session.OpenCase(arguments.case_text, Session::Purpose::kShow));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const Channel channel, session.OpenChannel(info, arguments.channel));
  PARLEY_TRY_ASSIGN(const std::vector<Document> documents, profile->Documents(channel.ref));
  for (const Document& document : documents) {
    if (session.json()) {
      session.Print(ToJson(document, channel.name));
      continue;
    }
    session.out() << document.ref.message_id.ToString().substr(0, 8) << "  "
                  << Harmless(document.name) << "\n          " << SizeText(document.size)
                  << ", from " << PersonText(document.author) << ", " << LocalTime(document.time)
                  << '\n';
  }
  if (documents.empty() && !session.json()) {
    session.out() << "No documents in " << Harmless(channel.name) << ".\n";
  }
  return {};
}

Status Run(Session& session, const FetchArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const Channel channel, session.OpenChannel(info, arguments.channel));
  PARLEY_TRY_ASSIGN(const Document document,
                    profile->FindDocument(channel.ref, arguments.document));
  FetchOptions options;
  options.overwrite = arguments.force;
  Status fetched;
  {
    ProgressBar bar("fetching");
    fetched = profile->Fetch(document.ref, arguments.output, options, ShowOn(bar));
  }
  if (fetched.code() == StatusCode::kCancelled) return Interrupted();
  if (fetched.code() == StatusCode::kAlreadyExists) {
    return Status(fetched.code(), fetched.message() + ", or replace it with --force");
  }
  PARLEY_TRY(fetched);
  if (session.json()) {
    session.Print(JsonObject()
                      .Text("document", document.ref.message_id.ToString())
                      .Text("name", document.name)
                      .Number("size", document.size)
                      .Text("file", arguments.output));
    return {};
  }
  session.out() << "\"" << Harmless(document.name) << "\", " << SizeText(document.size) << ", from "
                << PersonText(document.author) << '\n'
                << Harmless(arguments.output) << '\n';
  return {};
}

}  // namespace parley::cli
