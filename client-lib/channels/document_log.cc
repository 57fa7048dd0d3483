#include "client-lib/channels/document_log.h"

#include <algorithm>

#include "client-lib/channels/blobs_due.h"
#include "client-lib/channels/channel_records.h"
#include "client-lib/channels/entry_log.h"
#include "client-lib/channels/message_log.h"
#include "client-lib/content/parse.h"
#include "crypto/base/status_macros.h"
#include "parley/content/v1/content.pb.h"

namespace parley::client {
namespace {

namespace pb = content::v1;

constexpr uint64_t kPage = 256;
// A number by somebody's word is at most this.
constexpr uint32_t kMostClaimedVersion = 1'000'000;

// How many documents are listed, and from which message on: what came before (to a profile of an
// earlier build) is found by reading.
struct DocumentsHead {
  uint8_t version = 1;
  uint64_t from = 1;
  uint64_t documents = 0;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.from, self.documents);
  }
};

struct VersionRecord {
  uint8_t version = 1;
  uint64_t first = 0;
  uint32_t number = 1;
  uint64_t made_from = 0;
  uint8_t standing = 0;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.first, self.number, self.made_from, self.standing);
  }
};

struct ChainRecord {
  uint8_t version = 1;
  uint32_t latest = 1;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.latest);
  }
};

struct ExpiringRecord {
  uint8_t version = 1;
  std::vector<ExpiringDocument> documents;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.documents);
  }
};

// How often a content stands in a caucus by its side's word.
struct ConfidedRecord {
  uint8_t version = 1;
  uint64_t times = 0;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.times);
  }
};

struct RetractedBriefRecord {
  uint8_t version = 1;
  uint64_t ended = 0;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.ended);
  }
};

std::string DocumentsName(const ChannelNames& names) { return names.Channel() + "/documents"; }
// Documents that were handed in as briefs when they came.
std::string BriefsName(const ChannelNames& names) { return names.Channel() + "/briefs"; }
std::string ConfidedName(const ChannelNames& names, crypto::ByteView plaintext_root) {
  return names.Channel() + "/confided/" + crypto::ToHex(plaintext_root);
}
std::string VersionName(const ChannelNames& names, uint64_t index) {
  return names.Message(index) + "/version";
}
std::string ChainName(const ChannelNames& names, uint64_t first) {
  return names.Message(first) + "/chain";
}
std::string RetractedBriefName(const ChannelNames& names, uint64_t index) {
  return names.Message(index) + "/retracted-brief";
}
std::string ExpiringName(const ChannelNames& names) { return names.Channel() + "/expiring"; }

// A list of indices in pages: the head, and where its pages are.
absl::StatusOr<std::optional<DocumentsHead>> LoadHead(const ReadTransaction& tx,
                                                      const std::string& list) {
  return LoadRecord<DocumentsHead>(tx, RecordClass::kIndex, list);
}
std::string PageName(const std::string& list, uint64_t page) {
  return list + "/" + std::to_string(page);
}

absl::Status Append(ChannelStep& step, const std::string& list, DocumentsHead head,
                    uint64_t index) {
  const std::string name = PageName(list, head.documents / kPage);
  ProcedurePage page;
  if (head.documents % kPage != 0) {
    PARLEY_ASSIGN_OR_RETURN(page,
                            LoadExisting<ProcedurePage>(step.tx(), RecordClass::kIndex, name));
  }
  page.indices.push_back(index);
  ++head.documents;
  PARLEY_RETURN_IF_ERROR(StoreRecord(step.tx(), RecordClass::kIndex, name, page));
  return StoreRecord(step.tx(), RecordClass::kIndex, list, head);
}

// What comes before the list begins, and then what is listed.
absl::StatusOr<std::vector<uint64_t>> IndicesOf(const ReadTransaction& tx, const std::string& list,
                                                const DocumentsHead& head) {
  std::vector<uint64_t> indices;
  for (uint64_t index = 1; index < head.from; ++index) indices.push_back(index);
  for (uint64_t page = 0; page * kPage < head.documents; ++page) {
    PARLEY_ASSIGN_OR_RETURN(
        const ProcedurePage loaded,
        LoadExisting<ProcedurePage>(tx, RecordClass::kIndex, PageName(list, page)));
    indices.insert(indices.end(), loaded.indices.begin(), loaded.indices.end());
  }
  return indices;
}

absl::Status List(ChannelStep& step, uint64_t index) {
  const std::string list = DocumentsName(step.names());
  PARLEY_ASSIGN_OR_RETURN(const std::optional<DocumentsHead> head, LoadHead(step.tx(), list));
  return Append(step, list, head.value_or(DocumentsHead{1, index, 0}), index);
}

// Whether somebody confides it to the neutrals who hands in briefs there, too.
bool IsConfided(ChannelStep& step, const RosterMember& author) {
  return step.state().kind == ChannelKind::kCaucus && !author.side.empty() &&
         author.side == step.state().side &&
         (author.role == Role::kParty || author.role == Role::kCounsel);
}

// Adds to how often that content stands confided in the channel.
absl::Status CountConfided(ChannelStep& step, const pb::Document& document, int64_t more) {
  const std::string name = ConfidedName(step.names(), crypto::ToBytes(document.plaintext_root()));
  PARLEY_ASSIGN_OR_RETURN(const std::optional<ConfidedRecord> record,
                          LoadRecord<ConfidedRecord>(step.tx(), RecordClass::kIndex, name));
  const auto before = static_cast<int64_t>(record.value_or(ConfidedRecord()).times);
  const int64_t times = before + more;
  if (times <= 0) return step.tx().Delete(RecordClass::kIndex, name);
  return StoreRecord(step.tx(), RecordClass::kIndex, name,
                     ConfidedRecord{1, static_cast<uint64_t>(times)});
}

// The content of a document that is no more: its hash mustn't stay.
absl::Status NoteNotConfided(ChannelStep& step, const RosterMember& author,
                             const pb::Document& document) {
  PARLEY_ASSIGN_OR_RETURN(const std::optional<DocumentsHead> head,
                          LoadHead(step.tx(), BriefsName(step.names())));
  if (!head.has_value() || !IsConfided(step, author)) return absl::OkStatus();
  return CountConfided(step, document, -1);
}

// In a profile of an earlier build, which has no such list, nothing is noted: all is read then.
absl::Status NoteBrief(ChannelStep& step, uint64_t index, const RosterMember& author,
                       const pb::Document& document) {
  const std::string list = BriefsName(step.names());
  PARLEY_ASSIGN_OR_RETURN(const std::optional<DocumentsHead> head, LoadHead(step.tx(), list));
  if (!head.has_value() || !IsConfided(step, author)) return absl::OkStatus();
  PARLEY_RETURN_IF_ERROR(CountConfided(step, document, 1));
  if (document.brief() == pb::BRIEF_KIND_UNSPECIFIED) return absl::OkStatus();
  return Append(step, list, *head, index);
}

bool MayAddVersion(const RosterMember& author, const RosterMember& of) {
  if (author.participant_id == of.participant_id) return true;
  if (IsNeutral(author.role)) return IsNeutral(of.role);
  return !author.side.empty() && author.side == of.side;
}

// Whether this device has read the log at that place.
absl::StatusOr<bool> HasRead(ChannelStep& step, const pb::LogPlace& place) {
  if (place.incarnation() == step.incarnation()) {
    return place.position() > step.log().joined_position;
  }
  PARLEY_ASSIGN_OR_RETURN(
      const std::optional<IncarnationRecord> log,
      LoadRecord<IncarnationRecord>(step.tx(), RecordClass::kContent,
                                    step.names().Incarnation(place.incarnation())));
  return log.has_value() && place.position() > log->joined_position &&
         place.position() <= log->position;
}

// How the document stands to what it names.
absl::StatusOr<VersionRecord> Judge(ChannelStep& step, uint64_t index, const RosterMember& author,
                                    uint64_t position, const pb::Document& document) {
  VersionRecord alone{1, index, 1, 0, static_cast<uint8_t>(VersionStanding::kNotThere)};
  const std::optional<MessageId> id = IdFrom<MessageId>(document.replaces_message_id());
  const std::optional<ParticipantId> by = IdFrom<ParticipantId>(document.replaces_author_id());
  const pb::LogPlace& place = document.replaces_place();
  const bool is_earlier =
      place.position() != 0 &&
      (place.incarnation() < step.incarnation() ||
       (place.incarnation() == step.incarnation() && place.position() < position));
  if (!id.has_value() || !by.has_value() || !is_earlier) return alone;
  PARLEY_ASSIGN_OR_RETURN(const std::optional<ChannelMessage> named,
                          FindMessage(step.tx(), step.names(), step.channel(), *by, *id));
  if (!named.has_value()) {
    PARLEY_ASSIGN_OR_RETURN(const bool has_read, HasRead(step, place));
    if (has_read) return alone;
    alone.number = std::clamp(document.version(), uint32_t{2}, kMostClaimedVersion);
    alone.standing = static_cast<uint8_t>(VersionStanding::kUnknown);
    return alone;
  }
  if (named->kind != ContentKind::kDocument || named->incarnation != place.incarnation() ||
      named->position != place.position()) {
    return alone;
  }
  if (!MayAddVersion(author, named->author)) {
    alone.standing = static_cast<uint8_t>(VersionStanding::kOfOthers);
    return alone;
  }
  PARLEY_ASSIGN_OR_RETURN(const DocumentVersion before,
                          LoadVersion(step.tx(), step.id(), named->index));
  return VersionRecord{1, before.first, before.latest + 1, named->index,
                       static_cast<uint8_t>(VersionStanding::kCounts)};
}

absl::Status Expect(ChannelStep& step, const ExpiringDocument& document, bool own) {
  const std::string name = ExpiringName(step.names());
  PARLEY_ASSIGN_OR_RETURN(std::optional<ExpiringRecord> record,
                          LoadRecord<ExpiringRecord>(step.tx(), RecordClass::kIndex, name));
  if (!record.has_value()) record.emplace();
  std::vector<ExpiringDocument>& all = record->documents;
  const auto of_one = std::count_if(all.begin(), all.end(), [&](const ExpiringDocument& one) {
    return one.author == document.author;
  });
  const bool has_room =
      all.size() < kMostExpiring && static_cast<size_t>(of_one) < kMostExpiringOfOne;
  if (!own && !has_room) return absl::OkStatus();
  all.push_back(document);
  return StoreRecord(step.tx(), RecordClass::kIndex, name, *record);
}

absl::Status ExpectNoMore(ChannelStep& step, uint64_t index) {
  const std::string name = ExpiringName(step.names());
  PARLEY_ASSIGN_OR_RETURN(std::optional<ExpiringRecord> record,
                          LoadRecord<ExpiringRecord>(step.tx(), RecordClass::kIndex, name));
  if (!record.has_value()) return absl::OkStatus();
  const size_t ended = std::erase_if(
      record->documents, [&](const ExpiringDocument& one) { return one.index == index; });
  if (ended == 0) return absl::OkStatus();
  return StoreRecord(step.tx(), RecordClass::kIndex, name, *record);
}

// What the manifest of an ended document keeps.
void TakeKeysAway(pb::Document& document, pb::DocumentEnd::Reason reason) {
  document.clear_share_id();
  document.mutable_file_key()->assign(document.file_key().size(), '\0');
  document.clear_file_key();
  document.clear_key_commitment();
  document.clear_ciphertext_root();
  document.clear_blob_id();
  document.mutable_read_seed()->assign(document.read_seed().size(), '\0');
  document.clear_read_seed();
  document.clear_preview();
  document.set_ended(reason);
}

}  // namespace

absl::Status BeginDocuments(ChannelStep& step) {
  PARLEY_RETURN_IF_ERROR(
      StoreRecord(step.tx(), RecordClass::kIndex, BriefsName(step.names()), DocumentsHead()));
  return StoreRecord(step.tx(), RecordClass::kIndex, DocumentsName(step.names()), DocumentsHead());
}

absl::Status NoteDocument(ChannelStep& step, uint64_t index, const RosterMember& author, bool own,
                          uint64_t position, const pb::Document& document) {
  PARLEY_RETURN_IF_ERROR(List(step, index));
  PARLEY_RETURN_IF_ERROR(NoteBrief(step, index, author, document));
  // One that comes as ended has no end to wait for.
  if (document.expires_at() != 0 && document.ended() == pb::DocumentEnd::REASON_UNSPECIFIED) {
    PARLEY_RETURN_IF_ERROR(
        Expect(step, {index, document.expires_at(), author.participant_id}, own));
  }
  if (document.replaces_message_id().empty()) return absl::OkStatus();
  PARLEY_ASSIGN_OR_RETURN(const VersionRecord record,
                          Judge(step, index, author, position, document));
  PARLEY_RETURN_IF_ERROR(
      StoreRecord(step.tx(), RecordClass::kIndex, VersionName(step.names(), index), record));
  if (record.number == 1) return absl::OkStatus();
  return StoreRecord(step.tx(), RecordClass::kIndex, ChainName(step.names(), record.first),
                     ChainRecord{1, record.number});
}

absl::Status EndDocument(ChannelStep& step, const RosterMember& by, uint64_t position,
                         const pb::DocumentEnd& end) {
  const std::optional<MessageId> id = IdFrom<MessageId>(end.message_id());
  const std::optional<ParticipantId> author = IdFrom<ParticipantId>(end.author_id());
  if (!id.has_value() || !author.has_value()) return absl::OkStatus();
  PARLEY_ASSIGN_OR_RETURN(const std::optional<ChannelMessage> message,
                          FindMessage(step.tx(), step.names(), step.channel(), *author, *id));
  const bool is_it = message.has_value() && message->incarnation == end.place().incarnation() &&
                     message->position == end.place().position() &&
                     (message->incarnation < step.incarnation() || message->position < position);
  pb::Content content;
  if (!is_it || !ParseFromPeer(content, message->content.Reveal())) return absl::OkStatus();
  pb::Document* const document = content.has_document() ? content.mutable_document()
                                 : content.has_disclosure() && content.disclosure().has_document()
                                     ? content.mutable_disclosure()->mutable_document()
                                     : nullptr;
  if (document == nullptr) return absl::OkStatus();
  if (document->ended() != pb::DocumentEnd::REASON_UNSPECIFIED) {
    return ExpectNoMore(step, message->index);
  }
  const bool by_author = by.participant_id == *author;
  const bool counts = end.reason() == pb::DocumentEnd::REASON_WITHDRAWN
                          ? by_author
                          : end.reason() == pb::DocumentEnd::REASON_EXPIRED &&
                                document->expires_at() != 0 && (by_author || IsNeutral(by.role));
  if (!counts) return absl::OkStatus();
  TakeKeysAway(*document, end.reason());
  const std::string name = step.names().Message(message->index);
  PARLEY_ASSIGN_OR_RETURN(MessageRecord record,
                          LoadExisting<MessageRecord>(step.tx(), RecordClass::kContent, name));
  record.content = crypto::Secret::CopyOf(crypto::ViewOf(content.SerializeAsString()));
  PARLEY_RETURN_IF_ERROR(StoreRecord(step.tx(), RecordClass::kContent, name, record));
  PARLEY_RETURN_IF_ERROR(ReplaceContentHash(step, record.incarnation, record.position,
                                            record.content.Reveal(),
                                            content.has_document() ? document->size() : 0));
  return NoteDocumentGone(step, *message);
}

absl::Status NoteDocumentGone(ChannelStep& step, const ChannelMessage& message) {
  PARLEY_RETURN_IF_ERROR(ExpectNoMore(step, message.index));
  return message.own ? NoteBlobsDue(step.tx(), step.id(), {message.id}) : absl::OkStatus();
}

absl::Status NoteDocumentsGone(ChannelStep& step, const std::vector<ChannelMessage>& messages) {
  std::vector<MessageId> own;
  for (const ChannelMessage& message : messages) {
    pb::Content content;
    if (ParseFromPeer(content, message.content.Reveal()) && content.has_document()) {
      PARLEY_RETURN_IF_ERROR(NoteNotConfided(step, message.author, content.document()));
    }
    PARLEY_RETURN_IF_ERROR(ExpectNoMore(step, message.index));
    if (message.own) own.push_back(message.id);
  }
  return NoteBlobsDue(step.tx(), step.id(), own);
}

absl::Status NoteRetracted(ChannelStep& step, const ChannelMessage& message) {
  pb::Content content;
  if (ParseFromPeer(content, message.content.Reveal()) && content.has_document()) {
    PARLEY_RETURN_IF_ERROR(NoteNotConfided(step, message.author, content.document()));
    if (content.document().brief() == pb::BRIEF_KIND_EXCHANGED) {
      // The retraction is the message that comes now; an end before it was one already.
      PARLEY_RETURN_IF_ERROR(StoreRecord(step.tx(), RecordClass::kIndex,
                                         RetractedBriefName(step.names(), message.index),
                                         RetractedBriefRecord{1, step.channel().messages}));
    }
  }
  return NoteDocumentGone(step, message);
}

// ---- Reading ----

absl::StatusOr<DocumentVersion> LoadVersion(const ReadTransaction& tx, const ChannelId& channel,
                                            uint64_t index) {
  const ChannelNames names(channel);
  DocumentVersion version;
  version.first = index;
  PARLEY_ASSIGN_OR_RETURN(
      const std::optional<VersionRecord> record,
      LoadRecord<VersionRecord>(tx, RecordClass::kIndex, VersionName(names, index)));
  if (record.has_value()) {
    version.first = record->first;
    version.number = record->number;
    version.made_from = record->made_from;
    version.standing = static_cast<VersionStanding>(record->standing);
  }
  PARLEY_ASSIGN_OR_RETURN(
      const std::optional<ChainRecord> chain,
      LoadRecord<ChainRecord>(tx, RecordClass::kIndex, ChainName(names, version.first)));
  version.latest = chain.has_value() ? chain->latest : version.number;
  return version;
}

absl::StatusOr<std::vector<uint64_t>> DocumentIndices(const ReadTransaction& tx,
                                                      const ChannelId& channel) {
  const ChannelNames names(channel);
  PARLEY_ASSIGN_OR_RETURN(const std::optional<DocumentsHead> head,
                          LoadHead(tx, DocumentsName(names)));
  if (head.has_value()) return IndicesOf(tx, DocumentsName(names), *head);
  PARLEY_ASSIGN_OR_RETURN(const ChannelRecord record, LoadChannel(tx, names));
  return IndicesOf(tx, DocumentsName(names), DocumentsHead{1, record.messages + 1, 0});
}

absl::StatusOr<std::vector<ChannelMessage>> ListDocuments(const ReadTransaction& tx,
                                                          const ChannelId& channel) {
  const ChannelNames names(channel);
  PARLEY_ASSIGN_OR_RETURN(const std::vector<uint64_t> indices, DocumentIndices(tx, channel));
  std::vector<ChannelMessage> documents;
  for (const uint64_t index : indices) {
    PARLEY_ASSIGN_OR_RETURN(ChannelMessage message, MessageAt(tx, names, index));
    if (message.kind == ContentKind::kDocument) documents.push_back(std::move(message));
  }
  return documents;
}

absl::StatusOr<std::vector<HandedIn>> ListHandedIn(const ReadTransaction& tx,
                                                   const ChannelId& channel) {
  const ChannelNames names(channel);
  PARLEY_ASSIGN_OR_RETURN(const std::optional<DocumentsHead> head, LoadHead(tx, BriefsName(names)));
  PARLEY_ASSIGN_OR_RETURN(
      const std::vector<uint64_t> indices,
      head.has_value() ? IndicesOf(tx, BriefsName(names), *head) : DocumentIndices(tx, channel));
  std::vector<HandedIn> briefs;
  for (const uint64_t index : indices) {
    HandedIn one;
    PARLEY_ASSIGN_OR_RETURN(one.message, MessageAt(tx, names, index));
    if (one.message.kind == ContentKind::kRetraction) {
      PARLEY_ASSIGN_OR_RETURN(const std::optional<RetractedBriefRecord> record,
                              LoadRecord<RetractedBriefRecord>(tx, RecordClass::kIndex,
                                                               RetractedBriefName(names, index)));
      if (!record.has_value()) continue;
      one.retracted = record->ended;
    } else if (one.message.kind != ContentKind::kDocument) {
      continue;
    }
    briefs.push_back(std::move(one));
  }
  return briefs;
}

absl::StatusOr<bool> StandsConfided(const ReadTransaction& tx, const ChannelId& channel,
                                    const std::string& side, const std::string& plaintext_root) {
  const ChannelNames names(channel);
  PARLEY_ASSIGN_OR_RETURN(const std::optional<DocumentsHead> head, LoadHead(tx, BriefsName(names)));
  if (head.has_value()) {
    return tx.Has(RecordClass::kIndex, ConfidedName(names, crypto::ToBytes(plaintext_root)));
  }
  PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> documents, ListDocuments(tx, channel));
  return std::any_of(documents.begin(), documents.end(), [&](const ChannelMessage& message) {
    pb::Content content;
    return (message.author.role == Role::kParty || message.author.role == Role::kCounsel) &&
           message.author.side == side && ParseFromPeer(content, message.content.Reveal()) &&
           content.has_document() && content.document().plaintext_root() == plaintext_root;
  });
}

absl::StatusOr<std::vector<ExpiringDocument>> ListExpiring(const ReadTransaction& tx,
                                                           const ChannelId& channel) {
  PARLEY_ASSIGN_OR_RETURN(
      std::optional<ExpiringRecord> record,
      LoadRecord<ExpiringRecord>(tx, RecordClass::kIndex, ExpiringName(ChannelNames(channel))));
  if (!record.has_value()) return std::vector<ExpiringDocument>();
  return std::move(record->documents);
}

}  // namespace parley::client
