// Documents, their ends, and releases of briefs, as CaseView shows them.
#include <algorithm>
#include <iterator>
#include <set>

#include "client-lib/api/views.h"
#include "client-lib/channels/document_log.h"
#include "client-lib/channels/message_log.h"
#include "client-lib/content/parse.h"
#include "client-lib/documents/transfer.h"
#include "client-lib/file_worker/file_worker.h"

namespace parley::client {
namespace {

using content::v1::Content;
using content::v1::DocumentEnd;

std::string Quoted(const std::string& name) { return "“" + SafeFileName(name) + "”"; }

DocumentClass ClassOf(const content::v1::Document& manifest) {
  const int known = static_cast<int>(DocumentClass::kSettlement);
  // One that a newer version knows is at least not general.
  return manifest.document_class() <= known && manifest.document_class() >= 0
             ? static_cast<DocumentClass>(manifest.document_class())
             : DocumentClass::kPrivileged;
}

std::string NoteOn(const DocumentVersion& version) {
  switch (version.standing) {
    case VersionStanding::kFirst:
    case VersionStanding::kCounts:
      return {};
    case VersionStanding::kUnknown:
      return "the earlier versions are from before you came; it is numbered as its author says";
    case VersionStanding::kOfOthers:
      return "it names a document of others as its earlier version, and stands alone";
    case VersionStanding::kNotThere:
      return "it names an earlier version that this channel doesn't have, and stands alone";
  }
  return {};
}

// The manifest of what the message carries; null for nothing.
const content::v1::Document* ManifestIn(const Content& content) {
  if (content.has_document()) return &content.document();
  const bool carried = content.has_disclosure() && content.disclosure().has_document();
  return carried ? &content.disclosure().document() : nullptr;
}

// The document that an end is about, in its channel; nothing when there is none.
absl::StatusOr<std::optional<content::v1::Document>> EndedBy(const ReadTransaction& step,
                                                             const Channel& channel,
                                                             const DocumentEnd& end) {
  const auto id = IdFrom<MessageId>(end.message_id());
  const auto author = IdFrom<ParticipantId>(end.author_id());
  if (!id.has_value() || !author.has_value()) return std::optional<content::v1::Document>();
  PARLEY_ASSIGN_OR_RETURN(const std::optional<ChannelMessage> message,
                          channel.Find(step, *author, *id));
  Content content;
  if (!message.has_value() || !ParseFromPeer(content, message->content.Reveal())) {
    return std::optional<content::v1::Document>();
  }
  const content::v1::Document* const manifest = ManifestIn(content);
  if (manifest == nullptr) return std::optional<content::v1::Document>();
  return std::optional<content::v1::Document>(*manifest);
}

void ShowEnd(const ChannelMessage& message, const DocumentEnd& end,
             const std::optional<content::v1::Document>& document, Message& view) {
  const bool expired = end.reason() == DocumentEnd::REASON_EXPIRED;
  view.kind = MessageKind::kNotice;
  view.text = std::string(expired ? "says that the time is over of " : "withdraws ") +
              (document.has_value() ? Quoted(document->name()) : "a document");
  if (!document.has_value()) {
    view.note = "this channel doesn't have it, or not any more";
    return;
  }
  const bool by_author = message.author.participant_id == IdFrom<ParticipantId>(end.author_id());
  const bool may = by_author || (expired && IsNeutral(message.author.role));
  if (document->ended() == DocumentEnd::REASON_UNSPECIFIED || !may) {
    view.refused = true;
    view.note = "it isn't theirs to end: it counts for nothing";
  }
}

}  // namespace

Document CaseView::ShowDocument(const Message& message,
                                const content::v1::Document& manifest) const {
  Document document;
  document.ref = {message.channel, message.id};
  document.position = message.position;
  document.author = message.author;
  document.name = SafeFileName(manifest.name());
  document.media_type = manifest.media_type();
  document.size = manifest.size();
  document.time = message.time;
  if (file_worker::IsPreview(manifest.preview())) document.preview_size = manifest.preview().size();
  document.replaces = IdFrom<MessageId>(manifest.replaces_message_id());
  document.document_class = ClassOf(manifest);
  document.note = manifest.note();
  document.version.first = message.id;
  document.expires_at = static_cast<int64_t>(manifest.expires_at());
  document.state = manifest.ended() == DocumentEnd::REASON_UNSPECIFIED ? DocumentState::kAvailable
                   : manifest.ended() == DocumentEnd::REASON_EXPIRED   ? DocumentState::kExpired
                                                                       : DocumentState::kWithdrawn;
  const bool hands_in =
      message.author.role == Role::kParty || message.author.role == Role::kCounsel;
  if (hands_in && manifest.brief() == content::v1::BRIEF_KIND_EXCHANGED) {
    document.brief = BriefKind::kExchanged;
  } else if (hands_in && manifest.brief() == content::v1::BRIEF_KIND_MEDIATOR_ONLY) {
    document.brief = BriefKind::kMediatorOnly;
  }
  return document;
}

std::vector<Document> CaseView::ReleasedDocuments(const ChannelId& id,
                                                  const ReleaseRecord& release) const {
  const Message from = ShowMessage(id, release.message);
  std::vector<Document> documents;
  for (const auto& brief : release.said.briefs()) {
    Document document = ShowDocument(from, brief.document());
    document.ref.message_id = IdFrom<MessageId>(brief.document_id()).value_or(MessageId());
    document.version.first = document.ref.message_id;
    document.replaces.reset();
    RosterMember author;
    author.participant_id = IdFrom<ParticipantId>(brief.author_id()).value_or(ParticipantId());
    author.name = brief.author_name();
    author.role = static_cast<Role>(brief.author_role());
    author.side = brief.side();
    document.author = PersonOf(author);
    document.brief = BriefKind::kExchanged;
    document.carried_by = from.author;
    documents.push_back(std::move(document));
  }
  return documents;
}

absl::Status CaseView::ShowDocuments(const ReadTransaction& step, const ChannelId& id,
                                     const ChannelMessage& message, LoadedRecords& loaded,
                                     Message& view) const {
  if (message.kind == ContentKind::kDocument && view.document.has_value()) {
    PARLEY_ASSIGN_OR_RETURN(const DocumentVersion version, LoadVersion(step, id, message.index));
    VersionInfo& shown = view.document->version;
    shown.number = version.number;
    shown.latest = version.latest;
    shown.note = NoteOn(version);
    if (version.first != message.index) {
      PARLEY_ASSIGN_OR_RETURN(const ChannelMessage first,
                              context_.Channel(id).At(step, version.first));
      shown.first = first.id;
    }
    if (version.made_from != 0) {
      PARLEY_ASSIGN_OR_RETURN(const DocumentVersion from, LoadVersion(step, id, version.made_from));
      if (from.number + 1 != version.number) {
        shown.note = "made from version " + std::to_string(from.number);
      }
    }
    return absl::OkStatus();
  }
  if (message.kind != ContentKind::kDocumentEnd && message.kind != ContentKind::kBriefUse &&
      message.kind != ContentKind::kBriefRelease) {
    return absl::OkStatus();
  }
  Content content;
  view.kind = MessageKind::kNotice;
  if (!ParseFromPeer(content, message.content.Reveal())) return absl::OkStatus();
  if (content.has_document_end()) {
    PARLEY_ASSIGN_OR_RETURN(const std::optional<content::v1::Document> document,
                            EndedBy(step, context_.Channel(id), content.document_end()));
    ShowEnd(message, content.document_end(), document, view);
    return absl::OkStatus();
  }
  if (content.has_brief_use()) {
    view.text = "is about to release the brief that was handed in here: every side's is in";
    view.refused = !IsNeutral(message.author.role);
    if (view.refused) view.note = "only a neutral can: it counts for nothing";
    return absl::OkStatus();
  }
  if (!loaded.briefs.has_value()) {
    PARLEY_ASSIGN_OR_RETURN(loaded.briefs, BriefLog::Load(step, context_));
  }
  const auto& releases = loaded.briefs->releases();
  const auto release =
      std::find_if(releases.begin(), releases.end(),
                   [&](const ReleaseRecord& one) { return one.message.index == message.index; });
  if (loaded.briefs->joint() != id || release == releases.end()) {
    view.refused = true;
    view.note = "briefs are released in the joint channel: it counts for nothing";
    return absl::OkStatus();
  }
  if (!release->fault.empty()) {
    view.refused = true;
    view.note = "a release of briefs by " + Describe(message.author) +
                " that wasn't allowed: " + release->fault;
    return absl::OkStatus();
  }
  view.briefs = ReleasedDocuments(id, *release);
  view.text = "releases the briefs of ";
  for (const Document& document : view.briefs) {
    view.text += (&document == &view.briefs.front() ? "" : ", ") + document.author.side + " (" +
                 Quoted(document.name) + ")";
  }
  view.note = "attested by " + message.author.name;
  if (release->repeated) view.note += "; some of it was released before";
  if (release->unchecked) view.note += "; this device came later, and can't check all of it";
  return absl::OkStatus();
}

absl::Status CaseView::AddDocumentsOf(const ReadTransaction& step, const ChannelId& id,
                                      const ChannelState& channel, const ChannelMessage& message,
                                      LoadedRecords& loaded,
                                      std::vector<Document>& documents) const {
  if (message.kind != ContentKind::kDocument && message.kind != ContentKind::kDisclosure &&
      message.kind != ContentKind::kBriefRelease) {
    return absl::OkStatus();
  }
  PARLEY_ASSIGN_OR_RETURN(Message view, View(step, id, channel, message, loaded));
  if (view.document.has_value()) documents.push_back(std::move(*view.document));
  std::move(view.briefs.begin(), view.briefs.end(), std::back_inserter(documents));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Document>> CaseView::Documents(const ReadTransaction& step,
                                                          const ChannelId& id,
                                                          const Page& page) const {
  const client::Channel channel = context_.Channel(id);
  PARLEY_ASSIGN_OR_RETURN(const std::vector<uint64_t> shared, DocumentIndices(step, id));
  PARLEY_ASSIGN_OR_RETURN(const uint64_t from, FirstIndexAfter(step, id, page.after));
  std::set<uint64_t> places(std::lower_bound(shared.begin(), shared.end(), from), shared.end());
  MessageQuery query;
  query.after = page.after;
  query.kinds = {ContentKind::kDisclosure, ContentKind::kBriefRelease};
  PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> carried, channel.Messages(step, query));
  for (const ChannelMessage& message : carried) places.insert(message.index);
  PARLEY_ASSIGN_OR_RETURN(const ChannelInfo info, channel.Info(step));
  LoadedRecords loaded;
  const auto add = [&](uint64_t place, std::vector<Document>& documents) -> absl::Status {
    PARLEY_ASSIGN_OR_RETURN(const ChannelMessage message, channel.At(step, place));
    return AddDocumentsOf(step, id, info.state, message, loaded, documents);
  };
  std::vector<Document> documents;
  if (page.last == SIZE_MAX) {
    for (auto place = places.begin(); place != places.end() && documents.size() < page.first;
         ++place) {
      PARLEY_RETURN_IF_ERROR(add(*place, documents));
    }
    return documents;
  }
  std::vector<std::vector<Document>> latest;  // of each message
  size_t count = 0;
  for (auto place = places.rbegin(); place != places.rend() && count < page.last; ++place) {
    PARLEY_RETURN_IF_ERROR(add(*place, latest.emplace_back()));
    count += latest.back().size();
  }
  for (auto of_one = latest.rbegin(); of_one != latest.rend(); ++of_one) {
    std::move(of_one->begin(), of_one->end(), std::back_inserter(documents));
  }
  return documents;
}

absl::StatusOr<content::v1::Document> CaseView::Manifest(const ReadTransaction& step,
                                                         const DocumentRef& document) const {
  const ChannelId& channel = document.channel.channel_id;
  PARLEY_ASSIGN_OR_RETURN(std::vector<ChannelMessage> messages, ListDocuments(step, channel));
  MessageQuery query;
  query.kinds = {ContentKind::kDisclosure, ContentKind::kBriefRelease};
  PARLEY_ASSIGN_OR_RETURN(std::vector<ChannelMessage> carried,
                          context_.Channel(channel).Messages(step, query));
  std::move(carried.begin(), carried.end(), std::back_inserter(messages));
  // In the log's order: what counts first under an id is what has it. One that doesn't count hides
  // none that does.
  std::sort(messages.begin(), messages.end(),
            [](const ChannelMessage& a, const ChannelMessage& b) { return a.index < b.index; });
  std::optional<BriefLog> briefs;
  std::optional<Disclosures> disclosures;
  std::optional<content::v1::Document> found;
  absl::Status fault = absl::NotFoundError("this channel has no such document");
  for (const ChannelMessage& message : messages) {
    Content content;
    if (message.kind == ContentKind::kBriefRelease) {
      if (!ParseFromPeer(content, message.content.Reveal())) continue;
      const auto& carried_briefs = content.brief_release().briefs();
      const auto brief =
          std::find_if(carried_briefs.begin(), carried_briefs.end(), [&](const auto& one) {
            return IdFrom<MessageId>(one.document_id()) == document.message_id;
          });
      if (brief == carried_briefs.end()) continue;
      if (!briefs.has_value()) {
        PARLEY_ASSIGN_OR_RETURN(briefs, BriefLog::Load(step, context_));
      }
      const auto& releases = briefs->releases();
      const auto release = std::find_if(
          releases.begin(), releases.end(),
          [&](const ReleaseRecord& one) { return one.message.index == message.index; });
      if (briefs->joint() != channel || release == releases.end()) continue;
      if (release->fault.empty()) {
        found = brief->document();
      } else {
        fault = absl::PermissionDeniedError(release->fault);
      }
    } else if (message.id != document.message_id) {
      continue;
    } else if (message.kind == ContentKind::kDisclosure) {
      if (!disclosures.has_value()) {
        PARLEY_ASSIGN_OR_RETURN(disclosures, Disclosures::Load(step, context_));
      }
      ShownRecord shown = disclosures->Show(channel, message);
      if (shown.refused) fault = absl::PermissionDeniedError(shown.note);
      if (shown.document.has_value()) found = std::move(*shown.document);
    } else if (ParseFromPeer(content, message.content.Reveal()) && content.has_document()) {
      found = std::move(*content.mutable_document());
    }
    if (found.has_value()) break;
  }
  if (!found.has_value()) return fault;
  if (found->ended() == DocumentEnd::REASON_UNSPECIFIED) return std::move(*found);
  return absl::FailedPreconditionError(Quoted(found->name()) +
                                       (found->ended() == DocumentEnd::REASON_EXPIRED
                                            ? " can't be fetched any more: its time is over"
                                            : " can't be fetched any more: it was withdrawn"));
}

}  // namespace parley::client
