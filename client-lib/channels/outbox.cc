#include "client-lib/channels/outbox.h"

#include <algorithm>
#include <string>
#include <utility>

#include "client-lib/channels/credential.h"
#include "client-lib/channels/message_log.h"
#include "client-lib/channels/receipts.h"
#include "crypto/base/status_macros.h"
#include "parley/content/v1/content.pb.h"

namespace parley::client {
namespace {

namespace pb = content::v1;

absl::StatusOr<crypto::Secret> Serialized(const pb::Content& content) {
  std::string bytes = content.SerializeAsString();
  const crypto::ScopedWipe wipe(bytes);
  return crypto::Secret::CopyOf(crypto::ViewOf(bytes));
}

absl::StatusOr<pb::Content> Parsed(const crypto::Secret& bytes) {
  pb::Content content;
  if (!content.ParseFromArray(bytes.Reveal().data(), static_cast<int>(bytes.size()))) {
    return absl::DataLossError("a queued message in the profile is damaged");
  }
  return content;
}

absl::StatusOr<std::optional<OutboxRecord>> LoadItem(const ReadTransaction& tx,
                                                     const ChannelNames& names, uint64_t item) {
  return LoadRecord<OutboxRecord>(tx, RecordClass::kContent, names.Outbox(item));
}

absl::Status StoreItem(ChannelStep& step, uint64_t item, const OutboxRecord& record) {
  return StoreRecord(step.tx(), RecordClass::kContent, step.names().Outbox(item), record);
}

// Seals an MLSMessage for the current generation into `record`, and lists it as in flight.
absl::Status PutInFlight(ChannelStep& step, uint64_t item, ByteView mls_message,
                         OutboxRecord& record) {
  PARLEY_ASSIGN_OR_RETURN(const EpochKeysRecord* keys, step.keys());
  record.incarnation = step.incarnation();
  record.generation = step.log().generation;
  record.append_id = crypto::RandomArray<16>();
  record.payload =
      SealEntry(keys->entry_key, step.state().mailbox_id, record.generation, mls_message);
  if (record.payload.size() > kMaxEntryBytes) {
    return absl::InternalError("an entry within the limit for contents came out too long");
  }
  step.log().in_flight.push_back({record.append_id, item, 0});
  return StoreItem(step, item, record);
}

absl::Status EncryptItem(ChannelStep& step, uint64_t item, OutboxRecord& record) {
  PARLEY_ASSIGN_OR_RETURN(pb::Content content, Parsed(record.content));
  content.mutable_seen()->set_position(step.log().position);
  content.mutable_seen()->set_transcript_hash(crypto::ToString(step.log().hash));
  PARLEY_RETURN_IF_ERROR(AddReceipt(step, content));
  PARLEY_ASSIGN_OR_RETURN(record.sent_content, Serialized(content));
  PARLEY_ASSIGN_OR_RETURN(mls::Group* const group, step.group());
  PARLEY_ASSIGN_OR_RETURN(const Bytes message, group->Protect(record.sent_content.Reveal()));
  step.GroupChanged();
  return PutInFlight(step, item, message, record);
}

absl::StatusOr<bool> IsHeld(ChannelStep& step, const OutboxRecord& record, const HoldBack& holds) {
  if (holds == nullptr) return false;
  PARLEY_ASSIGN_OR_RETURN(const pb::Content content, Parsed(record.content));
  return holds(step.tx(), step.id(), content);
}

// Who would read it now, and isn't among those for whom it was queued.
std::vector<RosterMember> NotMeant(const ChannelState& state, const OutboxRecord& record) {
  std::vector<RosterMember> newcomers;
  for (const RosterMember& member : state.members) {
    const auto& meant = record.readers;
    if (!meant.empty() &&
        std::find(meant.begin(), meant.end(), member.participant_id) == meant.end()) {
      newcomers.push_back(member);
    }
  }
  return newcomers;
}

std::string Reason(const ChannelState& state, const std::vector<RosterMember>& newcomers) {
  std::string names;
  for (const RosterMember& one : newcomers) names += (names.empty() ? "" : ", ") + Describe(one);
  return names + (newcomers.size() == 1 ? " has" : " have") + " come to read the channel " +
         DescribeChannel(state.kind, state.side) +
         " since it was written; send it again if they may read it";
}

absl::Status GiveUp(ChannelStep& step, uint64_t item, OutboxRecord& record, std::string reason,
                    ExchangeResult& result) {
  record.kind = OutboxKind::kNeverSent;
  record.reason = std::move(reason);
  PARLEY_RETURN_IF_ERROR(StoreItem(step, item, record));
  if (step.channel().unsent > 0) --step.channel().unsent;
  ++step.channel().never_sent;
  ++result.given_up;
  return absl::OkStatus();
}

// Forgets places at the front that are empty by now.
absl::Status MoveFront(ChannelStep& step) {
  ChannelRecord& channel = step.channel();
  while (channel.outbox_first < channel.outbox_next) {
    PARLEY_ASSIGN_OR_RETURN(
        const bool there,
        step.tx().Has(RecordClass::kContent, step.names().Outbox(channel.outbox_first)));
    if (there) break;
    ++channel.outbox_first;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<MessageId> QueueContent(ChannelStep& step, const pb::Content& content,
                                       Readers readers) {
  if (content.body_case() == pb::Content::BODY_NOT_SET) {
    return absl::InvalidArgumentError("there is nothing in the message");
  }
  pb::Content filled = content;
  filled.clear_seen();
  if (filled.message_id().empty()) filled.set_message_id(ToField(RandomId<MessageId>()));
  const std::optional<MessageId> id = IdFrom<MessageId>(filled.message_id());
  if (!id.has_value()) return absl::InvalidArgumentError("a message id has 16 bytes");
  if (filled.claimed_time() == 0) filled.set_claimed_time(step.now());
  if (filled.ByteSizeLong() > kMaxContentBytes) {
    return absl::InvalidArgumentError("the message has " + std::to_string(filled.ByteSizeLong()) +
                                      " bytes; at most " + std::to_string(kMaxContentBytes) +
                                      " can be sent at once");
  }
  OutboxRecord record;
  record.message_id = *id;
  record.queued_at = step.now();
  if (readers == Readers::kWhoIsInNow) {
    for (const RosterMember& member : step.state().members) {
      record.readers.push_back(member.participant_id);
    }
  }
  PARLEY_ASSIGN_OR_RETURN(record.content, Serialized(filled));
  PARLEY_RETURN_IF_ERROR(StoreItem(step, step.channel().outbox_next, record));
  ++step.channel().outbox_next;
  ++step.channel().unsent;
  return *id;
}

absl::Status UnqueueContent(ChannelStep& step, const MessageId& id) {
  for (uint64_t item = step.channel().outbox_first; item < step.channel().outbox_next; ++item) {
    PARLEY_ASSIGN_OR_RETURN(const std::optional<OutboxRecord> record,
                            LoadItem(step.tx(), step.names(), item));
    if (!record.has_value() || record->message_id != id || record->incarnation != 0) continue;
    return RemoveItem(step, item, record->kind);
  }
  return absl::NotFoundError("no such message waits to be sent");
}

absl::StatusOr<size_t> EncryptWaiting(ChannelStep& step, size_t most, const HoldBack& holds,
                                      ExchangeResult& result) {
  size_t count = 0;
  for (uint64_t item = step.channel().outbox_first;
       item < step.channel().outbox_next && count < most; ++item) {
    PARLEY_ASSIGN_OR_RETURN(std::optional<OutboxRecord> record,
                            LoadItem(step.tx(), step.names(), item));
    if (!record.has_value() || record->kind != OutboxKind::kContent || record->incarnation != 0) {
      continue;
    }
    const std::vector<RosterMember> newcomers = NotMeant(step.state(), *record);
    if (!newcomers.empty()) {
      PARLEY_RETURN_IF_ERROR(GiveUp(step, item, *record, Reason(step.state(), newcomers), result));
      continue;
    }
    PARLEY_ASSIGN_OR_RETURN(const bool held, IsHeld(step, *record, holds));
    if (held) {
      // When it goes out somebody may have come for whom it wasn't written.
      if (record->readers.empty()) {
        for (const RosterMember& member : step.state().members) {
          record->readers.push_back(member.participant_id);
        }
        PARLEY_RETURN_IF_ERROR(StoreItem(step, item, *record));
      }
      continue;
    }
    PARLEY_RETURN_IF_ERROR(EncryptItem(step, item, *record));
    ++count;
  }
  return count;
}

absl::Status QueueProposal(ChannelStep& step, ByteView mls_message) {
  OutboxRecord record;
  record.kind = OutboxKind::kProposal;
  record.queued_at = step.now();
  const uint64_t item = step.channel().outbox_next++;
  return PutInFlight(step, item, mls_message, record);
}

absl::StatusOr<std::vector<Outgoing>> UnacknowledgedEntries(const ReadTransaction& tx,
                                                            const ChannelNames& names,
                                                            const IncarnationRecord& log) {
  std::vector<Outgoing> entries;
  for (const InFlight& sent : log.in_flight) {
    if (sent.position != 0) continue;
    PARLEY_ASSIGN_OR_RETURN(
        OutboxRecord record,
        LoadExisting<OutboxRecord>(tx, RecordClass::kContent, names.Outbox(sent.item)));
    entries.push_back({sent.item, record.generation, record.append_id, std::move(record.payload)});
  }
  return entries;
}

void ForgetAcknowledgement(ChannelStep& step, const AppendId& append_id) {
  std::vector<InFlight>& list = step.log().in_flight;
  const auto sent = std::find_if(list.begin(), list.end(),
                                 [&](const InFlight& one) { return one.append_id == append_id; });
  if (sent == list.end()) return;
  if (sent->item != 0) {
    sent->position = 0;
    return;
  }
  list.erase(sent);
}

bool IsCommitAcknowledged(const IncarnationRecord& log, const AppendId& append_id) {
  return std::any_of(log.in_flight.begin(), log.in_flight.end(), [&](const InFlight& sent) {
    return sent.item == 0 && sent.append_id == append_id;
  });
}

absl::Status RemoveItem(ChannelStep& step, uint64_t item, OutboxKind kind) {
  PARLEY_RETURN_IF_ERROR(step.tx().Delete(RecordClass::kContent, step.names().Outbox(item)));
  std::erase_if(step.log().in_flight, [&](const InFlight& sent) { return sent.item == item; });
  if (kind == OutboxKind::kContent && step.channel().unsent > 0) --step.channel().unsent;
  if (kind == OutboxKind::kNeverSent && step.channel().never_sent > 0) {
    --step.channel().never_sent;
  }
  return MoveFront(step);
}

absl::Status TakeBackInFlight(ChannelStep& step) {
  const std::vector<InFlight> in_flight = std::move(step.log().in_flight);
  step.log().in_flight.clear();
  for (const InFlight& sent : in_flight) {
    PARLEY_ASSIGN_OR_RETURN(std::optional<OutboxRecord> record,
                            LoadItem(step.tx(), step.names(), sent.item));
    if (!record.has_value()) continue;
    if (record->kind == OutboxKind::kProposal) {
      PARLEY_RETURN_IF_ERROR(RemoveItem(step, sent.item, record->kind));
      continue;
    }
    record->incarnation = 0;
    record->generation = 0;
    record->append_id = {};
    record->payload.clear();
    record->sent_content = crypto::Secret();
    PARLEY_RETURN_IF_ERROR(StoreItem(step, sent.item, *record));
  }
  return absl::OkStatus();
}

absl::Status GiveUpWaiting(ChannelStep& step, ExchangeResult& result) {
  ChannelRecord& channel = step.channel();
  for (uint64_t item = channel.outbox_first; item < channel.outbox_next; ++item) {
    PARLEY_ASSIGN_OR_RETURN(std::optional<OutboxRecord> record,
                            LoadItem(step.tx(), step.names(), item));
    if (!record.has_value() || record->kind != OutboxKind::kContent) continue;
    PARLEY_ASSIGN_OR_RETURN(const pb::Content content, Parsed(record->content));
    const ContentKind kind = KindOf(content);
    if (kind != ContentKind::kText && kind != ContentKind::kDocument && !IsOfOffers(kind)) {
      PARLEY_RETURN_IF_ERROR(RemoveItem(step, item, record->kind));
      continue;
    }
    PARLEY_RETURN_IF_ERROR(GiveUp(step, item, *record, "you were out of the channel", result));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<ChannelMessage>> ListOutbox(const ReadTransaction& tx,
                                                       const ChannelNames& names,
                                                       const ChannelRecord& channel,
                                                       const IncarnationRecord& log,
                                                       OutboxKind kind) {
  const absl::StatusOr<ChannelState> state = ParseChannelState(log.state);
  const absl::StatusOr<ParleyCredential> self = ParseCredential(log.self);
  if (!state.ok() || !self.ok()) {
    return absl::DataLossError("a channel's record in the profile is damaged");
  }
  const RosterMember* own = state->FindMember(self->participant_id);
  std::vector<ChannelMessage> listed;
  for (uint64_t item = channel.outbox_first; item < channel.outbox_next; ++item) {
    PARLEY_ASSIGN_OR_RETURN(std::optional<OutboxRecord> record, LoadItem(tx, names, item));
    if (!record.has_value() || record->kind != kind) continue;
    PARLEY_ASSIGN_OR_RETURN(const pb::Content content, Parsed(record->content));
    ChannelMessage& message = listed.emplace_back();
    message.incarnation = record->incarnation;  // 0 before it is encrypted
    message.id = record->message_id;
    if (own != nullptr) message.author = *own;
    message.author.participant_id = self->participant_id;
    message.own = true;
    message.kind = KindOf(content);
    message.claimed_time = content.claimed_time();
    message.content = std::move(record->content);
    message.reason = std::move(record->reason);
  }
  return listed;
}

}  // namespace parley::client
