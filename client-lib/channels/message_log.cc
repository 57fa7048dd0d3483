#include "client-lib/channels/message_log.h"

#include <algorithm>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "crypto/base/status_macros.h"
#include "parley/content/v1/content.pb.h"

namespace parley::client {
namespace {

namespace pb = content::v1;

ChannelMessage FromRecord(MessageRecord record) {
  ChannelMessage message;
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

// Where the procedure's records are among the messages, so that finding a few of them doesn't take
// reading all: "channel/ID/procedure".
struct ProcedureIndex {
  uint8_t version = 1;
  std::vector<uint64_t> indexes;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.indexes);
  }
};

std::string ProcedureIndexName(const ChannelNames& names) { return names.Channel() + "/procedure"; }

absl::StatusOr<ProcedureIndex> LoadProcedureIndex(const ReadTransaction& tx,
                                                  const ChannelNames& names) {
  PARLEY_ASSIGN_OR_RETURN(
      std::optional<ProcedureIndex> index,
      LoadRecord<ProcedureIndex>(tx, RecordClass::kIndex, ProcedureIndexName(names)));
  return index.has_value() ? std::move(*index) : ProcedureIndex();
}

absl::StatusOr<std::vector<ChannelMessage>> ListProcedure(const ReadTransaction& tx,
                                                          const ChannelNames& names,
                                                          const MessageQuery& query) {
  std::vector<ChannelMessage> listed;
  PARLEY_ASSIGN_OR_RETURN(const ProcedureIndex found, LoadProcedureIndex(tx, names));
  for (const uint64_t index : found.indexes) {
    if (listed.size() >= query.limit) break;
    PARLEY_ASSIGN_OR_RETURN(MessageRecord record, LoadMessage(tx, names, index));
    if (record.number > query.after) listed.push_back(FromRecord(std::move(record)));
  }
  return listed;
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
    case pb::Content::kCaseAct:
    case pb::Content::kAgreementProposal:
    case pb::Content::kAgreementSignature:
    case pb::Content::kCaseOverview:
      return ContentKind::kProcedure;
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
  PARLEY_RETURN_IF_ERROR(step.tx().Put(RecordClass::kIndex, said, ByteView()));
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
  const uint64_t index = ++step.channel().messages;
  if (KindOf(content) == ContentKind::kProcedure) {
    PARLEY_ASSIGN_OR_RETURN(ProcedureIndex found, LoadProcedureIndex(step.tx(), step.names()));
    found.indexes.push_back(index);
    PARLEY_RETURN_IF_ERROR(
        StoreRecord(step.tx(), RecordClass::kIndex, ProcedureIndexName(step.names()), found));
  }
  PARLEY_RETURN_IF_ERROR(
      StoreRecord(step.tx(), RecordClass::kContent, step.names().Message(index), record));
  return true;
}

absl::StatusOr<std::vector<ChannelMessage>> ListMessages(const ReadTransaction& tx,
                                                         const ChannelNames& names,
                                                         const ChannelRecord& channel,
                                                         const MessageQuery& query) {
  if (query.kinds.size() == 1 && query.kinds[0] == ContentKind::kProcedure) {
    return ListProcedure(tx, names, query);
  }
  std::vector<ChannelMessage> listed;
  PARLEY_ASSIGN_OR_RETURN(uint64_t index, FirstAfter(tx, names, channel.messages, query.after));
  for (; index <= channel.messages && listed.size() < query.limit; ++index) {
    PARLEY_ASSIGN_OR_RETURN(MessageRecord record, LoadMessage(tx, names, index));
    const auto kind = static_cast<ContentKind>(record.kind);
    if (!query.kinds.empty() &&
        std::find(query.kinds.begin(), query.kinds.end(), kind) == query.kinds.end()) {
      continue;
    }
    listed.push_back(FromRecord(std::move(record)));
  }
  return listed;
}

}  // namespace parley::client
