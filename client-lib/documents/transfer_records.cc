#include "client-lib/documents/transfer_records.h"

namespace parley::client::internal {

std::string UploadName(std::string_view transfer_id) {
  return "transfer/" + std::string(transfer_id);
}

std::string SharedBlobName(std::string_view transfer_id) {
  return "shared-blob/" + std::string(transfer_id);
}

std::string DownloadName(std::string_view blob_id, const std::string& target) {
  return "download/" + crypto::ToHex(crypto::ViewOf(blob_id)) + "/" + target;
}

absl::Status DeleteRecord(ProfileStore& store, RecordClass record_class, const std::string& name) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, store.Begin());
  PARLEY_RETURN_IF_ERROR(step.Delete(record_class, name));
  return step.Commit();
}

}  // namespace parley::client::internal
