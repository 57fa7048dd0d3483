// Transfers that were begun: Profile::Impl's part.
#include <chrono>
#include <thread>

#include "client-lib/api/find.h"
#include "client-lib/api/profile_impl.h"
#include "client-lib/api/status_conversion.h"
#include "client-lib/api/under_way.h"
#include "client-lib/content/folded_text.h"

namespace parley {
namespace {

using client::AtTransfer;
using client::TransfersUnderWay;
using client::UnderWay;

constexpr std::chrono::seconds kWaitForStop{5};
constexpr std::chrono::milliseconds kLook{50};

absl::StatusOr<UnderWay> Load(client::ProfileStore& store, const MessageId& id) {
  PARLEY_ASSIGN_OR_RETURN(const client::ReadTransaction read, store.Read());
  PARLEY_ASSIGN_OR_RETURN(std::optional<UnderWay> record,
                          TransfersUnderWay().Get(read, id.ToString()));
  if (!record.has_value()) {
    return absl::NotFoundError("there is no such transfer; it may be done, or cancelled");
  }
  return std::move(*record);
}

absl::Status SetPaused(client::ProfileStore& store, const MessageId& id, bool paused) {
  PARLEY_ASSIGN_OR_RETURN(client::Transaction step, store.Begin());
  PARLEY_ASSIGN_OR_RETURN(std::optional<UnderWay> record,
                          TransfersUnderWay().Get(step, id.ToString()));
  if (!record.has_value()) {
    return absl::NotFoundError("there is no such transfer; it may be done, or cancelled");
  }
  record->paused = uint8_t{paused};
  PARLEY_RETURN_IF_ERROR(TransfersUnderWay().Put(step, id.ToString(), *record));
  return step.Commit();
}

}  // namespace

absl::StatusOr<std::vector<Transfer>> Profile::Impl::Transfers() {
  std::vector<UnderWay> records;
  {
    PARLEY_ASSIGN_OR_RETURN(const client::ReadTransaction read, store_->Read());
    PARLEY_ASSIGN_OR_RETURN(records, TransfersUnderWay().All(read));
  }
  client::Transfers transfers(*store_);
  std::vector<Transfer> shown;
  for (const UnderWay& record : records) {
    Transfer& one = shown.emplace_back();
    one.id = record.id;
    one.upload = record.upload != 0;
    one.channel = {record.case_id, record.channel};
    one.name = record.name;
    one.path = record.path;
    one.total = record.total;
    one.began_at = static_cast<int64_t>(record.began_at);
    one.state = AtTransfer::IsTaken(folder_, record.id) ? TransferState::kRunning
                : record.paused != 0                    ? TransferState::kPaused
                                                        : TransferState::kInterrupted;
    if (one.upload) {
      one.done = transfers.UploadedBytes(record.id.ToString()).value_or(0);
      continue;
    }
    PARLEY_ASSIGN_OR_RETURN(const client::ReadTransaction read, store_->Read());
    const auto view = client::CaseView::Create(read, LocalContext(record.case_id));
    if (!view.ok()) continue;
    const auto manifest = view->Manifest(read, {one.channel, record.document});
    if (manifest.ok()) one.done = transfers.DownloadedBytes(*manifest, record.path).value_or(0);
  }
  return shown;
}

absl::StatusOr<Transfer> Profile::Impl::FindTransfer(std::string_view text) {
  PARLEY_ASSIGN_OR_RETURN(const std::vector<Transfer> all, Transfers());
  const std::string beginning = client::Folded(text);
  std::vector<Transfer> fitting;
  for (const Transfer& one : all) {
    if (!beginning.empty() && one.id.ToString().starts_with(beginning)) fitting.push_back(one);
  }
  if (fitting.size() == 1) return std::move(fitting.front());
  if (fitting.empty()) {
    return absl::NotFoundError("there is no transfer \"" + std::string(text) +
                               "\"; \"parley transfers\" shows those that there are");
  }
  return client::AmbiguousError("\"" + std::string(text) +
                                "\" fits several transfers; write more of the id");
}

absl::Status Profile::Impl::PauseTransfer(const MessageId& id) {
  return SetPaused(*store_, id, true);
}

absl::Status Profile::Impl::ResumeTransfer(const MessageId& id, const ProgressCallback& progress) {
  PARLEY_ASSIGN_OR_RETURN(const UnderWay record, Load(*store_, id));
  if (AtTransfer::IsTaken(folder_, id)) {
    return absl::FailedPreconditionError("this very transfer is going on already");
  }
  const ChannelRef channel{record.case_id, record.channel};
  if (record.upload == 0) {
    return Fetch({channel, record.document}, record.path, {.overwrite = record.overwrite != 0},
                 progress);
  }
  ShareOptions options;
  options.name = record.name;
  options.media_type = record.media_type;
  if (record.has_replaces != 0) options.replaces = record.replaces;
  options.note = record.note;
  options.keep_metadata = record.keep_metadata != 0;
  if (record.has_class != 0) {
    options.document_class = static_cast<DocumentClass>(record.document_class);
  }
  options.valid_for_seconds = static_cast<int64_t>(record.valid_for_seconds);
  const BriefTerms brief{static_cast<BriefKind>(record.brief), record.brief_sides,
                         record.expires_at};
  return ShareDocument(channel, record.path, options, brief, progress).status();
}

absl::Status Profile::Impl::CancelTransfer(const MessageId& id) {
  PARLEY_ASSIGN_OR_RETURN(const UnderWay record, Load(*store_, id));
  PARLEY_RETURN_IF_ERROR(SetPaused(*store_, id, true));
  const auto until = std::chrono::steady_clock::now() + kWaitForStop;
  absl::StatusOr<AtTransfer> at = AtTransfer::Begin(folder_, id);
  while (!at.ok() && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(kLook);
    at = AtTransfer::Begin(folder_, id);
  }
  PARLEY_RETURN_IF_ERROR(at.status());
  PARLEY_RETURN_IF_ERROR(Load(*store_, id).status());  // it may have been completed meanwhile
  client::Transfers transfers(*store_);
  if (record.upload == 0) {
    PARLEY_ASSIGN_OR_RETURN(const client::ReadTransaction read, store_->Read());
    PARLEY_ASSIGN_OR_RETURN(const client::CaseView view,
                            client::CaseView::Create(read, LocalContext(record.case_id)));
    const auto manifest = view.Manifest(read, {{record.case_id, record.channel}, record.document});
    if (manifest.ok()) PARLEY_RETURN_IF_ERROR(transfers.ForgetDownload(*manifest, record.path));
  } else {
    PARLEY_ASSIGN_OR_RETURN(const Connected connected, Connect(record.case_id));
    PARLEY_RETURN_IF_ERROR(transfers.Forget(id.ToString(), connected.relay->client.get()));
  }
  PARLEY_ASSIGN_OR_RETURN(client::Transaction step, store_->Begin());
  if (!record.share.empty()) {
    PARLEY_RETURN_IF_ERROR(step.Delete(client::RecordClass::kKeys, record.share));
  }
  PARLEY_RETURN_IF_ERROR(TransfersUnderWay().Delete(step, id.ToString()));
  return step.Commit();
}

}  // namespace parley
