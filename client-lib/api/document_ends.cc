#include "client-lib/api/document_ends.h"

#include <algorithm>
#include <vector>

#include "client-lib/cases/case_sync.h"
#include "client-lib/channels/blobs_due.h"
#include "client-lib/channels/document_log.h"
#include "client-lib/content/parse.h"
#include "client-lib/documents/transfer.h"
#include "client-lib/firewall/disclosures.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

namespace pb = content::v1;

// The ends that this device may say in a channel, and has to.
absl::StatusOr<std::vector<pb::DocumentEnd>> DueEnds(const ReadTransaction& step,
                                                     const CaseContext& context,
                                                     const CaseRecord& own, const ChannelId& id) {
  std::vector<pb::DocumentEnd> due;
  PARLEY_ASSIGN_OR_RETURN(const std::vector<ExpiringDocument> expiring, ListExpiring(step, id));
  if (expiring.empty()) return due;
  const Channel channel = context.Channel(id);
  PARLEY_ASSIGN_OR_RETURN(const ChannelInfo info, channel.Info(step));
  if (info.standing != Standing::kActive || info.leaving) return due;
  for (const ExpiringDocument& one : expiring) {
    const bool may_end = own.IsNeutral() || one.author == own.own_id;
    if (!may_end || one.expires_at > context.now_seconds()) continue;
    PARLEY_ASSIGN_OR_RETURN(const ChannelMessage message, channel.At(step, one.index));
    pb::DocumentEnd end;
    end.set_message_id(ToField(message.id));
    end.set_author_id(ToField(message.author.participant_id));
    *end.mutable_place() = ToField(LogPlace{message.incarnation, message.position});
    end.set_reason(pb::DocumentEnd::REASON_EXPIRED);
    due.push_back(std::move(end));
  }
  if (due.empty()) return due;
  PARLEY_ASSIGN_OR_RETURN(const std::vector<ChannelMessage> unsent, channel.Unsent(step));
  for (const ChannelMessage& waiting : unsent) {
    pb::Content content;
    if (waiting.kind != ContentKind::kDocumentEnd ||
        !ParseFromPeer(content, waiting.content.Reveal())) {
      continue;
    }
    std::erase_if(due, [&](const pb::DocumentEnd& end) {
      return end.message_id() == content.document_end().message_id() &&
             end.author_id() == content.document_end().author_id();
    });
  }
  return due;
}

absl::Status EndExpiredIn(const CaseContext& context, const CaseRecord& own, const ChannelId& id) {
  {
    PARLEY_ASSIGN_OR_RETURN(const ReadTransaction read, context.store->Read());
    PARLEY_ASSIGN_OR_RETURN(const std::vector<pb::DocumentEnd> due,
                            DueEnds(read, context, own, id));
    if (due.empty()) return absl::OkStatus();
  }
  {
    PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
    PARLEY_ASSIGN_OR_RETURN(std::vector<pb::DocumentEnd> due, DueEnds(step, context, own, id));
    for (pb::DocumentEnd& end : due) {
      pb::Content content;
      *content.mutable_document_end() = std::move(end);
      PARLEY_RETURN_IF_ERROR(context.Channel(id).Queue(step, content).status());
    }
    PARLEY_RETURN_IF_ERROR(step.Commit());
  }
  return ExchangeChannel(context, id).status();
}

}  // namespace

absl::Status DeleteDueBlobs(const CaseContext& context, const ChannelId& channel) {
  std::vector<MessageId> due;
  {
    PARLEY_ASSIGN_OR_RETURN(const ReadTransaction read, context.store->Read());
    PARLEY_ASSIGN_OR_RETURN(due, BlobsDue(read, channel));
  }
  for (const MessageId& id : due) {
    PARLEY_RETURN_IF_ERROR(Transfers(*context.store).DeleteBlob(*context.relay, id.ToString()));
    PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
    PARLEY_RETURN_IF_ERROR(SettleBlobDue(step, channel, id));
    PARLEY_RETURN_IF_ERROR(step.Commit());
  }
  return absl::OkStatus();
}

absl::Status TendDocuments(const CaseContext& context) {
  CaseRecord own;
  {
    PARLEY_ASSIGN_OR_RETURN(const ReadTransaction read, context.store->Read());
    PARLEY_ASSIGN_OR_RETURN(own, context.Records().Case(read));
  }
  // One channel in trouble doesn't keep the others waiting.
  absl::Status first;
  for (const ChannelId& id : own.channels) {
    first.Update(EndExpiredIn(context, own, id));
    first.Update(DeleteDueBlobs(context, id));
  }
  return first;
}

}  // namespace parley::client
