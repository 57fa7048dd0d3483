// Briefs: Profile::Impl's part.
#include <unistd.h>

#include <algorithm>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "client-lib/api/carried_files.h"
#include "client-lib/api/carried_shares.h"
#include "client-lib/api/profile_impl.h"
#include "client-lib/api/session_view.h"
#include "client-lib/api/transfer_progress.h"
#include "client-lib/cases/case_sync.h"
#include "client-lib/channels/document_log.h"
#include "client-lib/content/parse.h"
#include "client-lib/firewall/brief_log.h"

namespace parley {

using client::BriefLog;
using client::BriefRecord;
using client::CaseContext;
using client::ReleaseJob;
using client::Transaction;

namespace {

std::string Listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::vector<std::string> MissingIn(const BriefLog& log) {
  std::vector<std::string> missing;
  for (const std::string& side : log.sides()) {
    if (log.HeldOf(side) == nullptr) missing.push_back(side);
  }
  return missing;
}

// What keeps a release from being right; the briefs are those that it would have.
absl::Status CheckReleasable(const BriefLog& log) {
  if (!log.joint().has_value() || log.sides().size() < 2) {
    return absl::FailedPreconditionError(
        "briefs are released when two sides or more are in the joint channel");
  }
  const std::vector<std::string> missing = MissingIn(log);
  const bool was_released = std::any_of(log.briefs().begin(), log.briefs().end(),
                                        [](const BriefRecord& brief) { return brief.released; });
  // As when one that had waited has gone out meanwhile.
  if (was_released && missing.size() == log.sides().size()) {
    return absl::FailedPreconditionError(
        "the briefs that were handed in have been released already (parley brief list); there is "
        "nothing else to release until each side hands in another");
  }
  if (!missing.empty()) {
    return absl::FailedPreconditionError(
        "nothing can be released yet: there is no exchanged brief from " + Listed(missing));
  }
  for (const std::string& side : log.sides()) {
    for (const std::string& other : log.HeldOf(side)->sides) {
      if (log.sides().contains(other)) continue;
      return absl::FailedPreconditionError(
          "the brief of " + side + " is to be released together with one of " + other +
          ", who isn't in the joint channel any more: " + side + " has to hand it in anew");
    }
  }
  return absl::OkStatus();
}

// Whether a release is still of the sides that would read it.
absl::Status CheckSides(const BriefLog& log, const content::v1::BriefRelease& release) {
  std::set<std::string> sides;
  for (const auto& brief : release.briefs()) sides.insert(brief.side());
  if (sides == log.sides()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "the sides in the joint channel have changed meanwhile; nothing was released. Run it again");
}

const BriefRecord* Find(const BriefLog& log, const ParticipantId& author, const MessageId& id) {
  for (const BriefRecord& brief : log.briefs()) {
    if (brief.id == id && brief.message.author.participant_id == author) return &brief;
  }
  return nullptr;
}

}  // namespace

absl::StatusOr<SentMessage> Profile::Impl::SubmitBrief(const CaseId& id, const std::string& path,
                                                       const BriefRequest& request,
                                                       const ProgressCallback& progress) {
  BriefTerms terms;
  terms.kind = request.kind;
  ChannelId caucus;
  {
    PARLEY_ASSIGN_OR_RETURN(const client::ReadTransaction read, store_->Read());
    const CaseContext context = LocalContext(id);
    PARLEY_ASSIGN_OR_RETURN(const client::CaseRecord own, context.Records().Case(read));
    const bool hands_in = own.own_role == Role::kParty || own.own_role == Role::kCounsel;
    if (!hands_in || own.own_side.empty()) {
      return absl::PermissionDeniedError("briefs are handed in by parties and their counsel");
    }
    if (request.kind == BriefKind::kNone) {
      return absl::InvalidArgumentError("a brief is exchanged, or for the neutrals only");
    }
    PARLEY_ASSIGN_OR_RETURN(caucus, client::CaucusOf(read, context, own.own_side));
    if (request.kind == BriefKind::kExchanged) {
      PARLEY_ASSIGN_OR_RETURN(const BriefLog log, BriefLog::Load(read, context));
      terms.sides.assign(log.sides().begin(), log.sides().end());
      if (terms.sides.size() < 2 || terms.sides.size() > client::kMostBriefs) {
        return absl::FailedPreconditionError(
            "no other side is in the joint channel yet to exchange briefs with; hand it in when "
            "there is, or for the neutrals only");
      }
    }
  }
  ShareOptions options;
  options.name = request.name;
  options.note = request.note;
  options.document_class = request.document_class;
  options.keep_metadata = request.keep_metadata;
  return ShareDocument({id, caucus}, path, options, terms, progress);
}

absl::StatusOr<BriefList> Profile::Impl::Briefs(const CaseId& id) {
  PARLEY_ASSIGN_OR_RETURN(const client::ReadTransaction read, store_->Read());
  const CaseContext context = LocalContext(id);
  PARLEY_ASSIGN_OR_RETURN(const client::CaseView view, client::CaseView::Create(read, context));
  PARLEY_ASSIGN_OR_RETURN(const BriefLog log, BriefLog::Load(read, context));
  BriefList list;
  client::LoadedRecords loaded;
  for (const BriefRecord& record : log.briefs()) {
    if (record.retracted) continue;
    PARLEY_ASSIGN_OR_RETURN(const client::ChannelInfo info,
                            context.Channel(record.channel).Info(read));
    PARLEY_ASSIGN_OR_RETURN(const Message message,
                            view.View(read, record.channel, info.state, record.message, loaded));
    Brief& brief = list.briefs.emplace_back();
    if (message.document.has_value()) brief.document = *message.document;
    brief.sides = record.sides;
    brief.state = record.released                ? BriefState::kReleased
                  : record.document.ended() != 0 ? BriefState::kWithdrawn
                  : record.replaced != 0         ? BriefState::kReplaced
                                                 : BriefState::kHeld;
  }
  for (const client::ReleaseRecord& record : log.releases()) {
    PARLEY_ASSIGN_OR_RETURN(const client::ChannelInfo info,
                            context.Channel(*log.joint()).Info(read));
    PARLEY_ASSIGN_OR_RETURN(Message message,
                            view.View(read, *log.joint(), info.state, record.message, loaded));
    list.released.push_back({message.id, message.position, message.author, message.time,
                             std::move(message.briefs), message.refused, message.note});
  }
  if (view.record().IsNeutral()) {
    list.missing = MissingIn(log);
    if (log.joint().has_value()) {
      PARLEY_ASSIGN_OR_RETURN(const std::optional<MessageId> waits,
                              ReleaseThatWaits(read, {id, *log.joint()}));
      list.release_waits = waits.has_value();
      if (waits.has_value()) {
        PARLEY_ASSIGN_OR_RETURN(list.waits_because, WhyItWaits({id, *log.joint()}, *waits));
      }
    }
    list.can_release = !list.release_waits && CheckReleasable(log).ok();
  }
  return list;
}

absl::StatusOr<ReleaseJob> Profile::Impl::PrepareRelease(const CaseId& id) {
  std::optional<ReleaseJob> begun;
  ReleaseJob job;
  {
    PARLEY_ASSIGN_OR_RETURN(const client::ReadTransaction read, store_->Read());
    PARLEY_ASSIGN_OR_RETURN(const BriefLog log, BriefLog::Load(read, LocalContext(id)));
    PARLEY_RETURN_IF_ERROR(CheckReleasable(log));
    PARLEY_ASSIGN_OR_RETURN(begun, client::GetRecord<ReleaseJob>(read, client::RecordClass::kKeys,
                                                                 client::ReleaseJobName(id)));
    job.release = client::RandomId<MessageId>();
    for (const std::string& side : log.sides()) {
      const BriefRecord& brief = *log.HeldOf(side);
      job.briefs.push_back({brief.channel, brief.message.author.participant_id, brief.id,
                            client::RandomId<MessageId>()});
    }
  }
  if (begun.has_value()) {
    const bool same =
        std::equal(begun->briefs.begin(), begun->briefs.end(), job.briefs.begin(), job.briefs.end(),
                   [](const ReleaseJob::One& a, const ReleaseJob::One& b) {
                     return a.caucus == b.caucus && a.author == b.author && a.brief == b.brief;
                   });
    if (same) return std::move(*begun);
  }
  // What was uploaded for one that isn't right any more goes, with its keys, before it is
  // forgotten.
  if (begun.has_value()) PARLEY_RETURN_IF_ERROR(AbandonUploads(id, *begun));
  PARLEY_ASSIGN_OR_RETURN(Transaction step, store_->Begin());
  PARLEY_RETURN_IF_ERROR(
      client::PutRecord(step, client::RecordClass::kKeys, client::ReleaseJobName(id), job));
  PARLEY_RETURN_IF_ERROR(step.Commit());
  return job;
}

absl::Status Profile::Impl::AbandonUploads(const CaseId& id, const ReleaseJob& job) {
  PARLEY_ASSIGN_OR_RETURN(const Connected connected, Connect(id));
  for (const ReleaseJob::One& one : job.briefs) {
    PARLEY_RETURN_IF_ERROR(
        client::Transfers(*store_).Forget(one.document.ToString(), connected.relay->client.get()));
    PARLEY_ASSIGN_OR_RETURN(Transaction step, store_->Begin());
    PARLEY_RETURN_IF_ERROR(
        step.Delete(client::RecordClass::kKeys, client::ReleaseShareName(one.document)));
    PARLEY_RETURN_IF_ERROR(step.Commit());
  }
  return absl::OkStatus();
}

absl::StatusOr<content::v1::BriefRelease> Profile::Impl::CarryBriefs(
    const CaseId& id, const ReleaseJob& job, const ProgressCallback& progress) {
  content::v1::BriefRelease release;
  PARLEY_ASSIGN_OR_RETURN(const Connected connected, Connect(id));
  PARLEY_ASSIGN_OR_RETURN(const client::CarriedFiles files, client::CarriedFiles::Hold(folder_));
  for (const ReleaseJob::One& one : job.briefs) {
    content::v1::BriefRelease::Brief& brief = *release.add_briefs();
    content::v1::Document original;
    {
      PARLEY_ASSIGN_OR_RETURN(const client::ReadTransaction read, store_->Read());
      PARLEY_ASSIGN_OR_RETURN(const BriefLog log, BriefLog::Load(read, connected.context));
      const BriefRecord* const record = Find(log, one.author, one.brief);
      if (record == nullptr || !record->IsHeld()) {
        return absl::FailedPreconditionError(
            "a brief was withdrawn or replaced meanwhile; nothing was released. Run it again");
      }
      const client::RosterMember& author = record->message.author;
      original = record->document;
      brief.set_brief_id(client::ToField(one.brief));
      brief.set_author_id(client::ToField(one.author));
      brief.set_author_name(author.name);
      brief.set_author_role(static_cast<content::v1::Role>(author.role));
      brief.set_side(author.side);
      brief.set_document_id(client::ToField(one.document));
    }
    const std::string path = files.PathOf(one.document.ToString());
    client::Transfers::DownloadOptions options;
    options.overwrite = true;
    options.retry_for = kTransferRetryFor;
    Reporter reporter(progress);
    reporter.SetUp(options);
    const absl::Status fetched =
        client::Transfers(*store_).Download(*connected.relay->client, original, path, options);
    if (!fetched.ok()) unlink((path + ".parley-part").c_str());
    PARLEY_RETURN_IF_ERROR(fetched);
    PARLEY_ASSIGN_OR_RETURN(const client::PlainCopy copy, client::PlainCopy::Take(path));
    client::UploadRequest request;
    request.path = copy.path();
    request.name = original.name();
    request.media_type = original.media_type();
    PARLEY_ASSIGN_OR_RETURN(
        Uploaded uploaded,
        Upload(connected, client::ReleaseShareName(one.document), one.document, request, progress));
    if (uploaded.manifest.plaintext_root() != original.plaintext_root()) {
      return absl::DataLossError("a brief isn't what was handed in; nothing was released");
    }
    uploaded.manifest.set_name(original.name());
    uploaded.manifest.set_document_class(original.document_class());
    *brief.mutable_document() = std::move(uploaded.manifest);
  }
  return release;
}

absl::StatusOr<std::optional<MessageId>> Profile::Impl::ReleaseThatWaits(
    const client::ReadTransaction& read, const ChannelRef& joint) {
  PARLEY_ASSIGN_OR_RETURN(const std::vector<client::ChannelMessage> unsent,
                          LocalContext(joint.case_id).Channel(joint.channel_id).Unsent(read));
  for (const client::ChannelMessage& message : unsent) {
    if (message.kind == client::ContentKind::kBriefRelease) return std::optional(message.id);
  }
  return std::optional<MessageId>();
}

absl::Status Profile::Impl::MarkBriefs(const CaseId& id, const ReleaseJob& job) {
  for (const ReleaseJob::One& one : job.briefs) {
    content::v1::Content content;
    const auto marked = [&](bool& has_mark) -> absl::Status {
      PARLEY_ASSIGN_OR_RETURN(const client::ReadTransaction read, store_->Read());
      PARLEY_ASSIGN_OR_RETURN(const BriefLog log, BriefLog::Load(read, LocalContext(id)));
      PARLEY_ASSIGN_OR_RETURN(const client::CaseRecord own, LocalContext(id).Records().Case(read));
      const BriefRecord* const brief = Find(log, one.author, one.brief);
      has_mark =
          brief != nullptr &&
          std::any_of(brief->marks.begin(), brief->marks.end(), [&](const client::BriefMark& mark) {
            return mark.by == own.own_id && mark.release == job.release &&
                   brief->StoodAt(mark.index);
          });
      if (has_mark) return absl::OkStatus();
      if (brief == nullptr || !brief->IsHeld()) {
        return absl::FailedPreconditionError(
            "a brief was withdrawn or replaced meanwhile; nothing was released. Run it again");
      }
      *content.mutable_brief_use()->mutable_place() = client::ToField(brief->place);
      return absl::OkStatus();
    };
    bool has_mark = false;
    PARLEY_RETURN_IF_ERROR(marked(has_mark));
    if (has_mark) continue;
    content::v1::BriefUse& use = *content.mutable_brief_use();
    use.set_brief_id(client::ToField(one.brief));
    use.set_author_id(client::ToField(one.author));
    use.set_release_id(client::ToField(job.release));
    PARLEY_ASSIGN_OR_RETURN(const SentMessage sent,
                            QueueAndDeliver({id, one.caucus}, content, /*may_stay_queued=*/false));
    if (sent.queued) {
      return absl::UnavailableError(
          "the relay can't be reached, and nothing was released; repeat it when it can");
    }
    PARLEY_RETURN_IF_ERROR(marked(has_mark));
    if (!has_mark) return absl::InternalError("the release was not marked");
  }
  return absl::OkStatus();
}

absl::StatusOr<SentMessage> Profile::Impl::DeliverRelease(const ChannelRef& joint,
                                                          const MessageId& release) {
  PARLEY_ASSIGN_OR_RETURN(SentMessage sent, Deliver(joint, release, /*may_stay_queued=*/true));
  if (sent.queued) return sent;
  PARLEY_ASSIGN_OR_RETURN(const BriefList list, Briefs(joint.case_id));
  for (const ReleasedBriefs& released : list.released) {
    if (released.id == release && released.refused) {
      return absl::FailedPreconditionError("the release doesn't count: " + released.note);
    }
  }
  return sent;
}

absl::StatusOr<SentMessage> Profile::Impl::ReleaseBriefs(const CaseId& id,
                                                         const ProgressCallback& progress) {
  PARLEY_ASSIGN_OR_RETURN(const client::CaseRecord own, LoadCase(id));
  if (!own.IsNeutral()) return absl::PermissionDeniedError("only a neutral releases briefs");
  PARLEY_ASSIGN_OR_RETURN(const Channel joint, FindChannel(id, "joint"));
  PARLEY_RETURN_IF_ERROR(CheckWritable(joint.ref));
  content::v1::Content content;
  PARLEY_RETURN_IF_ERROR(SayUnderProcedure(joint.ref, content));
  // One that was queued goes out, and no other beside it.
  std::optional<MessageId> waits;
  {
    PARLEY_ASSIGN_OR_RETURN(const client::ReadTransaction read, store_->Read());
    PARLEY_ASSIGN_OR_RETURN(waits, ReleaseThatWaits(read, joint.ref));
  }
  if (waits.has_value()) return DeliverRelease(joint.ref, *waits);
  {
    // What has come up to now, so that neither a missing brief nor another's release is overlooked.
    PARLEY_ASSIGN_OR_RETURN(const Connected connected, Connect(id));
    for (const ChannelId& channel : own.channels) {
      PARLEY_RETURN_IF_ERROR(client::ExchangeChannel(connected.context, channel).status());
    }
  }
  PARLEY_ASSIGN_OR_RETURN(const ReleaseJob job, PrepareRelease(id));
  PARLEY_ASSIGN_OR_RETURN(*content.mutable_brief_release(), CarryBriefs(id, job, progress));
  PARLEY_RETURN_IF_ERROR(MarkBriefs(id, job));
  content.set_message_id(client::ToField(job.release));
  {
    PARLEY_ASSIGN_OR_RETURN(Transaction step, store_->Begin());
    PARLEY_ASSIGN_OR_RETURN(const BriefLog log, BriefLog::Load(step, LocalContext(id)));
    PARLEY_RETURN_IF_ERROR(CheckSides(log, content.brief_release()));
    PARLEY_ASSIGN_OR_RETURN(const std::optional<ReleaseJob> begun,
                            client::GetRecord<ReleaseJob>(step, client::RecordClass::kKeys,
                                                          client::ReleaseJobName(id)));
    if (!begun.has_value() || begun->release != job.release) {
      return absl::FailedPreconditionError(
          "the release was given up meanwhile, by another command; nothing was released");
    }
    // Nor does a side read it that comes while it waits.
    PARLEY_RETURN_IF_ERROR(LocalContext(id)
                               .Channel(joint.ref.channel_id)
                               .Queue(step, content, client::Readers::kWhoIsInNow)
                               .status());
    PARLEY_RETURN_IF_ERROR(step.Delete(client::RecordClass::kKeys, client::ReleaseJobName(id)));
    for (const ReleaseJob::One& one : job.briefs) {
      PARLEY_RETURN_IF_ERROR(
          step.Delete(client::RecordClass::kKeys, client::ReleaseShareName(one.document)));
      PARLEY_RETURN_IF_ERROR(client::Transfers(*store_).Posted(step, one.document.ToString()));
    }
    PARLEY_RETURN_IF_ERROR(step.Commit());
  }
  return DeliverRelease(joint.ref, job.release);
}

}  // namespace parley
