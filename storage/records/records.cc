#include "storage/records/records.h"

#include "crypto/base/codec.h"

namespace parley::storage {
namespace {

constexpr uint8_t kRecordVersion = 1;

template <typename T>
std::string SerializeAny(const T& record) {
  crypto::Writer writer;
  writer.WriteUint8(kRecordVersion);
  crypto::Encode(writer, record);
  return crypto::ToString(writer.view());
}

absl::Status ReadVersion(crypto::Reader& reader) {
  uint8_t version = 0;
  PARLEY_RETURN_IF_ERROR(reader.ReadUint8(version));
  if (version != kRecordVersion) {
    return absl::DataLossError("a record of format " + std::to_string(version) +
                               "; this program knows format 1");
  }
  return absl::OkStatus();
}

// Malformed bytes in our own store are damage, not somebody's bad input.
absl::Status Damaged(const absl::Status& status) {
  return absl::DataLossError("a damaged record in the store: " + std::string(status.message()));
}

}  // namespace

std::string SerializeRecord(const MailboxRecord& record) { return SerializeAny(record); }
std::string SerializeRecord(const GenerationRecord& record) { return SerializeAny(record); }
std::string SerializeRecord(const AppendIdRecord& record) { return SerializeAny(record); }
std::string SerializeRecord(const BlobRecord& record) { return SerializeAny(record); }
std::string SerializeRecord(const BlobProgressRecord& record) { return SerializeAny(record); }
std::string SerializeRecord(const SponsorRecord& record) { return SerializeAny(record); }
std::string SerializeRecord(const SponsorLinkRecord& record) { return SerializeAny(record); }
std::string SerializeRecord(const SpentVoucherRecord& record) { return SerializeAny(record); }

std::string SerializeEntry(const EntryRecord& record, std::string_view payload) {
  std::string bytes = SerializeAny(record);
  bytes.reserve(bytes.size() + payload.size());
  bytes.append(payload);
  return bytes;
}

template <typename T>
absl::StatusOr<T> ParseRecord(std::string_view bytes) {
  crypto::Reader reader(crypto::ViewOf(bytes));
  T record{};
  absl::Status status = ReadVersion(reader);
  if (status.ok()) status = crypto::Decode(reader, record);
  if (status.ok()) status = reader.ExpectEnd();
  if (!status.ok()) return Damaged(status);
  return record;
}

absl::StatusOr<EntryView> ParseEntry(std::string_view bytes) {
  crypto::Reader reader(crypto::ViewOf(bytes));
  EntryView view;
  absl::Status status = ReadVersion(reader);
  if (status.ok()) status = crypto::Decode(reader, view.record);
  if (!status.ok()) return Damaged(status);
  view.payload = bytes.substr(bytes.size() - reader.rest().size());
  return view;
}

template absl::StatusOr<MailboxRecord> ParseRecord(std::string_view);
template absl::StatusOr<GenerationRecord> ParseRecord(std::string_view);
template absl::StatusOr<AppendIdRecord> ParseRecord(std::string_view);
template absl::StatusOr<BlobRecord> ParseRecord(std::string_view);
template absl::StatusOr<BlobProgressRecord> ParseRecord(std::string_view);
template absl::StatusOr<SponsorRecord> ParseRecord(std::string_view);
template absl::StatusOr<SponsorLinkRecord> ParseRecord(std::string_view);
template absl::StatusOr<SpentVoucherRecord> ParseRecord(std::string_view);

}  // namespace parley::storage
