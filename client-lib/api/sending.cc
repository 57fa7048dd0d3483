// Messages and documents: Profile::Impl's second part.
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "client-lib/api/file_to_share.h"
#include "client-lib/api/media_type.h"
#include "client-lib/api/profile_impl.h"
#include "client-lib/api/status_conversion.h"
#include "client-lib/api/transfer_progress.h"
#include "client-lib/channels/names.h"
#include "client-lib/content/folded_text.h"
#include "client-lib/firewall/firewall.h"
#include "client-lib/firewall/quotes.h"
#include "crypto/primitives/hash.h"

namespace parley {
namespace {

using client::CaseView;
using client::ReadTransaction;
using client::Transaction;

constexpr size_t kMostTextBytes = 256 * 1024;
constexpr uint64_t kMostFileBytes = 1ull << 50;

// A share that was begun: "share/<channel>/<hash of the path>", with "/kept" for one that keeps the
// file's metadata. It keeps the message id, by which
// the upload is resumed, and the voucher that pays.
struct ShareRecord {
  MessageId message_id;
  crypto::Bytes voucher;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.message_id, self.voucher);
  }
};

std::string ShareName(const ChannelRef& channel, const std::string& path, bool keep_metadata) {
  std::error_code error;
  const std::string whole = std::filesystem::absolute(path, error).lexically_normal().string();
  return "share/" + channel.channel_id.ToString() + "/" +
         crypto::ToHex(
             crypto::Hash(crypto::HashAlgorithm::kSha256, crypto::ViewOf(error ? path : whole))) +
         (keep_metadata ? "/kept" : "");
}

absl::Status CheckFile(const std::string& path) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) {
    return client::FileError("\"" + path + "\" can't be read: " + std::strerror(errno));
  }
  if (!S_ISREG(found.st_mode)) {
    return absl::InvalidArgumentError("\"" + path + "\" is not a file that can be shared");
  }
  if (static_cast<uint64_t>(found.st_size) > kMostFileBytes) {
    return absl::ResourceExhaustedError("\"" + path + "\" is too big");
  }
  return absl::OkStatus();
}

// Whether a file can be saved as `target`, before anything is fetched.
absl::Status CheckTarget(const std::string& target, bool overwrite) {
  struct stat found {};
  if (stat(target.c_str(), &found) == 0) {
    if (S_ISDIR(found.st_mode)) {
      return absl::InvalidArgumentError("\"" + target +
                                        "\" is a folder; name the file to save in it");
    }
    if (overwrite) return absl::OkStatus();
    return absl::AlreadyExistsError("\"" + target + "\" exists already; choose another name");
  }
  const std::string folder = std::filesystem::path(target).parent_path().string();
  if (!folder.empty() && stat(folder.c_str(), &found) != 0) {
    return client::FileError("there is no folder \"" + folder +
                             "\" to save the document in; make it, or choose another");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Profile::Impl::CheckWritable(const ChannelRef& channel) {
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
  PARLEY_ASSIGN_OR_RETURN(CaseView view, CaseView::Create(read, LocalContext(channel.case_id)));
  switch (view.record().own_state) {
    case ParticipantState::kWaiting:
      return absl::FailedPreconditionError(
          "you are waiting for approval; the mediator has to approve you first");
    case ParticipantState::kRemoved:
      return absl::FailedPreconditionError("you were removed from this case");
    case ParticipantState::kLeft:
      return absl::FailedPreconditionError("you have left this case");
    default:
      break;
  }
  PARLEY_ASSIGN_OR_RETURN(Channel shown, view.Channel(read, channel.channel_id));
  if (shown.status == ChannelStatus::kHalted) {
    return absl::FailedPreconditionError(
        "the channel " + shown.name + " is halted: " + shown.halted_reason +
        "; a neutral has to reopen it before anything can be sent");
  }
  if (shown.status == ChannelStatus::kClosed) {
    return absl::FailedPreconditionError("you are not in the channel " + shown.name + " any more");
  }
  return absl::OkStatus();
}

absl::Status Profile::Impl::TakeBackGivenUp(const ChannelRef& channel, const MessageId& id) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, store_->Begin());
  client::Channel in = LocalContext(channel.case_id).Channel(channel.channel_id);
  PARLEY_ASSIGN_OR_RETURN(const std::vector<client::ChannelMessage> never_sent, in.NeverSent(step));
  for (const client::ChannelMessage& message : never_sent) {
    if (message.id != id) continue;
    PARLEY_RETURN_IF_ERROR(in.Unqueue(step, id));
    PARLEY_RETURN_IF_ERROR(step.Commit());
    return absl::FailedPreconditionError("nothing was sent: " + message.reason);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Profile::Impl::HoldOf(const ChannelRef& channel, const MessageId& id) {
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
  PARLEY_ASSIGN_OR_RETURN(CaseView view, CaseView::Create(read, LocalContext(channel.case_id)));
  PARLEY_ASSIGN_OR_RETURN(const std::vector<Message> unsent, view.Unsent(read, channel.channel_id));
  for (const Message& message : unsent) {
    if (message.id == id) return message.note;
  }
  return std::string();
}

absl::StatusOr<SentMessage> Profile::Impl::Deliver(const ChannelRef& channel, const MessageId& id,
                                                   bool may_stay_queued) {
  SentMessage sent;
  sent.id = id;
  uint64_t head_before = 0;
  {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
    PARLEY_ASSIGN_OR_RETURN(client::ChannelInfo info,
                            LocalContext(channel.case_id).Channel(channel.channel_id).Info(read));
    head_before = info.head.position;
  }
  absl::Status failed;
  absl::StatusOr<Connected> connected = Connect(channel.case_id, client::Patience::kBrief);
  failed = connected.status();
  if (failed.ok()) {
    failed = client::ExchangeChannel(connected->context, channel.channel_id).status();
  }
  {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
    PARLEY_ASSIGN_OR_RETURN(CaseView view, CaseView::Create(read, LocalContext(channel.case_id)));
    PARLEY_ASSIGN_OR_RETURN(Channel shown, view.Channel(read, channel.channel_id));
    sent.readers = std::move(shown.readers);
    // Numbers are positions or more.
    PARLEY_ASSIGN_OR_RETURN(std::vector<Message> messages,
                            view.Messages(read, channel.channel_id, head_before));
    for (const Message& message : messages) {
      if (message.id == id && message.author.self) sent.position = message.position;
    }
  }
  if (sent.position.has_value()) return sent;
  PARLEY_RETURN_IF_ERROR(TakeBackGivenUp(channel, id));
  const bool unreachable = absl::IsUnavailable(failed) || absl::IsDeadlineExceeded(failed);
  if ((failed.ok() || unreachable) && CheckWritable(channel).ok()) {
    sent.queued = true;
    sent.queued_because = failed.ok() ? "the relay hasn't shown it in the channel yet"
                                      : std::string(failed.message());
    PARLEY_ASSIGN_OR_RETURN(const std::string hold, HoldOf(channel, id));
    sent.held = !hold.empty();
    if (sent.held) sent.queued_because = hold;
    return sent;
  }
  // It can't go out: take it back, if nothing of it has left.
  bool is_kept = may_stay_queued;
  if (!may_stay_queued) {
    PARLEY_ASSIGN_OR_RETURN(Transaction step, store_->Begin());
    const absl::Status taken_back =
        LocalContext(channel.case_id).Channel(channel.channel_id).Unqueue(step, id);
    if (taken_back.ok()) PARLEY_RETURN_IF_ERROR(step.Commit());
    is_kept = !taken_back.ok();
  }
  if (!failed.ok() && is_kept) {
    return absl::Status(failed.code(),
                        std::string(failed.message()) +
                            ". What you sent is kept and waits: each sync tries to send it, until "
                            "it has gone out, once. Don't send it again");
  }
  if (!failed.ok()) return failed;
  PARLEY_RETURN_IF_ERROR(CheckWritable(channel));
  sent.queued = true;
  sent.queued_because = "the relay hasn't shown it in the channel yet";
  return sent;
}

absl::StatusOr<SentMessage> Profile::Impl::Send(const ChannelRef& channel, std::string_view text,
                                                const SendOptions& options) {
  if (client::IsBlank(text)) {
    return absl::InvalidArgumentError("there is nothing to send: the text is " +
                                      std::string(text.empty() ? "empty" : "blank"));
  }
  if (text.size() > kMostTextBytes) {
    return absl::ResourceExhaustedError("the message has " + std::to_string(text.size()) +
                                        " bytes; at most " + std::to_string(kMostTextBytes) +
                                        " can be sent: share it as a file");
  }
  if (!client::IsUtf8(text)) {
    return absl::InvalidArgumentError("the text is not UTF-8; share it as a file instead");
  }
  PARLEY_RETURN_IF_ERROR(CheckWritable(channel));
  content::v1::Content content;
  content.mutable_text()->set_text(std::string(text));
  PARLEY_RETURN_IF_ERROR(SayUnderProcedure(channel, content));
  const client::CaseContext context = LocalContext(channel.case_id);
  if (options.quote.has_value()) {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
    PARLEY_ASSIGN_OR_RETURN(*content.mutable_quote(),
                            client::MakeQuote(read, context, channel.channel_id, *options.quote));
  }
  PARLEY_RETURN_IF_ERROR(client::Firewall::BringUpToDate(context, channel.channel_id));
  MessageId id;
  {
    PARLEY_ASSIGN_OR_RETURN(Transaction step, store_->Begin());
    PARLEY_ASSIGN_OR_RETURN(const client::Firewall firewall,
                            client::Firewall::Create(step, context, channel.channel_id));
    PARLEY_RETURN_IF_ERROR(firewall.CheckText(step, text));
    PARLEY_ASSIGN_OR_RETURN(
        id, context.Channel(channel.channel_id).Queue(step, content, firewall.AllowedReaders()));
    PARLEY_RETURN_IF_ERROR(step.Commit());
  }
  return Deliver(channel, id, /*may_stay_queued=*/false);
}

namespace {

// The share of this file that was begun, or a new one with what pays for it.
absl::StatusOr<ShareRecord> BeginShare(client::ProfileStore& store, const std::string& name,
                                       const client::CaseContext& context,
                                       const std::optional<MessageId>& message_id,
                                       bool new_voucher) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, store.Begin());
  PARLEY_ASSIGN_OR_RETURN(std::optional<ShareRecord> begun,
                          client::GetRecord<ShareRecord>(step, client::RecordClass::kKeys, name));
  if (begun.has_value() && !new_voucher) return std::move(*begun);
  ShareRecord share = begun.has_value() ? std::move(*begun) : ShareRecord();
  if (share.message_id.is_zero()) {
    share.message_id = message_id.value_or(client::RandomId<MessageId>());
  }
  PARLEY_ASSIGN_OR_RETURN(client::CaseRecord record, context.Records().Case(step));
  if (record.sponsor_token.empty()) {
    if (record.vouchers.empty()) {
      return absl::ResourceExhaustedError(
          "there is no voucher left to pay for a file at the relay; more were asked of the "
          "mediator: "
          "sync, and try again when they have been online");
    }
    share.voucher = std::move(record.vouchers.back());
    record.vouchers.pop_back();
    PARLEY_RETURN_IF_ERROR(context.Records().PutCase(step, record));
  }
  PARLEY_RETURN_IF_ERROR(client::PutRecord(step, client::RecordClass::kKeys, name, share));
  PARLEY_RETURN_IF_ERROR(step.Commit());
  return share;
}

}  // namespace

absl::StatusOr<Profile::Impl::Uploaded> Profile::Impl::Upload(
    const Connected& connected, const std::string& name, const std::optional<MessageId>& message_id,
    client::UploadRequest request, const ProgressCallback& progress) {
  PARLEY_ASSIGN_OR_RETURN(const client::CaseRecord record, LoadCase(connected.context.id));
  client::Transfers transfers(*store_);
  client::TransferOptions transfer;
  transfer.retry_for = kTransferRetryFor;
  Reporter reporter(progress);
  reporter.SetUp(transfer);
  absl::StatusOr<content::v1::Document> manifest = absl::UnauthenticatedError("");
  ShareRecord share;
  // One may have expired, or been used by an earlier attempt; and all that were drawn before a
  // renewal of the sponsor's string are void at once.
  constexpr int kMostVouchersTried = 64;
  for (int attempt = 0; attempt < kMostVouchersTried; ++attempt) {
    PARLEY_ASSIGN_OR_RETURN(share,
                            BeginShare(*store_, name, connected.context, message_id, attempt > 0));
    request.transfer_id = share.message_id.ToString();
    const client::Credential credential =
        record.sponsor_token.empty()
            ? client::Credential::Voucher(share.voucher)
            : client::Credential::SponsorToken(record.sponsor_token.Reveal());
    manifest = transfers.Upload(*connected.relay->client, credential, request, transfer);
    if (!absl::IsUnauthenticated(manifest.status()) || !record.sponsor_token.empty()) break;
  }
  PARLEY_RETURN_IF_ERROR(manifest.status());
  return Uploaded{share.message_id, std::move(*manifest)};
}

absl::StatusOr<SentMessage> Profile::Impl::Share(const ChannelRef& channel, const std::string& path,
                                                 const ShareOptions& options,
                                                 const ProgressCallback& progress) {
  PARLEY_RETURN_IF_ERROR(CheckFile(path));
  PARLEY_RETURN_IF_ERROR(CheckWritable(channel));
  content::v1::Content content;
  PARLEY_RETURN_IF_ERROR(SayUnderProcedure(channel, content));  // before anything is uploaded
  if (options.replaces.has_value()) {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
    PARLEY_ASSIGN_OR_RETURN(CaseView view, CaseView::Create(read, LocalContext(channel.case_id)));
    PARLEY_RETURN_IF_ERROR(view.Manifest(read, {channel, *options.replaces}).status());
  }
  client::UploadRequest request;
  request.name = client::SafeFileName(
      options.name.empty() ? std::filesystem::path(path).filename().string() : options.name);
  request.media_type =
      options.media_type.empty() ? client::MediaTypeOf(request.name) : options.media_type;
  if (!client::IsUtf8(request.media_type)) {
    return absl::InvalidArgumentError("the document's media type is not UTF-8");
  }
  const client::Firewall::DocumentNames names{request.name, request.media_type};
  PARLEY_ASSIGN_OR_RETURN(
      const std::optional<crypto::TreeHash> looked_at,
      client::Firewall::CheckFile(LocalContext(channel.case_id), channel.channel_id, path, names));
  PARLEY_ASSIGN_OR_RETURN(const client::FileToShare file,
                          client::FileToShare::Prepare(path, folder_, options.keep_metadata));
  request.path = file.path();
  request.known_as = path;
  // Neither as it is nor without its metadata may it be one that was confided elsewhere.
  std::optional<crypto::TreeHash> sent_as = looked_at;
  if (file.is_copy()) {
    PARLEY_ASSIGN_OR_RETURN(
        sent_as, client::Firewall::CheckFile(LocalContext(channel.case_id), channel.channel_id,
                                             file.path(), names));
  }
  PARLEY_ASSIGN_OR_RETURN(Connected connected, Connect(channel.case_id));
  const std::string name = ShareName(channel, path, options.keep_metadata);
  PARLEY_ASSIGN_OR_RETURN(Uploaded uploaded,
                          Upload(connected, name, std::nullopt, request, progress));
  content::v1::Document& manifest = uploaded.manifest;
  client::Transfers transfers(*store_);
  if (sent_as.has_value() &&
      !crypto::PublicEquals(*sent_as, crypto::ViewOf(manifest.plaintext_root()))) {
    transfers.Forget(uploaded.message_id.ToString(), connected.relay->client.get()).IgnoreError();
    return absl::AbortedError(
        "\"" + path + "\" was changed while it was shared; nothing was sent. Share it again");
  }
  PARLEY_RETURN_IF_ERROR(SayUnderProcedure(channel, content));
  {
    PARLEY_ASSIGN_OR_RETURN(Transaction step, store_->Begin());
    // What has come meanwhile counts, too.
    PARLEY_ASSIGN_OR_RETURN(const client::Firewall firewall,
                            client::Firewall::Create(step, connected.context, channel.channel_id));
    PARLEY_RETURN_IF_ERROR(
        firewall.CheckDocument(step, crypto::ViewOf(manifest.plaintext_root()), manifest.size()));
    if (file.is_copy() && looked_at.has_value()) {
      PARLEY_RETURN_IF_ERROR(firewall.CheckDocument(step, *looked_at, file.source_size()));
    }
    PARLEY_RETURN_IF_ERROR(firewall.CheckNames(step, names));
    manifest.set_preview(file.preview());
    content.set_message_id(client::ToField(uploaded.message_id));
    if (options.replaces.has_value()) {
      manifest.set_replaces_message_id(client::ToField(*options.replaces));
    }
    *content.mutable_document() = std::move(manifest);
    PARLEY_RETURN_IF_ERROR(connected.context.Channel(channel.channel_id)
                               .Queue(step, content, firewall.AllowedReaders())
                               .status());
    PARLEY_RETURN_IF_ERROR(step.Delete(client::RecordClass::kKeys, name));
    PARLEY_RETURN_IF_ERROR(step.Commit());
  }
  transfers.Forget(uploaded.message_id.ToString()).IgnoreError();  // only takes room
  PARLEY_ASSIGN_OR_RETURN(SentMessage sent,
                          Deliver(channel, uploaded.message_id, /*may_stay_queued=*/true));
  sent.metadata = file.metadata();
  sent.removed = file.removed();
  return sent;
}

absl::Status Profile::Impl::Fetch(const DocumentRef& document, const std::string& target,
                                  const FetchOptions& options, const ProgressCallback& progress) {
  content::v1::Document manifest;
  {
    PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
    PARLEY_ASSIGN_OR_RETURN(CaseView view,
                            CaseView::Create(read, LocalContext(document.channel.case_id)));
    PARLEY_RETURN_IF_ERROR(view.Channel(read, document.channel.channel_id).status());
    PARLEY_ASSIGN_OR_RETURN(manifest, view.Manifest(read, document));
  }
  PARLEY_RETURN_IF_ERROR(CheckTarget(target, options.overwrite));
  PARLEY_ASSIGN_OR_RETURN(Connected connected, Connect(document.channel.case_id));
  client::Transfers::DownloadOptions transfer;
  transfer.retry_for = kTransferRetryFor;
  transfer.overwrite = options.overwrite;
  Reporter reporter(progress);
  reporter.SetUp(transfer);
  return client::Transfers(*store_).Download(*connected.relay->client, manifest, target, transfer);
}

}  // namespace parley
