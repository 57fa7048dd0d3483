// The checks of blobs and their chunks.
#include <algorithm>
#include <optional>

#include "server/core/stored_records.h"
#include "server/core/stored_size.h"
#include "server/core/verifier.h"

namespace parley::server::verify {

void Verifier::CheckBlobs() {
  const bool complete =
      Scan(Space::kRecords, "b", "blobs", [&](std::string_view key, std::string_view value) {
        const std::optional<ObjectId> id = storage::IdFrom<32>(key.substr(1));
        if (!id.has_value()) {
          Find("a blob has a key of another length");
          return true;
        }
        ++report_.blobs;
        blobs_.insert(*id);
        absl::StatusOr<BlobRecord> record = storage::ParseRecord<BlobRecord>(value);
        if (!record.ok()) {
          Find("blob " + Short(*id) + ": its state: " + Message(record.status()));
          objects_complete_ = false;
        } else {
          CheckBlob(*id, *record);
        }
        return true;
      });
  objects_complete_ = objects_complete_ && complete;
}

void Verifier::CheckBlob(const ObjectId& id, const BlobRecord& record) {
  const std::string name = "blob " + Short(id);
  Use& use = uses_[record.sponsor];
  use.bytes += record.reserved_bytes;
  use.objects += 1;
  CheckExpiry(name, record.expires_at, storage::ExpiringKind::kBlob, id);
  absl::StatusOr<std::optional<storage::BlobProgressRecord>> stored =
      GetRecord<storage::BlobProgressRecord>(store_, storage::BlobProgressKey(id));
  if (!stored.ok()) return Find(name + ": how far it is uploaded: " + Message(stored.status()));
  const storage::BlobProgressRecord progress = stored->value_or(storage::BlobProgressRecord());
  if (record.sealed != 0 && progress.chunks == 0) {
    return Find(name + ": it is sealed, and how many chunks it has is missing");
  }
  const size_t findings = report_.findings.size();
  const uint64_t bytes = ReadChunks(id, progress.chunks);
  if (report_.findings.size() != findings) return;
  if (bytes != progress.bytes || bytes > record.reserved_bytes) {
    Find(name + ": its chunks have " + Number(bytes) + " bytes, and it says " +
         Number(progress.bytes) + " of " + Number(record.reserved_bytes));
  }
  store_
      .Scan(Space::kChunks, storage::ChunkKey(id, progress.chunks),
            storage::PrefixEnd(storage::ChunkPrefix(id)),
            [&](std::string_view, std::string_view) {
              Find(name + ": there are chunks behind its last one", Remedy::kLeftover);
              return false;
            })
      .IgnoreError();  // what is behind the last one matters to nobody
}

uint64_t Verifier::ReadChunks(const ObjectId& id, uint64_t chunks) {
  uint64_t bytes = 0;
  // A count that is damaged itself must not be worked through.
  uint64_t missing_in_a_row = 0;
  constexpr uint64_t kMostMissing = 16;
  for (uint64_t index = 0; index < chunks && missing_in_a_row < kMostMissing; ++index) {
    absl::StatusOr<std::optional<std::string>> chunk =
        store_.GetChecked(Space::kChunks, storage::ChunkKey(id, index));
    const std::string name = "blob " + Short(id) + ": chunk " + Number(index);
    if (!chunk.ok()) {
      Find(name + ": " + Message(chunk.status()));
    } else if (!chunk->has_value()) {
      ++missing_in_a_row;
      Find(name + " of " + Number(chunks) + " is missing");
      continue;
    } else {
      ++report_.chunks;
      bytes += (*chunk)->size();
    }
    missing_in_a_row = 0;
  }
  report_.bytes += bytes;
  return bytes;
}

}  // namespace parley::server::verify
