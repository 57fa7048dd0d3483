// share, documents, fetch, withdraw.
#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "tools/parley/commands/commands.h"
#include "tools/parley/commands/sharing.h"
#include "tools/parley/interruption.h"
#include "tools/parley/output/progress.h"
#include "tools/parley/output/records.h"
#include "tools/parley/output/text.h"
#include "tools/parley/try.h"

namespace parley::cli {
namespace {

bool IsLatest(const Document& document) {
  return document.version.number == document.version.latest;
}

void PrintShared(Session& session, const std::string& path, const Channel& channel,
                 const SentMessage& sent, bool first) {
  if (session.json()) {
    JsonObject object;
    object.Text("document", sent.id.ToString())
        .Text("channel", channel.name)
        .Text("file", path)
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
  if (first || sent.queued) {
    session.out() << Harmless(channel.name) << (sent.queued ? ", will be read by " : ", read by ")
                  << PeopleText(sent.readers) << '\n';
    if (AnyNotCompared(sent.readers)) session.out() << kNotComparedNote << '\n';
  }
  session.out() << MetadataText(sent) << '\n';
  session.out() << sent.id.ToString() << '\n';
}

// What was paused while others went on.
Status StoppedAt(const std::vector<SharedFile>& all) {
  for (const SharedFile& one : all) {
    if (!one.sent.ok() && !one.sent.status().message().empty()) return one.sent.status();
  }
  return Interrupted();
}

// Why a file wasn't shared, and what became of the others.
Status NotShared(const Status& status, const std::string& path, size_t done, size_t all) {
  std::string message = status.message();
  if (all > 1) message = "\"" + path + "\": " + message;
  if (status.code() == StatusCode::kUnavailable || all > 1) {
    message += all > 1 ? ". " + std::to_string(done) + " of " + std::to_string(all) +
                             " files were shared; share the others again"
                       : ". Nothing was shared; run the same command again later";
  }
  return Status(status.code(), message);
}

}  // namespace

namespace {

// The document for a step that can't be taken back: where its author has shared several of that
// name, none is chosen for them.
Result<Document> FindOnly(const Profile& profile, const ChannelRef& channel,
                          const std::string& text) {
  PARLEY_TRY_ASSIGN(const Document found, profile.FindDocument(channel, text));
  if (found.name != text) return found;
  PARLEY_TRY_ASSIGN(const std::vector<Document> all, profile.Documents(channel));
  std::vector<Document> fitting;  // the latest of that name, of each document
  for (const Document& one : all) {
    const bool can_be_meant = one.name == text && one.author.id == found.author.id &&
                              one.state == DocumentState::kAvailable;
    if (!can_be_meant) continue;
    std::erase_if(fitting, [&](const Document& earlier) {
      return earlier.version.first == one.version.first;
    });
    fitting.push_back(one);
  }
  if (fitting.empty()) return found;
  if (fitting.size() == 1) return fitting.front();
  std::string list;
  for (const Document& one : fitting) {
    list += (list.empty() ? "" : ", ") + one.ref.message_id.ToString().substr(0, 8) + " of " +
            LocalTime(one.time);
  }
  return Status(StatusCode::kAmbiguous,
                "\"" + text + "\" fits several; use the beginning of an id: " + list);
}

}  // namespace

Status Run(Session& session, const ShareArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const Channel channel, session.OpenChannel(info, arguments.channel));
  PARLEY_TRY_ASSIGN(std::vector<FileToShare> files, FilesToShare(arguments.files));
  const bool for_one = !arguments.name.empty() || !arguments.version_of.empty();
  if (for_one && files.size() != 1) {
    return Status(StatusCode::kInvalidArgument, "--name and --version-of are for a single file");
  }
  ShareOptions options;
  options.name = arguments.name;
  options.note = arguments.note;
  options.document_class = DocumentClassOf(arguments.document_class);
  options.valid_for_seconds = arguments.valid_for_seconds;
  options.keep_metadata = arguments.keep_metadata;
  if (!arguments.version_of.empty()) {
    PARLEY_TRY_ASSIGN(const Document replaced,
                      FindOnly(*profile, channel.ref, arguments.version_of));
    options.replaces = replaced.ref.message_id;
  }
  const std::vector<SharedFile> all = ShareAll(*profile, channel.ref, std::move(files), options);
  size_t done = 0;
  for (const SharedFile& one : all) {
    if (!one.sent.ok()) continue;
    PrintShared(session, one.file.path, channel, *one.sent, ++done == 1);
  }
  for (const SharedFile& one : all) {
    if (!one.sent.ok() && one.sent.status().code() != StatusCode::kCancelled) {
      return NotShared(one.sent.status(), one.file.path, done, all.size());
    }
  }
  if (done == all.size()) return {};
  return Interruption().cancelled() ? Interrupted() : StoppedAt(all);
}

namespace {

// How long the agreement has such a document kept; empty where it doesn't say.
std::string KeptFor(const std::vector<RetentionRule>& rules, DocumentClass document_class) {
  std::string otherwise;
  for (const RetentionRule& rule : rules) {
    if (rule.record_class == DocumentClassName(document_class)) return rule.how_long;
    if (rule.record_class == "documents") otherwise = rule.how_long;
  }
  return otherwise;
}

void PrintDocument(Session& session, const Document& document, const Channel& channel,
                   const std::string& kept_for, bool indented) {
  if (session.json()) {
    JsonObject object = ToJson(document, channel.name);
    if (!kept_for.empty()) object.Text("kept_for", kept_for);
    session.Print(object);
    return;
  }
  const std::string indent = indented ? "  " : "";
  session.out() << indent << document.ref.message_id.ToString().substr(0, 8) << "  "
                << Harmless(document.name) << '\n'
                << indent << "          " << SizeText(document.size) << ", from "
                << PersonText(document.author) << ", " << LocalTime(document.time)
                << FactsText(document) << (kept_for.empty() ? "" : ", kept " + Harmless(kept_for))
                << '\n';
  if (!document.note.empty()) {
    session.out() << HarmlessLines(document.note, indent + "          ") << '\n';
  }
  if (!document.version.note.empty()) {
    session.out() << indent << "          [" << document.version.note << "]\n";
  }
}

// How many documents are in memory at once.
constexpr size_t kPageSize = 1000;

// Calls `show` with a page of all documents after another.
template <typename F>
Status ForEachPage(const Profile& profile, const Channel& channel, F show) {
  Page page = {.first = kPageSize};
  for (;;) {
    PARLEY_TRY_ASSIGN(std::vector<Document> documents, profile.Documents(channel.ref, page));
    const bool is_last = documents.size() < page.first;
    if (!is_last) page.after = documents.back().position;
    show(std::move(documents));
    if (is_last) return {};
  }
}

// The last so many that are to be shown. Earlier versions may stand among them, so that it takes
// more than that to find them.
Result<std::vector<Document>> LastDocuments(const Profile& profile, const Channel& channel,
                                            const DocumentsArguments& arguments) {
  const size_t wanted = arguments.last;
  for (size_t ask = wanted;; ask = ask > SIZE_MAX / 2 ? SIZE_MAX : 2 * ask) {
    PARLEY_TRY_ASSIGN(std::vector<Document> documents,
                      profile.Documents(channel.ref, {.last = ask}));
    const bool is_all = documents.size() < ask;
    if (!arguments.versions) {
      std::erase_if(documents, [](const Document& one) { return !IsLatest(one); });
    }
    if (!is_all && documents.size() < wanted) continue;
    // A release carries several.
    const size_t more = documents.size() > wanted ? documents.size() - wanted : 0;
    documents.erase(documents.begin(), documents.begin() + static_cast<ptrdiff_t>(more));
    return documents;
  }
}

// Each chain of versions where the first of it that is shown stands.
void PutTogether(std::vector<Document>& documents) {
  std::map<MessageId, uint64_t> begins;
  for (const Document& document : documents) {
    begins.emplace(document.version.first, document.position);
  }
  std::stable_sort(documents.begin(), documents.end(), [&](const Document& a, const Document& b) {
    return begins.at(a.version.first) < begins.at(b.version.first);
  });
}

}  // namespace

Status Run(Session& session, const DocumentsArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info,
                    session.OpenCase(arguments.case_text, Session::Purpose::kShow));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const Channel channel, session.OpenChannel(info, arguments.channel));
  PARLEY_TRY_ASSIGN(const std::vector<RetentionRule> rules, profile->Retention(info.id));
  const auto print = [&](const Document& document, bool indented) {
    PrintDocument(session, document, channel, KeptFor(rules, document.document_class), indented);
  };
  bool is_empty = true;
  if (arguments.last == 0 && !arguments.versions) {
    PARLEY_TRY(ForEachPage(*profile, channel, [&](const std::vector<Document>& documents) {
      is_empty = is_empty && documents.empty();
      for (const Document& document : documents) {
        if (IsLatest(document)) print(document, false);
      }
    }));
  } else {
    PARLEY_TRY_ASSIGN(std::vector<Document> documents,
                      arguments.last == 0 ? profile->Documents(channel.ref)
                                          : LastDocuments(*profile, channel, arguments));
    is_empty = documents.empty();
    if (arguments.versions) PutTogether(documents);
    std::optional<MessageId> chain;  // of the document before
    for (const Document& document : documents) {
      print(document, arguments.versions && chain == document.version.first);
      chain = document.version.first;
    }
  }
  if (is_empty && !session.json()) {
    session.out() << "No documents in " << Harmless(channel.name) << ".\n";
  }
  return {};
}

namespace {

// All versions of the document, in order.
Result<std::vector<Document>> VersionsOf(const Profile& profile, const Document& document) {
  PARLEY_TRY_ASSIGN(std::vector<Document> versions, profile.Documents(document.ref.channel));
  std::erase_if(versions, [&](const Document& one) {
    return one.version.first != document.version.first || one.author.side != document.author.side;
  });
  return versions;
}

Result<Document> VersionOf(const Profile& profile, const Document& document, uint32_t version) {
  PARLEY_TRY_ASSIGN(const std::vector<Document> versions, VersionsOf(profile, document));
  for (const Document& one : versions) {
    if (one.version.number == version) return one;
  }
  return Status(StatusCode::kNotFound,
                "\"" + document.name + "\" has no version " + std::to_string(version) +
                    " here; \"parley documents --versions\" shows those that there are");
}

Result<Document> FindVersion(const Profile& profile, const ChannelRef& channel,
                             const FetchArguments& arguments) {
  PARLEY_TRY_ASSIGN(Document document, profile.FindDocument(channel, arguments.document));
  if (arguments.version == 0) return document;
  return VersionOf(profile, document, arguments.version);
}

}  // namespace

Status Run(Session& session, const FetchArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const Channel channel, session.OpenChannel(info, arguments.channel));
  PARLEY_TRY_ASSIGN(const Document document, FindVersion(*profile, channel.ref, arguments));
  FetchOptions options;
  options.overwrite = arguments.force;
  Status fetched;
  {
    ProgressBar bar("fetching");
    fetched = profile->Fetch(document.ref, arguments.output, options, ShowOn(bar));
  }
  if (fetched.code() == StatusCode::kCancelled) {
    return Interruption().cancelled() ? Interrupted() : fetched;
  }
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

namespace {

// What is to be taken back: by its name, a document with all its versions that can be fetched yet.
Result<std::vector<Document>> ToWithdraw(const Profile& profile, const ChannelRef& channel,
                                         const WithdrawArguments& arguments) {
  PARLEY_TRY_ASSIGN(Document document, FindOnly(profile, channel, arguments.document));
  if (arguments.version.has_value()) {
    PARLEY_TRY_ASSIGN(document, VersionOf(profile, document, *arguments.version));
    return std::vector<Document>{std::move(document)};
  }
  if (document.name != arguments.document) return std::vector<Document>{std::move(document)};
  PARLEY_TRY_ASSIGN(std::vector<Document> versions, VersionsOf(profile, document));
  std::erase_if(versions,
                [](const Document& one) { return one.state != DocumentState::kAvailable; });
  if (versions.empty()) versions.push_back(std::move(document));  // the library says why not
  return versions;
}

void PrintWithdrawn(Session& session, const Channel& channel, const Document& document,
                    const SentMessage& sent) {
  if (session.json()) {
    session.Print(JsonObject()
                      .Text("document", document.ref.message_id.ToString())
                      .Text("name", document.name)
                      .Number("version", document.version.number)
                      .Bool("queued", sent.queued)
                      .Text("queued_because", sent.queued_because));
    return;
  }
  if (sent.queued) {
    session.out() << "Not said yet: " << Harmless(sent.queued_because)
                  << ". A later command says it, once.\n";
  }
  const std::string version = document.version.latest == 1
                                  ? std::string()
                                  : ", version " + std::to_string(document.version.number) + ",";
  session.out() << "\"" << Harmless(document.name) << '"' << version
                << (sent.queued ? " will be" : " is") << " withdrawn from "
                << Harmless(channel.name) << "; who has fetched it keeps it\n"
                << document.ref.message_id.ToString() << '\n';
}

// Which other versions can be fetched yet, of a document of which one was taken back.
Status PrintLeft(Session& session, const Profile& profile, const Document& document) {
  PARLEY_TRY_ASSIGN(const std::vector<Document> versions, VersionsOf(profile, document));
  for (const Document& one : versions) {
    if (one.state != DocumentState::kAvailable || one.ref.message_id == document.ref.message_id) {
      continue;
    }
    session.out() << "Version " << one.version.number << " of it can still be fetched ("
                  << one.ref.message_id.ToString().substr(0, 8) << ").\n";
  }
  return {};
}

}  // namespace

Status Run(Session& session, const WithdrawArguments& arguments) {
  PARLEY_TRY_ASSIGN(const Case info, session.OpenCase(arguments.case_text));
  PARLEY_TRY_ASSIGN(Profile* const profile, session.profile());
  PARLEY_TRY_ASSIGN(const Channel channel, session.OpenChannel(info, arguments.channel));
  PARLEY_TRY_ASSIGN(const std::vector<Document> documents,
                    ToWithdraw(*profile, channel.ref, arguments));
  const bool is_alone = documents.size() == 1;
  std::string kept;  // versions that weren't withdrawn
  Status refused;
  for (const Document& document : documents) {
    const Result<SentMessage> sent = profile->Withdraw(document.ref);
    if (!sent.ok()) {
      kept += (kept.empty() ? "" : ", ") + std::to_string(document.version.number);
      refused = sent.status();
      continue;
    }
    if (is_alone && !session.json()) PARLEY_TRY(PrintLeft(session, *profile, document));
    PrintWithdrawn(session, channel, document, *sent);
  }
  if (kept.empty() || is_alone) return refused;
  return Status(refused.code(), "not withdrawn of \"" + documents.front().name + "\", version " +
                                    kept + ": " + refused.message());
}

}  // namespace parley::cli
