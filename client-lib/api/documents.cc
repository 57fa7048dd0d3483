// Versions, classes and the withdrawal of documents: Profile::Impl's part.
#include <algorithm>
#include <ctime>

#include "client-lib/api/document_ends.h"
#include "client-lib/api/profile_impl.h"
#include "client-lib/channels/document_log.h"
#include "client-lib/channels/names.h"
#include "client-lib/content/parse.h"
#include "client-lib/procedure/agreement.h"

namespace parley {
namespace {

using client::CaseContext;
using client::ChannelMessage;
using client::Transaction;
using content::v1::DocumentEnd;

constexpr size_t kMostNoteBytes = 4096;
constexpr int64_t kLongestValidity = int64_t{100} * 366 * 24 * 60 * 60;

absl::Status CheckTerms(const ShareOptions& options) {
  if (options.note.size() > kMostNoteBytes) {
    return absl::ResourceExhaustedError("the note is too long; at most " +
                                        std::to_string(kMostNoteBytes) + " bytes go with a file");
  }
  if (!client::IsUtf8(options.note)) return absl::InvalidArgumentError("the note is not UTF-8");
  if (options.valid_for_seconds < 0 || options.valid_for_seconds > kLongestValidity) {
    return absl::InvalidArgumentError("the document's time is out of range");
  }
  return absl::OkStatus();
}

// Whether that side, or person, may add a version to what `of` has shared: as document_log.h has
// it.
bool MayAddVersion(const client::CaseRecord& own, const client::RosterMember& of) {
  if (own.own_id == of.participant_id) return true;
  if (own.IsNeutral()) return IsNeutral(of.role);
  return !own.own_side.empty() && own.own_side == of.side;
}

// The document of that id that the owner may add a version to.
absl::StatusOr<ChannelMessage> Earlier(const client::ReadTransaction& step,
                                       const CaseContext& context, const ChannelId& channel,
                                       const MessageId& id) {
  PARLEY_ASSIGN_OR_RETURN(const client::CaseRecord own, context.Records().Case(step));
  PARLEY_ASSIGN_OR_RETURN(std::vector<ChannelMessage> documents,
                          client::ListDocuments(step, channel));
  std::string whose;
  for (ChannelMessage& document : documents) {
    if (document.id != id) continue;
    if (MayAddVersion(own, document.author)) return std::move(document);
    whose = document.author.name;
  }
  if (whose.empty()) {
    return absl::NotFoundError(
        "this channel has no such document that a new version could be made of; a document that a "
        "neutral has carried here can't be one");
  }
  return absl::PermissionDeniedError(
      "that is " + whose +
      "'s document: only their side adds versions to it. Share yours as a document of its own");
}

}  // namespace

absl::Status Profile::Impl::SetTerms(const client::ReadTransaction& step, const ChannelRef& channel,
                                     const ShareOptions& options, const BriefTerms& brief,
                                     content::v1::Document& manifest) {
  PARLEY_RETURN_IF_ERROR(CheckTerms(options));
  manifest.set_note(options.note);
  std::optional<DocumentClass> document_class = options.document_class;
  if (options.replaces.has_value()) {
    const CaseContext context = LocalContext(channel.case_id);
    PARLEY_ASSIGN_OR_RETURN(const ChannelMessage earlier,
                            Earlier(step, context, channel.channel_id, *options.replaces));
    PARLEY_ASSIGN_OR_RETURN(const client::DocumentVersion version,
                            client::LoadVersion(step, channel.channel_id, earlier.index));
    manifest.set_replaces_message_id(client::ToField(earlier.id));
    manifest.set_replaces_author_id(client::ToField(earlier.author.participant_id));
    *manifest.mutable_replaces_place() =
        client::ToField(client::LogPlace{earlier.incarnation, earlier.position});
    manifest.set_version(version.latest + 1);
    content::v1::Content content;
    if (!document_class.has_value() && client::ParseFromPeer(content, earlier.content.Reveal())) {
      manifest.set_document_class(content.document().document_class());
    }
  }
  if (document_class.has_value()) {
    manifest.set_document_class(static_cast<content::v1::DocumentClass>(*document_class));
  }
  manifest.set_expires_at(brief.expires_at);
  manifest.set_brief(static_cast<content::v1::BriefKind>(brief.kind));
  manifest.clear_brief_sides();
  for (const std::string& side : brief.sides) manifest.add_brief_sides(side);
  return absl::OkStatus();
}

absl::StatusOr<SentMessage> Profile::Impl::Withdraw(const DocumentRef& document) {
  PARLEY_RETURN_IF_ERROR(CheckWritable(document.channel));
  const ChannelId& id = document.channel.channel_id;
  const CaseContext context = LocalContext(document.channel.case_id);
  content::v1::Content content;
  {
    PARLEY_ASSIGN_OR_RETURN(const client::ReadTransaction read, store_->Read());
    PARLEY_ASSIGN_OR_RETURN(const client::CaseRecord own, context.Records().Case(read));
    PARLEY_ASSIGN_OR_RETURN(const client::CaseView view, client::CaseView::Create(read, context));
    PARLEY_ASSIGN_OR_RETURN(const std::optional<ChannelMessage> message,
                            context.Channel(id).Find(read, own.own_id, document.message_id));
    content::v1::Content said;
    const bool is_there =
        message.has_value() && client::ParseFromPeer(said, message->content.Reveal()) &&
        (said.has_document() || (said.has_disclosure() && said.disclosure().has_document()));
    if (!is_there) {
      PARLEY_ASSIGN_OR_RETURN(const std::vector<Document> documents, view.Documents(read, id));
      for (const Document& other : documents) {
        if (other.ref.message_id != document.message_id) continue;
        return absl::PermissionDeniedError(
            other.carried_by.has_value() && other.brief == BriefKind::kExchanged
                ? "it was released, and everybody has it: it can't be withdrawn here"
                : "only " + (other.carried_by.has_value() ? *other.carried_by : other.author).name +
                      ", who shared it here, can withdraw it");
      }
      return absl::NotFoundError("this channel has no such document");
    }
    const content::v1::Document& manifest =
        said.has_document() ? said.document() : said.disclosure().document();
    if (manifest.ended() != DocumentEnd::REASON_UNSPECIFIED) {
      return absl::FailedPreconditionError("it has been withdrawn already, or its time is over");
    }
    DocumentEnd& end = *content.mutable_document_end();
    end.set_message_id(client::ToField(document.message_id));
    end.set_author_id(client::ToField(own.own_id));
    *end.mutable_place() =
        client::ToField(client::LogPlace{message->incarnation, message->position});
    end.set_reason(DocumentEnd::REASON_WITHDRAWN);
  }
  PARLEY_ASSIGN_OR_RETURN(SentMessage sent,
                          QueueAndDeliver(document.channel, content, /*may_stay_queued=*/true));
  // Else a later sync does it.
  absl::StatusOr<Connected> connected = Connect(document.channel.case_id);
  if (connected.ok()) client::DeleteDueBlobs(connected->context, id).IgnoreError();
  return sent;
}

absl::StatusOr<std::vector<RetentionRule>> Profile::Impl::Retention(const CaseId& id) {
  std::vector<RetentionRule> rules;
  PARLEY_ASSIGN_OR_RETURN(const CaseProgress progress, Progress(id));
  if (!progress.in_force.has_value()) return rules;
  const absl::StatusOr<client::ConfidentialityPolicy> policy =
      client::ParsePolicy(progress.in_force->policy);
  if (!policy.ok()) return rules;
  for (const client::Retention& one : policy->retention) {
    rules.push_back({one.record_class, one.how_long});
  }
  return rules;
}

}  // namespace parley
