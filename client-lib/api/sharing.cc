// Documents to and from a channel: Profile::Impl's part.
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>

#include "client-lib/api/file_to_share.h"
#include "client-lib/api/media_type.h"
#include "client-lib/api/profile_impl.h"
#include "client-lib/api/status_conversion.h"
#include "client-lib/api/transfer_progress.h"
#include "client-lib/api/under_way.h"
#include "client-lib/channels/names.h"
#include "client-lib/firewall/firewall.h"
#include "crypto/primitives/hash.h"

namespace parley {
namespace {

using client::CaseView;
using client::ReadTransaction;
using client::Transaction;

constexpr uint64_t kMostFileBytes = 1ull << 50;
// By so much a blob outlives its document, whose end waits for somebody to say it.
constexpr uint64_t kBlobOutlivesSeconds = 7 * 24 * 60 * 60;

// A share that was begun: "share/<channel>/<hash of the path>", with "/kept" for one that keeps the
// file's metadata. It keeps the message id, by which the upload is resumed, and the voucher that
// pays.
struct ShareRecord {
  MessageId message_id;
  crypto::Bytes voucher;
  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.message_id, self.voucher);
  }
};

// The path from the root on, by which a transfer is known again wherever it is resumed.
std::string Whole(const std::string& path) {
  std::error_code error;
  const std::string whole = std::filesystem::absolute(path, error).lexically_normal().string();
  return error ? path : whole;
}

std::string ShareName(const ChannelRef& channel, const std::string& path, bool keep_metadata) {
  return "share/" + channel.channel_id.ToString() + "/" +
         crypto::ToHex(crypto::Hash(crypto::HashAlgorithm::kSha256, crypto::ViewOf(Whole(path)))) +
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

namespace {

client::UnderWay NoteOf(const MessageId& id, const ChannelRef& channel, const std::string& path,
                        const std::string& share, const client::UploadRequest& request,
                        const ShareOptions& options, BriefKind brief,
                        const std::vector<std::string>& brief_sides, uint64_t expires_at) {
  client::UnderWay note;
  note.id = id;
  note.case_id = channel.case_id;
  note.channel = channel.channel_id;
  note.path = Whole(path);
  std::error_code error;
  const uintmax_t size = std::filesystem::file_size(path, error);
  note.total = error ? 0 : size;
  note.name = request.name;
  note.began_at = static_cast<uint64_t>(std::time(nullptr));
  note.share = share;
  note.media_type = request.media_type;
  note.has_replaces = uint8_t{options.replaces.has_value()};
  note.replaces = options.replaces.value_or(MessageId());
  note.note = options.note;
  note.has_class = uint8_t{options.document_class.has_value()};
  note.document_class =
      static_cast<uint8_t>(options.document_class.value_or(DocumentClass::kGeneral));
  note.valid_for_seconds = static_cast<uint64_t>(options.valid_for_seconds);
  note.expires_at = expires_at;
  note.brief = static_cast<uint8_t>(brief);
  note.brief_sides = brief_sides;
  note.keep_metadata = uint8_t{options.keep_metadata};
  return note;
}

// When a share's time is over; and whether what an earlier call has put at the relay ends before.
struct Expiry {
  uint64_t at = 0;  // 0: never
  bool blob_ends_before = false;
};

// `resumed`: of a share that is resumed; 0 for one that is asked for (again). A share that goes on
// ends when it was to end when it was begun: so the relay was told.
absl::StatusOr<Expiry> ExpiryOf(client::ProfileStore& store, const MessageId& id,
                                const ShareOptions& options, uint64_t resumed) {
  const auto now = static_cast<uint64_t>(std::time(nullptr));
  const auto valid_for = static_cast<uint64_t>(options.valid_for_seconds);
  if (resumed != 0) {
    if (resumed > now) return Expiry{resumed, false};
    return absl::FailedPreconditionError(
        "the time for which it was to be shared is over; cancel it (parley transfers cancel), and "
        "share it anew");
  }
  PARLEY_ASSIGN_OR_RETURN(const ReadTransaction read, store.Read());
  PARLEY_ASSIGN_OR_RETURN(const auto begun, client::TransfersUnderWay().Get(read, id.ToString()));
  Expiry expiry;
  if (valid_for != 0) expiry.at = now + valid_for;
  if (!begun.has_value() || begun->expires_at == 0) return expiry;
  if (begun->valid_for_seconds == valid_for && begun->expires_at > now) {
    expiry.at = begun->expires_at;
  }
  expiry.blob_ends_before = expiry.at == 0 || expiry.at > begun->expires_at;
  return expiry;
}

// The fetch of this document into that file that was begun, or a new one.
absl::StatusOr<client::UnderWay> NoteFetch(client::ProfileStore& store, const DocumentRef& document,
                                           const std::string& target, const FetchOptions& options,
                                           const content::v1::Document& manifest) {
  client::UnderWay note;
  note.id = client::RandomId<MessageId>();
  note.upload = 0;
  note.case_id = document.channel.case_id;
  note.channel = document.channel.channel_id;
  note.path = Whole(target);
  note.name = client::SafeFileName(manifest.name());
  note.total = manifest.size();
  note.began_at = static_cast<uint64_t>(std::time(nullptr));
  note.document = document.message_id;
  note.overwrite = uint8_t{options.overwrite};
  PARLEY_ASSIGN_OR_RETURN(const ReadTransaction read, store.Read());
  PARLEY_ASSIGN_OR_RETURN(const std::vector<client::UnderWay> all,
                          client::TransfersUnderWay().All(read));
  for (const client::UnderWay& one : all) {
    const bool same = one.upload == 0 && one.channel == note.channel &&
                      one.document == note.document && one.path == note.path;
    if (same) note.id = one.id;
  }
  return note;
}

// The callback that also stops at a pause by anybody.
ProgressCallback StopWhenPaused(client::ProfileStore& store, const MessageId& id,
                                const ProgressCallback& progress) {
  return [&store, id, &progress](uint64_t done, uint64_t total) {
    if (client::IsStopped(store, id)) return false;
    return !progress || progress(done, total);
  };
}

absl::Status Paused() {
  return absl::CancelledError("it was paused: \"parley transfers resume\" goes on with it");
}

// What a transfer that was stopped ends with.
template <typename T>
absl::StatusOr<T> UnlessPaused(client::ProfileStore& store, const MessageId& id,
                               absl::StatusOr<T> result) {
  if (absl::IsCancelled(result.status()) && client::IsStopped(store, id)) return Paused();
  return result;
}

// Keeps what a transfer needs to go on; whoever begins or resumes it ends a pause.
absl::Status Keep(client::ProfileStore& store, const client::UnderWay& transfer) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, store.Begin());
  PARLEY_RETURN_IF_ERROR(client::TransfersUnderWay().Put(step, transfer.id.ToString(), transfer));
  return step.Commit();
}

}  // namespace

absl::StatusOr<SentMessage> Profile::Impl::Share(const ChannelRef& channel, const std::string& path,
                                                 const ShareOptions& options,
                                                 const ProgressCallback& progress) {
  return ShareDocument(channel, path, options, {}, progress);
}

absl::StatusOr<SentMessage> Profile::Impl::ShareDocument(const ChannelRef& channel,
                                                         const std::string& path,
                                                         const ShareOptions& options,
                                                         const BriefTerms& brief,
                                                         const ProgressCallback& progress) {
  PARLEY_RETURN_IF_ERROR(CheckFile(path));
  PARLEY_RETURN_IF_ERROR(CheckWritable(channel));
  content::v1::Content content;
  PARLEY_RETURN_IF_ERROR(SayUnderProcedure(channel, content));  // before anything is uploaded
  client::UploadRequest request;
  {
    PARLEY_ASSIGN_OR_RETURN(const ReadTransaction read, store_->Read());
    content::v1::Document checked;
    PARLEY_RETURN_IF_ERROR(SetTerms(read, channel, options, brief, checked));
  }
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
  request.known_as = Whole(path);
  // Neither as it is nor without its metadata may it be one that was confided elsewhere.
  std::optional<crypto::TreeHash> sent_as = looked_at;
  if (file.is_copy()) {
    PARLEY_ASSIGN_OR_RETURN(
        sent_as, client::Firewall::CheckFile(LocalContext(channel.case_id), channel.channel_id,
                                             file.path(), names));
  }
  PARLEY_ASSIGN_OR_RETURN(Connected connected, Connect(channel.case_id));
  const std::string name = ShareName(channel, path, options.keep_metadata);
  PARLEY_ASSIGN_OR_RETURN(const ShareRecord begun, BeginShare(*store_, name, connected.context,
                                                              std::nullopt, /*new_voucher=*/false));
  PARLEY_ASSIGN_OR_RETURN(const client::AtTransfer at,
                          client::AtTransfer::Begin(folder_, begun.message_id));
  client::Transfers transfers(*store_);
  BriefTerms terms = brief;
  PARLEY_ASSIGN_OR_RETURN(const Expiry expiry,
                          ExpiryOf(*store_, begun.message_id, options, brief.expires_at));
  terms.expires_at = expiry.at;
  // The relay may let go of it a while after everybody has.
  if (expiry.at != 0) request.expires_at = expiry.at + kBlobOutlivesSeconds;
  if (expiry.blob_ends_before) {
    PARLEY_RETURN_IF_ERROR(
        transfers.Forget(begun.message_id.ToString(), connected.relay->client.get()));
  }
  PARLEY_RETURN_IF_ERROR(Keep(*store_, NoteOf(begun.message_id, channel, path, name, request,
                                              options, brief.kind, brief.sides, expiry.at)));
  PARLEY_ASSIGN_OR_RETURN(
      Uploaded uploaded, UnlessPaused(*store_, begun.message_id,
                                      Upload(connected, name, std::nullopt, request,
                                             StopWhenPaused(*store_, begun.message_id, progress))));
  content::v1::Document& manifest = uploaded.manifest;
  if (sent_as.has_value() &&
      !crypto::PublicEquals(*sent_as, crypto::ViewOf(manifest.plaintext_root()))) {
    transfers.Forget(uploaded.message_id.ToString(), connected.relay->client.get()).IgnoreError();
    return absl::AbortedError(
        "\"" + path + "\" was changed while it was shared; nothing was sent. Share it again");
  }
  PARLEY_RETURN_IF_ERROR(SayUnderProcedure(channel, content));
  {
    PARLEY_ASSIGN_OR_RETURN(Transaction step, store_->Begin());
    // Who pauses it, or gives it up, up to here is told the truth.
    PARLEY_ASSIGN_OR_RETURN(const auto under_way,
                            client::TransfersUnderWay().Get(step, uploaded.message_id.ToString()));
    if (!under_way.has_value() || under_way->paused != 0) return Paused();
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
    if (!options.note.empty()) PARLEY_RETURN_IF_ERROR(firewall.CheckText(step, options.note));
    content.set_message_id(client::ToField(uploaded.message_id));
    PARLEY_RETURN_IF_ERROR(SetTerms(step, channel, options, terms, manifest));
    PARLEY_RETURN_IF_ERROR(transfers.KeepBlob(step, uploaded.message_id.ToString()));
    *content.mutable_document() = std::move(manifest);
    PARLEY_RETURN_IF_ERROR(connected.context.Channel(channel.channel_id)
                               .Queue(step, content, firewall.AllowedReaders())
                               .status());
    PARLEY_RETURN_IF_ERROR(step.Delete(client::RecordClass::kKeys, name));
    PARLEY_RETURN_IF_ERROR(
        client::TransfersUnderWay().Delete(step, uploaded.message_id.ToString()));
    PARLEY_RETURN_IF_ERROR(step.Commit());
  }
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
  PARLEY_ASSIGN_OR_RETURN(const client::UnderWay transfer,
                          NoteFetch(*store_, document, target, options, manifest));
  PARLEY_ASSIGN_OR_RETURN(const client::AtTransfer at,
                          client::AtTransfer::Begin(folder_, transfer.id));
  PARLEY_RETURN_IF_ERROR(Keep(*store_, transfer));
  client::Transfers::DownloadOptions download;
  download.retry_for = kTransferRetryFor;
  download.overwrite = options.overwrite;
  const ProgressCallback watched = StopWhenPaused(*store_, transfer.id, progress);
  Reporter reporter(watched);
  reporter.SetUp(download);
  const absl::Status fetched = client::Transfers(*store_).Download(
      *connected.relay->client, manifest, transfer.path, download);
  if (absl::IsCancelled(fetched)) {
    return client::IsStopped(*store_, transfer.id) ? Paused() : fetched;
  }
  // What the line, or the disk, was to blame for can go on.
  const bool may_go_on = absl::IsUnavailable(fetched) || absl::IsDeadlineExceeded(fetched) ||
                         absl::IsResourceExhausted(fetched);
  if (!may_go_on) PARLEY_RETURN_IF_ERROR(client::EndTransfer(*store_, transfer.id));
  return fetched;
}

}  // namespace parley
