// What is in documents: texts, their differences, previews. Profile::Impl's part for that.
#include <unistd.h>

#include "client-lib/api/carried_files.h"
#include "client-lib/api/profile_impl.h"
#include "client-lib/api/transfer_progress.h"
#include "client-lib/file_worker/file_worker.h"
#include "crypto/primitives/random.h"

namespace parley {
namespace {

using client::CaseView;
using client::ReadTransaction;
using file_worker::FileWorker;

absl::Status Prefixed(const std::string& words, const absl::Status& status) {
  return absl::Status(status.code(), words + ": " + std::string(status.message()));
}

}  // namespace

absl::StatusOr<content::v1::Document> Profile::Impl::LoadManifest(const DocumentRef& document) {
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction read, store_->Read());
  PARLEY_ASSIGN_OR_RETURN(CaseView view,
                          CaseView::Create(read, LocalContext(document.channel.case_id)));
  PARLEY_RETURN_IF_ERROR(view.Channel(read, document.channel.channel_id).status());
  return view.Manifest(read, document);
}

absl::StatusOr<std::string> Profile::Impl::Text(const DocumentRef& document) {
  PARLEY_ASSIGN_OR_RETURN(const content::v1::Document manifest, LoadManifest(document));
  const std::string failed =
      "the text of \"" + client::SafeFileName(manifest.name()) + "\" can't be read";
  if (manifest.size() > file_worker::kMostInputBytes) {
    return absl::ResourceExhaustedError(failed + ": it is larger than " +
                                        std::to_string(file_worker::kMostInputBytes >> 20) +
                                        " MiB");
  }
  PARLEY_ASSIGN_OR_RETURN(const FileWorker worker, FileWorker::Find());  // before it is fetched
  PARLEY_ASSIGN_OR_RETURN(Connected connected, Connect(document.channel.case_id));
  PARLEY_ASSIGN_OR_RETURN(const client::CarriedFiles files, client::CarriedFiles::Hold(folder_));
  // A name of its own: the same document may be read twice at once.
  const std::string path = files.PathOf("text-" + document.message_id.ToString() + "-" +
                                        crypto::ToHex(crypto::RandomArray<8>()));
  client::Transfers::DownloadOptions transfer;
  transfer.retry_for = kTransferRetryFor;
  transfer.overwrite = true;
  const absl::Status fetched =
      client::Transfers(*store_).Download(*connected.relay->client, manifest, path, transfer);
  if (!fetched.ok()) {
    unlink((path + ".parley-part").c_str());
    return fetched;
  }
  PARLEY_ASSIGN_OR_RETURN(const client::PlainCopy copy, client::PlainCopy::Take(path));
  absl::StatusOr<std::string> text = worker.Text(copy.path());
  if (!text.ok()) return Prefixed(failed, text.status());
  return text;
}

absl::StatusOr<TextDifference> Profile::Impl::Difference(const DocumentRef& older,
                                                         const DocumentRef& newer) {
  PARLEY_ASSIGN_OR_RETURN(const std::string before, Text(older));
  PARLEY_ASSIGN_OR_RETURN(const std::string after, Text(newer));
  PARLEY_ASSIGN_OR_RETURN(const FileWorker worker, FileWorker::Find());
  absl::StatusOr<TextDifference> difference = worker.Difference(before, after);
  if (!difference.ok()) return Prefixed("the texts can't be compared", difference.status());
  return difference;
}

absl::StatusOr<std::string> Profile::Impl::Preview(const DocumentRef& document) {
  PARLEY_ASSIGN_OR_RETURN(content::v1::Document manifest, LoadManifest(document));
  if (!file_worker::IsPreview(manifest.preview())) {
    return absl::NotFoundError("no preview came with \"" + client::SafeFileName(manifest.name()) +
                               "\"");
  }
  return std::move(*manifest.mutable_preview());
}

}  // namespace parley
