#include "client-lib/channels/message_log.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <tuple>
#include <utility>

#include "client-lib/channels/document_log.h"
#include "client-lib/channels/entry_log.h"
#include "client-lib/content/parse.h"
#include "client-lib/search/search_index.h"
#include "client-lib/search/searchable.h"
#include "crypto/base/status_macros.h"
#include "parley/content/v1/content.pb.h"

namespace parley::client {
namespace {

namespace pb = content::v1;

ChannelMessage FromRecord(MessageRecord record, uint64_t index) {
  ChannelMessage message;
  message.index = index;
  message.number = record.number;
  message.incarnation = record.incarnation;
  message.position = record.position;
  message.id = record.message_id;
  message.author.participant_id = record.author;
  message.author.name = std::move(record.author_name);
  message.author.role = static_cast<Role>(record.author_role);
  message.author.side = std::move(record.author_side);
  message.own = record.own != 0;
  message.kind = static_cast<ContentKind>(record.kind);
  message.claimed_time = record.claimed_time;
  message.received_at = record.received_at;
  message.content = std::move(record.content);
  return message;
}

absl::StatusOr<MessageRecord> LoadMessage(const ReadTransaction& tx, const ChannelNames& names,
                                          uint64_t index) {
  return LoadExisting<MessageRecord>(tx, RecordClass::kContent, names.Message(index));
}

// The first index whose number is above `after`; one past the last when there is none.
absl::StatusOr<uint64_t> FirstAfter(const ReadTransaction& tx, const ChannelNames& names,
                                    uint64_t messages, uint64_t after) {
  uint64_t low = 1;
  uint64_t high = messages + 1;
  if (after == 0) return low;
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    PARLEY_ASSIGN_OR_RETURN(const MessageRecord record, LoadMessage(tx, names, middle));
    if (record.number > after) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

constexpr uint64_t kProcedurePage = 256;

// The index of a channel's latest authorisation of disclosure.
struct AuthorisedRecord {
  uint8_t version = 1;
  uint64_t latest = 0;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.latest);
  }
};

std::string AuthorisedName(const ChannelId& id) {
  return "channel/" + id.ToString() + "/authorised";
}

// Notes that the message of that index is one of the procedure's records.
absl::Status NoteProcedure(ChannelStep& step, uint64_t index) {
  const ChannelNames& names = step.names();
  PARLEY_ASSIGN_OR_RETURN(
      const std::optional<ProcedureHead> before,
      LoadRecord<ProcedureHead>(step.tx(), RecordClass::kIndex, names.Procedure()));
  ProcedureHead head = before.value_or(ProcedureHead());
  const std::string name = names.Procedure(head.records / kProcedurePage);
  ProcedurePage page;
  if (head.records % kProcedurePage != 0) {
    PARLEY_ASSIGN_OR_RETURN(page,
                            LoadExisting<ProcedurePage>(step.tx(), RecordClass::kIndex, name));
  }
  page.indices.push_back(index);
  ++head.records;
  PARLEY_RETURN_IF_ERROR(StoreRecord(step.tx(), RecordClass::kIndex, name, page));
  return StoreRecord(step.tx(), RecordClass::kIndex, names.Procedure(), head);
}

// The indices of the procedure's records from `first` on.
absl::StatusOr<std::vector<uint64_t>> ProcedureFrom(const ReadTransaction& tx,
                                                    const ChannelNames& names, uint64_t first) {
  std::vector<uint64_t> indices;
  PARLEY_ASSIGN_OR_RETURN(const std::optional<ProcedureHead> head,
                          LoadRecord<ProcedureHead>(tx, RecordClass::kIndex, names.Procedure()));
  if (!head.has_value()) return indices;
  for (uint64_t page = 0; page * kProcedurePage < head->records; ++page) {
    PARLEY_ASSIGN_OR_RETURN(
        const ProcedurePage loaded,
        LoadExisting<ProcedurePage>(tx, RecordClass::kIndex, names.Procedure(page)));
    for (const uint64_t index : loaded.indices) {
      if (index >= first) indices.push_back(index);
    }
  }
  return indices;
}

absl::Status NotePresent(ChannelStep& step, uint64_t index) {
  PresentRecord record;
  for (const RosterMember& member : step.state().members) {
    record.members.push_back(member.participant_id);
  }
  return StoreRecord(step.tx(), RecordClass::kIndex, step.names().Present(index), record);
}

// The index of the channel's latest authorisation of disclosure; 0 for none. Profiles of earlier
// builds have no record of it.
absl::StatusOr<uint64_t> LatestAuthorisation(ChannelStep& step) {
  PARLEY_ASSIGN_OR_RETURN(
      const std::optional<AuthorisedRecord> known,
      LoadRecord<AuthorisedRecord>(step.tx(), RecordClass::kIndex, AuthorisedName(step.id())));
  if (known.has_value()) return known->latest;
  AuthorisedRecord record;
  PARLEY_ASSIGN_OR_RETURN(const std::vector<uint64_t> indices,
                          ProcedureFrom(step.tx(), step.names(), 1));
  for (const uint64_t index : indices) {
    PARLEY_ASSIGN_OR_RETURN(const MessageRecord message,
                            LoadMessage(step.tx(), step.names(), index));
    if (static_cast<ContentKind>(message.kind) == ContentKind::kDisclosureAuthorisation) {
      record.latest = index;
    }
  }
  PARLEY_RETURN_IF_ERROR(
      StoreRecord(step.tx(), RecordClass::kIndex, AuthorisedName(step.id()), record));
  return record.latest;
}

// Drops what the author said there: their text or document, if this device has it. What is left
// is a retraction of its own id.
absl::Status Retract(ChannelStep& step, const ParticipantId& author, const std::string& field) {
  const std::optional<MessageId> id = IdFrom<MessageId>(field);
  if (!id.has_value()) return absl::OkStatus();
  PARLEY_ASSIGN_OR_RETURN(const std::optional<ChannelMessage> message,
                          FindMessage(step.tx(), step.names(), step.channel(), author, *id));
  if (!message.has_value() ||
      (message->kind != ContentKind::kText && message->kind != ContentKind::kDocument)) {
    return absl::OkStatus();
  }
  // What was authorised is measured by what was said before: a device that judges it now and one
  // that has done so must find the same.
  PARLEY_ASSIGN_OR_RETURN(const uint64_t authorised, LatestAuthorisation(step));
  if (authorised > message->index) return absl::OkStatus();
  const std::string name = step.names().Message(message->index);
  PARLEY_ASSIGN_OR_RETURN(MessageRecord record,
                          LoadExisting<MessageRecord>(step.tx(), RecordClass::kContent, name));
  if (message->kind == ContentKind::kDocument) {
    PARLEY_RETURN_IF_ERROR(NoteRetracted(step, *message));
  }
  pb::Content left;
  left.set_message_id(field);
  left.set_claimed_time(record.claimed_time);
  left.mutable_retraction()->set_message_id(field);
  record.kind = static_cast<uint8_t>(ContentKind::kRetraction);
  record.content = crypto::Secret::CopyOf(crypto::ViewOf(left.SerializeAsString()));
  PARLEY_RETURN_IF_ERROR(StoreRecord(step.tx(), RecordClass::kContent, name, record));
  PARLEY_RETURN_IF_ERROR(
      ReplaceContentHash(step, record.incarnation, record.position, record.content.Reveal()));
  return SearchIndex::NoteGone(step.tx(), step.id(), message->index);
}

bool Wants(const MessageQuery& query, ContentKind kind) {
  return query.kinds.empty() ||
         std::find(query.kinds.begin(), query.kinds.end(), kind) != query.kinds.end();
}

}  // namespace

ContentKind KindOf(const pb::Content& content) {
  switch (content.body_case()) {
    case pb::Content::kText:
      return ContentKind::kText;
    case pb::Content::kDocument:
      return ContentKind::kDocument;
    case pb::Content::kCheckpoint:
      return ContentKind::kCheckpoint;
    case pb::Content::kChannelHeads:
      return ContentKind::kChannelHeads;
    case pb::Content::kCaseSecrets:
      return ContentKind::kCaseSecrets;
    case pb::Content::kParticipant:
      return ContentKind::kParticipantRecord;
    case pb::Content::kCaseChannels:
      return ContentKind::kCaseChannels;
    case pb::Content::kDocumentEnd:
      return ContentKind::kDocumentEnd;
    case pb::Content::kBriefUse:
      return ContentKind::kBriefUse;
    case pb::Content::kBriefRelease:
      return ContentKind::kBriefRelease;
    case pb::Content::kDisclosureAuthorisation:
      return ContentKind::kDisclosureAuthorisation;
    case pb::Content::kAuthorisationEnd:
      return ContentKind::kAuthorisationEnd;
    case pb::Content::kDisclosureUse:
      return ContentKind::kDisclosureUse;
    case pb::Content::kDisclosure:
      return ContentKind::kDisclosure;
    case pb::Content::kFirewallOverride:
      return ContentKind::kFirewallOverride;
    case pb::Content::kCaseAct:
    case pb::Content::kAgreementProposal:
    case pb::Content::kAgreementSignature:
    case pb::Content::kCaseOverview:
      return ContentKind::kProcedure;
    case pb::Content::kOffer:
      return ContentKind::kOffer;
    case pb::Content::kOfferAnswer:
      return ContentKind::kOfferAnswer;
    case pb::Content::kOfferEnd:
      return ContentKind::kOfferEnd;
    case pb::Content::kOptionSheet:
      return ContentKind::kOptionSheet;
    case pb::Content::kOptionEvaluation:
      return ContentKind::kOptionEvaluation;
    case pb::Content::kSessionText:
    case pb::Content::kSessionAnswer:
    case pb::Content::kFloorGrant:
    case pb::Content::kRaisedHand:
    case pb::Content::kIssue:
    case pb::Content::kSessionStanding:
      return ContentKind::kSession;
    case pb::Content::kIssueRanking:
      return ContentKind::kIssueRanking;
    case pb::Content::kRetraction:
      return ContentKind::kRetraction;
    case pb::Content::kCalendarEntry:
    case pb::Content::kCalendarAnswer:
    case pb::Content::kCalendarStanding:
      return ContentKind::kCalendar;
    case pb::Content::kSideIntroduction:
      return ContentKind::kSideIntroduction;
    case pb::Content::kSideHello:
      return ContentKind::kSideHello;
    case pb::Content::BODY_NOT_SET:
      break;
  }
  return ContentKind::kUnknown;
}

absl::StatusOr<bool> KeepMessage(ChannelStep& step, uint64_t position, const RosterMember& author,
                                 bool own, const pb::Content& content,
                                 const crypto::Secret& serialized) {
  const std::optional<MessageId> id = IdFrom<MessageId>(content.message_id());
  if (!id.has_value()) return absl::InvalidArgumentError("a content without a message id");
  const std::string said = step.names().Said(author.participant_id, *id);
  PARLEY_ASSIGN_OR_RETURN(const bool repeated, step.tx().Has(RecordClass::kIndex, said));
  if (repeated) return false;
  const uint64_t index = ++step.channel().messages;
  step.noted().message = index;
  PARLEY_RETURN_IF_ERROR(
      step.tx().Put(RecordClass::kIndex, said, crypto::ViewOf(std::to_string(index))));
  MessageRecord record;
  record.number = step.log().number_base + position;
  record.incarnation = step.incarnation();
  record.position = position;
  record.message_id = *id;
  record.author = author.participant_id;
  record.author_name = author.name;
  record.author_role = static_cast<uint8_t>(author.role);
  record.author_side = author.side;
  record.own = own ? 1 : 0;
  record.kind = static_cast<uint8_t>(KindOf(content));
  record.claimed_time = content.claimed_time();
  record.received_at = step.now();
  record.content = serialized.Clone();
  // Before this record is listed: it isn't stored yet. One of itself takes nothing back.
  if (content.has_retraction() && content.retraction().message_id() != content.message_id()) {
    PARLEY_RETURN_IF_ERROR(Retract(step, author.participant_id, content.retraction().message_id()));
  }
  if (index == 1) PARLEY_RETURN_IF_ERROR(BeginDocuments(step));
  if (content.has_document_end()) {
    PARLEY_RETURN_IF_ERROR(EndDocument(step, author, position, content.document_end()));
  }
  if (content.has_document()) {
    PARLEY_RETURN_IF_ERROR(NoteDocument(step, index, author, own, position, content.document()));
  }
  if (IsProcedure(KindOf(content))) PARLEY_RETURN_IF_ERROR(NoteProcedure(step, index));
  if (content.has_disclosure_authorisation()) {
    AuthorisedRecord authorised;
    authorised.latest = index;
    PARLEY_RETURN_IF_ERROR(
        StoreRecord(step.tx(), RecordClass::kIndex, AuthorisedName(step.id()), authorised));
  }
  if (content.has_disclosure_use()) PARLEY_RETURN_IF_ERROR(NotePresent(step, index));
  PARLEY_RETURN_IF_ERROR(
      StoreRecord(step.tx(), RecordClass::kContent, step.names().Message(index), record));
  PARLEY_RETURN_IF_ERROR(SearchIndex::Note(
      step.tx(), step.id(), index, SearchableText(content).size(), SearchableTexts(step.tx())));
  return true;
}

absl::StatusOr<std::vector<ChannelEnd>> ChannelEnds(const ReadTransaction& tx) {
  PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelId> ids, Channel::List(tx));
  std::vector<ChannelEnd> ends;
  for (const ChannelId& id : ids) {
    const absl::StatusOr<ChannelRecord> channel = LoadChannel(tx, ChannelNames(id));
    if (absl::IsDataLoss(channel.status())) continue;
    PARLEY_RETURN_IF_ERROR(channel.status());
    ends.push_back({id, channel->messages});
  }
  return ends;
}

LoadText SearchableTexts(const ReadTransaction& tx) {
  return [&tx](const ChannelId& channel, uint64_t index) -> absl::StatusOr<std::string> {
    PARLEY_ASSIGN_OR_RETURN(const MessageRecord record,
                            LoadMessage(tx, ChannelNames(channel), index));
    pb::Content content;
    if (!ParseFromPeer(content, record.content.Reveal())) return std::string();
    return SearchableText(content);
  };
}

absl::StatusOr<uint64_t> FirstIndexAfter(const ReadTransaction& tx, const ChannelId& id,
                                         uint64_t number) {
  const ChannelNames names(id);
  PARLEY_ASSIGN_OR_RETURN(const ChannelRecord channel, LoadChannel(tx, names));
  return FirstAfter(tx, names, channel.messages, number);
}

absl::StatusOr<std::vector<ChannelMessage>> LastMessages(const ReadTransaction& tx,
                                                         const ChannelId& id,
                                                         const MessageQuery& query) {
  const ChannelNames names(id);
  PARLEY_ASSIGN_OR_RETURN(const ChannelRecord channel, LoadChannel(tx, names));
  PARLEY_ASSIGN_OR_RETURN(const uint64_t first,
                          FirstAfter(tx, names, channel.messages, query.after));
  std::vector<ChannelMessage> listed;
  for (uint64_t index = channel.messages; index >= first && listed.size() < query.limit; --index) {
    PARLEY_ASSIGN_OR_RETURN(MessageRecord record, LoadMessage(tx, names, index));
    if (!Wants(query, static_cast<ContentKind>(record.kind))) continue;
    listed.push_back(FromRecord(std::move(record), index));
  }
  std::reverse(listed.begin(), listed.end());
  return listed;
}

absl::StatusOr<std::vector<ChannelMessage>> ListMessages(const ReadTransaction& tx,
                                                         const ChannelNames& names,
                                                         const ChannelRecord& channel,
                                                         const MessageQuery& query) {
  std::vector<ChannelMessage> listed;
  PARLEY_ASSIGN_OR_RETURN(uint64_t index, FirstAfter(tx, names, channel.messages, query.after));
  const bool records_alone =
      query.records_alone ||
      (!query.kinds.empty() && std::all_of(query.kinds.begin(), query.kinds.end(), IsProcedure));
  if (records_alone) {
    PARLEY_ASSIGN_OR_RETURN(const std::vector<uint64_t> indices, ProcedureFrom(tx, names, index));
    for (const uint64_t one : indices) {
      if (listed.size() == query.limit) break;
      PARLEY_ASSIGN_OR_RETURN(MessageRecord record, LoadMessage(tx, names, one));
      if (!Wants(query, static_cast<ContentKind>(record.kind))) continue;
      listed.push_back(FromRecord(std::move(record), one));
    }
    return listed;
  }
  for (; index <= channel.messages && listed.size() < query.limit; ++index) {
    PARLEY_ASSIGN_OR_RETURN(MessageRecord record, LoadMessage(tx, names, index));
    if (!Wants(query, static_cast<ContentKind>(record.kind))) continue;
    listed.push_back(FromRecord(std::move(record), index));
  }
  return listed;
}

absl::StatusOr<ChannelMessage> MessageAt(const ReadTransaction& tx, const ChannelNames& names,
                                         uint64_t index) {
  PARLEY_ASSIGN_OR_RETURN(MessageRecord record, LoadMessage(tx, names, index));
  return FromRecord(std::move(record), index);
}

absl::StatusOr<std::optional<ChannelMessage>> FindMessage(const ReadTransaction& tx,
                                                          const ChannelNames& names,
                                                          const ChannelRecord& channel,
                                                          const ParticipantId& author,
                                                          const MessageId& id) {
  PARLEY_ASSIGN_OR_RETURN(const std::optional<crypto::Secret> said,
                          tx.Get(RecordClass::kIndex, names.Said(author, id)));
  if (!said.has_value()) return std::optional<ChannelMessage>();
  // Its index; profiles of earlier builds kept nothing there.
  uint64_t index = 0;
  const std::string field = crypto::ToString(said->Reveal());
  const bool has_index =
      std::from_chars(field.data(), field.data() + field.size(), index).ec == std::errc();
  const uint64_t last = has_index ? index : channel.messages;
  for (index = has_index ? index : 1; index <= last; ++index) {
    PARLEY_ASSIGN_OR_RETURN(MessageRecord record, LoadMessage(tx, names, index));
    if (record.author != author || record.message_id != id) continue;
    return std::optional<ChannelMessage>(FromRecord(std::move(record), index));
  }
  return std::optional<ChannelMessage>();
}

}  // namespace parley::client
