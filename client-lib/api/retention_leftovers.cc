#include "client-lib/api/retention_leftovers.h"

#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client-lib/api/carried_files.h"
#include "client-lib/api/carried_shares.h"
#include "client-lib/api/under_way.h"
#include "client-lib/channels/blobs_due.h"
#include "client-lib/channels/destruction.h"
#include "client-lib/content/parse.h"
#include "client-lib/documents/transfer.h"
#include "client-lib/firewall/disclosures.h"
#include "client-lib/pairing/record_table.h"
#include "crypto/base/status_macros.h"
#include "parley/content/v1/content.pb.h"

namespace parley::client {
namespace {

using content::v1::Content;

bool IsDue(const RetentionRules& rules, ChannelKind kind, const ChannelMessage& message,
           uint64_t since, uint64_t now) {
  const Retention* const rule = rules.RuleOf(kind, message);
  return rule != nullptr && rules.DueAt(rule->period, since) <= now;
}

// The document as it would have been shared.
ChannelMessage AsMessage(const UnderWay& upload) {
  Content content;
  content.mutable_document()->set_document_class(
      static_cast<content::v1::DocumentClass>(upload.document_class));
  ChannelMessage message;
  message.id = upload.id;
  message.kind = ContentKind::kDocument;
  message.content = crypto::Secret::CopyOf(crypto::ViewOf(content.SerializeAsString()));
  return message;
}

absl::StatusOr<std::optional<ChannelMessage>> DocumentOf(const ReadTransaction& step,
                                                         const CaseContext& context,
                                                         const UnderWay& download) {
  MessageQuery query;
  query.kinds = {ContentKind::kDocument, ContentKind::kDisclosure, ContentKind::kBriefRelease};
  PARLEY_ASSIGN_OR_RETURN(std::vector<ChannelMessage> messages,
                          context.Channel(download.channel).Messages(step, query));
  for (ChannelMessage& message : messages) {
    if (message.id == download.document) return std::optional(std::move(message));
    Content content;
    if (message.kind != ContentKind::kBriefRelease ||
        !ParseFromPeer(content, message.content.Reveal())) {
      continue;
    }
    const auto& briefs = content.brief_release().briefs();
    const bool has_it = std::any_of(briefs.begin(), briefs.end(), [&](const auto& brief) {
      return brief.document_id() == crypto::ToString(download.document.bytes());
    });
    if (has_it) return std::optional(std::move(message));
  }
  return std::optional<ChannelMessage>();
}

// The manifest of a document that a message has.
std::optional<content::v1::Document> ManifestIn(const ChannelMessage& message,
                                                const MessageId& document) {
  Content content;
  if (!ParseFromPeer(content, message.content.Reveal())) return std::nullopt;
  if (content.has_document()) return content.document();
  if (content.disclosure().has_document()) return content.disclosure().document();
  for (const auto& brief : content.brief_release().briefs()) {
    if (brief.document_id() == crypto::ToString(document.bytes())) return brief.document();
  }
  return std::nullopt;
}

// A document's share that isn't in any log.
struct Share {
  ChannelId channel;  // that is told by it
  MessageId id;
  std::string name;  // of its record; empty for none
};

// Its keys go; what the relay has of it is deleted with the next sync.
absl::Status GiveUp(Transaction& step, Transfers& transfers, const Share& share) {
  PARLEY_RETURN_IF_ERROR(transfers.KeepBlob(step, share.id.ToString()));
  // Of one that isn't understood, too: then the relay keeps the blob until it expires.
  PARLEY_RETURN_IF_ERROR(transfers.Posted(step, share.id.ToString()));
  PARLEY_RETURN_IF_ERROR(NoteBlobsDue(step, share.channel, {share.id}));
  return share.name.empty() ? absl::OkStatus() : step.Delete(RecordClass::kKeys, share.name);
}

struct DueTransfer {
  UnderWay transfer;
  std::optional<content::v1::Document> manifest;  // of a download
};

absl::StatusOr<std::vector<DueTransfer>> DueTransfers(const ReadTransaction& step,
                                                      const CaseContext& context,
                                                      const RetentionRules& rules, uint64_t now) {
  std::vector<DueTransfer> due;
  PARLEY_ASSIGN_OR_RETURN(const std::vector<std::string> keys, TransfersUnderWay().Keys(step));
  for (const std::string& key : keys) {
    PARLEY_ASSIGN_OR_RETURN(std::optional<UnderWay> one, TransfersUnderWay().Get(step, key));
    if (!one.has_value() || one->case_id != context.id) continue;
    PARLEY_ASSIGN_OR_RETURN(const ChannelInfo info, context.Channel(one->channel).Info(step));
    const ChannelKind kind = info.state.kind;
    if (one->upload != 0) {
      if (IsDue(rules, kind, AsMessage(*one), one->began_at, now)) {
        due.push_back({std::move(*one), std::nullopt});
      }
      continue;
    }
    PARLEY_ASSIGN_OR_RETURN(const std::optional<ChannelMessage> message,
                            DocumentOf(step, context, *one));
    // Of one that was destroyed before nothing may stay either.
    if (!message.has_value()) {
      due.push_back({std::move(*one), std::nullopt});
    } else if (IsDue(rules, kind, *message, message->received_at, now)) {
      std::optional<content::v1::Document> manifest = ManifestIn(*message, one->document);
      due.push_back({std::move(*one), std::move(manifest)});
    }
  }
  return due;
}

// Whether somebody's document is due, or isn't there any more, so that nothing may carry it on.
absl::StatusOr<bool> IsSourceDue(const ReadTransaction& step, const CaseContext& context,
                                 const RetentionRules& rules, uint64_t now,
                                 const ChannelId& channel, const ParticipantId& author,
                                 const MessageId& id) {
  PARLEY_ASSIGN_OR_RETURN(const ChannelInfo info, context.Channel(channel).Info(step));
  PARLEY_ASSIGN_OR_RETURN(const std::optional<ChannelMessage> source,
                          context.Channel(channel).Find(step, author, id));
  return !source.has_value() || source->kind != ContentKind::kDocument ||
         IsDue(rules, info.state.kind, *source, source->received_at, now);
}

// Of a release of briefs under way, if one of them is due: it can't be carried out without it.
absl::StatusOr<std::vector<Share>> DueRelease(const ReadTransaction& step,
                                              const CaseContext& context,
                                              const RetentionRules& rules, uint64_t now) {
  std::vector<Share> shares;
  PARLEY_ASSIGN_OR_RETURN(
      const std::optional<ReleaseJob> job,
      GetRecord<ReleaseJob>(step, RecordClass::kKeys, ReleaseJobName(context.id)));
  if (!job.has_value()) return shares;
  bool is_due = false;
  for (const ReleaseJob::One& one : job->briefs) {
    PARLEY_ASSIGN_OR_RETURN(const bool one_is_due, IsSourceDue(step, context, rules, now,
                                                               one.caucus, one.author, one.brief));
    is_due = is_due || one_is_due;
    shares.push_back({one.caucus, one.document, ReleaseShareName(one.document)});
  }
  if (!is_due) shares.clear();
  return shares;
}

// Of disclosures of the owner's that were marked as used, and whose document isn't there yet.
absl::StatusOr<std::vector<Share>> DueDisclosures(const ReadTransaction& step,
                                                  const CaseContext& context,
                                                  const RetentionRules& rules, uint64_t now) {
  std::vector<Share> shares;
  PARLEY_ASSIGN_OR_RETURN(const CaseRecord own, context.Records().Case(step));
  if (!own.IsNeutral()) return shares;
  PARLEY_ASSIGN_OR_RETURN(const Disclosures disclosures, Disclosures::Load(step, context));
  for (const AuthorisationRecord& record : disclosures.authorisations()) {
    const bool is_own = record.used_by.has_value() && record.used_by->participant_id == own.own_id;
    if (!is_own || !record.document.has_value()) continue;
    const std::string name = DisclosureShareName(record);
    PARLEY_ASSIGN_OR_RETURN(const bool is_begun, step.Has(RecordClass::kKeys, name));
    if (!is_begun) continue;
    PARLEY_ASSIGN_OR_RETURN(const bool is_due,
                            IsSourceDue(step, context, rules, now, record.channel,
                                        record.author.participant_id, record.item));
    if (is_due) shares.push_back({record.channel, record.disclosure, name});
  }
  return shares;
}

absl::Status Stop(ProfileStore& store, UnderWay transfer) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, store.Begin());
  transfer.paused = 1;
  PARLEY_RETURN_IF_ERROR(TransfersUnderWay().Put(step, transfer.id.ToString(), transfer));
  return step.Commit();
}

}  // namespace

absl::StatusOr<size_t> DropUnsent(const CaseContext& context, const ChannelId& id,
                                  const RetentionRules& rules, uint64_t now) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
  Channel channel = context.Channel(id);
  PARLEY_ASSIGN_OR_RETURN(const ChannelInfo info, channel.Info(step));
  PARLEY_ASSIGN_OR_RETURN(std::vector<ChannelMessage> waiting, channel.Unsent(step));
  PARLEY_ASSIGN_OR_RETURN(std::vector<ChannelMessage> given_up, channel.NeverSent(step));
  std::move(given_up.begin(), given_up.end(), std::back_inserter(waiting));
  size_t dropped = 0;
  for (const ChannelMessage& message : waiting) {
    // The claimed time is this device's own, of when it was queued.
    const bool goes = HoldsWords(message.kind) &&
                      IsDue(rules, info.state.kind, message, message.claimed_time, now);
    if (!goes) continue;
    const absl::Status gone = channel.Unqueue(step, message.id);
    if (absl::IsNotFound(gone)) continue;
    PARLEY_RETURN_IF_ERROR(gone);
    ++dropped;
  }
  if (dropped == 0) return dropped;
  PARLEY_RETURN_IF_ERROR(step.Commit());
  return dropped;
}

absl::StatusOr<size_t> DropTransfers(const CaseContext& context, const RetentionRules& rules,
                                     uint64_t now) {
  std::vector<DueTransfer> due;
  {
    PARLEY_ASSIGN_OR_RETURN(const ReadTransaction read, context.store->Read());
    PARLEY_ASSIGN_OR_RETURN(due, DueTransfers(read, context, rules, now));
  }
  Transfers transfers(*context.store);
  for (const DueTransfer& one : due) {
    const UnderWay& transfer = one.transfer;
    PARLEY_RETURN_IF_ERROR(Stop(*context.store, transfer));
    const absl::StatusOr<AtTransfer> at = AtTransfer::Begin(context.store->dir(), transfer.id);
    if (!at.ok()) {
      return absl::FailedPreconditionError(
          "a transfer of what is to be destroyed is going on; it was told to stop. The destruction "
          "goes on with the next sync (or parley case destroy)");
    }
    if (transfer.upload == 0 && one.manifest.has_value()) {
      PARLEY_RETURN_IF_ERROR(transfers.ForgetDownload(*one.manifest, transfer.path));
    } else if (transfer.upload == 0) {
      unlink((transfer.path + ".parley-part").c_str());
    }
    PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
    if (transfer.upload != 0) {
      PARLEY_RETURN_IF_ERROR(
          GiveUp(step, transfers, {transfer.channel, transfer.id, transfer.share}));
    }
    PARLEY_RETURN_IF_ERROR(TransfersUnderWay().Delete(step, transfer.id.ToString()));
    PARLEY_RETURN_IF_ERROR(step.Commit());
  }
  return due.size();
}

namespace {

struct DueCarried {
  std::vector<Share> release;
  std::vector<Share> shares;
};

absl::StatusOr<DueCarried> CarriedThatIsDue(const ReadTransaction& step, const CaseContext& context,
                                            const RetentionRules& rules, uint64_t now) {
  DueCarried due;
  PARLEY_ASSIGN_OR_RETURN(due.release, DueRelease(step, context, rules, now));
  PARLEY_ASSIGN_OR_RETURN(due.shares, DueDisclosures(step, context, rules, now));
  return due;
}

}  // namespace

absl::StatusOr<size_t> DropCarried(const CaseContext& context, const RetentionRules& rules,
                                   uint64_t now) {
  {
    PARLEY_ASSIGN_OR_RETURN(const ReadTransaction read, context.store->Read());
    PARLEY_ASSIGN_OR_RETURN(const DueCarried due, CarriedThatIsDue(read, context, rules, now));
    if (due.release.empty() && due.shares.empty()) return 0;
  }
  // Nobody begins to carry anything before this is done.
  const std::optional<CarriedFiles> alone = CarriedFiles::HoldAlone(context.store->dir());
  if (!alone.has_value()) {
    return absl::FailedPreconditionError(
        "what is to be destroyed is being carried into another channel; the destruction goes on "
        "with the next sync (or parley case destroy)");
  }
  Transfers transfers(*context.store);
  PARLEY_ASSIGN_OR_RETURN(Transaction step, context.store->Begin());
  // What has arrived in the meantime is no longer carried, and isn't the carrier's to delete.
  PARLEY_ASSIGN_OR_RETURN(const DueCarried due, CarriedThatIsDue(step, context, rules, now));
  for (const std::vector<Share>* const shares : {&due.release, &due.shares}) {
    for (const Share& share : *shares) PARLEY_RETURN_IF_ERROR(GiveUp(step, transfers, share));
  }
  if (!due.release.empty()) {
    PARLEY_RETURN_IF_ERROR(step.Delete(RecordClass::kKeys, ReleaseJobName(context.id)));
  }
  PARLEY_RETURN_IF_ERROR(step.Commit());
  return due.release.size() + due.shares.size();
}

}  // namespace parley::client
