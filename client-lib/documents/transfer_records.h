// What the profile keeps of transfers under way: enough to go on after a crash.
//
// Threading: free functions.
#ifndef PARLEY_CLIENT_LIB_DOCUMENTS_TRANSFER_RECORDS_H_
#define PARLEY_CLIENT_LIB_DOCUMENTS_TRANSFER_RECORDS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-lib/documents/local_file.h"
#include "client-lib/relay/relay_types.h"
#include "client-lib/store/profile_store.h"
#include "crypto/base/bytes.h"
#include "crypto/base/codec.h"
#include "crypto/base/secret.h"

namespace parley::client::internal {

inline constexpr uint8_t kRecordVersion = 1;

// Of one upload, under "transfer/<transfer id>" among the keys.
struct UploadRecord {
  uint8_t version = kRecordVersion;
  std::string path;
  uint64_t size = 0;
  uint64_t modified_ns = 0;
  ObjectId share_id{};
  ObjectId blob_id{};
  crypto::Secret file_key;
  crypto::Secret read_seed;
  crypto::Secret write_seed;
  uint8_t blob_created = 0;
  // Chunks that the relay has, and the trees over them (TreeHasher::Save).
  uint64_t chunks = 0;
  crypto::Bytes plaintext_tree;
  crypto::Bytes ciphertext_tree;
  // The manifest, once the blob is sealed; empty before.
  crypto::Secret manifest;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.path, self.size, self.modified_ns, self.share_id,
                    self.blob_id, self.file_key, self.read_seed, self.write_seed, self.blob_created,
                    self.chunks, self.plaintext_tree, self.ciphertext_tree, self.manifest);
  }
};

// What a shared blob can be deleted by, under "shared-blob/<transfer id>" among the keys.
struct SharedBlobRecord {
  uint8_t version = kRecordVersion;
  ObjectId blob_id{};
  crypto::Secret write_seed;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.blob_id, self.write_seed);
  }
};

// Of one download, under "download/<blob id>/<target>" among the content.
struct DownloadRecord {
  uint8_t version = kRecordVersion;
  // Chunks that were verified and written to the part file, and the trees over them.
  uint64_t chunks = 0;
  crypto::Bytes plaintext_tree;
  crypto::Bytes ciphertext_tree;

  template <typename F>
  static auto Fields(F& self) {
    return std::tie(self.version, self.chunks, self.plaintext_tree, self.ciphertext_tree);
  }
};

std::string UploadName(std::string_view transfer_id);
std::string SharedBlobName(std::string_view transfer_id);
std::string DownloadName(std::string_view blob_id, const std::string& target);

// Nullopt when there is none. Errors: DataLoss for a record that makes no sense.
template <typename Record>
absl::StatusOr<std::optional<Record>> LoadRecord(ProfileStore& store, RecordClass record_class,
                                                 const std::string& name) {
  PARLEY_ASSIGN_OR_RETURN(ReadTransaction view, store.Read());
  PARLEY_ASSIGN_OR_RETURN(std::optional<crypto::Secret> bytes, view.Get(record_class, name));
  if (!bytes.has_value()) return std::optional<Record>();
  absl::StatusOr<Record> record = crypto::Parse<Record>(bytes->Reveal());
  if (!record.ok() || record->version != kRecordVersion) {
    return absl::DataLossError("the record of a file transfer in " + store.dir() +
                               " can't be read; begin the transfer anew");
  }
  return std::optional<Record>(std::move(*record));
}

template <typename Record>
absl::Status SaveRecord(ProfileStore& store, RecordClass record_class, const std::string& name,
                        const Record& record) {
  PARLEY_ASSIGN_OR_RETURN(Transaction step, store.Begin());
  PARLEY_RETURN_IF_ERROR(step.Put(record_class, name, crypto::SerializeSecret(record)));
  return step.Commit();
}

absl::Status DeleteRecord(ProfileStore& store, RecordClass record_class, const std::string& name);

}  // namespace parley::client::internal

#endif  // PARLEY_CLIENT_LIB_DOCUMENTS_TRANSFER_RECORDS_H_
