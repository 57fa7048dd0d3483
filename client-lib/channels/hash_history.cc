#include "client-lib/channels/hash_history.h"

#include <algorithm>
#include <utility>

#include "crypto/base/secret.h"
#include "crypto/base/status_macros.h"

namespace parley::client {
namespace {

constexpr size_t kSize = TranscriptHash().size();

}  // namespace

absl::StatusOr<HashHistory::Block*> HashHistory::Load(const ReadTransaction& tx, uint64_t block) {
  const auto found = blocks_.find(block);
  if (found != blocks_.end()) return &found->second;
  PARLEY_ASSIGN_OR_RETURN(const std::optional<crypto::Secret> stored,
                          tx.Get(RecordClass::kIndex, name_(block)));
  Block loaded;
  loaded.values.resize(kBlock * kSize);
  if (stored.has_value()) {
    if (stored->size() != loaded.values.size()) {
      return absl::DataLossError("a channel's record in the profile is damaged");
    }
    std::copy(stored->Reveal().begin(), stored->Reveal().end(), loaded.values.begin());
  }
  return &(blocks_[block] = std::move(loaded));
}

absl::Status HashHistory::Set(const ReadTransaction& tx, uint64_t number,
                              const TranscriptHash& value) {
  PARLEY_ASSIGN_OR_RETURN(Block* const block, Load(tx, number / kBlock));
  std::copy(value.begin(), value.end(), block->values.begin() + (number % kBlock) * kSize);
  block->dirty = true;
  return absl::OkStatus();
}

absl::StatusOr<std::optional<TranscriptHash>> HashHistory::Get(const ReadTransaction& tx,
                                                               uint64_t number) {
  PARLEY_ASSIGN_OR_RETURN(const Block* const block, Load(tx, number / kBlock));
  TranscriptHash value{};
  std::copy_n(block->values.begin() + (number % kBlock) * kSize, kSize, value.begin());
  if (value == TranscriptHash{}) return std::optional<TranscriptHash>();
  return std::optional<TranscriptHash>(value);
}

absl::Status HashHistory::Flush(Transaction& tx) {
  for (auto& [number, block] : blocks_) {
    if (!block.dirty) continue;
    PARLEY_RETURN_IF_ERROR(tx.Put(RecordClass::kIndex, name_(number), ByteView(block.values)));
    block.dirty = false;
  }
  return absl::OkStatus();
}

}  // namespace parley::client
